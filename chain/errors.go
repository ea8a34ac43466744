package chain

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/usherbot/usher/flows/order"
)

// Error is a call that did not succeed. It wraps exactly one of the errors of package order, which says what is known
// of the outcome. Its text holds no secret.
type Error struct {
	Site    string // call site
	Status  int    // HTTP status; 0: no answer
	Message string // the node's words, cleaned and cut; may be empty
	reason  error
	cause   error
}

func (e *Error) Error() string {
	text := e.Site + ": " + e.reason.Error()
	if e.Status != 0 {
		text += ", status " + strconv.Itoa(e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the outcome and, where there is one, the cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.reason}
	}
	return []error{e.reason, e.cause}
}

// phrase is a message of a node: how it begins and, where that is not enough, how it goes on.
type phrase struct {
	start, has string
	means      error
}

// phrases is the one place where words of a node are compared. Both generations are in it; texts with a name or an
// address in the middle are matched by what stands around it. Sources: Ticketbooth API (ReserveTicket,
// ReleaseTicket), Cirrus node (WalletController, SmartContractTransactionService, WalletTransactionHandler).
var phrases = []phrase{
	{"Ticket for seat ", " not available to purchase", order.ErrSeatTaken},
	{"Ticket for seat ", " not owned by ", order.ErrNotOwner},
	{"Invalid seat", "", order.ErrSeatUnknown},
	{"Customer name is required", "", order.ErrNameNeeded},
	{"Sale is not currently open", "", order.ErrSaleClosed},
	{"Ticket release is no longer available", "", order.ErrReleaseOver},
	{"No smart contract found at address", "", order.ErrNoContract},
	{"No code exists", "", order.ErrNoContract},
	{"No contract execution code exists", "", order.ErrNoContract},
	{"The receipt was not found", "", order.ErrNotMined},
	{"Can't send transaction", "at least one connection", order.ErrNoPeers},
	{"Invalid password", "", order.ErrPassword},
	{"No wallet with name ", " could be found", order.ErrWallet},
	{"No account with the name ", " could be found", order.ErrWallet},
	{"Account '", " not found", order.ErrWallet},
	{"The 'Sender' address you're trying to spend from doesn't have a balance", "", order.ErrOutpoints},
	{"An invalid list of request outpoints", "", order.ErrOutpoints},
	{"Invalid list of request outpoints", "", order.ErrOutpoints},
	{"Not all the selected inputs were found", "", order.ErrOutpoints},
	{"All of the selected inputs are currently reserved", "", order.ErrInputsReserved},
	{"Not enough funds", "", order.ErrCoins},
	{"No spendable transactions found", "", order.ErrCoins},
	{"The wallet does not contain any spendable inputs", "", order.ErrCoins},
}

// assertions are what the contract says to Reserve (TicketContract), without the exception that it says it with. A
// price above what was sent is one of another sale: the price that a seat was ordered at is pinned.
var assertions = []phrase{
	{"Ticket not available", "", order.ErrSeatTaken},
	{"Seat not found", "", order.ErrSeatUnknown},
	{"Sale not open", "", order.ErrSaleClosed},
	{"Not enough funds", "", order.ErrSaleClosed},
	{"Invalid customer identifier", "", order.ErrNameNeeded},
	{"No contract execution code exists", "", order.ErrNoContract},
}

// assertion tells what a contract's words mean; they follow the name of an exception.
func assertion(message string) error {
	if _, words, found := strings.Cut(message, "Exception: "); found {
		message = words
	}
	for _, known := range assertions {
		if _, found := cutPrefixFold(message, known.start); found {
			return known.means
		}
	}
	return order.ErrRefused
}

// meaning tells what an answer other than success says of the outcome. A 5xx to a call that changes something says
// nothing, whatever its words: the work may be done.
func meaning(status int, message string, harmless bool) error {
	if status >= http.StatusInternalServerError && !harmless {
		return order.ErrUnknownOutcome
	}
	for _, known := range phrases {
		rest, found := cutPrefixFold(message, known.start)
		if found && strings.Contains(rest, known.has) {
			return known.means
		}
	}
	if status >= http.StatusInternalServerError || status == http.StatusRequestTimeout {
		return order.ErrUnknownOutcome
	}
	return order.ErrRefused
}

func cutPrefixFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// outcomes are the errors that say what is known of a call.
var outcomes = []error{
	order.ErrUnreachable, order.ErrUnknownOutcome, order.ErrNoPeers, order.ErrSyncing, order.ErrPassword,
	order.ErrWallet, order.ErrCoins, order.ErrOutpoints, order.ErrInputsReserved, order.ErrSaleClosed,
	order.ErrSeatTaken, order.ErrSeatUnknown, order.ErrNameNeeded, order.ErrReleaseOver, order.ErrNotOwner,
	order.ErrNoContract, order.ErrRefused, order.ErrNotMined, order.ErrNotFound,
}

// hasOutcome tells whether err already says what is known of the outcome.
func hasOutcome(err error) bool {
	return slices.ContainsFunc(outcomes, func(outcome error) bool { return errors.Is(err, outcome) })
}

// messageOf finds the node's words in the body of an error: a JSON string, a list of errors (Cirrus node), an ASP.NET
// problem, or an object with a message. Anything else, such as the page of a proxy, gives nothing.
func messageOf(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var object struct {
		Errors  json.RawMessage `json:"errors"`
		Title   string          `json:"title"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &object) != nil {
		return ""
	}
	if listed := listedErrors(object.Errors); listed != "" {
		return listed
	}
	if object.Message != "" {
		return object.Message
	}
	return object.Title
}

func listedErrors(raw json.RawMessage) string {
	var list []struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0].Message
	}
	var fields map[string][]string
	if json.Unmarshal(raw, &fields) != nil {
		return ""
	}
	var all []string
	for field, words := range fields {
		all = append(all, field+": "+strings.Join(words, " "))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// maxMessage is how much of a node's words is kept, in bytes.
const maxMessage = 300

// clean makes a node's words fit for an error: one line, cut, without control characters, and without anything of
// what must stay hidden, should the node repeat it.
func clean(message string, hidden []string) string {
	message, _, _ = strings.Cut(message, "\n")
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, message)
	for _, secret := range hidden {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, "…")
		}
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return strings.TrimSpace(message)
}
