package flows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows"
)

// TestNamesStayInTheSecretChat: after a whole story with a name on the ticket, no screen ever shown in the bot chat,
// no stored session and no stored order holds the name outside of what is sealed.
func TestNamesStayInTheSecretChat(t *testing.T) {
	const name = "Zoë van Dam"
	w := newWorld(t)
	for _, line := range []string{
		"identity", "write /shows", "tap Night Trains", "tap Choose a seat", "tap 3D", "tap 3C", "tap Continue with 2 seats",
		"write " + string(addressNr(90)), "chat opens",
	} {
		w.happens(line)
	}
	for _, text := range []string{name, "="} {
		if _, err := w.flows.TextReceived(t.Context(), ann, text); err != nil {
			t.Fatal(err)
		}
		session, err := w.db.Peek(t.Context(), ann)
		w.must(err)
		raw, err := json.Marshal(session)
		w.must(err)
		if session.Names[0] != name || strings.Contains(string(raw)+fmt.Sprintf("%v %+v %#v", session, session, session), "Dam") {
			t.Error("the session shows the name, or does not have it")
		}
	}
	for _, line := range []string{
		"tap Order and pay 361.0001 CRS", "wait 2s", "pay what is due", "block", "wait 4s", "block", "wait 4s", "block", "wait 4s",
		"write /tickets", "write /refund", "operator write /attention",
	} {
		w.happens(line)
	}
	o := w.last(ann)
	for _, ticket := range o.Tickets {
		if o.Private.Names[ticket.ID] != name {
			t.Errorf("ticket %s has no name", ticket.ID)
		}
	}
	raw, err := json.Marshal(o)
	w.must(err)
	if log := w.seen(); strings.Contains(log+string(raw)+fmt.Sprintf("%+v", o.Private), "Dam") {
		t.Error("the name was shown or stored in plain text")
	}
	if session, err := w.db.Peek(t.Context(), ann); err != nil || session.Names != nil {
		t.Errorf("names are kept after the order was made: %v", err)
	}
}

// TestATextThatComesTwiceIsNotTheNextName: the courier may hear a text again after a crash.
func TestATextThatComesTwiceIsNotTheNextName(t *testing.T) {
	w := newWorld(t)
	for _, line := range []string{
		"identity", "write /shows", "tap Night Trains", "tap Choose a seat", "tap 3D", "tap 3C", "tap Continue with 2 seats",
		"write " + string(addressNr(90)), "chat opens",
	} {
		w.happens(line)
	}
	for range 3 {
		if _, err := w.flows.TextReceived(t.Context(), ann, "Bo"); err != nil {
			t.Fatal(err)
		}
	}
	session, err := w.db.Peek(t.Context(), ann)
	w.must(err)
	if len(session.Names) != 1 {
		t.Errorf("%d names", len(session.Names))
	}
}

func TestAHallOfAnyShapeIsDrawnWhole(t *testing.T) {
	w := newWorld(t)
	var seen flows.HallPlan
	w.artist.hall = func(p flows.HallPlan) { seen = p }
	for i := range w.sale.Seats {
		w.sale.Seats[i].Price = uint64(100+i) * 100_000_000
	}
	w.sale.Seats[11].Price = 1 << 63
	w.post()
	for _, line := range []string{"taken 1A", "held 1B", "write /shows", "tap Night Trains", "tap Choose a seat", "tap 1C"} {
		w.happens(line)
	}
	states := map[flows.HallState]int{}
	for _, row := range seen.Rows {
		for _, seat := range row.Seats {
			states[seat.State]++
			if seat.Class >= len(seen.Classes) || seat.Class < 0 && seat.Name != "3D" {
				t.Errorf("%s has class %d of %d", seat.Name, seat.Class, len(seen.Classes))
			}
		}
	}
	want := map[flows.HallState]int{flows.HallTaken: 2, flows.HallHeld: 1, flows.HallYours: 1, flows.HallFree: 8}
	if fmt.Sprint(states) != fmt.Sprint(want) || len(seen.Rows) != 3 || seen.Widest() != 4 || len(seen.Classes) != 6 {
		t.Errorf("%v in %d rows of %d, %d classes", states, len(seen.Rows), seen.Widest(), len(seen.Classes))
	}
}
