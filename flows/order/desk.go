package order

import (
	"github.com/usherbot/usher/chain/cirrus"
)

// New is what an order is made from. The sale is the one the customer saw: its show and prices are pinned.
type New struct {
	Customer int64
	Language string
	Sale     Sale
	Seats    []cirrus.Seat
	Refund   cirrus.Address // checked by CheckRefund
}

// Verb is what a customer or the operator asks of an order.
type Verb string

// What can be asked.
const (
	Cancel    Verb = "cancel"     // end an unpaid order
	GiveBack  Verb = "give_back"  // release a ticket, after the undo time
	UndoAsked Verb = "undo"       // while the undo time runs
	SendAgain Verb = "send_again" // hand the ticket over again
	MoneyBack Verb = "money_back" // of a lost seat, now
	Unblocked Verb = "unblocked"  // the customer is back: show the card again
	Resolve   Verb = "resolve"    // operator: try again from the state before attention
	LetGo     Verb = "let_go"     // operator: release a stray ticket
)

// Ask is something asked of an order, for one of its tickets where that matters.
type Ask struct {
	Verb   Verb
	Ticket string
}
