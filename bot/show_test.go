package bot

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// sites keeps the call sites that were used.
type sites struct {
	mu   sync.Mutex
	used []string
}

func (s *sites) note(site string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = append(s.used, strings.TrimPrefix(site, "telegram."))
}

// take gives what was used since the last time.
func (s *sites) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.used
	s.used = nil
	return used
}

// messenger is a bot that only shows, to a person who has written to it.
func messenger(t *testing.T) (*bed, *Bot, int64, *sites) {
	t.Helper()
	bed, used := newBed(t), &sites{}
	b := bed.bot(&script{}, func(c *Config) { c.Sites = count(used.note) })
	user := bed.tg.AddUser("Nora", "en")
	bed.text(user, "/start")
	used.take()
	return bed, b, user, used
}

func show(t *testing.T, b *Bot, out flows.Outgoing) int {
	t.Helper()
	message, err := b.Show(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func (b *bed) fault(method, kind string, times int) {
	b.t.Helper()
	if err := b.tg.AddFault(simulator.Fault{Method: method, Kind: kind, Times: times}); err != nil {
		b.t.Fatal(err)
	}
}

// last is the newest message that a person sees.
func (b *bed) last(user int64) simulator.MessageView {
	b.t.Helper()
	all := b.chat(user)
	return all[len(all)-1]
}

func card(chat int64, edit int, text, name string, picture []byte) flows.Outgoing {
	return flows.Outgoing{Chat: chat, Edit: edit, Screen: flows.Screen{
		Text: flows.Text{{Text: text}}, Picture: picture, PictureName: name,
	}}
}

func TestScreenIsShownWithStylesAndButtons(t *testing.T) {
	bed, b, user, _ := messenger(t)
	out := flows.Outgoing{Chat: user, Screen: flows.Screen{
		Text: flows.Text{
			{Text: "🎭 Hamlet", Style: flows.Bold},
			{Text: "\nPay "},
			{Text: "12.5 CRS", Style: flows.Code},
			{Text: " by "},
			{Text: "1 May, 20:00 UTC", Style: flows.Time, Unix: 1_900_000_000},
			{Text: " ("},
			{Text: "in an hour", Style: flows.Until, Unix: 1_900_000_000},
			{Text: ")"},
		},
		Buttons: [][]flows.Button{
			{{Text: "Pay", Action: "pay"}, {Text: "Copy", Copy: "12.5"}},
			{{Text: "Taken"}, {Text: "Help", URL: "https://example.org/help"}},
		},
	}}
	show(t, b, out)
	m := bed.last(user)
	if m.Text != out.Text.String() {
		t.Errorf("text is %q", m.Text)
	}
	var kinds []string
	for _, e := range m.Entities {
		kinds = append(kinds, strings.TrimSuffix(e.Type+" "+e.Format, " "))
	}
	if want := []string{"bold", "code", "date_time wDt", "date_time r"}; !slices.Equal(kinds, want) {
		t.Errorf("entities are %q", kinds)
	}
	if m.Entities[1].Offset != len("xx Hamlet\nPay ") {
		t.Errorf("code begins at %d, an emoji is two units", m.Entities[1].Offset)
	}
	buttons := m.Buttons
	if len(buttons) != 4 || buttons[1].Copy != "12.5" || !buttons[2].Disabled || buttons[3].URL == "" || buttons[3].Row != 1 {
		t.Errorf("buttons are %+v", buttons)
	}
}

func TestCardIsEditedInPlaceAndItsPictureSentOnce(t *testing.T) {
	bed, b, user, used := messenger(t)
	first, second := picture(t, 20), picture(t, 30)
	id := show(t, b, card(user, 0, "pay", "request", first))
	for _, step := range []struct {
		out  flows.Outgoing
		want string
	}{
		{card(user, id, "seen", "request", first), "editMessageCaption"},
		{card(user, id, "seen", "request", first), "editMessageCaption"}, // nothing changed: success all the same
		{card(user, id, "yours", "stage", second), "editMessageMedia"},
	} {
		used.take()
		if message := show(t, b, step.out); message != id {
			t.Errorf("message %d, not %d", message, id)
		}
		if got := used.take(); !slices.Equal(got, []string{step.want}) {
			t.Errorf("calls are %q, not %s", got, step.want)
		}
	}
	m := bed.last(user)
	if m.Text != "yours" || m.Picture != base64.StdEncoding.EncodeToString(second) {
		t.Errorf("the card says %q", m.Text)
	}
	// A picture that Telegram has is named, not sent.
	show(t, b, card(user, 0, "another card", "stage", second))
	if m := bed.last(user); m.Picture != base64.StdEncoding.EncodeToString(second) {
		t.Error("another picture")
	}
}

func TestTextThatBecomesAPictureIsANewMessageAndTheOldOneGoes(t *testing.T) {
	bed, b, user, _ := messenger(t)
	for _, test := range []struct {
		name     string
		from, to flows.Outgoing
	}{
		{"text to picture", say(user, "list"), card(user, 0, "map", "map", picture(t, 20))},
		{"picture to text", card(user, 0, "map", "map", picture(t, 20)), say(user, "list")},
	} {
		id := show(t, b, test.from)
		test.to.Edit = id
		if message := show(t, b, test.to); message <= id {
			t.Errorf("%s: message %d after %d", test.name, message, id)
		}
		if m := bed.last(user); m.Text != test.to.Text.String() {
			t.Errorf("%s: shows %q", test.name, m.Text)
		}
		gone := func(m simulator.MessageView) bool { return int(m.ID) == id }
		if slices.ContainsFunc(bed.chat(user), gone) {
			t.Errorf("%s: the old message is still there", test.name)
		}
	}
}

func TestReplacedMessageThatCannotBeDeletedLosesItsButtons(t *testing.T) {
	bed, b, user, _ := messenger(t)
	id := show(t, b, say(user, "list", []flows.Button{{Text: "A", Action: "a"}}))
	bed.fault("^deleteMessage$", "status:400", 1)
	out := card(user, id, "map", "map", picture(t, 20))
	show(t, b, out)
	for _, m := range bed.chat(user) {
		if int(m.ID) == id && len(m.Buttons) > 0 {
			t.Error("buttons are still there")
		}
	}
}

func TestShowTellsWhyItCannot(t *testing.T) {
	bed, b, user, _ := messenger(t)
	out := say(user, "x")
	out.Edit = 4711
	if _, err := b.Show(t.Context(), out); !errors.Is(err, order.ErrGone) {
		t.Errorf("edit of a missing message: %v", err)
	}
	if _, err := b.Show(t.Context(), say(99, "x")); !errors.Is(err, order.ErrBlocked) {
		t.Errorf("somebody who never wrote: %v", err)
	}
	if _, err := bed.tg.Do(t.Context(), user, simulator.Action{Action: "block"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Show(t.Context(), say(user, "x")); !errors.Is(err, order.ErrBlocked) {
		t.Errorf("blocked: %v", err)
	}
	out.Edit = 2
	if _, err := b.Show(t.Context(), out); !errors.Is(err, order.ErrBlocked) {
		t.Errorf("edit when blocked: %v", err)
	}
}

func TestLostCallsAreRepeatedWhereThatDoesNoHarm(t *testing.T) {
	for _, test := range []struct {
		name, method, kind string
		times              int
		edit, fails        bool
		sent               int // messages of the bot afterwards
	}{
		{"edit, answer lost", "^editMessageText$", "drop-after", 1, true, false, 1},
		{"edit, lost three times", "^editMessageText$", "drop-before", 3, true, false, 1},
		{"edit, server in trouble", "^editMessageText$", "status:502", 3, true, false, 1},
		{"edit, lost for good", "^editMessageText$", "drop-before", 100, true, true, 1},
		{"send, request lost", "^sendMessage$", "drop-before", 1, false, false, 2},
		{"send, answer lost: it comes twice", "^sendMessage$", "drop-after", 1, false, false, 3},
		{"send, lost for good", "^sendMessage$", "drop-before", 100, false, true, 1},
		{"send, refused", "^sendMessage$", "status:400", 1, false, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			bed, b, user, _ := messenger(t)
			id := show(t, b, say(user, "first"))
			bed.fault(test.method, test.kind, test.times)
			out := say(user, "second")
			if test.edit {
				out.Edit = id
			}
			if _, err := b.Show(t.Context(), out); (err != nil) != test.fails {
				t.Fatalf("error is %v", err)
			}
			seen := bed.chat(user)[1:]
			if len(seen) != test.sent {
				t.Errorf("%d messages of the bot", len(seen))
			}
			if last := seen[len(seen)-1]; !test.fails && last.Text != "second" {
				t.Errorf("shows %q", last.Text)
			}
		})
	}
}

func TestGroupThatBecameASupergroupIsFollowed(t *testing.T) {
	bed, b, user, _ := messenger(t)
	group, err := bed.tg.AddGroup("Friends", "group", user)
	if err != nil {
		t.Fatal(err)
	}
	name := itoa(group)
	for _, action := range []string{"add-bot", "upgrade"} {
		if _, err := bed.tg.Do(t.Context(), user, simulator.Action{Action: action, Chat: name}); err != nil {
			t.Fatal(err)
		}
	}
	show(t, b, say(group, "shows this week"))
	out := say(group, "shows next week")
	out.Edit = 1
	show(t, b, out)
}

func TestReplyIsShownInTheTappedMessage(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	_, s := bed.start(func(_ context.Context, e flows.Event) (flows.Reply, error) {
		if e.Action == "" {
			return replyWith(say(e.Chat, "choose", []flows.Button{{Text: "Hamlet", Action: "show:1"}})), nil
		}
		out := say(e.Chat, "you chose "+e.Action)
		out.Edit, out.Card = e.Message, "m7q2"
		return flows.Reply{Answer: "one moment", Alert: true, Screens: []flows.Outgoing{out}}, nil
	})
	bed.text(user, "/shows")
	seen := bed.until(user, "the list", func(m []simulator.MessageView) bool { return len(m) == 2 })
	if a := bed.tap(user, int(seen[1].ID), "Hamlet"); a.Text != "one moment" || !a.Alert {
		t.Errorf("answer is %+v", a)
	}
	if message := receive(t, s.cards); message != int(seen[1].ID) {
		t.Errorf("card is message %d, not %d", message, seen[1].ID)
	}
	if m := bed.last(user); m.Text != "you chose show:1" || len(m.Buttons) != 0 {
		t.Errorf("shows %q", m.Text)
	}
}

func TestReplyToAMessageThatIsGoneIsANewMessage(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	_, s := bed.start(func(_ context.Context, e flows.Event) (flows.Reply, error) {
		out := say(e.Chat, "here it is")
		out.Edit, out.Card = 4711, "m7q2"
		return replyWith(out), nil
	})
	bed.text(user, "/tickets")
	message := receive(t, s.cards)
	if m := bed.last(user); m.Text != "here it is" || int(m.ID) != message {
		t.Errorf("message %d shows %q, the card is %d", m.ID, m.Text, message)
	}
}

func TestDisabledButtonDoesNothing(t *testing.T) {
	bed, b, user, _ := messenger(t)
	id := show(t, b, say(user, "seats", []flows.Button{{Text: "A1"}}))
	if a := bed.tap(user, id, "A1"); a != (simulator.Answer{}) {
		t.Errorf("answer is %+v", a)
	}
}

// noted is a Limiter that keeps what Telegram asked for.
type noted struct {
	Limiter
	paused chan time.Duration
}

func (n noted) Pause(chat int64, d time.Duration) {
	n.paused <- d
	n.Limiter.Pause(chat, d)
}

func TestTelegramsRequestToWaitIsHonouredAndTheMessageComesOnce(t *testing.T) {
	bed := newBed(t)
	limiter := noted{free{}, make(chan time.Duration, 10)}
	b := bed.bot(&script{}, func(c *Config) { c.Limiter = limiter })
	user := bed.tg.AddUser("Nora", "en")
	bed.text(user, "/start")
	if err := bed.tg.AddFault(simulator.Fault{Method: "^sendMessage$", Kind: "status:429", Times: 7, RetryAfter: 9}); err != nil {
		t.Fatal(err)
	}
	show(t, b, say(user, "at last"))
	for range 7 {
		if d := receive(t, limiter.paused); d != 9*time.Second {
			t.Errorf("pause of %s", d)
		}
	}
	if seen := bed.chat(user); len(seen) != 2 {
		t.Errorf("%d messages", len(seen))
	}
}

func TestManyChatsAtOnceMeetNoFloodControl(t *testing.T) {
	bed := newBed(t, func(o *simulator.Options) { o.Limits = true })
	limiter := noted{NewPacer(Pace{}, time.Now, wait), make(chan time.Duration, 100)}
	b := bed.bot(&script{}, func(c *Config) { c.Limiter = limiter })
	var all sync.WaitGroup
	for range 45 {
		user := bed.tg.AddUser("Somebody", "en")
		bed.text(user, "/start")
		all.Go(func() {
			if _, err := b.Show(t.Context(), say(user, "tickets are on sale")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(limiter.paused); n > 0 {
		t.Errorf("Telegram asked to wait %d times", n)
	}
}
