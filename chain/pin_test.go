package chain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// authority is a certificate with its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// issue makes a certificate, signed by itself where signer is nil.
func issue(t *testing.T, template *x509.Certificate, signer *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "localhost"}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	template.NotBefore = template.NotAfter.Add(-2 * time.Hour)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	made := &authority{key: key}
	parent, parentKey := template, key
	if signer != nil {
		parent, parentKey = signer.cert, signer.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	if made.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	made.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return made
}

func serve(t *testing.T, who *authority, asked *atomic.Int32) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `[]`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{who.cert.Raw}, PrivateKey: who.key}},
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func TestOnlyThePinnedCertificateIsTaken(t *testing.T) {
	localhost := func() *x509.Certificate { return &x509.Certificate{DNSNames: []string{"localhost"}} }
	own := issue(t, localhost(), nil)
	twin := issue(t, localhost(), nil)
	root := issue(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, DNSNames: []string{"localhost"}}, nil)
	signed := issue(t, localhost(), root)
	byIP := issue(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, nil)
	old := issue(t, &x509.Certificate{DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(-time.Minute)}, nil)
	for _, test := range []struct {
		name         string
		server       *authority
		pin          []byte
		taken, knows bool
	}{
		{"the pinned one", own, own.pem, true, true},
		{"the pinned one, named by address", byIP, byIP.pem, true, true},
		{"another of the same name", twin, own.pem, false, true},
		{"one signed by the pinned one", signed, root.pem, false, true},
		{"expired", old, old.pem, false, true},
		{"none pinned", own, nil, false, true},
		{"a pinned one without a name", own, issue(t, &x509.Certificate{}, nil).pem, false, false},
		{"two pinned", own, append(append([]byte{}, own.pem...), twin.pem...), false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int32
			config := Config{
				NodeURL: "http://localhost:1", TicketboothURL: serve(t, test.server, &asked), TicketboothCert: test.pin,
				Pause: time.Millisecond,
			}
			client, err := New(config)
			if (err == nil) != test.knows {
				t.Fatalf("configured: %v", err)
			}
			if err != nil {
				return
			}
			defer client.Close()
			_, err = client.Tickets(t.Context(), cirrus.Address(testContract))
			if test.taken && err != nil {
				t.Fatalf("refused: %v", err)
			}
			if !test.taken && (!errors.Is(err, order.ErrUnreachable) || asked.Load() != 0) {
				t.Fatalf("asked %d times, got %v", asked.Load(), err)
			}
		})
	}
}
