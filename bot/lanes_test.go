package bot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFullLaneMakesItsSenderWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l := &lanes[int]{do: func(context.Context, int64, int) { <-release }, perLane: 2, total: 3}
		for i := range 3 { // one is under way, two wait
			if err := l.push(t.Context(), 1, i); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.push(ctx, 1, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full lane took one more: %v", err)
		}
		if err := l.push(t.Context(), 2, 0); err != nil {
			t.Errorf("another lane: %v", err)
		}
		go func() { release <- struct{}{} }()
		if err := l.push(t.Context(), 1, 3); err != nil {
			t.Errorf("when there is room: %v", err)
		}
		close(release)
		l.wait()
		if len(l.waiting) != 0 || l.count != 0 {
			t.Errorf("%d lanes and %d items are left", len(l.waiting), l.count)
		}
	})
}

func TestOnlyTheLastStateOfAMessageIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []string
		release := make(chan struct{})
		l := &lanes[parcel]{replaces: parcel.replaces, perLane: 32, total: 100}
		l.do = func(_ context.Context, _ int64, p parcel) {
			<-release
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, p.out.Text.String())
		}
		for _, out := range []struct {
			text string
			edit int
		}{{"under way", 7}, {"first", 7}, {"other message", 8}, {"new message", 0}, {"new message", 0}, {"last", 7}} {
			p := parcel{out: say(5, out.text)}
			p.out.Edit = out.edit
			if err := l.push(t.Context(), 5, p); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		close(release)
		l.wait()
		want := []string{"under way", "other message", "new message", "new message", "last"}
		if len(sent) != len(want) {
			t.Fatalf("sent %q", sent)
		}
		for i := range want {
			if sent[i] != want[i] {
				t.Errorf("sent %q, not %q", sent, want)
			}
		}
	})
}

func TestChatsTurnIsGivenUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		give, err := all.take(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := all.take(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("two have the turn: %v", err)
		}
		other, err := all.take(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		other()
		give()
		if len(all.chats) != 0 {
			t.Errorf("%d turns are left", len(all.chats))
		}
	})
}

func TestWindowConfirmsNothingBeforeWhatIsUnderWay(t *testing.T) {
	w := newWindow()
	for _, id := range []int64{1010, 1011, 1013} {
		if !w.add(id) || w.add(id) {
			t.Fatalf("update %d is taken once", id)
		}
	}
	for _, step := range []struct{ done, offset int64 }{{1011, 1010}, {1010, 1013}, {1010, 1013}, {1013, 1014}} {
		w.done(step.done)
		if got := w.offset(); got != step.offset {
			t.Errorf("after %d the offset is %d, not %d", step.done, got, step.offset)
		}
	}
	if !isClosed(w.quiet()) {
		t.Error("something is under way")
	}
	if w.add(1011) || w.add(1013) {
		t.Error("an update that was handled while a poll was on its way is taken again")
	}
	// After a week without updates Telegram begins anew anywhere.
	w.add(3)
	w.done(3)
	if got := w.offset(); got != 4 {
		t.Errorf("offset is %d", got)
	}
}

func TestWhatWasDoneFirstIsHandledFirst(t *testing.T) {
	entered, release, got := make(chan struct{}, 9), make(chan struct{}), make(chan int64, 9)
	l := &lanes[update]{before: update.before, perLane: 9, total: 9, do: func(_ context.Context, _ int64, u update) {
		entered <- struct{}{}
		<-release
		got <- u.id
	}}
	for _, id := range []int64{5, 9, 7, 8, 6} { // the first is under way at once
		if err := l.push(t.Context(), 1, update{id: id}); err != nil {
			t.Fatal(err)
		}
		if id == 5 {
			receive(t, entered)
		}
	}
	close(release)
	l.wait()
	for id := range int64(5) {
		if next := <-got; next != id+5 {
			t.Errorf("%d instead of %d", next, id+5)
		}
	}
}
