package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/ticketgen"
)

// letter is a message in somebody's chat with the bot.
type letter struct {
	id     int
	screen flows.Screen
}

// parcel is a ticket on somebody's phone: what its QR says.
type parcel struct {
	id, ticket       string
	seat             cirrus.Seat
	seen             bool
	opened, repeated bool // it opened the door when it came; it was marked as a repetition
}

// person has a phone, and writes and taps there. Whatever kills Usher kills neither.
type person struct {
	*bed
	id      int64
	name    string
	refund  cirrus.Address
	letters []letter
	parcels []parcel
	closed  bool          // no secret chat with the courier
	updates []flows.Event // sent, and not confirmed by Usher yet
	bills   []bill        // what was asked for, in order
	answer  string        // to the last of them that was confirmed
	paid    cirrus.Strats // all that this customer paid
}

// bill is what a payment card asks for.
type bill struct {
	address cirrus.Address
	due     cirrus.Strats
}

func (p *person) send(e flows.Event) {
	p.bed.update++
	e.ID, e.Kind, e.Chat, e.Date = p.bed.update, flows.Private, p.id, p.clock.Now()
	e.Actor = flows.Actor{ID: p.id, Name: p.name, Language: "en"}
	p.updates = append(p.updates, e)
	p.beat()
}

func (p *person) command(command, argument string) {
	p.send(flows.Event{Command: command, Argument: argument})
}

func (p *person) write(text string) { p.send(flows.Event{Text: text}) }

// tap taps the newest button that begins so, and tells whether there is one.
func (p *person) tap(text string) bool {
	for i := len(p.letters) - 1; i >= 0; i-- {
		for _, row := range p.letters[i].screen.Buttons {
			for _, b := range row {
				if strings.HasPrefix(b.Text, text) && b.Action != "" {
					p.send(flows.Event{Action: b.Action, Callback: "c", Message: p.letters[i].id})
					return true
				}
			}
		}
	}
	return false
}

// reads tells whether one of the newest letters says that.
func (p *person) reads(words string) bool {
	for i := max(0, len(p.letters)-3); i < len(p.letters); i++ {
		if strings.Contains(p.letters[i].screen.Text.String(), words) {
			return true
		}
	}
	return false
}

// asked gives a bill that was shown, the newest first, and not noted before.
func (p *person) asked() (found bill, ok bool) {
	for i := len(p.letters) - 1; i >= 0; i-- {
		b := billOf(p.letters[i].screen)
		known := func() bool {
			for _, old := range p.bills {
				if old.address == b.address {
					return true
				}
			}
			return false
		}
		if b.address != "" && b.due > 0 && !known() {
			return b, true
		}
	}
	return bill{}, false
}

func billOf(s flows.Screen) (b bill) {
	for _, row := range s.Buttons {
		for _, button := range row {
			switch sum, err := cirrus.ParseCRS(button.Copy); {
			case strings.Contains(strings.ToLower(button.Text), "copy address"):
				b.address = cirrus.Address(button.Copy)
			case err == nil && b.due == 0:
				b.due = sum
			}
		}
	}
	return b
}

// pays pays from a wallet of the customer's own.
func (p *person) pays(to cirrus.Address, sum cirrus.Strats) {
	if _, err := p.chain.Fund(to, sum); err != nil {
		p.fail("%s pays %s to %q: %v", p.name, sum, to, err)
		return
	}
	p.paid += sum
	p.payments[to] += sum
	p.beat()
}

// mail is Telegram: it shows what the bot sends, and refuses what cannot be edited.
type mail struct{ *bed }

// Show implements flows.Messenger.
func (m mail) Show(_ context.Context, out flows.Outgoing) (int, error) {
	p := m.people[out.Chat]
	if p == nil {
		return 0, order.ErrBlocked
	}
	out.Screen.Picture = nil
	for i := range p.letters {
		if p.letters[i].id == out.Edit {
			p.letters[i].screen = out.Screen
			return out.Edit, nil
		}
	}
	if out.Edit != 0 {
		return 0, order.ErrGone
	}
	m.letter++
	p.letters = append(p.letters, letter{m.letter, out.Screen})
	return m.letter, nil
}

