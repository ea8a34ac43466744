package order_test

import (
	"slices"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

const diedBefore = "died before"

// badSaves are what the save of an edge can come to beside well. Nothing may depend on it: the step is made again, or
// found made.
func badSaves() map[string]fault {
	return map[string]fault{
		order.ErrConflict.Error(): refusedWith(order.ErrConflict),
		noAnswer:                  dropped(),
		butDone:                   lost(),
		diedBefore:                {before: true, crash: true},
		"died after":              {crash: true},
	}
}

// TestEdges has the save of each edge of the tables fail in each way, and the process die before and after it.
func TestEdges(t *testing.T) {
	played := map[string]bool{}
	for _, s := range stages() {
		for _, e := range s.cases {
			what := edge(s.table, s.state, e.leads)
			if !s.goesBy(e) || played[what] {
				continue
			}
			played[what] = true
			for name, bad := range badSaves() {
				e := e
				if e.leads == string(order.Reserved) && s.state == string(order.Reserving) && name == diedBefore {
					e.ends = order.Attention // the secret died with the process: the one thing that nobody can mend
				}
				t.Run(what+"/"+name, func(t *testing.T) { s.savedBadly(t, e, bad) })
			}
		}
	}
	for _, row := range order.Rows() {
		for _, to := range row.Next {
			what := edge(row.Table, row.State, to)
			if !played[what] && !slices.Contains(row.Later, to) && reachable(row) && !byAPerson(row.State, to) {
				t.Errorf("not played: %s", what)
			}
		}
	}
}

// goesBy tells whether a case goes over an edge by itself, and would do so again.
func (s stage) goesBy(e ending) bool {
	_, once := s.failure(e)
	return e.leads != "" && e.leads != givenUp && s.leadsTo(e) != s.savedAs() && !once && !byAPerson(s.state, e.leads)
}

// byAPerson tells whether an edge is only gone over when somebody asks for it: where that can't be saved they are told
// so, and ask again.
func byAPerson(from, to string) bool {
	return from == string(order.Attention) || to == string(order.Cancelled) || from == string(order.Owned) && to == string(order.Releasing)
}

func (s stage) savedBadly(t *testing.T, e ending, bad fault) {
	w, l := s.set(t, e)
	l.fail(s, e)
	l.saving = savePlan{table: s.table, from: s.savedAs(), to: s.leadsTo(e), fault: bad, armed: true}
	s.goOn(w, e)
	if !l.saving.fired {
		t.Fatalf("%s %s did not go to %s:\n%s", s.table, s.state, e.leads, l)
	}
	w.comesToRest(s, e)
}

// TestDeaths has the process die before and after each call of each row.
func TestDeaths(t *testing.T) {
	played := map[string]bool{}
	for _, s := range stages() {
		for _, e := range s.cases {
			what := s.table + " " + s.state + "/" + s.site
			if _, fails := s.failure(e); s.site == "" || fails || played[what] {
				continue
			}
			played[what] = true
			for name, end := range map[string]fault{diedBefore: {before: true, crash: true}, "died after": {crash: true}} {
				e := e
				if s.site == order.SiteReserve && name != diedBefore {
					e.ends = order.Attention // as above
				}
				t.Run(what+"/"+name, func(t *testing.T) { s.dies(t, e, end) })
			}
		}
	}
	for _, row := range order.Rows() {
		for _, site := range row.Sites {
			if what := row.Table + " " + row.State + "/" + site; !played[what] {
				t.Errorf("not played: %s", what)
			}
		}
	}
}

func (s stage) dies(t *testing.T, e ending, end fault) {
	w, l := s.set(t, e)
	before := w.deaths
	l.plan = plan{s.table, s.savedAs(), s.site, end, true}
	s.goOn(w, e)
	if w.deaths != before+1 {
		t.Fatalf("died %d times:\n%s", w.deaths-before, l)
	}
	w.comesToRest(s, e)
}
