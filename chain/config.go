package chain

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// Config says where a node is and how to talk to it.
type Config struct {
	NodeURL         string // of the Cirrus node API, e.g. http://localhost:37223
	TicketboothURL  string // of the Ticketbooth API, e.g. https://localhost:39200
	TicketboothCert []byte // PEM of exactly the certificate that the Ticketbooth API presents; empty: the system's roots
	// Passwords gives the password of a wallet. It is asked for each call that needs one and kept nowhere.
	Passwords func(wallet string) (string, error)
	Timeout   time.Duration // of one attempt of a call that only reads; 0: 10 seconds
	// Patience is for a call that changes something, which may wait for a broadcast, and for one that makes the node
	// look through the whole chain; 0: 60 seconds.
	Patience time.Duration
	Pause    time.Duration // before the first repeat of a call that only reads; 0: 200 milliseconds
	Sites    order.Sites   // nil: calls just pass
}

// Limits of what is read of an answer, in bytes.
const (
	limitAnswer = 4 << 20
	limitBlock  = 8 << 20
)

// readTries is how often a call that only reads is made at the most.
const readTries = 3

// ErrConfig says that a setting of a Config cannot be used.
var ErrConfig = errors.New("bad node configuration")

// Client calls one Ticketbooth node. It is safe for concurrent use.
type Client struct {
	node, booth *url.URL
	http        *http.Client
	sites       order.Sites
	passwords   func(wallet string) (string, error)
	timeout     time.Duration
	patience    time.Duration
	pause       time.Duration
}

// New makes a client; it makes no call. Errors: ErrConfig.
func New(config Config) (*Client, error) {
	node, err := baseURL("node", config.NodeURL)
	if err != nil {
		return nil, err
	}
	booth, err := baseURL("Ticketbooth", config.TicketboothURL)
	if err != nil {
		return nil, err
	}
	secure, err := pinned(config.TicketboothCert, booth.Hostname())
	if err != nil {
		return nil, err
	}
	client := &Client{
		node: node, booth: booth, sites: config.Sites, passwords: config.Passwords,
		http:    newHTTP(secure, booth),
		timeout: orElse(config.Timeout, 10*time.Second), patience: orElse(config.Patience, time.Minute),
		pause: orElse(config.Pause, 200*time.Millisecond),
	}
	if client.sites == nil {
		client.sites = passThrough{}
	}
	if client.passwords == nil {
		client.passwords = func(wallet string) (string, error) {
			return "", fmt.Errorf("%w: no password for wallet %q", order.ErrPassword, wallet)
		}
	}
	return client, nil
}

// Close closes connections that wait for further calls.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func orElse(given, usual time.Duration) time.Duration {
	if given > 0 {
		return given
	}
	return usual
}

func baseURL(what, text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		// The text is not repeated: it may hold a password.
		return nil, fmt.Errorf("%w: the %s URL is not of the form http://host:port", ErrConfig, what)
	}
	return base, nil
}

// newHTTP makes a client that takes no proxy from the environment (the wallet password is in the requests) and
// follows no redirect. It speaks HTTP/1.1 only, whose rules for silent repeats of a request are simple: a POST that
// may have left is not repeated. The pinned certificate is asked of the Ticketbooth host only.
func newHTTP(secure *tls.Config, booth *url.URL) *http.Client {
	var one http.Protocols
	one.SetHTTP1(true)
	transport := func(secure *tls.Config) *http.Transport {
		return &http.Transport{
			TLSClientConfig: secure, TLSHandshakeTimeout: 10 * time.Second, Protocols: &one,
			MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &http.Client{
		Transport: &twoHosts{booth: booth.Host, pinned: transport(secure), plain: transport(nil)},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

type twoHosts struct {
	booth         string
	pinned, plain *http.Transport
}

func (t *twoHosts) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host == t.booth {
		return t.pinned.RoundTrip(request)
	}
	return t.plain.RoundTrip(request)
}

func (t *twoHosts) CloseIdleConnections() {
	t.pinned.CloseIdleConnections()
	t.plain.CloseIdleConnections()
}

// pinned gives a TLS configuration that takes one certificate and no other. The certificate is checked as any other,
// expiry included, with itself as the only root; only its name need not be the host's, since nobody else has its key.
func pinned(text []byte, host string) (*tls.Config, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%w: the Ticketbooth certificate is no PEM certificate", ErrConfig)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, fmt.Errorf("%w: the Ticketbooth certificate must be exactly one", ErrConfig)
	}
	pin, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the Ticketbooth certificate: %w", ErrConfig, err)
	}
	name, err := nameOf(pin, host)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(pin)
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: name,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !state.PeerCertificates[0].Equal(pin) {
				return errPin
			}
			return nil
		},
	}, nil
}

var errPin = errors.New("the certificate is not the pinned one")

// nameOf picks a name that the certificate stands for: the host's if it does, otherwise its own first one.
func nameOf(pin *x509.Certificate, host string) (string, error) {
	if pin.VerifyHostname(host) == nil {
		return host, nil
	}
	for _, name := range pin.DNSNames {
		if pin.VerifyHostname(name) == nil {
			return name, nil
		}
	}
	for _, ip := range pin.IPAddresses {
		return ip.String(), nil
	}
	return "", fmt.Errorf("%w: the Ticketbooth certificate names no host", ErrConfig)
}
