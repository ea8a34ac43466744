package courier

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"
)

// FuzzCode: whatever somebody writes, only what has a code's form is looked at, and
// little of it; and a code is found whatever stands around it.
func FuzzCode(f *testing.F) {
	const sent = "23456789ABCDEFGHJKLM"
	f.Add("Secret chat, please: ", ".")
	f.Add("", "")
	f.Add("код: ", "\u202e\x00")
	f.Add(strings.Repeat(sent+" ", 5), "I1O0")
	f.Add(strings.Repeat("я", maxText), sent)
	f.Fuzz(func(t *testing.T, before, after string) {
		found := findCodes(before + after)
		if len(found) > maxCodes {
			t.Fatalf("%d codes are looked at", len(found))
		}
		for _, code := range found {
			if len(code) != codeLen || strings.Trim(code, codeLetters) != "" {
				t.Fatalf("%q is no code", code)
			}
		}
		if len(before) > maxText/4 || len(findCodes(before)) >= maxCodes {
			return
		}
		if !slices.Contains(findCodes(before+" "+strings.ToLower(sent)+" "+after), sent) {
			t.Fatalf("the code in %q %q is not found", before, after)
		}
	})
}

func TestCodesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	letters := map[rune]bool{}
	for range 1000 {
		code, err := newCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range code {
			letters[r] = true
		}
		if got := findCodes("please: " + code); !slices.Equal(got, []string{code}) || seen[code] {
			t.Fatalf("code %q is found as %q, seen %t", code, got, seen[code])
		}
		seen[code] = true
	}
	if len(letters) != len(codeLetters) {
		t.Errorf("%d of %d letters are used", len(letters), len(codeLetters))
	}
	if _, err := newCode(bytes.NewReader(make([]byte, codeLen-1))); err == nil {
		t.Error("a code was made of too little randomness")
	}
}

// drawer is a store in memory.
type drawer struct {
	mu     sync.Mutex
	values map[string][]byte
	before func(key string) // happens just before a value is kept; may be nil
}

func (d *drawer) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.values[key]), nil
}

func (d *drawer) Put(_ context.Context, key string, value []byte) error {
	if d.before != nil {
		d.before(key)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = bytes.Clone(value)
	return nil
}

func (d *drawer) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.values, key)
	return nil
}

func (d *drawer) Keys(_ context.Context, prefix string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var keys []string
	for key := range d.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// deaf hears of chats only, and that only where a test wants it to.
type deaf struct {
	hears func(customer int64, news ChatNews) error
}

func (d deaf) ChatChanged(_ context.Context, customer int64, news ChatNews) error {
	if d.hears == nil {
		return nil
	}
	return d.hears(customer, news)
}

func (deaf) TextReceived(context.Context, int64, string) error             { return nil }
func (deaf) ParcelState(context.Context, int64, string, ParcelState) error { return nil }
func (deaf) AccountChanged(context.Context, AccountNews) error             { return nil }

// hands is a clock that a test moves.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}
func (h *hands) After(time.Duration) <-chan time.Time { return nil }
func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// desk is a courier without a connection, with an account, and the life that its
// updates would come to.
type desk struct {
	*Courier
	t     *testing.T
	life  *life
	clock *hands
	store *drawer
}

const deskAccount, deskCustomer = 1000, 7

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, clock: &hands{now: time.Unix(1_700_000_000, 0)}, store: &drawer{values: map[string][]byte{}}}
	var err error
	if d.Courier, err = New(Config{Store: d.store, Clock: d.clock, Daily: 20}, deaf{}); err != nil {
		t.Fatal(err)
	}
	d.life = newLife(d.Courier)
	if err := d.write(t.Context(), accountName, account{Version: 1, ID: deskAccount, Username: "usher_courier"}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) link(customer int64) Link {
	d.t.Helper()
	link, err := d.Link(d.t.Context(), customer)
	if err != nil {
		d.t.Fatal(err)
	}
	return link
}

// letter is what the server tells of a private text, now.
func (d *desk) letter(from int64, text string) *tg.Message {
	return &tg.Message{ID: 1, PeerID: &tg.PeerUser{UserID: from}, Message: text, Date: int(d.clock.Now().Unix())}
}

func person(id int64) *tg.User {
	u := &tg.User{ID: id}
	u.SetAccessHash(id * 31)
	return u
}

