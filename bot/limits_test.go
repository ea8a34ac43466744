package bot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// paper is a clock that goes on only when somebody waits.
type paper struct{ now time.Time }

func (p *paper) clock() time.Time { return p.now }

func (p *paper) wait(ctx context.Context, d time.Duration) error {
	p.now = p.now.Add(d)
	return ctx.Err()
}

// most counts the largest number of times that lie within one span.
func most(times []time.Time, span time.Duration) int {
	largest, from := 0, 0
	for to := range times {
		for times[to].Sub(times[from]) >= span {
			from++
		}
		largest = max(largest, to-from+1)
	}
	return largest
}

func TestWhateverIsSentKeepsToTelegramsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := &paper{now: time.Unix(1_900_000_000, 0)}
		p := NewPacer(Pace{}, clock.clock, clock.wait)
		chats := rapid.SliceOfN(rapid.SampledFrom([]int64{1, 2, -1, -2}), 1, 200).Draw(t, "chats")
		if rapid.Bool().Draw(t, "many") {
			for i := range chats {
				chats[i] = int64(i) + 1
			}
		}
		var all []time.Time
		each := map[int64][]time.Time{}
		for _, chat := range chats {
			clock.now = clock.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "idle")) * time.Millisecond / 10)
			if err := p.Wait(context.Background(), chat, rapid.Bool().Draw(t, "urgent")); err != nil {
				t.Fatal(err)
			}
			all, each[chat] = append(all, clock.now), append(each[chat], clock.now)
		}
		if n := most(all, time.Second); n > 30 {
			t.Fatalf("%d in a second", n)
		}
		for chat, times := range each {
			if n := most(times, 10*time.Second); n > 13 {
				t.Fatalf("%d in ten seconds in chat %d", n, chat)
			}
			if n := most(times, time.Minute); chat < 0 && n > 20 {
				t.Fatalf("%d in a minute in group %d", n, chat)
			}
		}
	})
}

func TestFullSpeedIsAlmostThirtyASecond(t *testing.T) {
	clock := &paper{now: time.Unix(1_900_000_000, 0)}
	p := NewPacer(Pace{}, clock.clock, clock.wait)
	began := clock.now
	for i := range 300 {
		if err := p.Wait(t.Context(), int64(i)+1, true); err != nil {
			t.Fatal(err)
		}
	}
	if took := clock.now.Sub(began); took > 10500*time.Millisecond {
		t.Errorf("300 messages took %s", took)
	}
}

func TestUrgentMessagesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(Pace{}, time.Now, wait)
		var mu sync.Mutex
		var order []bool
		var all sync.WaitGroup
		send := func(chat int64, urgent bool) {
			all.Go(func() {
				if err := p.Wait(t.Context(), chat, urgent); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, urgent)
			})
		}
		for i := range 50 {
			send(int64(i)+1, false)
		}
		synctest.Wait()
		for i := range 50 {
			send(int64(i)+1000, true)
		}
		all.Wait()
		late := 0
		for _, urgent := range order[:55] {
			if !urgent {
				late++
			}
		}
		if late > 5 {
			t.Errorf("%d announcements went before replies", late)
		}
	})
}

func TestChatIsLeftAloneAsLongAsTelegramAsks(t *testing.T) {
	clock := &paper{now: time.Unix(1_900_000_000, 0)}
	p := NewPacer(Pace{}, clock.clock, clock.wait)
	began := clock.now
	p.Pause(1, 7*time.Second)
	if err := p.Wait(t.Context(), 2, true); err != nil || clock.now != began {
		t.Errorf("another chat waited too: %v", err)
	}
	if err := p.Wait(t.Context(), 1, true); err != nil || clock.now.Sub(began) < 7*time.Second {
		t.Errorf("the chat got a message after %s: %v", clock.now.Sub(began), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.Pause(1, time.Hour)
	if err := p.Wait(ctx, 1, true); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pause beyond the deadline gives %v", err)
	}
}

func TestChatsThatAreQuietAreForgotten(t *testing.T) {
	clock := &paper{now: time.Unix(1_900_000_000, 0)}
	p := NewPacer(Pace{}, clock.clock, clock.wait)
	for i := range 3 * memorySize {
		if err := p.Wait(t.Context(), int64(i)-memorySize, true); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.chats) > memorySize+1 {
		t.Errorf("%d chats are remembered", len(p.chats))
	}
	var m memory[int, int]
	for i := range 5 * memorySize {
		m.put(i, i)
		if v, ok := m.get(0); !ok || v != 0 {
			t.Fatal("what is used is forgotten")
		}
	}
	if n := len(m.new) + len(m.old); n > 2*memorySize {
		t.Errorf("%d entries are remembered", n)
	}
}
