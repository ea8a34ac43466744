package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// actionVersion is counted up when the meaning of a button changes, so that buttons of older programs are stale.
const actionVersion = "1"

// maxAction is what Telegram takes as the data of a button, in bytes.
const maxAction = 64

// verb is what a button does.
type verb string

// The buttons.
const (
	doShows   verb = "shows"
	doShow    verb = "show"  // show
	doSeats   verb = "seats" // show
	doPick    verb = "pick"  // show, seat
	doBest    verb = "best"  // show, how many together
	doClear   verb = "clear" // show: no seat is chosen any more
	doList    verb = "list"  // show: the hall as a list, or as a picture again
	doNames   verb = "names" // show: ask for the names anew
	doGo      verb = "go"    // show: on with what is picked
	doPhone   verb = "phone" // show, kind of phone
	doStuck   verb = "stuck" // show: the secret chat was started, and nothing came of it
	doWays    verb = "ways"  // the ways to a secret chat; with a kind of phone, or "stuck", in the message's place
	doLater   verb = "later" // no phone at hand
	doBuy     verb = "buy"   // show, seats, price as it was shown
	doEach    verb = "each"  // likewise, each seat paid on its own
	doWallet  verb = "wallet"
	doOwn     verb = "own"    // a refund address for this order alone
	doUsual   verb = "usual"  // the remembered refund address again
	doAlways  verb = "always" // remember the order's own refund address
	doKeep    verb = "keep"   // leave the wallet screen as it is
	doTickets verb = "tickets"
	doHelp    verb = "help"
	doMore    verb = "more"    // the shows, in a new message: the tapped one is a card, or news worth keeping
	doMine    verb = "mine"    // the tickets, likewise
	doCard    verb = "card"    // order
	doPlainQR verb = "qr"      // order, "a" for the address alone or "u" for the request; of a difference its ticket too
	doCancel  verb = "cancel"  // order
	doRefund  verb = "refund"  // ticket, "!" where a warning was read
	doUndo    verb = "undo"    // order, ticket
	doAgain   verb = "again"   // order, ticket
	doMissing verb = "missing" // tickets that did not arrive; of an order, or all, then in the message's place
	doAgains  verb = "agains"  // all tickets again; of an order, or all
	doAnew    verb = "anew"    // a new secret chat, and all tickets again in it
	doDetails verb = "details" // order, ticket
	doForget  verb = "forget"
	doOther   verb = "other"    // lost ticket: the seats that could take its place; with "h" in the hall's own message
	doOffer   verb = "offer"    // lost ticket, seat: what that seat would mean
	doTake    verb = "take"     // lost ticket, seat, difference as it was shown
	doMoney   verb = "money"    // lost ticket: its money back, no other seat
	doBackTo  verb = "redirect" // order: another address for money that comes back
	doStay    verb = "stay"     // no other address
	doResolve verb = "resolve"  // operator: order, ticket
	doLetGo   verb = "letgo"    // operator: order, ticket
	doPayBack verb = "payback"  // operator: order, ticket
)

// errAction says that a button's data is none of ours, or of another version.
var errAction = errors.New("not an action")

// action is a tapped button.
type action struct {
	verb verb
	args []string
}

// act makes the data of a button.
func act(v verb, args ...string) string {
	return strings.Join(append([]string{actionVersion, string(v)}, args...), ":")
}

// arity is how many arguments each action has, at least and at most.
func arity(v verb) (least, most int, known bool) {
	switch v {
	case doShows, doWallet, doOwn, doUsual, doAlways, doKeep, doTickets, doHelp, doMore, doMine, doForget, doLater, doStay, doAnew:
		return 0, 0, true
	case doShow, doSeats, doGo, doCard, doCancel, doClear, doList, doNames, doMoney, doStuck:
		return 1, 1, true
	case doPick, doBest, doPhone, doOffer, doUndo, doAgain, doDetails, doResolve, doLetGo, doPayBack:
		return 2, 2, true
	case doWays:
		return 0, 1, true
	case doRefund, doOther, doBackTo:
		return 1, 2, true
	case doMissing, doAgains:
		return 0, 1, true
	case doPlainQR:
		return 2, 3, true
	case doBuy, doEach, doTake:
		return 3, 3, true
	}
	return 0, 0, false
}

// parseAction reads the data of a button. Errors: errAction.
func parseAction(data string) (action, error) {
	if len(data) > maxAction {
		return action{}, errAction
	}
	parts := strings.Split(data, ":")
	if len(parts) < 2 || parts[0] != actionVersion {
		return action{}, errAction
	}
	a := action{verb: verb(parts[1]), args: parts[2:]}
	least, most, known := arity(a.verb)
	if !known || len(a.args) < least || len(a.args) > most {
		return action{}, errAction
	}
	return a, nil
}

func (a action) order() order.ID { return order.ID(a.args[0]) }

// seatKey names a seat in a button: its number and the code of its letter, "3.68".
func seatKey(s cirrus.Seat) string {
	return strconv.Itoa(int(s.Number)) + "." + strconv.Itoa(int(s.Letter))
}

// parseSeat reads what seatKey wrote. Errors: errAction.
func parseSeat(text string) (cirrus.Seat, error) {
	number, letter, found := strings.Cut(text, ".")
	if !found {
		return cirrus.Seat{}, errAction
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return cirrus.Seat{}, errAction
	}
	l, err := strconv.ParseUint(letter, 10, 16)
	if err != nil {
		return cirrus.Seat{}, errAction
	}
	return cirrus.Seat{Number: int32(n), Letter: cirrus.Char(l)}, nil
}

// seatsKey names the seats of an order in a button: one seat by itself, several by a digest.
func seatsKey(seats []cirrus.Seat) string {
	if len(seats) == 1 {
		return seatKey(seats[0])
	}
	keys := make([]string, len(seats))
	for i, seat := range seats {
		keys[i] = seatKey(seat)
	}
	slices.Sort(keys)
	sum := sha256.Sum256([]byte(strings.Join(keys, " ")))
	const bytes = 6
	return "x" + hex.EncodeToString(sum[:bytes])
}

// showKey names a show in a button: enough of its transaction id to tell it from all others on sale.
func showKey(show cirrus.TxID) string {
	const digits = 12
	return string(show)[:min(digits, len(show))]
}
