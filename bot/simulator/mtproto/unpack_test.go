package mtproto

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/tg"
)

// packed is gzip_packed around data.
func packed(t *testing.T, w func(io.Writer) io.WriteCloser, data []byte) *bin.Buffer {
	t.Helper()
	var z bytes.Buffer
	c := w(&z)
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b := &bin.Buffer{}
	b.PutID(proto.GZIPTypeID)
	b.PutBytes(z.Bytes())
	return b
}

func withGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func withZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func TestPackedCallsAreReadWithEitherHeader(t *testing.T) {
	for name, w := range map[string]func(io.Writer) io.WriteCloser{"gzip": withGzip, "zlib": withZlib} {
		b, err := inflate(packed(t, w, []byte("a call")))
		if err != nil || string(b.Raw()) != "a call" {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	if _, err := inflate(packed(t, withGzip, make([]byte, inflateMax+1))); !errors.Is(err, errPacked) {
		t.Errorf("a bomb's answer is %v", err)
	}
}

func TestWrappersAreTakenOff(t *testing.T) {
	var b bin.Buffer
	call := &tg.InvokeWithLayerRequest{Layer: 1, Query: &tg.InitConnectionRequest{
		APIID: 42, Query: &tg.InvokeWithoutUpdatesRequest{Query: &tg.HelpGetConfigRequest{}},
	}}
	if err := call.Encode(&b); err != nil {
		t.Fatal(err)
	}
	inner, quiet, app, err := unwrap(packed(t, withZlib, b.Raw()))
	if err != nil || !quiet || app != 42 {
		t.Fatalf("unwrapped as quiet %t, app %d: %v", quiet, app, err)
	}
	if id, err := inner.PeekID(); err != nil || id != tg.HelpGetConfigRequestTypeID {
		t.Errorf("the call inside is %#x, %v", id, err)
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xa1, 0xcf, 0x72, 0x30}, 4))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _, _ = unwrap(&bin.Buffer{Buf: data})
	})
}
