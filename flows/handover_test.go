package flows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// whys are all reasons that a secret chat can end, or not begin, for; and one of a newer version.
func whys() []flows.Why {
	return []flows.Why{
		flows.WhyPeer, flows.WhyBlocked, flows.WhyAccount, flows.WhyFault, flows.WhyBudget, flows.WhyFlood, flows.WhyPrivacy,
		flows.WhySilence, "of a newer version",
	}
}

// toHandover are the lines that lead to the screen that says how to get to a secret chat.
func toHandover() []string {
	lines := toSeats("3D")
	return lines[:len(lines)-1]
}

// toPayment are the lines that lead to a card with an address to pay to.
func toPayment() []string {
	return append(toSeats("3D"), "tap Order and pay 180.5 CRS", "wait 3s")
}

// news are all that may be told of a secret chat, each as it stands then.
func (w *world) news() map[string]func() error {
	ctx := context.Background()
	all := map[string]func() error{
		"opened": func() error { w.courier.open[ann] = flows.ChatOpen; return w.flows.ChatOpened(ctx, ann) },
		"asked":  func() error { w.courier.open[ann] = flows.ChatPending; return w.flows.ChatAsked(ctx, ann) },
	}
	for _, why := range whys() {
		all["closed "+string(why)] = func() error { delete(w.courier.open, ann); return w.flows.ChatClosed(ctx, ann, why) }
		all["refused "+string(why)] = func() error { delete(w.courier.open, ann); return w.flows.ChatRefused(ctx, ann, why) }
	}
	return all
}

// newsMoments are where somebody may be when news of the secret chat come.
func newsMoments() map[string][]string {
	return map[string][]string{
		"nothing":     nil,
		"handover":    toHandover(),
		"no phone":    append(toHandover(), "tap No phone at hand"),
		"last screen": toSeats("3D"),
		"paying":      toPayment(),
		"names":       append([]string{"identity"}, toSeats("3D")...),
		"bought":      append(toPayment(), "pay what is due", "block", "block", "wait 10s"),
		"waiting":     append(toPayment(), "pay what is due", "chat closes", "block", "block", "wait 10s"),
		"the ways":    append(toPayment(), "chat closes", "wait 10s", "tap How to do it"),
		"address":     append(toPayment(), "pay what is due", "block", "block", "wait 10s", "tap Another address"),
		"chat first":  append(toPayment(), "pay what is due", "block", "block", "wait 10s", "chat closes", "tap Another address"),
	}
}

// TestNewsThatAreGivenAgainShowNothingElse: a screen may not go out, or a crash may forget that it did; the same news come
// again then. What was missed is made up for, and what was seen is not told anew.
func TestNewsThatAreGivenAgainShowNothingElse(t *testing.T) {
	for moment, lines := range newsMoments() {
		for name := range newWorld(t).news() {
			t.Run(moment+", "+name, func(t *testing.T) {
				w := newWorld(t)
				w.courier.asks = true
				w.told(lines...)
				w.seen()
				lost := errors.New("the line is dead")
				w.showing = func() error { return lost }
				failed := w.news()[name]()
				w.showing = nil
				w.seen()
				w.must(w.news()[name]())
				first := w.newsScreens(t)
				if failed != nil && first == 0 {
					t.Error("what did not go out was never made up for")
				}
				before := w.chat(ann).next
				w.must(w.news()[name]())
				if rung := w.chat(ann).next - before; rung > 0 {
					t.Errorf("rang %d times more: %s", rung, w.seen())
				}
			})
		}
	}
}

// newsScreens checks every screen that was shown, and counts them.
func (w *world) newsScreens(t *testing.T) int {
	t.Helper()
	for id, s := range w.chat(ann).messages {
		checkScreen(t, fmt.Sprint("message ", id), s)
		if len(s.Buttons) == 0 && strings.Contains(s.Text.String(), "ecret chat") {
			t.Errorf("a screen about secret chats leads nowhere: %q", s.Text)
		}
	}
	return strings.Count(w.seen(), "message ")
}

// TestNewsDontRingForSomebodyWithNothingAtStake: who neither pays nor waits for a ticket hears nothing.
func TestNewsDontRingForSomebodyWithNothingAtStake(t *testing.T) {
	for name := range newWorld(t).news() {
		for _, lines := range [][]string{nil, {"write /shows"}, append(toHandover(), "write /shows"), toSeats("3D")} {
			w := newWorld(t)
			w.told(lines...)
			w.seen()
			before := w.chat(ann).next
			w.must(w.news()[name]())
			if w.chat(ann).next != before {
				t.Errorf("%s after %q: %s", name, lines, w.seen())
			}
		}
	}
}

// TestSomebodyWhoBlockedTheBotStopsNoNews: there is nobody to show it to, and nothing to try again.
func TestSomebodyWhoBlockedTheBotStopsNoNews(t *testing.T) {
	for name := range newWorld(t).news() {
		w := newWorld(t)
		w.told(toPayment()...)
		w.chat(ann).blocked = true
		w.must(w.news()[name]())
	}
}