// hear has the courier take a message.
func (d *desk) hear(m tg.MessageClass, users ...tg.UserClass) {
	d.t.Helper()
	err := d.life.dispatch(d.t.Context(), &tg.Updates{Updates: []tg.UpdateClass{&tg.UpdateNewMessage{Message: m}}, Users: users})
	if err != nil {
		d.t.Fatal(err)
	}
}

// asking is what the courier means to do for a customer.
func (d *desk) asking(customer int64) (ask, bool) {
	d.t.Helper()
	var a ask
	found, err := d.read(d.t.Context(), askingName(customer), &a)
	if err != nil {
		d.t.Fatal(err)
	}
	return a, found
}

func TestOnlyACustomersOwnPrivateCodeCounts(t *testing.T) {
	t.Parallel()
	self := func(m *tg.Message) { m.SetOut(true) }
	group := func(m *tg.Message) { m.PeerID = &tg.PeerChat{ChatID: 5} }
	posted := func(m *tg.Message) { m.SetFromID(&tg.PeerChannel{ChannelID: deskCustomer}) }
	other := func(m *tg.Message) { m.SetFromID(&tg.PeerUser{UserID: 8}) }
	named := func(m *tg.Message) { m.SetFromID(&tg.PeerUser{UserID: deskCustomer}) }
	bot := person(deskCustomer)
	bot.SetBot(true)
	partly := person(deskCustomer)
	partly.SetMin(true)
	for name, c := range map[string]struct {
		change func(*tg.Message)
		user   *tg.User
		from   int64
		text   func(code string) string
		counts bool
	}{
		"a private text":              {counts: true},
		"with a word before it":       {counts: true, text: func(code string) string { return "Secret chat, please: " + code + "!" }},
		"in small letters":            {counts: true, text: strings.ToLower},
		"with the sender named":       {counts: true, change: named},
		"from our own account":        {change: self},
		"in a group":                  {change: group},
		"from a channel":              {change: posted},
		"from somebody in their name": {change: other},
		"from somebody else":          {from: 8, user: person(8)},
		"from a bot":                  {user: bot},
		"from a user told in part":    {user: partly},
		"one letter short":            {text: func(code string) string { return code[1:] }},
		"one letter long":             {text: func(code string) string { return code + "A" }},
		"no code at all":              {text: func(string) string { return "hello" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			text, from, user := d.link(deskCustomer).Code, int64(deskCustomer), person(deskCustomer)
			if c.text != nil {
				text = c.text(text)
			}
			if c.from != 0 {
				from = c.from
			}
			if c.user != nil {
				user = c.user
			}
			m := d.letter(from, text)
			if c.change != nil {
				c.change(m)
			}
			d.hear(m, user)
			a, found := d.asking(deskCustomer)
			if found != c.counts || found && a.Hash != deskCustomer*31 {
				t.Errorf("counts: %t, with access hash %d", found, a.Hash)
			}
			if _, found := d.asking(8); found {
				t.Error("somebody else is to be asked")
			}
		})
	}
}

func TestSenderToldInPartIsAddressedAsKnownFromBefore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	partly := person(deskCustomer)
	partly.SetMin(true)
	partly.SetAccessHash(1)
	if err := d.life.known.SetUserAccessHash(t.Context(), deskAccount, deskCustomer, 77); err != nil {
		t.Fatal(err)
	}
	d.hear(d.letter(deskCustomer, d.link(deskCustomer).Code), partly)
	if a, found := d.asking(deskCustomer); !found || a.Hash != 77 {
		t.Errorf("to be asked: %t, with access hash %d", found, a.Hash)
	}
}

func TestCodeExpiresAndIsReplaced(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	user := person(deskCustomer)
	first := d.link(deskCustomer)
	if want := "https://t.me/usher_courier?text=" + first.Code; first.URL != want {
		t.Errorf("link %s, want %s", first.URL, want)
	}
	second := d.link(deskCustomer)
	d.hear(d.letter(deskCustomer, first.Code), user)
	if _, found := d.asking(deskCustomer); found {
		t.Fatal("a replaced code was taken")
	}
	early := d.letter(deskCustomer, second.Code)
	d.clock.move(codeLife)
	d.hear(d.letter(deskCustomer, second.Code), user)
	if _, found := d.asking(deskCustomer); found || !second.Until.Equal(d.clock.Now()) {
		t.Fatalf("an expired code was taken: %t; it expires at %s", found, second.Until)
	}
	// The courier was away meanwhile, and reads only now what was written in time.
	d.hear(early, user)
	if _, found := d.asking(deskCustomer); !found {
		t.Error("a code written in time was not taken")
	}
	third := d.link(8)
	late := d.letter(8, third.Code)
	d.clock.move(codeLife + codeLate)
	d.hear(late, person(8))
	if _, found := d.asking(8); found {
		t.Error("a code that is far too old was taken")
	}
}