// post is the courier: it knows each parcel by its id for ever, and hands each over once.
type post struct{ *bed }

func (post) Contact(context.Context, int64) (flows.Contact, error) {
	return flows.Contact{Username: "courier", Name: "Courier"}, nil
}
func (post) Invite(context.Context, int64) error { return nil }

func (c post) Chat(_ context.Context, customer int64) (flows.ChatState, error) {
	if p := c.people[customer]; p == nil || p.closed {
		return flows.ChatNone, nil
	}
	return flows.ChatOpen, nil
}

func (post) Say(context.Context, int64, string, string) error { return nil }

// Deliver implements flows.Courier. What the QR says is read back, and the door is asked there and then.
func (c post) Deliver(_ context.Context, customer int64, p flows.Parcel) (order.DeliveryState, error) {
	who := c.people[customer]
	text, err := c.readOnce(p.Picture)
	if err != nil {
		c.fail("%s gets a picture without a QR", who.name)
	}
	for _, old := range who.parcels {
		switch {
		case old.id != p.ID:
		case old.ticket != text:
			c.fail("parcel %s holds another ticket than before", p.ID)
		case old.seen:
			return order.DeliverySeen, nil
		default:
			return order.DeliverySent, nil
		}
	}
	if who.closed {
		return "", order.ErrNoChat
	}
	tickets, err := ticketgen.Decode([]byte(text))
	if err != nil || len(tickets) != 1 {
		c.fail("the QR of %s holds %d tickets: %v", who.name, len(tickets), err)
		return order.DeliverySent, nil
	}
	who.parcels = append(who.parcels, parcel{id: p.ID, ticket: text, seat: tickets[0].Seat, opened: c.opens(text), repeated: p.Repeated != ""})
	return order.DeliverySent, nil
}

// readOnce reads a QR, of each picture once.
func (c post) readOnce(picture []byte) (text string, err error) {
	if text = c.read[string(picture)]; text == "" {
		if text, err = readQR(picture); err == nil {
			c.read[string(picture)] = text
		}
	}
	return text, err
}

// acknowledge has each phone say what it has got.
func (b *bed) acknowledge() {
	for _, p := range b.persons {
		news := false
		for i := range p.parcels {
			news = news || !p.parcels[i].seen
			p.parcels[i].seen = true
		}
		if news {
			b.alive(func() { b.note(b.app.wakeCustomer(b.ctx, p.id)) })
		}
	}
}

// sketch draws tickets as they are, each once, and nothing else: halls are not what is tortured.
type sketch struct {
	ticketgen.Artist
	drawn map[string][]byte
}

func (s sketch) Ticket(t flows.Digital, f flows.Frame) (png []byte, err error) {
	key := fmt.Sprintf("%v %s %x %x %v", t.Seat, t.Secret.Plaintext, t.Secret.Key, t.Secret.IV, f)
	if s.drawn[key] == nil {
		if png, err = s.Artist.Ticket(t, f); err != nil {
			return nil, err
		}
		s.drawn[key] = png
	}
	return s.drawn[key], nil
}

func (sketch) Payment(string) ([]byte, error)      { return []byte("png"), nil }
func (sketch) Hall(flows.HallPlan) ([]byte, error) { return []byte("png"), nil }

// handle gives one update to Usher and shows what it answers. The update is confirmed only where that went well.
func (p *person) handle(e flows.Event) error {
	reply, err := p.app.flows.Handle(p.ctx, e)
	if err != nil {
		return err
	}
	if p.answer = reply.Answer; p.answer == "" && len(reply.Screens) == 0 {
		p.fail("%s wrote or tapped (%s%s%s), and it counts as handled without an answer", p.name, e.Command, e.Action, e.Text)
	}
	for _, out := range reply.Screens {
		err = errors.Join(err, p.sites.Do(p.ctx, "bot.reply", func(ctx context.Context) error {
			message, err := mail{p.bed}.Show(ctx, out)
			if err != nil || out.Card == "" {
				return err
			}
			return p.app.flows.CardShown(ctx, out.Card, cmp.Or(message, out.Edit))
		}))
	}
	if err != nil {
		p.note(fmt.Errorf("showing a reply: %w", err)) // the bot gives up here, and confirms all the same
	}
	return nil
}
