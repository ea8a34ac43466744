package secretchat

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"
)

// TestStoreThatWentBackEndsItsChatsEverywhere puts one side's store back to what it was
// some messages ago.
func TestStoreThatWentBackEndsItsChatsEverywhere(t *testing.T) {
	a, b, cloud, id := talk(t)
	a.say(id, "before")
	b.wait("text before")
	a.wait("before sent")
	a.stop()
	older := maps.Clone(a.store.values)
	a.start()
	a.say(id, "after")
	b.wait("text after")
	a.wait("after sent")
	a.stop()
	a.store.values = older
	must(t, quiet(a).DiscardAll(t.Context(), ReasonStale))
	a.start()
	a.wait("closed 2: stale")
	b.wait("closed 1: peer")
	if _, err := a.current().SendText(t.Context(), id, "on", "on"); !errors.Is(err, ErrNoChat) {
		t.Errorf("the chat goes on: %v", err)
	}
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if !cloud.chats[id].over {
		t.Error("the server still has the chat")
	}
}

// TestDiscardingMayBeKilledAnywhere lets each save fail once, before or after it has
// happened: the next attempt does the rest, and each end is told once.
func TestDiscardingMayBeKilledAnywhere(t *testing.T) {
	const chats = 3
	for at := range 2 * (chats + 1) {
		d := newDevice(t, newCloud(2), 2)
		for i := range chats {
			c := &chat{
				Version: recordVersion, ID: 10 + i, User: int64(i + 1), PeerLayer: initialLayer,
				Phase: []Phase{PhaseRequested, PhaseAsking, PhaseWaiting}[i],
			}
			raw, err := c.encode()
			must(t, err)
			d.store.values[chatName(c.User, c.ID)] = raw
		}
		d.store.values[chatName(9, 99)] = []byte("no record")
		over := requested(env{now: d.now()}, 50, 1, 50, nil)
		over.end(env{now: d.now()}, PhaseClosed, ReasonPeer)
		raw, err := over.encode()
		must(t, err)
		d.store.values[chatName(50, 50)] = raw
		d.store.failAt, d.store.lost = at/2+1, at%2 == 1
		if err := quiet(d).DiscardAll(t.Context(), ReasonStale); !errors.Is(err, ErrHalted) {
			t.Fatalf("save %d: %v", at/2+1, err)
		}
		c := quiet(d)
		for range 2 {
			must(t, c.DiscardAll(t.Context(), ReasonStale))
		}
		for user, id := range map[int64]int{1: 10, 2: 11, 3: 12, 9: 99} {
			ch, err := decodeChat(d.store.values[chatName(user, id)])
			must(t, err)
			ends := slices.DeleteFunc(ch.Events, func(e Event) bool { return e.Kind != EventClosed })
			if ch.Phase != PhaseClosing || ch.Reason != ReasonStale || len(ends) != 1 {
				t.Errorf("save %d: %v for %q, its end is told %d times", at/2+1, ch, ch.Reason, len(ends))
			}
		}
		if ch, err := decodeChat(d.store.values[chatName(50, 50)]); err != nil || ch.Reason != ReasonPeer || len(ch.Events) != 0 {
			t.Errorf("a chat that was over: %v for %q, %v", ch, ch.Reason, err)
		}
	}
}

func TestDiscardedHistoryIsTold(t *testing.T) {
	for _, erased := range []bool{true, false} {
		d := newDevice(t, newCloud(2), 2)
		id := openRecord(t, d)
		c := quiet(d)
		must(t, c.change(t.Context(), id, func(ch *chat, _ env) error {
			ch.tell(Event{Kind: EventText, Text: "not told yet"})
			return nil
		}))
		for range 2 { // the server may say it twice
			must(t, c.HandleChat(t.Context(), &tg.EncryptedChatDiscarded{ID: id, HistoryDeleted: erased}))
		}
		ch, err := c.load(t.Context(), id)
		must(t, err)
		var told []string
		for _, e := range ch.Events {
			told = append(told, strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Text, e.Erased)))
		}
		want := []string{"text not told yetfalse", "closed false"}
		if erased {
			want = []string{"closed true"}
		}
		if !slices.Equal(told, want) || ch.Reason != ReasonPeer {
			t.Errorf("erased %t: told %q, over for %s", erased, told, ch.Reason)
		}
	}
}