func TestWrongCodesOfOneSenderAreCountedAndThenDropped(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	code, others := d.link(deskCustomer).Code, d.link(8).Code
	wrong := strings.Repeat("2", codeLen)
	for range maxGuesses {
		d.hear(d.letter(deskCustomer, wrong), person(deskCustomer))
	}
	d.hear(d.letter(deskCustomer, code), person(deskCustomer))
	if _, found := d.asking(deskCustomer); found {
		t.Error("somebody who guesses was listened to")
	}
	d.hear(d.letter(8, others), person(8))
	if _, found := d.asking(8); !found {
		t.Error("one sender's guesses count for another one")
	}
	d.clock.move(guessWindow)
	d.hear(d.letter(deskCustomer, d.link(deskCustomer).Code), person(deskCustomer))
	if _, found := d.asking(deskCustomer); !found {
		t.Error("guesses count for ever")
	}
}

func TestManySendersOfWrongCodesCostLittleMemory(t *testing.T) {
	t.Parallel()
	var g guesses
	now := time.Unix(1_700_000_000, 0)
	for range maxGuesses {
		g.wrong(1, now)
	}
	for sender := range int64(3 * maxSenders) {
		g.wrong(10+sender, now)
	}
	if len(g.wrongs) > maxSenders {
		t.Errorf("%d senders are remembered", len(g.wrongs))
	}
	if g.may(1, now) {
		t.Error("somebody who guesses was forgotten among the others")
	}
	known := acquaintances{}
	for user := range int64(3 * maxSenders) {
		_ = known.SetUserAccessHash(t.Context(), 0, user, 1)
	}
	if len(known.hashes) > maxSenders {
		t.Errorf("%d users are remembered", len(known.hashes))
	}
}

func TestLinkOnlyWhereTheAccountMayAsk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	refused := func(why string, want error) {
		t.Helper()
		if _, err := d.Link(t.Context(), deskCustomer); !errors.Is(err, want) {
			t.Errorf("a link %s: %v", why, err)
		}
	}
	for i := range 20 {
		paid, err := d.spend(t.Context(), string(rune('a'+i)))
		if err != nil || !paid {
			t.Fatalf("chat %d is not paid for: %v", i, err)
		}
	}
	refused("beyond the budget", ErrLimited)
	if paid, err := d.spend(t.Context(), "one more"); err != nil || paid {
		t.Errorf("more than the budget is spent: %v", err)
	}
	if paid, err := d.spend(t.Context(), "a"); err != nil || !paid {
		t.Errorf("what was paid for is paid for again: %v", err)
	}
	d.clock.move(budgetWindow)
	d.link(deskCustomer)
	if err := d.limit(t.Context(), time.Hour, peerFlood); err != nil {
		t.Fatal(err)
	}
	refused("while Telegram refuses", ErrLimited)
	d.clock.move(time.Hour)
	d.link(deskCustomer)
	if err := d.write(t.Context(), accountName, account{Version: 1, ID: deskAccount}); err != nil {
		t.Fatal(err)
	}
	refused("without a username", ErrLimited)
	if err := d.erase(t.Context(), accountName); err != nil {
		t.Fatal(err)
	}
	refused("without an account", ErrNoCourier)
}

func TestCodeIsNotKeptNorPrinted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	link := d.link(deskCustomer)
	for name, value := range d.store.values {
		if bytes.Contains(value, []byte(link.Code)) || strings.Contains(name, link.Code) {
			t.Errorf("%s holds the code", name)
		}
	}
	if printed := fmt.Sprintf("%v %+v %#v", link, link, link); strings.Contains(printed, link.Code) {
		t.Errorf("prints the code: %s", printed)
	}
}

func TestUsedCodeWrittenAgainIsNoGuess(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := d.link(deskCustomer).Code
	d.hear(d.letter(deskCustomer, old), person(deskCustomer))
	d.link(deskCustomer)
	for range maxGuesses + 1 {
		d.hear(d.letter(deskCustomer, old), person(deskCustomer))
	}
	if !d.asks.guesses.may(deskCustomer, d.clock.Now()) {
		t.Error("a customer who writes their old code again counts as somebody who guesses")
	}
}
