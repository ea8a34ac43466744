package main

import (
	"slices"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// tortureTale is what three customers live through, up to the end of the sale.
type tortureTale struct {
	name string
	play func(b *bed)
}

// tortureTales have payments of every kind, refunds, and seats that go to others.
func tortureTales() []tortureTale {
	return append([]tortureTale{
		{"brief", briefTale}, {"everyday", everydayTale}, {"several", severalTale}, {"late", lateTale}, {"outrun", outrunTale}, {"parts", partsTale},
	}, hardTales()...)
}

// briefTale: a seat paid exactly and given back.
func briefTale(b *bed) {
	ada := b.persons[1]
	ada.pay(ada.orders("1A"), 0)
	b.mine(6)
	ada.givesBack("1A")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(8)
}

// everydayTale: a seat paid exactly, given back, then undone, and given back for good; one paid in two parts and kept; one
// that was never paid.
func everydayTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	ada.pay(ada.orders("1A"), 0)
	part := ben.orders("1B")
	ben.pays(part.address, part.due/3)
	cleo.orders("1C")
	b.mine(2)
	ben.pays(part.address, part.due-part.due/3)
	b.mine(6)
	ada.givesBack("1A")
	b.until(5, func() bool { return ada.tap("Undo") }, b.beat)
	b.pass(15*time.Second, 5*time.Second)
	ada.givesBack("1A")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(10)
	b.pass(20*time.Minute, 4*time.Minute)
}

// severalTale: three seats paid at once with something on top, one of them given back; one seat paid twice; and an order
// that is cancelled and paid all the same.
func severalTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	ada.pay(ada.orders("1A", "1B", "1C"), 3*cirrus.CRS)
	twice := ben.orders("1D")
	ben.pay(twice, 0)
	b.mine(2)
	ben.pay(twice, 0)
	in := cleo.orders("1E")
	b.until(5, func() bool { return cleo.cancelled() }, func() { cleo.tap("Cancel") })
	cleo.pay(in, 0)
	b.mine(12)
	ada.givesBack("1B")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(10)
}

// lateTale: payments that come after the time to pay: for a seat that is still free, and for one that others have taken; and
// a part whose rest never comes.
func lateTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	late, vain, part := ada.orders("1A"), ben.orders("1B"), cleo.orders("1C")
	cleo.pays(part.address, part.due/2)
	b.mine(2)
	b.pass(17*time.Minute, 5*time.Minute)
	b.outsider("1B", false)
	b.mine(2)
	ada.pay(late, 0)
	ben.pay(vain, cirrus.CRS)
	b.mine(12)
	b.pass(50*time.Minute, 5*time.Minute)
	b.mine(6)
}

// outrunTale: seats that somebody outside of Usher gets in the same block: another one is taken for it that costs more, one
// that costs less, and the money back.
func outrunTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	a, e, c := ada.orders("1A"), ben.orders("1B"), cleo.orders("1C")
	ada.pay(a, 0)
	ben.pay(e, 0)
	cleo.pay(c, 0)
	for _, seat := range []string{"1A", "1B", "1C"} {
		b.outsider(seat, true)
	}
	b.mine(2)
	b.until(6, func() bool { return ada.owesMore() }, func() { ada.takes("1D") })
	more, ok := ada.asked()
	if ok {
		ada.bills = append(ada.bills, more)
		ada.pay(more, 0)
	}
	b.until(6, func() bool { return ben.has(order.Exchanged) }, func() { ben.takes("1E") })
	b.until(3, func() bool { return false }, func() { cleo.tap("Money back") })
	b.mine(14)
	b.pass(40*time.Minute, 5*time.Minute)
	b.mine(6)
}

// partsTale: one seat paid with three coins, which must be joined; two seats, of which one goes to somebody else; and a
// seat given back at once.
func partsTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	three := ada.orders("1A")
	for range 2 {
		ada.pays(three.address, three.due/3)
		b.mine(1)
	}
	ada.pays(three.address, three.due-2*(three.due/3))
	ben.pay(ben.orders("1B", "1C"), 0)
	b.mine(1)
	b.outsider("1C", true)
	cleo.pay(cleo.orders("1D"), 0)
	b.mine(3)
	cleo.givesBack("1D")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(12)
	b.pass(40*time.Minute, 5*time.Minute)
	b.mine(4)
}

// until does something until it has come about, so often at most.
func (b *bed) until(most int, come func() bool, do func()) bool {
	for range most {
		if come() {
			return true
		}
		do()
		b.pass(4*time.Second, 2*time.Second)
	}
	return come()
}

