package order

import "slices"

// Cause is one of the ways in which a ticket comes to need a person. The list is closed: docs/attention.md is made from it.
type Cause struct {
	Reason Reason
	From   TicketState // the state in which no rule knows how to go on
	When   string      // what happened, in a few words
	Verbs  []Verb      // what the operator can ask then; nothing else is taken
}

// Causes lists all of them.
func Causes() []Cause {
	on, back := []Verb{Resolve}, []Verb{Resolve, PayBack}
	return []Cause{
		{ReasonMissing, Held, "the coin for the seat is not at its address, long after the payment was split, joined or brought over", back},
		{ReasonUnresolved, Held, "the transaction that brings the money of a lost seat to another one is not mined for long", back},
		{ReasonTooMany, Reserving, "the call to buy was refused about two hours long for reasons that pass", back},
		{ReasonUnresolved, Unknown, "120 blocks, about half an hour, do not tell what became of a call to buy", on},
		{ReasonUnresolved, Reserved, "the call to buy succeeded, and the contract shows another owner; or its block was undone and it is not mined again", on},
		{ReasonNoSecret, Stray, "the seat is ours and its secret was lost with an answer, and there is no float to make that good", []Verb{LetGo}},
		{ReasonBadSecret, Stray, "the seat is ours and no secret of ours fits, and there is no float to make that good", []Verb{LetGo}},
		{ReasonFloat, Stray, "the seat is ours without its secret and cannot be given back any more, and the float has not what it cost", on},
		{ReasonFloat, Releasing, "the float has not what giving back lacks, or what it cost to give back a seat without its secret", on},
		{ReasonTooMany, Releasing, "the call to give back was refused about two hours long for reasons that pass", on},
		{ReasonMissing, Releasing, "what giving back takes is not at the ticket's address", on},
		{ReasonUnresolved, Releasing, "the call to give back was refused for a reason that makes no sense, or what became of it cannot be told", on},
		{ReasonCallFailed, Releasing, "the contract refused to take the ticket back, and the time for that is not over", on},
		{ReasonMissing, Lost, "what goes back for a lost seat is not at its address", on},
		{ReasonMissing, Released, "what the contract pays for a ticket given back is not at its address", on},
		{ReasonMissing, Ended, "what is left of the deposit is not at its address", on},
	}
}

// StandingCauses are those of which the operator is told while the ticket keeps its state: it goes on by itself, and the
// operator can have it looked at at once.
func StandingCauses() []Reason { return []Reason{ReasonAddress, ReasonFloat} }

// CauseOf finds why a ticket needs a person; ok is false for one that an older version left so.
func CauseOf(t Ticket) (c Cause, ok bool) {
	for _, c := range Causes() {
		if c.Reason == t.Reason && c.From == t.Before {
			return c, true
		}
	}
	return Cause{}, false
}

// Asks is what the operator can ask of a ticket that needs a person, or of which they were told.
func (t Ticket) Asks() []Verb {
	if t.State != Attention {
		if slices.Contains(StandingCauses(), t.Reason) {
			return []Verb{Resolve}
		}
		return nil
	}
	if c, ok := CauseOf(t); ok {
		return c.Verbs
	}
	switch t.Before { // left by an older version
	case Stray:
		return []Verb{LetGo}
	case Held, Reserving:
		return []Verb{Resolve, PayBack}
	}
	return []Verb{Resolve}
}
