package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// The tables, row by row: each call that a row's step makes, with each outcome that the call can have, and each edge
// that time, blocks, coins or a person bring about. A case fails unless its call was made in its state, came to its
// outcome, and the very next thing saved is the state that it leads to; then everything must come to a good end with
// every strat accounted for.

// stage is a state of a machine whose step is about to make a call, or to go on without one.
type stage struct {
	table, state string
	site         string // of the call; empty: none
	saved        string // what is saved of the machine when the call is made; empty: the state
	enter        func(*testing.T) *world
	happens      func(*world) // what brings the call about
	ends         order.TicketState
	cases        []ending
}

// ending is what the call came to and what follows.
type ending struct {
	outcome string // of the call; without a call: what happens
	when    string // what else must be so, where the outcome alone does not say which case it is
	leads   string // the state saved next; empty: it stays
	ends    order.TicketState
	enter   func(*testing.T) *world // in place of the stage's
	bring   func(*world)            // brings the outcome about; nil: the call fails so, or answers well
	happens func(*world)            // in place of the stage's
	rests   bool                    // nothing more happens by itself
	parcels int                     // that the courier was given in the end; 0: not looked at
}

// stages are all of them.
func stages() []stage {
	return slices.Concat(orderStages(), moveStages(), buyStages(), findStages(), ownStages(), releaseStages(), swapStages(), payoutStages(), forkStages(), forkTicketStages(), forkOrderStages(), aidStages())
}

