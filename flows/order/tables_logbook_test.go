package order_test

import (
	"context"
	"errors"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// logbook stands between the steps and all that they call. It notes each save and what each call came to, in which
// states, and makes a call fail as planned.
type logbook struct {
	order.Store
	order.Booth
	order.Ledger
	order.Purse
	order.Deliverer
	w       *world
	now     []machineState // as last saved
	lines   []logLine
	answer  string // of the call being made, where its answer can say different things
	plan    plan
	saving  savePlan
	parcels []order.DeliveryState // what the courier answers in turn
	disown  bool                  // the contract is read as if no seat were ours
}

// machineState is the state of the order, of a ticket, a payout or an aid; the order's id is empty.
type machineState struct{ table, id, state string }

// logLine is a call, or a save where site is empty; states are as they were saved by then.
type logLine struct {
	site, outcome string
	states        []machineState
	due           bool // a next step is noted
}

// plan makes the next call at a site fail that is made while a machine is in a state.
type plan struct {
	table, state, site string
	fault              fault
	armed              bool
}

// savePlan makes the next save fail that takes a machine from one state to another.
type savePlan struct {
	table, from, to string
	fault           fault
	armed, fired    bool
}

// happens ends the process, or gives the error.
func (f fault) happens() error {
	if f.crash {
		panic(death{})
	}
	return f.err
}

func (p *savePlan) fires(before, after []machineState) (fault, bool) {
	if !p.armed {
		return fault{}, false
	}
	for _, m := range before {
		if m.table == p.table && m.state == p.from && slices.Contains(after, machineState{m.table, m.id, p.to}) {
			p.armed, p.fired = false, true
			return p.fault, true
		}
	}
	return fault{}, false
}

// watch has everything go through a logbook from now on.
func (w *world) watch() *logbook {
	l := &logbook{Store: w.db, Booth: w.node, Ledger: w.node, Purse: w.node, Deliverer: w, w: w, now: statesOf(w.o)}
	l.lines = []logLine{{states: l.now}}
	w.engine.Store, w.engine.Booth, w.engine.Ledger, w.engine.Purse, w.engine.Deliverer, w.engine.Sites = l, l, l, l, l, l
	return l
}

// log is the logbook that watches.
func (w *world) log() *logbook { return w.engine.Store.(*logbook) }

func statesOf(o order.Order) []machineState {
	list := []machineState{{"order", "", string(o.State)}}
	for _, t := range o.Tickets {
		list = append(list, machineState{"ticket", t.ID, string(t.State)})
	}
	for _, p := range o.Payouts {
		list = append(list, machineState{"payout", p.ID, string(p.State)})
	}
	for _, a := range o.Aids {
		list = append(list, machineState{"aid", a.ID, string(a.State)})
	}
	return list
}

func (l *logbook) Save(ctx context.Context, o *order.Order) error {
	fault, fails := l.saving.fires(l.now, statesOf(*o))
	if fails && fault.before {
		return fault.happens()
	}
	if err := l.Store.Save(ctx, o); err != nil {
		return err
	}
	l.now = statesOf(*o)
	l.lines = append(l.lines, logLine{states: l.now, due: !o.Next.IsZero() || o.NextHeight != 0})
	if fails {
		return fault.happens()
	}
	return nil
}

func (l *logbook) Do(ctx context.Context, site string, call func(context.Context) error) error {
	if p := l.plan; p.armed && p.site == site && machineIn(l.now, p.table, p.state) >= 0 {
		l.plan.armed = false
		l.w.next(site, p.fault)
	}
	l.answer = ""
	states, done := l.now, false
	err := l.w.sites.Do(ctx, site, func(ctx context.Context) error {
		done = true
		return call(ctx)
	})
	if site != order.SiteSave {
		l.lines = append(l.lines, logLine{site: site, outcome: cameTo(site, l.answer, err, done), states: states})
	}
	return err
}

// cameTo finds the outcome of a call in the list of its site.
func cameTo(site, answer string, err error, done bool) string {
	for _, o := range order.Outcomes(site) {
		switch {
		case err == nil && o.Err == nil && (answer == "" || answer == o.Name):
			return o.Name
		case err != nil && o.Err != nil && errors.Is(err, o.Err) && (o.Done == done || !changesSomething(site)):
			return o.Name
		}
	}
	return "?"
}

// changesSomething tells whether a lost answer leaves open what happened.
func changesSomething(site string) bool {
	return slices.ContainsFunc(order.Outcomes(site), func(o order.Outcome) bool { return o.Done })
}

// machineIn finds the first machine of a table in a state, -1 where there is none.
func machineIn(states []machineState, table, state string) int {
	return slices.IndexFunc(states, func(m machineState) bool { return m.table == table && m.state == state })
}

func (l *logbook) Receipt(ctx context.Context, tx cirrus.TxID) (order.Receipt, error) {
	receipt, err := l.Ledger.Receipt(ctx, tx)
	l.say(receipt.Success, "good", "failed")
	return receipt, err
}

func (l *logbook) Unspent(ctx context.Context, at cirrus.Outpoint, mempool bool) (bool, error) {
	there, err := l.Ledger.Unspent(ctx, at, mempool)
	l.say(there, "there", "gone")
	return there, err
}

func (l *logbook) IsContract(ctx context.Context, address cirrus.Address) (bool, error) {
	is, err := l.Purse.IsContract(ctx, address)
	l.say(is, "a contract", "no contract")
	return is, err
}

func (l *logbook) Tickets(ctx context.Context, contract cirrus.Address) ([]cirrus.Ticket, error) {
	tickets, err := l.Booth.Tickets(ctx, contract)
	for i := range tickets {
		if l.disown {
			tickets[i].Address = others
		}
	}
	ours := slices.ContainsFunc(tickets, func(t cirrus.Ticket) bool { return slices.Contains(l.w.o.Addresses(), t.Address) })
	l.say(ours, "seat ours", "seat not ours")
	return tickets, err
}

func (l *logbook) Calls(ctx context.Context, account cirrus.Account, sender cirrus.Address) ([]order.PastCall, error) {
	calls, err := l.Ledger.Calls(ctx, account, sender)
	l.answer = "none of ours"
	for _, past := range calls {
		if l.noted(past.TxID) {
			continue
		}
		l.say(past.Block != nil, "ours mined", "ours not mined")
		break
	}
	return calls, err
}

// noted tells whether the order knows already what became of a call.
func (l *logbook) noted(tx cirrus.TxID) bool {
	o, err := l.Load(l.w.t.Context(), l.w.o.ID)
	l.w.must(err)
	return slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool {
		return slices.Contains(t.Reserve.Past, tx) || slices.Contains(t.Release.Past, tx)
	})
}

func (l *logbook) Deliver(ctx context.Context, o order.Order, ticket string) (order.Handed, error) {
	handed, err := l.Deliverer.Deliver(ctx, o, ticket)
	if err == nil && len(l.parcels) > 0 {
		handed.State, l.parcels = l.parcels[0], l.parcels[1:]
	}
	l.answer = string(handed.State)
	return handed, err
}

func (l *logbook) say(yes bool, if1, else1 string) {
	l.answer = else1
	if yes {
		l.answer = if1
	}
}
