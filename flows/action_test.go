package flows

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
)

func TestActionsReadBackAndFitAButton(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seat := cirrus.Seat{Number: rapid.Int32().Draw(t, "number"), Letter: cirrus.Char(rapid.Uint16().Draw(t, "letter"))}
		show := cirrus.TxID(strings.Repeat(rapid.StringMatching(`[0-9a-f]{4}`).Draw(t, "show"), 16))
		data := act(doBuy, showKey(show), seatKey(seat), "9223372036854775807")
		if len(data) > maxAction {
			t.Fatalf("%q has %d bytes", data, len(data))
		}
		a, err := parseAction(data)
		if err != nil || a.verb != doBuy || len(a.args) != 3 {
			t.Fatalf("%q: %v %v", data, a, err)
		}
		if got, err := parseSeat(a.args[1]); err != nil || got != seat {
			t.Fatalf("%v became %v, %v", seat, got, err)
		}
	})
}

func TestForeignActionsAreRefused(t *testing.T) {
	for _, data := range []string{
		"", "1", "shows", "0:shows", "2:shows", "1:", "1:none", "1:shows:more", "1:pick:a", "1:buy:a:b", "1:refund",
		"1:pick:a:b:c", "1:card:" + strings.Repeat("x", 60),
	} {
		if a, err := parseAction(data); err == nil {
			t.Errorf("%q: got %v", data, a)
		}
	}
	for _, text := range []string{"", "3", ".", "3.", ".68", "x.68", "3.x", "3.70000", "99999999999.1"} {
		if seat, err := parseSeat(text); err == nil {
			t.Errorf("%q: got %v", text, seat)
		}
	}
}

func FuzzParseAction(f *testing.F) {
	f.Add("1:pick:5f0c2a7795c9:3.68")
	f.Add("1:refund:k3x9:!")
	f.Fuzz(func(t *testing.T, data string) {
		a, err := parseAction(data)
		if err != nil {
			return
		}
		if again := act(a.verb, a.args...); again != data {
			t.Fatalf("%q became %q", data, again)
		}
		if slices.Contains(a.args, ":") {
			t.Fatalf("%q: a separator in %q", data, a.args)
		}
	})
}
