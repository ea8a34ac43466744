package secretchat

import (
	"crypto/rand"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg/e2e"
)

// FuzzReceive feeds raw bytes from the wire to an open chat: it must neither panic
// nor be moved by anything that is not authentic.
func FuzzReceive(f *testing.F) {
	p := openPair(f)
	p.say(0, "seed")
	f.Add(p.sides[0].next().Data)
	f.Add([]byte{})
	f.Add(make([]byte, headerLen+16))
	genuine := p.sides[0].next().Data
	f.Fuzz(func(t *testing.T, wire []byte) {
		p := openPair(t)
		in := p.sides[1].In
		fault, err := p.sides[1].receive(p.env(), wire)
		must(t, err)
		if fault == "" && string(wire) != string(genuine) {
			t.Fatal("something forged was taken")
		}
		if fault != "" && p.sides[1].In != in {
			t.Fatal("something forged was counted")
		}
	})
}

// FuzzPlaintext feeds whatever a hostile peer may encrypt to an open chat: it must
// not panic, and the chat must still be storable.
func FuzzPlaintext(f *testing.F) {
	p := openPair(f)
	bodies := []e2e.DecryptedMessageClass{
		&e2e.DecryptedMessage{RandomID: 1, Message: "text"},
		&e2e.DecryptedMessage46{RandomID: 1, Message: "text"},
		&e2e.DecryptedMessage23{RandomID: 1, Message: "text", Media: &e2e.DecryptedMessageMediaEmpty{}},
		&e2e.DecryptedMessage8{RandomID: 1, RandomBytes: make([]byte, 31), Message: "text", Media: &e2e.DecryptedMessageMediaEmpty{}},
		service(&e2e.DecryptedMessageActionResend{StartSeqNo: 0, EndSeqNo: 2}),
		service(&e2e.DecryptedMessageActionRequestKey{ExchangeID: 1, GA: make([]byte, 256)}),
		service(&e2e.DecryptedMessageActionAcceptKey{ExchangeID: 1, GB: make([]byte, 256)}),
		service(&e2e.DecryptedMessageActionCommitKey{ExchangeID: 1}),
		service(&e2e.DecryptedMessageActionAbortKey{ExchangeID: 1}),
		service(&e2e.DecryptedMessageActionSetMessageTTL{TTLSeconds: -5}),
		service(&e2e.DecryptedMessageActionNotifyLayer{Layer: 1 << 30}),
		service(&e2e.DecryptedMessageActionReadMessages{RandomIDs: []int64{1}}),
		&e2e.DecryptedMessageService8{RandomID: 1, RandomBytes: make([]byte, 31), Action: &e2e.DecryptedMessageActionNoop{}},
	}
	for _, body := range bodies {
		l := p.honest(0, body)
		var buf bin.Buffer
		must(f, l.Encode(&buf))
		f.Add(buf.Buf)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := openPair(t)
		wire, err := seal(p.sides[0].Key.Bytes, true, data, rand.Reader)
		must(t, err)
		_, err = p.sides[1].receive(p.env(), wire)
		must(t, err)
		p.reload(1)
	})
}

// FuzzRecord reads stored records: damage is an error, not a panic.
func FuzzRecord(f *testing.F) {
	f.Add(template()[0])
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := decodeChat(raw); err == nil && c == nil {
			t.Fatal("neither a record nor an error")
		}
	})
}