// orders goes from the first screen to a bill, again where something was lost on the way.
func (p *person) orders(seats ...string) (asked bill) {
	for range 6 {
		var ok bool
		if asked, ok = p.asked(); ok {
			p.bills = append(p.bills, asked)
			return asked
		}
		p.command("start", "")
		steps := slices.Concat([]string{"Shows", "Songs", "Choose a seat"}, seats, []string{"Continue with"})
		if !p.taps(steps...) {
			p.pass(3*time.Second, time.Second)
			continue
		}
		if p.reads("Where should money go back to?") {
			p.write(string(p.refund))
		}
		p.confirms()
		p.pass(6*time.Second, 2*time.Second)
	}
	p.fail("%s cannot order %v: %s", p.name, seats, p.screen())
	return asked
}

// repeated is what an update is answered with that was handled before.
const repeated = "That was done already."

// confirms taps the last button before an order. Where that counts as handled, there must be an order, or a word why not.
func (p *person) confirms() {
	before := len(p.orders0())
	if p.tap("Order and pay") && p.answer == repeated && len(p.orders0()) == before {
		p.fail("%s has ordered, that counts as handled, and there is no order", p.name)
	}
}

// screen is what the newest letter says, in short.
func (p *person) screen() string {
	if len(p.letters) == 0 {
		return "nothing"
	}
	text := p.letters[len(p.letters)-1].screen.Text.String()
	return strings.Join(strings.Fields(text[:min(len(text), 300)]), " ")
}

func (p *person) taps(buttons ...string) bool {
	for _, b := range buttons {
		if !p.tap(b) {
			return false
		}
	}
	return true
}

// pay pays a bill, and something on top.
func (p *person) pay(b bill, onTop cirrus.Strats) {
	if b.address != "" {
		p.pays(b.address, b.due+onTop)
	}
}

// has tells whether a ticket of this customer is in that state.
func (p *person) has(states ...order.TicketState) bool {
	for _, o := range p.orders0() {
		if slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return slices.Contains(states, t.State) }) {
			return true
		}
	}
	return false
}

func (p *person) orders0() []order.Order {
	return slices.DeleteFunc(p.bed.orders(), func(o order.Order) bool { return o.Customer != p.id })
}

func (p *person) cancelled() bool {
	return slices.ContainsFunc(p.orders0(), func(o order.Order) bool { return o.State == order.Cancelled })
}

// owesMore tells whether a card asks for the difference of another seat.
func (p *person) owesMore() bool {
	_, ok := p.asked()
	return ok
}

// takes takes another seat in place of a lost one.
func (p *person) takes(seat string) { p.taps("Another seat", seat, "Take "+seat) }

// givesBack gives a ticket back by the list of what can be.
func (p *person) givesBack(seat string) {
	done := func() bool {
		return slices.ContainsFunc(p.orders0(), func(o order.Order) bool {
			return slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool {
				return t.Seat.String() == seat && (t.State == order.Releasing || t.State == order.Released)
			})
		})
	}
	if !p.until(4, done, func() { p.asksBack(seat) }) {
		p.noteText(p.name + " could not give back " + seat + ": " + p.screen())
	}
}

func (p *person) asksBack(seat string) {
	p.command("refund", "")
	for i := len(p.letters) - 1; i >= 0; i-- {
		for _, part := range strings.Split(p.letters[i].screen.Text.String(), "\n\n") {
			if _, id, ok := strings.Cut(part, "/refund_"); ok && strings.Contains(part, seat) {
				id, _, _ = strings.Cut(id, "\n")
				p.command("refund", strings.Fields(id)[0])
				if p.answer == repeated && !p.has(order.Releasing, order.Released) {
					p.fail("%s has given a ticket back, that counts as handled, and nothing happens", p.name)
				}
				return
			}
		}
	}
}

func (b *bed) noteText(text string) { b.notes = append(b.notes, text) }

// outsider has somebody buy a seat with other means: the call waits for the next block, ahead of ours or behind.
func (b *bed) outsider(seat string, first bool) {
	at := cirrus.Seat{Number: 1, Letter: cirrus.Char(seat[1])}
	if _, err := b.chain.Reserve(sandbox.ReserveRequest{Address: b.venue, Seat: at, First: first}); err != nil {
		b.noteText("outsider: " + err.Error())
	}
}

// attends is the operator: whatever needs a person is gone on with, or given back where that is offered.
func (b *bed) attends() {
	for range 6 {
		needs := slices.ContainsFunc(b.orders(), func(o order.Order) bool {
			return slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return t.State == order.Attention })
		})
		if !needs {
			return
		}
		b.operator.letters = nil // what was tapped before is not tapped again
		b.operator.command("attention", "")
		if !b.operator.tap("Give it back") && !b.operator.tap("Pay it back") {
			b.operator.tap("Go on")
		}
		b.pass(15*time.Second, 5*time.Second)
	}
}

// ending plays on until the sale is over and nothing of it can be undone any more.
func (b *bed) ending() {
	b.attends()
	for i := 0; b.chain.Height() < b.show+45; i++ {
		b.mine(1)
		if i%10 == 0 {
			b.moving()
		}
		if i%20 == 0 {
			b.attends()
		}
	}
	b.pass(11*time.Minute, 6*time.Minute)
}
