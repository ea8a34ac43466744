package secretchat

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// puppet is a server that answers calls one after the other with what the bytes hold,
// and a handler that accepts and takes everything.
type puppet struct {
	answers bin.Buffer
	code    int
	name    string // of the error that every call ends with; none when empty
}

// answered reads the next answer.
func answered[T any](p *puppet, read func(*bin.Buffer) (T, error)) (T, error) {
	if p.name != "" {
		var none T
		return none, tgerr.New(p.code, p.name)
	}
	return read(&p.answers)
}

func (p *puppet) MessagesGetDhConfig(context.Context, *tg.MessagesGetDhConfigRequest) (tg.MessagesDhConfigClass, error) {
	return answered(p, tg.DecodeMessagesDhConfig)
}

func (p *puppet) MessagesRequestEncryption(context.Context, *tg.MessagesRequestEncryptionRequest) (tg.EncryptedChatClass, error) {
	return answered(p, tg.DecodeEncryptedChat)
}

func (p *puppet) MessagesAcceptEncryption(context.Context, *tg.MessagesAcceptEncryptionRequest) (tg.EncryptedChatClass, error) {
	return answered(p, tg.DecodeEncryptedChat)
}

func (p *puppet) MessagesDiscardEncryption(context.Context, *tg.MessagesDiscardEncryptionRequest) (bool, error) {
	return answered(p, (*bin.Buffer).Bool)
}

func (p *puppet) MessagesSendEncrypted(context.Context, *tg.MessagesSendEncryptedRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return answered(p, tg.DecodeMessagesSentEncryptedMessage)
}

func (p *puppet) MessagesSendEncryptedFile(context.Context, *tg.MessagesSendEncryptedFileRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return answered(p, tg.DecodeMessagesSentEncryptedMessage)
}

func (p *puppet) MessagesSendEncryptedService(context.Context, *tg.MessagesSendEncryptedServiceRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return answered(p, tg.DecodeMessagesSentEncryptedMessage)
}

func (p *puppet) UploadSaveFilePart(context.Context, *tg.UploadSaveFilePartRequest) (bool, error) {
	return answered(p, (*bin.Buffer).Bool)
}

func (p *puppet) UploadSaveBigFilePart(context.Context, *tg.UploadSaveBigFilePartRequest) (bool, error) {
	return answered(p, (*bin.Buffer).Bool)
}

func (p *puppet) UploadGetFile(context.Context, *tg.UploadGetFileRequest) (tg.UploadFileClass, error) {
	return answered(p, tg.DecodeUploadFile)
}

func (p *puppet) OnRequest(context.Context, int64) (bool, error) { return true, nil }

func (p *puppet) Event(context.Context, Chat, Event) error { return nil }

// encoded is a value of the schema as bytes.
func encoded(t fatal, values ...bin.Encoder) []byte {
	var all []byte
	for _, v := range values {
		var buf bin.Buffer
		must(t, v.Encode(&buf))
		all = append(all, buf.Buf...)
	}
	return all
}

// The chats of a client that talks to a puppet, one in each phase.
const (
	idRequested = iota + 1
	idAccepting
	idAsking
	idWaiting
	idOpen
	idClosing
	idsEnd
)

// manyPhases are the records of these chats, made once.
var manyPhases = sync.OnceValue(func() map[string][]byte {
	records := map[string][]byte{}
	p := openPair(panicking{})
	e, g := p.env(), testGroup(panicking{})
	chats := [idsEnd]*chat{
		idRequested: requested(e, idRequested, 2, idRequested, asked(e, g)),
		idAccepting: requested(e, idAccepting, 2, idAccepting, asked(e, g)),
		idAsking:    asking(e, idAsking, idAsking, 3),
		idWaiting:   asking(e, idWaiting, idWaiting, 3),
		idOpen:      p.sides[1], idClosing: asking(e, idClosing, idClosing, 3),
	}
	must(panicking{}, chats[idAccepting].accept(e, g, nil))
	must(panicking{}, chats[idAsking].offer(e, g, nil))
	must(panicking{}, chats[idWaiting].offer(e, g, nil))
	chats[idWaiting].waits(5)
	chats[idClosing].end(e, PhaseClosing, ReasonOurs)
	chats[idOpen].ID, chats[idOpen].User = idOpen, idOpen
	p.say(1, "a text")
	for _, key := range []string{"a picture", "another"} {
		_, err := p.sides[1].enqueue(e, pending{Key: key, Photo: &photo{Blob: blobName(idOpen, key), W: 1, H: 1}})
		must(panicking{}, err)
		records[blobName(idOpen, key)] = testPicture
	}
	file, err := encryptFile(testPicture, rand.Reader)
	must(panicking{}, err)
	must(panicking{}, p.sides[1].numberPhoto(e, file))
	for _, c := range chats[1:] {
		raw, err := c.encode()
		must(panicking{}, err)
		records[chatName(c.User, c.ID)] = raw
	}
	return records
})

func asked(e env, g group) []byte {
	_, public, err := g.fresh(e.random, nil)
	must(panicking{}, err)
	return public
}

// puppetClient is a client with a chat in each phase, none of which anybody works at.
func puppetClient(t fatal, p *puppet) (*Client, *drawer) {
	d := &drawer{values: map[string][]byte{}}
	for name, value := range manyPhases() {
		d.values[name] = bytes.Clone(value)
	}
	c := New(Config{
		API: p, Store: d, Handler: p, Random: shortExponents{},
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	c.runs = true
	c.dh.good = map[[sha256.Size]byte]bool{groupSum(3, testGroup(t).P): true}
	return c, d
}

// sane checks what must hold of the records whatever a server says.
func sane(t *testing.T, c *Client, d *drawer) {
	t.Helper()
	if err := c.isHalted(); err != nil {
		t.Fatalf("what a server said has halted the client: %v", err)
	}
	for name, raw := range d.values {
		if _, _, ok := parseChatName(name); !ok {
			continue
		}
		ch, err := decodeChat(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, out := range ch.Outbox {
			if out.N >= ch.Out || i > 0 && out.N != ch.Outbox[i-1].N+1 {
				t.Fatalf("%s: message %d of the outbox has number %d", name, i, out.N)
			}
		}
	}
}