// TestALinkThatCanNotBeHadLeavesTheOwnWay: the customer's own way to a secret chat is always there.
func TestALinkThatCanNotBeHadLeavesTheOwnWay(t *testing.T) {
	broken := errors.New("the store is away")
	for _, test := range []struct {
		name string
		link func(context.Context, int64) (flows.Link, error)
		err  error
	}{
		{"nobody can", nil, nil},
		{"no more today", func(context.Context, int64) (flows.Link, error) {
			return flows.Link{}, fmt.Errorf("x: %w", order.ErrNotAllowed)
		}, nil},
		{"no courier that may", func(context.Context, int64) (flows.Link, error) {
			return flows.Link{}, fmt.Errorf("x: %w", order.ErrNoCourier)
		}, nil},
		{"broken", func(context.Context, int64) (flows.Link, error) { return flows.Link{}, broken }, broken},
	} {
		w := newWorld(t)
		w.flows.Link = test.link
		w.told(toHandover()[:5]...)
		e := flows.Event{Kind: flows.Private, Actor: flows.Actor{ID: ann}, Chat: ann, ID: 900, Message: 900, Text: string(addressNr(90))}
		reply, err := w.flows.Handle(context.Background(), e)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			continue
		}
		text := reply.Screens[0].Text.String()
		if !strings.Contains(text, "Start Secret Chat") || strings.Contains(text, "Or let the courier") {
			t.Errorf("%s: %s", test.name, text)
		}
	}
}

// TestAScreenWhoseMessageIsNotKnownYetIsFollowedByANewOne: the chat may open before Telegram has said which message the
// hand-over is in. What was learnt too late counts no more.
func TestAScreenWhoseMessageIsNotKnownYetIsFollowedByANewOne(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.told(toHandover()[:5]...)
	e := flows.Event{Kind: flows.Private, Actor: flows.Actor{ID: ann}, Chat: ann, ID: 900, Message: 900, Text: string(addressNr(90))}
	reply, err := w.flows.Handle(ctx, e)
	w.must(err)
	w.seen()
	w.happens("chat opens")
	if log := w.seen(); strings.Contains(log, "becomes") || !strings.Contains(log, "Order and pay") {
		t.Fatalf("after the chat opened: %s", log)
	}
	for card, message := range w.chat(ann).apply(reply) {
		w.must(w.flows.CardShown(ctx, card, message))
	}
	w.seen()
	w.happens("chat opens")
	if log := w.seen(); log != "" {
		t.Errorf("went on once more: %s", log)
	}
}

// TestAPhoneThatRepeatsWhatItReadsIsNotAnsweredWithoutEnd: neither where nothing is asked, nor where its texts are wrong
// answers to a question.
func TestAPhoneThatRepeatsWhatItReadsIsNotAnsweredWithoutEnd(t *testing.T) {
	for name, lines := range map[string][]string{
		"no question": toSeats("3D"),
		"a name":      append([]string{"identity"}, toSeats("3D")...),
		"an address":  append(toPayment(), "pay what is due", "block", "block", "wait 10s", "tap Another address"),
	} {
		w := newWorld(t)
		w.told(lines...)
		text, answers := strings.Repeat("what the courier wrote ", 5), 0
		for range 500 {
			answer, err := w.flows.TextReceived(context.Background(), ann, text)
			w.must(err)
			if answer != "" {
				answers, text = answers+1, answer
			}
		}
		if answers == 0 || answers > 60 || name == "no question" && answers > 3 {
			t.Errorf("%s: %d answers", name, answers)
		}
	}
}

// TestWhatIsWrittenCountsWhereItIsNotAnsweredAnyMore: a name that comes after too many wrong ones is taken all the same.
func TestWhatIsWrittenCountsWhereItIsNotAnsweredAnyMore(t *testing.T) {
	w := newWorld(t)
	w.told(append([]string{"identity"}, toSeats("3D")...)...)
	for range 70 {
		_, err := w.flows.TextReceived(context.Background(), ann, strings.Repeat("x", 100))
		w.must(err)
	}
	w.seen()
	w.happens("secret Ada Lovelace")
	if log := w.seen(); !strings.Contains(log, "Order and pay") || strings.Contains(log, "secret chat:") {
		t.Errorf("after the name: %s", log)
	}
}

// TestTheCourierIsAlwaysTheCustomersOwn: once another account looks after them, no screen names the one before.
func TestTheCourierIsAlwaysTheCustomersOwn(t *testing.T) {
	for moment, lines := range newsMoments() {
		if slices.Contains([]string{"nothing", "last screen"}, moment) {
			continue
		}
		w := newWorld(t)
		w.told(lines...)
		w.courier.username = "HarbourHand"
		delete(w.courier.open, ann)
		w.must(w.flows.ChatClosed(context.Background(), ann, flows.WhyAccount))
		w.wait(10e9)
		w.seen()
		w.told("write /verify", "write /tickets")
		if log := w.seen(); strings.Contains(log, "QuayTickets") || !strings.Contains(log, "HarbourHand") {
			t.Errorf("%s: %s", moment, log)
		}
	}
}

// TestACardWithoutACourierHasRoomForEverything: whatever else it has to say.
func TestACardWithoutACourierHasRoomForEverything(t *testing.T) {
	w := newWorld(t)
	tip := order.Tip{Height: 1_198_000, Time: start, Seen: start, Healthy: true}
	for name, o := range variants(w) {
		for _, o := range []order.Order{o, several(o)} {
			screen, err := w.flows.Card(o, start, flows.Around{Tip: tip, Chat: flows.ChatNone, Nr: 7, Of: 8})
			w.must(err)
			checkScreen(t, name, screen)
			if o.State == order.AwaitingPayment && !strings.Contains(screen.Text.String(), "Best wait with paying") {
				t.Errorf("%s: %s", name, screen.Text)
			}
		}
	}
}
