package secretchat_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"github.com/usherbot/usher/bot/secretchat"
	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// The phone's side of these tests is a second implementation of the protocol, which
// shares nothing with the library but gotd's types of the schema.

const (
	ours     = 1
	adas     = 2
	patience = 2 * time.Minute
)

// meeting is a client and a phone on one server.
type meeting struct {
	t       *testing.T
	api     *tg.Client
	client  *secretchat.Client
	phone   *phone.Simulated
	changed <-chan struct{}

	mu    sync.Mutex
	notes []string
	noted chan struct{}
}

func meet(t *testing.T) *meeting {
	t.Helper()
	server, err := hub.New(hub.Options{})
	must(t, err)
	server.AddUser(hub.User{ID: ours, FirstName: "Library", Username: "library"})
	server.AddUser(hub.User{ID: adas, FirstName: "Ada", Username: "ada"})
	device, err := server.NewDevice(ours)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	m := &meeting{t: t, api: tg.NewClient(device), noted: make(chan struct{}, 1)}
	m.client = secretchat.New(secretchat.Config{API: m.api, Store: &store{values: map[string][]byte{}}, Handler: m})
	m.phone, m.changed = newPhone(ctx, server, adas, "Ada")
	var work sync.WaitGroup
	work.Go(func() { _ = m.client.Run(ctx) })
	work.Go(func() { _ = feed(ctx, device, m.client) })
	t.Cleanup(func() {
		cancel()
		m.phone.Close()
		work.Wait()
	})
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *meeting) OnRequest(context.Context, int64) (bool, error) { return true, nil }

func (m *meeting) Event(ctx context.Context, _ secretchat.Chat, e secretchat.Event) error {
	note := fmt.Sprint(e.Kind, " ", e.Text, e.Key, " ", e.State)
	if e.Kind == secretchat.EventFile {
		data, err := m.client.Download(ctx, e.File)
		if err != nil {
			return err
		}
		note += fmt.Sprint(len(data), " bytes")
	}
	m.mu.Lock()
	m.notes = append(m.notes, strings.TrimSpace(note))
	m.mu.Unlock()
	select {
	case m.noted <- struct{}{}:
	default:
	}
	return nil
}

// until waits for something to become true of either side.
func (m *meeting) until(what string, done func() bool) {
	m.t.Helper()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-m.noted:
		case <-m.changed:
		case <-deadline:
			m.mu.Lock()
			defer m.mu.Unlock()
			m.t.Fatalf("never: %s; told %q; shown %q; complaints %q", what, m.notes, m.shown(), m.phone.Complaints())
		}
	}
}

func (m *meeting) told(note string) func() bool {
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return slices.Contains(m.notes, note)
	}
}

// shown are the other side's messages on the phone.
func (m *meeting) shown() (texts []string) {
	for _, c := range m.phone.Chats() {
		for _, msg := range c.Messages {
			if !msg.Mine {
				texts = append(texts, msg.Text)
			}
		}
	}
	return texts
}

// open makes a chat that the phone, or the library, starts.
func (m *meeting) open(byPhone bool) (id int, onPhone string) {
	m.t.Helper()
	if byPhone {
		chat, err := m.phone.StartSecretChat(m.t.Context(), ours)
		must(m.t, err)
		onPhone = chat
	} else {
		found, err := m.api.ContactsResolveUsername(m.t.Context(), &tg.ContactsResolveUsernameRequest{Username: "ada"})
		must(m.t, err)
		hash, _ := found.Users[0].(*tg.User).GetAccessHash()
		chat, err := m.client.Ask(m.t.Context(), adas, hash)
		must(m.t, err)
		onPhone = strconv.Itoa(chat.ID)
	}
	m.until("the chat is open", func() bool {
		chats := m.phone.Chats()
		return m.told("opened")() && len(chats) > 0 && chats[0].State == phone.StateOpen
	})
	id, err := strconv.Atoi(onPhone)
	must(m.t, err)
	return id, onPhone
}

func somePicture(t *testing.T) []byte {
	var out bytes.Buffer
	must(t, png.Encode(&out, image.NewGray(image.Rect(0, 0, 30, 20))))
	return out.Bytes()
}

func TestLibraryAndPhoneUnderstandEachOther(t *testing.T) {
	for name, byPhone := range map[string]bool{"started by the phone": true, "started by the library": false} {
		t.Run(name, func(t *testing.T) {
			m := meet(t)
			id, onPhone := m.open(byPhone)
			ctx, picture := t.Context(), somePicture(t)
			_, err := m.client.SendText(ctx, id, "a", "good morning")
			must(t, err)
			_, err = m.client.SendPhoto(ctx, id, "b", secretchat.Photo{Data: picture, W: 30, H: 20, Caption: "a picture"})
			must(t, err)
			_, err = m.client.SendDocument(ctx, id, "c", secretchat.Document{Data: picture, Name: "p.png", MIME: "image/png", Caption: "a file"})
			must(t, err)
			want := []string{"good morning", "a picture", "a file"}
			m.until("everything is on the phone", func() bool { return slices.Equal(m.shown(), want) })
			for _, msg := range m.phone.Chats()[0].Messages[1:] {
				if !bytes.Equal(msg.Picture, picture) {
					t.Errorf("%q came with %d bytes", msg.Text, len(msg.Picture))
				}
			}
			_, err = m.phone.Send(ctx, onPhone, "thanks")
			must(t, err)
			_, err = m.phone.SendPicture(ctx, onPhone, picture, "mine")
			must(t, err)
			m.until("the phone's answers are told", m.told("text thanks"))
			m.until("its picture too", m.told(fmt.Sprintf("file mine %d bytes", len(picture))))
			m.until("the last is acknowledged", m.told("progress c seen"))
			m.sameKeyPicture(id)
			if all := m.phone.Complaints(); len(all) != 0 {
				t.Errorf("the phone complains: %q", all)
			}
			must(t, m.client.Close(ctx, id))
			m.until("the phone sees it closed", func() bool { return m.phone.Chats()[0].State == phone.StateClosed })
		})
	}
}

func (m *meeting) sameKeyPicture(id int) {
	m.t.Helper()
	picture, err := m.client.KeyPicture(m.t.Context(), id)
	must(m.t, err)
	lines := picture.Lines()
	if digits := strings.ReplaceAll(strings.Join(lines[:], ""), " ", ""); digits != m.phone.Chats()[0].KeyHex {
		m.t.Errorf("the phone shows %s, the library %s", m.phone.Chats()[0].KeyHex, digits)
	}
}

func TestKeysChangeWithAPhoneWhoeverAsks(t *testing.T) {
	m := meet(t)
	id, onPhone := m.open(true)
	for i := range 250 {
		text := fmt.Sprint("message ", i)
		if i%3 == 0 {
			_, err := m.client.SendText(t.Context(), id, text, text)
			must(t, err)
			m.until(text+" arrives", func() bool { return slices.Contains(m.shown(), text) })
			continue
		}
		_, err := m.phone.Send(t.Context(), onPhone, text)
		must(t, err)
		m.until(text+" is told", m.told("text "+text))
	}
	m.sameKeyPicture(id)
	if c := m.phone.Chats()[0]; c.State != phone.StateOpen || len(m.phone.Complaints()) != 0 {
		t.Errorf("the chat is %s (%s), complaints %q", c.State, c.Why, m.phone.Complaints())
	}
}
