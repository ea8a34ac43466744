package courier

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tgerr"
)

// operators hear of accounts, or can't.
type operators struct {
	deaf
	told []string
	away bool
}

func (o *operators) AccountChanged(_ context.Context, news AccountNews) error {
	o.told = append(o.told, string(news.Health)+" "+news.Reason)
	if o.away {
		return errors.New("nobody has written to the bot")
	}
	return nil
}

// office is a pool without a connection.
type office struct {
	*Pool
	t     *testing.T
	clock *hands
	hears *operators
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: &hands{now: time.Unix(1_700_000_000, 0)}, hears: &operators{}}
	store := &drawer{values: map[string][]byte{}}
	var err error
	if o.Pool, err = NewPool(Config{Store: store, Clock: o.clock, Daily: 20}, o.hears); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// tells looks for news that are due a few times, and compares all that was told.
func (o *office) tells(what string, want ...string) {
	o.t.Helper()
	slots, err := o.slots(o.t.Context())
	o.must(err)
	for range 3 {
		o.must(o.tellAll(o.t.Context(), slots))
	}
	if !slices.Equal(o.hears.told, want) {
		o.t.Errorf("%s: told %q, want %q", what, o.hears.told, want)
	}
}

func TestNewsThatNobodyTakesAreToldSeldomerAndAtOnceWhenSomebodyIsThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hears.away = true
	o.must(put(t.Context(), o.cfg.Common, slotPrefix+"1", slot{Version: recordVersion, Account: deskAccount}))
	o.must(o.noted(t.Context(), "1", AccountNews{Health: HealthBanned, Reason: "taken"}))
	o.tells("banned", "banned taken")
	for tries, pause := range []time.Duration{tellPause, 2 * tellPause, 4 * tellPause, 8 * tellPause, longestTell, longestTell} {
		o.clock.move(pause - time.Second)
		o.tells("too early", slices.Repeat([]string{"banned taken"}, tries+1)...)
		o.clock.move(time.Second)
		o.tells("again", slices.Repeat([]string{"banned taken"}, tries+2)...)
	}
	o.hears.away, o.hears.told = false, nil
	o.tells("between two tries")
	o.TellAgain()
	o.tells("an operator wrote", "banned taken")
	o.clock.move(24 * time.Hour)
	o.tells("once", "banned taken")
}

func TestEachReasonWhyTheConfiguredAccountCannotBeLoggedInIsToldOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	banned := "Telegram has banned this phone number: use another account, or write to recover@telegram.org."
	for range 3 {
		o.must(o.noteRefused(t.Context(), tgerr.New(400, "PHONE_NUMBER_BANNED")))
	}
	o.tells("banned", "refused "+banned)
	if why, err := o.LoginRefused(t.Context()); err != nil || why != banned {
		t.Errorf("%q, %v", why, err)
	}
	o.must(o.noteRefused(t.Context(), &NoCodeError{Why: "there was no new code in the file"}))
	o.tells("another reason", "refused "+banned,
		"refused No code was given: there was no new code in the file. Log in with usher courier login.")
	for _, wait := range []string{"FLOOD_WAIT_90", "FLOOD_WAIT_60"} {
		o.must(o.noteRefused(t.Context(), tgerr.New(420, wait)))
	}
	if told := o.hears.told; len(told) != 3 || !strings.Contains(told[2], "1m30s") {
		t.Errorf("told %q", told)
	}
	d := &draft{values: map[string][]byte{sessionName: []byte("session")}}
	s, err := o.occupy(t.Context(), &account{Version: recordVersion, ID: deskAccount}, d)
	o.must(err)
	o.must(o.Pool.release(t.Context(), s, d))
	if why, err := o.LoginRefused(t.Context()); err != nil || why != "" {
		t.Errorf("logged in, and still %q, %v", why, err)
	}
}

func TestEachOtherSessionThatAcceptsChatsIsToldOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(put(t.Context(), o.cfg.Common, slotPrefix+"1", slot{Version: recordVersion, Account: deskAccount}))
	o.must(o.noted(t.Context(), "1", AccountNews{Health: HealthReady, Account: Contact{Username: "quay"}}))
	c, err := o.courier("1")
	o.must(err)
	phone := Session{Device: "Pixel", App: "Telegram 11", Since: time.Unix(1_700_000_000, 0).UTC()}
	tablet := Session{Device: "Tablet", App: "Telegram 12", Since: phone.Since.Add(time.Hour)}
	first := "crowded Pixel, Telegram 11, since 2023-11-14 22:13 UTC"
	second := "crowded Tablet, Telegram 12, since 2023-11-14 23:13 UTC"
	for _, row := range []struct {
		what string
		open []Session
		told []string
	}{
		{"alone", nil, nil},
		{"a phone", []Session{phone}, []string{first}},
		{"still there", []Session{phone}, []string{first}},
		{"a tablet, too", []Session{phone, tablet}, []string{first, second}},
		{"the phone went", []Session{tablet}, []string{first, second}},
		{"both went", nil, []string{first, second}},
	} {
		o.must(c.found(t.Context(), row.open))
		o.tells(row.what, row.told...)
		if left, err := c.othersLeft(t.Context()); err != nil || len(left) != len(row.open) {
			t.Errorf("%s: kept %+v, %v", row.what, left, err)
		}
	}
}

func TestALoginWhoseProcessDiedIsTakenUpAfterAWhile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := &draft{values: map[string][]byte{sessionName: []byte("session")}}
	died, err := o.occupy(t.Context(), &account{Version: recordVersion, ID: deskAccount}, d)
	o.must(err)
	there := func() (names []string) {
		all, err := o.slots(t.Context())
		o.must(err)
		for _, s := range all {
			names = append(names, s.name)
		}
		return names
	}
	o.clock.move(pendingFor - time.Second)
	if got := there(); len(got) > 0 {
		t.Fatalf("%q are taken up while somebody may still be asked", got)
	}
	next, err := o.occupy(t.Context(), &account{Version: recordVersion, ID: deskAccount + 1}, d)
	o.must(err)
	o.must(o.Pool.release(t.Context(), next, d))
	if got := there(); !slices.Equal(got, []string{next.name}) || next.name == died.name {
		t.Fatalf("%q are taken up, of %q and %q", got, died.name, next.name)
	}
	o.clock.move(time.Second)
	if got := there(); !slices.Equal(got, []string{died.name, next.name}) {
		t.Errorf("%q are taken up", got)
	}
}

func TestWhoWaitsForAnAccountThatIsLoggedOutHearsSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	told, fail := d.listening()
	d.ask(deskCustomer)
	*fail = true
	if err := d.turnAllDown(t.Context()); err == nil {
		t.Fatal("the customer was not told, and that is nothing")
	}
	for range 2 {
		if err := d.turnAllDown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"refused account"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}
