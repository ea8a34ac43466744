package secretchat

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// TestWhatTheHandlerHasTakenIsMarkedAsRead is about the ticks on the other phone.
func TestWhatTheHandlerHasTakenIsMarkedAsRead(t *testing.T) {
	a, b, cloud, id := talk(t)
	a.say(id, "text")
	b.wait("text text")
	b.stop() // whatever it had begun is done
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if marks := cloud.marks[2]; len(marks) > 1 || slices.Contains(marks, 0) {
		t.Errorf("marked until %v", marks)
	}
	if len(cloud.marks[1]) != 0 {
		t.Error("who has read nothing has marked something")
	}
}

// TestReadMarksDoNotMatter lets a server know no read marks, in several ways of saying so.
func TestReadMarksDoNotMatter(t *testing.T) {
	for name, err := range map[string]error{
		"unknown method": tgerr.New(400, "INPUT_METHOD_INVALID"), "no answer": errors.New("no answer"),
		"unauthorized": tgerr.New(401, "AUTH_KEY_UNREGISTERED"), "flood": tgerr.New(420, "FLOOD_WAIT_1000"),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, newCloud(1, 2), 2)
			id := openRecord(t, d)
			c := quiet(d)
			marks := 0
			d.cloud.refuse = func(_ int64, call string) error {
				if call != "read" {
					return fmt.Errorf("%s was called", call)
				}
				marks++
				return err
			}
			p := openPair(t)
			w := &worker{id: id}
			for i := range 10 {
				wire := p.forge(0, p.honest(0, textMessage("text")))
				p.sides[0].Out++
				must(t, c.HandleMessage(t.Context(), &tg.EncryptedMessage{ChatID: id, Date: 100 + i, Bytes: wire}))
				for range 2 {
					if s, err := c.deliver(t.Context(), w); err != nil || s.wait > 0 {
						t.Fatalf("after message %d: %+v, %v", i, s, err)
					}
				}
				if s, err := c.network(t.Context(), w); err != nil || s.wait > 0 {
					t.Fatalf("after message %d: %+v, %v", i, s, err)
				}
			}
			if marks != maxUnmarked {
				t.Errorf("%d marks were tried", marks)
			}
		})
	}
}

func TestOneReadMarkIsForAllThatWasTaken(t *testing.T) {
	d := newDevice(t, newCloud(1, 2), 2)
	id := openRecord(t, d)
	c, p, w := quiet(d), openPair(t), &worker{id: id}
	for i := range 5 {
		wire := p.forge(0, p.honest(0, textMessage("text")))
		p.sides[0].Out++
		must(t, c.HandleMessage(t.Context(), &tg.EncryptedMessage{ChatID: id, Date: 100 + i, Bytes: wire}))
	}
	for range 6 {
		_, err := c.network(t.Context(), w)
		must(t, err)
		_, err = c.deliver(t.Context(), w)
		must(t, err)
	}
	if got := d.cloud.marks[2]; !slices.Equal(got, []int{104}) {
		t.Errorf("marked until %v", got)
	}
	if d.now().After(time.Unix(1_800_000_000, 0)) {
		t.Error("something waited for it")
	}
}
