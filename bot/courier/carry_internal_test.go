package courier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tgerr"
	"github.com/usherbot/usher/bot/secretchat"
)

// listening lets a desk note what it tells of chats; fail makes the next telling fail.
func (d *desk) listening() (told *[]string, fail *bool) {
	told, fail = new([]string), new(bool)
	d.handler = deaf{hears: func(_ int64, news ChatNews) error {
		if *fail {
			*fail = false
			return errors.New("not now")
		}
		*told = append(*told, string(news.Kind)+" "+string(news.Why))
		return nil
	}}
	return told, fail
}

// look has the courier look at what it means to do.
func (d *desk) look(begin beginning) {
	d.t.Helper()
	if _, err := d.lookAtAsks(d.t.Context(), d.current(), begin); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) ask(customer int64) {
	d.t.Helper()
	d.hear(d.letter(customer, d.link(customer).Code), person(customer))
}

func TestCustomerHearsThatTheAccountIsGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, _ := d.listening()
	d.ask(deskCustomer)
	for range 2 {
		d.look(d.noAccount)
	}
	if want := []string{"refused account"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

func TestRefusalIsToldUntilItIsTaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, fail := d.listening()
	d.ask(deskCustomer)
	*fail = true
	d.look(d.noAccount)
	if len(*told) != 0 {
		t.Fatalf("told %q", *told)
	}
	// Meanwhile there is an account again: the customer is not asked after a refusal.
	for range 2 {
		d.look(func(context.Context, *secretchat.Client, ask) error { return errors.New("begun") })
	}
	if want := []string{"refused account"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

// TestALookJustBeforeARefusalIsKeptDoesNotHoldItsNewsBack: whoever looks at the asks does
// so when woken, and then rests for a minute. A look that came too early must not be the
// last one.
func TestALookJustBeforeARefusalIsKeptDoesNotHoldItsNewsBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, _ := d.listening()
	nothing := func(context.Context, *secretchat.Client, ask) error { return nil }
	wakened := func() bool {
		select {
		case <-d.asks.wakes:
			d.look(nothing)
			return true
		default:
			return false
		}
	}
	d.ask(deskCustomer)
	wakened()
	d.store.before = func(string) { wakened() }
	refused := secretchat.Chat{ID: 5, User: deskCustomer, Creator: true, Phase: secretchat.PhaseClosed, Reason: secretchat.ReasonPrivacy}
	if err := d.overBefore(t.Context(), refused, true); err != nil {
		t.Fatal(err)
	}
	d.store.before = nil
	if !wakened() {
		t.Error("nobody looks after the refusal was kept")
	}
	if want := []string{"refused privacy"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

func TestWhatWasToBeAskedLongAgoIsNotAskedAnyMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, _ := d.listening()
	d.ask(deskCustomer)
	d.clock.move(defaultPatience)
	d.look(d.begin)
	if want := []string{"refused silence"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

func TestAnAskIsForgottenOnlyWhenItsCodeIsNoUseAnyMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.listening()
	code := d.link(deskCustomer).Code
	letter := d.letter(deskCustomer, code)
	d.hear(letter, person(deskCustomer))
	d.look(d.noAccount)
	for _, step := range []struct {
		move  time.Duration
		known bool
	}{{0, true}, {codeLife, true}, {codeLate, false}} {
		d.clock.move(step.move)
		d.look(d.noAccount)
		if _, known := d.asking(deskCustomer); known != step.known {
			t.Errorf("after %s more it is known: %t", step.move, known)
		}
		d.hear(letter, person(deskCustomer)) // told again
		if a, known := d.asking(deskCustomer); known && !a.Over {
			t.Errorf("after %s more the code was taken again", step.move)
		}
	}
}

func TestDamagedAskIsErased(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, _ := d.listening()
	d.store.values[askingName(deskCustomer)] = []byte("{")
	d.ask(8)
	d.look(d.noAccount)
	if _, known := d.asking(deskCustomer); known || len(*told) != 1 {
		t.Errorf("known %t, told %q", known, *told)
	}
}

// TestServersRefusalsBoundTheAccount: a long wait or PEER_FLOOD stops all asking, a short
// one does not; what cannot be saved counts as no answer.
func TestServersRefusalsBoundTheAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"short", flood(shortFlood), 0},
		{"long", flood(shortFlood + time.Second), shortFlood + time.Second},
		{"absurd", flood(1000 * time.Hour), longestFlood},
		{"peers", peers(), floodPause},
		{"another error", errors.New("no"), 0},
		{"taken", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			calls := 0
			call := func(context.Context) error { calls++; return c.err }
			if err := d.request(t.Context(), call); !errors.Is(err, c.err) {
				t.Errorf("the chat hears %v, want %v", err, c.err)
			}
			until, err := d.LimitedUntil(t.Context())
			if err != nil || until.IsZero() != (c.want == 0) || c.want != 0 && until.Sub(d.clock.Now()) != c.want {
				t.Errorf("limited until %s, error %v", until, err)
			}
			_ = d.request(t.Context(), call)
			if want := 1; c.want != 0 && calls != want {
				t.Errorf("%d requests left after a refusal", calls-1)
			}
		})
	}
}

func flood(wait time.Duration) error {
	return tgerr.New(420, fmt.Sprintf("FLOOD_WAIT_%d", int(wait/time.Second)))
}

func peers() error { return tgerr.New(400, peerFlood) }
