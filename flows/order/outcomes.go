package order

// Outcome is one of the things that a call at a site can come to. The list of a site is closed: what a step makes of
// each of them, in each state that makes the call, has a test.
type Outcome struct {
	Name string // in a few words
	Err  error  // what the call then wraps; nil: it was answered, and the answer says which
	Done bool   // with an error: the work was done all the same, and only its answer is gone
}

// Outcomes lists what a call at a site can come to; nil for a name that is no call site. An error that is not in the
// list counts as no answer.
func Outcomes(site string) []Outcome {
	switch site {
	case SiteHold:
		return changes(answers("held"), ErrSeatHeld)
	case SiteClaim:
		return changes(answers("claimed"), ErrClaimed)
	case SiteUnclaim:
		return changes(answers("given up"))
	case SiteFloat:
		return reads(answers("enough", "too little"), ErrWallet)
	case SiteReserve:
		return changes(answers("broadcast"), spending(ErrNoPeers, ErrSyncing, ErrSaleClosed, ErrNoContract,
			ErrSeatTaken, ErrSeatUnknown, ErrNameNeeded)...)
	case SiteRelease:
		return changes(answers("broadcast"), spending(ErrNoPeers, ErrSyncing, ErrSaleClosed, ErrNoContract,
			ErrReleaseOver, ErrNotOwner)...)
	case SiteBuild:
		return changes(answers("built"), spending()...)
	case SiteSend:
		return changes(answers("accepted"), ErrUnreachable, ErrRefused, ErrNoPeers, ErrSyncing)
	case SiteForget:
		return changes(answers("forgotten"), ErrUnreachable, ErrRefused, ErrWallet)
	case SiteTickets:
		return reads(answers("seat ours", "seat not ours"), ErrNoContract)
	case SiteReceipt:
		return reads(answers("good", "failed"), ErrNotMined)
	case SiteUnspent:
		return reads(answers("there", "gone"))
	case SiteRaw:
		return reads(answers("read"), ErrNotFound)
	case SiteCalls:
		return reads(answers("none of ours", "ours not mined", "ours mined"), ErrWallet)
	case SiteIsContract:
		return reads(answers("no contract", "a contract"))
	case SiteDeliver:
		return changes(answers("waiting", "sent", "seen", "failed"), ErrNoCourier, ErrNoChat)
	case SiteAttend, SiteTell:
		return changes(answers("told"))
	case SiteSave:
		return changes(answers("saved"), ErrConflict)
	}
	return nil
}

// answers names what a good answer can say.
func answers(names ...string) []Outcome {
	list := make([]Outcome, len(names))
	for i, name := range names {
		list[i] = Outcome{Name: name}
	}
	return list
}

// reads adds the failures of a call to the node that changes nothing: all of them, and these.
func reads(list []Outcome, errs ...error) []Outcome {
	return append(fails(fails(list, ErrUnreachable, ErrRefused), errs...), Outcome{Name: "no answer", Err: ErrUnknownOutcome})
}

// changes adds the failures of a call that changes something: these, and an answer that is lost before or after.
func changes(list []Outcome, errs ...error) []Outcome {
	return append(fails(list, errs...),
		Outcome{Name: "no answer", Err: ErrUnknownOutcome},
		Outcome{Name: "no answer, but done", Err: ErrUnknownOutcome, Done: true})
}

func fails(list []Outcome, errs ...error) []Outcome {
	for _, err := range errs {
		list = append(list, Outcome{Name: err.Error(), Err: err})
	}
	return list
}

// spending adds what the wallet refuses a call with that spends coins, and a node that is not reached.
func spending(errs ...error) []error {
	return append(errs, ErrUnreachable, ErrRefused, ErrPassword, ErrWallet, ErrCoins, ErrOutpoints, ErrInputsReserved)
}
