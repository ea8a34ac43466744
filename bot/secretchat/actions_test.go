package secretchat

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tg/e2e"
)

// talk opens a chat between two devices.
func talk(t *testing.T) (a, b *device, c *cloud, id int) {
	a, b, c = twoDevices(t)
	a.start()
	b.start()
	id = a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	return a, b, c, id
}

func TestDocumentArrivesWithItsName(t *testing.T) {
	a, b, _, id := talk(t)
	data := bytes.Repeat([]byte("0123456789"), 150_000) // several chunks down
	a.insist(func(c *Client) error {
		_, err := c.SendDocument(t.Context(), id, "file", Document{
			Data: data, Name: "list.csv: ", MIME: "text/csv", Caption: "the list",
		})
		return err
	})
	b.wait(fmt.Sprintf("file the list: list.csv: %s", data))
	a.wait("file sent")
}

func TestFilesAreDescribedInWordsOfThePeersLayer(t *testing.T) {
	p := &photo{Name: "a.txt", MIME: "text/plain"}
	if m, ok := p.media(encryptedFile{Size: 5}, wideFileLayer-1).(*e2e.DecryptedMessageMediaDocument46); !ok || m.Size != 5 {
		t.Errorf("below layer %d: %T", wideFileLayer, m)
	}
	if m, ok := p.media(encryptedFile{Size: 5}, wideFileLayer).(*e2e.DecryptedMessageMediaDocument); !ok || m.Size != 5 {
		t.Errorf("from layer %d: %T", wideFileLayer, m)
	}
}

func TestActionsReachTheOtherSide(t *testing.T) {
	a, b, cloud, id := talk(t)
	a.say(id, "secret")
	b.wait("text secret")
	a.wait("secret sent")
	a.insist(func(c *Client) error { return c.SetTimer(t.Context(), id, 90*time.Second) })
	b.wait("timer 1m30s")
	for _, ch := range []*device{a, b} {
		record, err := ch.current().load(t.Context(), id)
		must(t, err)
		if record.TTL != 90 {
			t.Errorf("account %d writes with a timer of %d s", ch.account, record.TTL)
		}
	}
	record, err := a.current().load(t.Context(), id)
	must(t, err)
	a.insist(func(c *Client) error { return c.Delete(t.Context(), id, "secret", "never sent") })
	b.wait(fmt.Sprint("deleted ", []int64{record.mark("secret").RandomID}))
	a.insist(func(c *Client) error { return c.Flush(t.Context(), id) })
	b.wait("flushed []")
	b.insist(func(c *Client) error { return c.Viewed(t.Context(), id, record.mark("secret").RandomID) })
	a.wait("secret seen")
	a.insist(func(c *Client) error { return c.Erase(t.Context(), id) })
	b.wait("closed 1: peer")
	cloud.mu.Lock()
	erased := cloud.chats[id].erased
	cloud.mu.Unlock() // a save that is still under way needs it
	if !erased {
		t.Error("the history was not to go")
	}
	if err := a.current().SetTimer(t.Context(), id, 0); !errors.Is(err, ErrNoChat) {
		t.Errorf("a timer for a chat that is over: %v", err)
	}
}

// TestWhatIsTakenBackBeforeItWasToldIsNotTold is about copies: what the other side
// deletes is not kept here.
func TestWhatIsTakenBackBeforeItWasToldIsNotTold(t *testing.T) {
	p := openPair(t)
	hear := func(body e2e.DecryptedMessageClass) {
		t.Helper()
		if fault := p.hit(1, p.forge(0, p.honest(0, body))); fault != "" {
			t.Fatal(fault)
		}
		p.sides[0].Out++
	}
	texts := func() (all []string) {
		for _, ev := range p.sides[1].Events {
			if ev.Kind == EventText {
				all = append(all, ev.Text)
			}
		}
		return all
	}
	for i, text := range []string{"keep", "take back"} {
		hear(&e2e.DecryptedMessage{RandomID: int64(i + 1), Message: text})
	}
	hear(service(&e2e.DecryptedMessageActionDeleteMessages{RandomIDs: []int64{2}}))
	if got := texts(); !slices.Equal(got, []string{"keep"}) {
		t.Errorf("told %q", got)
	}
	hear(service(&e2e.DecryptedMessageActionFlushHistory{}))
	if got := texts(); len(got) != 0 {
		t.Errorf("told %q", got)
	}
	hear(service(&e2e.DecryptedMessageActionScreenshotMessages{}))
	hear(service(&e2e.DecryptedMessageActionTyping{Action: &e2e.SendMessageTypingAction{}}))
	last := p.sides[1].Events[len(p.sides[1].Events)-1]
	if last.Kind != EventScreenshot || fmt.Sprintf("%v %#v", last, Event{Text: "hidden"}) !=
		"secret chat event: screenshot secret chat event: " {
		t.Errorf("the last event is %v", last)
	}
}

func TestEventsForADeafHandlerAreBounded(t *testing.T) {
	p := openPair(t)
	for i := range maxTold + 50 {
		if fault := p.hit(1, p.forge(0, p.honest(0, textMessage("text")))); fault != "" {
			t.Fatal(i, fault)
		}
		p.sides[0].Out++
	}
	if n := len(p.sides[1].Events); n > maxTold {
		t.Errorf("%d events are kept", n)
	}
}
