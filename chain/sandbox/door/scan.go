package door

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// LoggedTicket is a Ticket log: a sale of a seat, or its release.
type LoggedTicket struct {
	Height uint64 // of the block that holds the log
	Ticket contract.Ticket
}

// Answer is what the doorman sees of one ticket.
type Answer struct {
	Verdict Verdict     `json:"verdict"`
	Seat    cirrus.Seat `json:"seat"`
	Name    string      `json:"name"`
	Reason  string      `json:"reason,omitempty"`
}

// Outcome is one scan.
type Outcome struct {
	Opens    bool     `json:"opens"`              // there is a ticket, and all of them are valid
	Accepted bool     `json:"accepted"`           // the QR was read; without that there are no answers
	Uncaught string   `json:"uncaught,omitempty"` // the .NET exception that killed the scan
	Reason   string   `json:"reason,omitempty"`   // why the door stays shut, in a few words
	Tickets  []Answer `json:"tickets"`
}

// Scan is a whole scan at the door: read the QR, find the Ticket logs of its seats after the last Show, check.
// showBlock is the height of the block with the contract's last Show log, 0 for none; logs of that block and of
// earlier ones do not count.
//
// The scanner sorts the logs by something that cannot be compared, so two or more of them, for whichever of the QR's
// seats, kill the scan: no ticket gets an answer.
func Scan(generation Generation, logs []LoggedTicket, showBlock uint64, qr string) Outcome {
	parsed := Parse(generation, qr)
	if !parsed.Accepted {
		return Outcome{Uncaught: parsed.Uncaught, Reason: parsed.Reason}
	}
	outcome := Outcome{Accepted: true}
	if slices.Contains(parsed.Tickets, nil) {
		return outcome.silent(parsed.Tickets, "System.NullReferenceException")
	}
	var sold []contract.Ticket
	for _, log := range logs {
		inQR := func(ticket *Ticket) bool { return ticket.Seat == log.Ticket.Seat }
		if log.Height > showBlock && slices.ContainsFunc(parsed.Tickets, inQR) {
			sold = append(sold, log.Ticket)
		}
	}
	if showBlock != 0 && len(sold) > 1 {
		return outcome.silent(parsed.Tickets, "System.InvalidOperationException")
	}
	outcome.Opens = true
	for _, ticket := range parsed.Tickets {
		answer := Answer{Seat: ticket.Seat}
		switch {
		case showBlock == 0:
			answer.Verdict, answer.Reason = Faulted, "no ticket sale found"
		case len(sold) == 0 || sold[0].Seat != ticket.Seat:
			answer.Verdict, answer.Reason = Denied, "seat was never purchased"
		default:
			result := Check(generation, ticket, sold[0])
			answer.Verdict, answer.Name, answer.Reason = result.Verdict, result.Name, result.Reason
		}
		outcome.add(answer)
	}
	return outcome
}

func (o *Outcome) add(answer Answer) {
	o.Tickets = append(o.Tickets, answer)
	if answer.Verdict != Valid {
		o.Opens = false
		if o.Reason == "" {
			o.Reason = answer.Reason
		}
	}
}

// silent is a scan that an exception killed after it began.
func (o Outcome) silent(tickets []*Ticket, exception string) Outcome {
	o.Uncaught, o.Reason = exception, "the scanner dies before it answers"
	for _, ticket := range tickets {
		answer := Answer{Verdict: NoAnswer, Reason: o.Reason}
		if ticket != nil {
			answer.Seat = ticket.Seat
		}
		o.Tickets = append(o.Tickets, answer)
	}
	return o
}