func (s stage) name(e ending) string {
	parts := []string{s.table + " " + s.state, s.site, e.outcome, e.when}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

// stays are failures after which the state stays and the call is made again later.
func stays(errs ...error) []ending { return leadTo("", "", errs...) }

// leadTo are failures that all lead to one state, and end alike.
func leadTo(state string, ends order.TicketState, errs ...error) []ending {
	var list []ending
	for _, err := range errs {
		list = append(list, ending{outcome: outcomeName(err), leads: state, ends: ends})
	}
	return list
}

func outcomeName(err error) string {
	if err == order.ErrUnknownOutcome {
		return noAnswer
	}
	return err.Error()
}

const (
	noAnswer = "no answer"
	butDone  = "no answer, but done"
)

// readAgain are the failures of any call that only reads: it is made again.
func readAgain(errs ...error) []ending {
	return stays(append(errs, order.ErrUnreachable, order.ErrRefused, order.ErrUnknownOutcome)...)
}

func TestRows(t *testing.T) {
	var told []order.Ticket
	played, cases := 0, 0
	for _, s := range stages() {
		for _, e := range s.cases {
			cases++
			t.Run(s.name(e), func(t *testing.T) {
				told = append(told, s.play(t, e).causes...)
				played++
			})
		}
	}
	if played < cases { // only some were asked for
		return
	}
	for _, cause := range order.Causes() {
		seen := func(t order.Ticket) bool { return t.Reason == cause.Reason && t.Before == cause.From }
		if !slices.ContainsFunc(told, seen) {
			t.Errorf("no ticket came to need a person for %s in state %s", cause.Reason, cause.From)
		}
	}
}

func (s stage) play(t *testing.T, e ending) *world {
	w, l := s.set(t, e)
	l.fail(s, e)
	s.goOn(w, e)
	if s.site == "" {
		l.wentTo(s, e)
	} else {
		l.cameTo(s, e)
	}
	w.comesToRest(s, e)
	return w
}

// set brings a world to the stage, with a logbook.
func (s stage) set(t *testing.T, e ending) (*world, *logbook) {
	t.Helper()
	enter := s.enter
	if e.enter != nil {
		enter = e.enter
	}
	w := enter(t)
	l := w.watch()
	if e.bring != nil {
		e.bring(w)
	}
	return w, l
}

func (s stage) goOn(w *world, e ending) {
	if e.happens != nil {
		e.happens(w)
		return
	}
	s.happens(w)
}

// comesToRest wants a good end that only edges led to.
func (w *world) comesToRest(s stage, e ending) {
	w.t.Helper()
	w.rest()
	w.log().holds(w.t)
	w.endedAs(s, e)
}

// fail plans the failure that a case is about.
func (l *logbook) fail(s stage, e ending) {
	if failure, ok := s.failure(e); ok {
		l.plan = plan{s.table, s.savedAs(), s.site, failure, true}
	}
}

// failure is what makes the call fail; ok is false where the outcome comes about otherwise.
func (s stage) failure(e ending) (failure fault, ok bool) {
	for _, o := range order.Outcomes(s.site) {
		if o.Name == e.outcome && o.Err != nil && e.bring == nil {
			return fault{err: o.Err, before: !o.Done}, true
		}
	}
	return fault{}, false
}

func (s stage) savedAs() string {
	if s.saved != "" {
		return s.saved
	}
	return s.state
}

// cameTo wants the call made in its state, with its outcome, and the next save to show where it leads.
func (l *logbook) cameTo(s stage, e ending) {
	l.w.t.Helper()
	for i, line := range l.lines {
		m := machineIn(line.states, s.table, s.savedAs())
		if line.site != s.site || line.outcome != e.outcome || m < 0 {
			continue
		}
		if next, due := l.savedAfter(i, line.states[m]); next == s.leadsTo(e) {
			if row, _ := order.RowOf(s.table, s.savedAs()); !due && !row.Final && !e.rests && e.leads == "" {
				l.w.t.Error("it stays, and no next step is noted")
			}
			return
		}
	}
	l.w.t.Fatalf("%s never came to %q in %s %s, to go on with %s:\n%s", s.site, e.outcome, s.table, s.savedAs(), s.leadsTo(e), l)
}

func (s stage) leadsTo(e ending) string {
	if e.leads != "" {
		return e.leads
	}
	return s.savedAs()
}

// givenUp is where a payout leads that is taken out of the order.
const givenUp = "given up"

// savedAfter is the state of a machine that was saved next, and whether a next step was noted with it.
func (l *logbook) savedAfter(i int, m machineState) (state string, due bool) {
	for _, line := range l.lines[i+1:] {
		if line.site != "" {
			continue
		}
		for _, other := range line.states {
			if other.table == m.table && other.id == m.id {
				return other.state, line.due
			}
		}
		return givenUp, line.due
	}
	return "", false
}

// wentTo wants an edge saved, or the state to have stayed.
func (l *logbook) wentTo(s stage, e ending) {
	l.w.t.Helper()
	if e.leads == "" {
		if machineIn(l.now, s.table, s.state) < 0 {
			l.w.t.Fatalf("%s %s did not stay:\n%s", s.table, s.state, l)
		}
		return
	}
	for i, line := range l.lines[:len(l.lines)-1] {
		m := machineIn(line.states, s.table, s.savedAs())
		if line.site != "" || m < 0 {
			continue
		}
		if next, _ := l.savedAfter(i, line.states[m]); next == s.leadsTo(e) {
			return
		}
	}
	l.w.t.Fatalf("%s %s did not go to %s:\n%s", s.table, s.state, s.leadsTo(e), l)
}

// holds wants every change that was saved to be an edge of the tables.
func (l *logbook) holds(t *testing.T) {
	t.Helper()
	var before []machineState
	for _, line := range l.lines {
		if line.site != "" {
			continue
		}
		for _, m := range before {
			row, _ := order.RowOf(m.table, m.state)
			for _, now := range line.states {
				if now.table == m.table && now.id == m.id && now.state != m.state && !row.Leads(now.state) {
					t.Errorf("%s went from %s to %s, which is no edge", m.table, m.state, now.state)
				}
			}
		}
		before = line.states
	}
}

// String gives the latest lines.
func (l *logbook) String() string {
	var text strings.Builder
	for _, line := range l.lines[max(0, len(l.lines)-40):] {
		fmt.Fprintf(&text, "%s %s", line.site, line.outcome)
		for _, m := range line.states {
			text.WriteString(" " + m.state)
		}
		text.WriteByte('\n')
	}
	return text.String()
}
