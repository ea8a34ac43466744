package door

import (
	"errors"
	"strings"
	"unicode"

	"github.com/usherbot/usher/chain/cirrus"
)

// Parse reads a QR as the scanner of this generation does.
func Parse(generation Generation, qr string) Parsed {
	if strings.TrimFunc(qr, unicode.IsSpace) == "" {
		return Parsed{Reason: "QR code data empty"}
	}
	p := &parser{reader: newReader(qr), generation: generation, references: map[string]any{}}
	tickets, err := p.root()
	var uncaught crash
	switch {
	case errors.As(err, &uncaught):
		return Parsed{Uncaught: string(uncaught), Reason: "the scanner dies"}
	case err != nil:
		return Parsed{Reason: err.Error()}
	case len(tickets) == 0:
		return Parsed{Reason: "no tickets specified"}
	}
	return Parsed{Accepted: true, Tickets: tickets}
}

type parser struct {
	*reader
	generation Generation
	references map[string]any // what "$id" named: a *Ticket, or a seat
}

// root reads the whole text. Nothing, null and undefined are no tickets; so is an empty string.
func (p *parser) root() ([]*Ticket, error) {
	if err := p.content(); err != nil {
		return nil, err
	}
	if p.at == len(p.text) {
		return nil, nil
	}
	read, err := p.value()
	if err != nil {
		return nil, err
	}
	var tickets []*Ticket
	switch {
	case read.kind == kindArray:
		tickets, err = p.array()
	case read.kind == kindObject:
		tickets, err = p.wrappedArray()
	case read.kind != kindNothing && (read.kind != kindString || read.text != ""):
		err = refusal("not an array of tickets")
	}
	if err != nil {
		return nil, err
	}
	if err := p.content(); err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, refusal("additional text after the tickets")
	}
	return tickets, nil
}

// array reads the elements after an opening bracket.
func (p *parser) array() ([]*Ticket, error) {
	var tickets []*Ticket
	for {
		if err := p.content(); err != nil {
			return nil, err
		}
		read, err := p.value()
		if err != nil {
			return nil, err
		}
		if read.kind == kindEnd {
			return tickets, nil
		}
		ticket, err := p.element(read)
		if err != nil {
			return nil, err
		}
		tickets = append(tickets, ticket)
		if last, err := p.after(']'); err != nil || last {
			return tickets, err
		}
	}
}

// element makes a ticket of a value. Null, undefined, a comma too many and the empty string make a null ticket, over
// which the scan dies later.
func (p *parser) element(read value) (*Ticket, error) {
	switch {
	case read.kind == kindObject:
		return p.ticket()
	case read.kind == kindNothing, read.kind == kindString && read.text == "":
		return nil, nil
	}
	return nil, refusal("not a ticket")
}

// after reads what may follow a value: a comma, or the closing bracket.
func (p *parser) after(closing uint16) (last bool, err error) {
	if err := p.content(); err != nil {
		return false, err
	}
	switch {
	case p.take(closing):
		return true, nil
	case p.take(','):
		return false, nil
	case p.at == len(p.text):
		return false, errEnd
	}
	return false, errCharacter
}

// members reads an object after its opening bracket. meta sees the names that start with a dollar sign and stand
// first; the rest goes to read.
func (p *parser) members(meta func(name string) (handled, done bool, err error), read func(name string) error) error {
	p.space()
	leading := !p.is('/')
	for {
		if err := p.content(); err != nil {
			return err
		}
		if p.take('}') {
			return nil
		}
		name, err := p.name()
		if err != nil {
			return err
		}
		handled, done := false, false
		if leading {
			handled, done, err = meta(name)
		}
		leading = leading && handled
		if err == nil && !handled {
			err = read(name)
		}
		if err != nil {
			return err
		}
		last, err := p.after('}')
		if err != nil || last {
			return err
		}
		if done {
			return refusal("additional content in a reference")
		}
	}
}

// metadata is what an object says about itself.
type metadata struct {
	id  string
	ref *string
}

// read takes "$id", "$type" and "$ref" as the library does by default, which nobody asked it to.
func (m *metadata) read(p *parser, name string) (handled, done bool, err error) {
	if name != "$id" && name != "$type" && name != "$ref" {
		return false, false, nil
	}
	p.space()
	read, err := p.value()
	switch {
	case err != nil:
		return true, false, err
	case name == "$type" && (read.kind == kindNothing || read.kind == kindObject || read.kind == kindArray):
		return true, false, crashNull
	case read.kind == kindObject || read.kind == kindArray || read.kind == kindEnd:
		return true, false, errCharacter
	case name == "$id":
		m.id = read.text
	case name == "$ref" && read.kind == kindString:
		m.ref = &read.text
		return true, true, nil
	case name == "$ref" && read.kind != kindNothing:
		return true, false, refusal("a reference must be a string or null")
	}
	return true, false, nil
}

func (p *parser) remember(id string, value any) error {
	if id == "" {
		return nil
	}
	if _, taken := p.references[id]; taken {
		return refusal("an id twice")
	}
	p.references[id] = value
	return nil
}

// wrappedArray reads {"$values": […]}, in which the library finds an array too.
func (p *parser) wrappedArray() ([]*Ticket, error) {
	var tickets []*Ticket
	found := false
	var meta metadata
	err := p.members(func(name string) (bool, bool, error) {
		if name != "$values" {
			return meta.read(p, name)
		}
		found = true
		if err := p.content(); err != nil {
			return true, true, err
		}
		if !p.take('[') {
			return true, true, refusal("not an array of tickets")
		}
		var err error
		tickets, err = p.array()
		return true, true, err
	}, func(string) error { return refusal("not an array of tickets") })
	if err == nil && !found && meta.ref == nil {
		err = refusal("not an array of tickets")
	}
	return tickets, err
}

// ticket reads a ticket after its opening bracket.
func (p *parser) ticket() (*Ticket, error) {
	var meta metadata
	ticket := &Ticket{}
	present := map[string]bool{}
	err := p.members(func(name string) (bool, bool, error) {
		return meta.read(p, name)
	}, func(name string) error { return p.ticketMember(ticket, present, name) })
	switch {
	case err != nil:
		return nil, err
	case meta.ref != nil:
		known, _ := p.references[*meta.ref].(*Ticket)
		return known, nil
	}
	if err := p.remember(meta.id, ticket); err != nil {
		return nil, err
	}
	for _, name := range p.required() {
		if !present[name] {
			return nil, refusal("required member " + name + " not found or null")
		}
	}
	return ticket, nil
}

func (p *parser) required() []string {
	if p.generation == Ciphered {
		return []string{"Seat", "Secret", "SecretKey", "SecretIV"}
	}
	return []string{"Seat", "Secret"}
}

// ticketMember reads one member. The last of several with one name counts, and whether that one was null.
func (p *parser) ticketMember(ticket *Ticket, present map[string]bool, name string) (err error) {
	known := append(p.required(), "NameKey", "NameIV")
	name, ok := closest(known, name)
	if !ok {
		return refusal("could not find a member")
	}
	switch name {
	case "Seat":
		ticket.Seat, err = p.seat()
		present[name] = true
	case "Secret":
		ticket.Secret, present[name], err = p.string()
	case "SecretKey":
		ticket.SecretKey, err = p.bytes()
		present[name] = len(ticket.SecretKey) > 0
	case "SecretIV":
		ticket.SecretIV, err = p.bytes()
		present[name] = len(ticket.SecretIV) > 0
	case "NameKey":
		ticket.NameKey, err = p.bytes()
	case "NameIV":
		ticket.NameIV, err = p.bytes()
	}
	return err
}

// closest finds a member by its name, whatever its case.
func closest(known []string, name string) (string, bool) {
	for _, candidate := range known {
		if len(candidate) == len(name) && strings.EqualFold(candidate, name) {
			return candidate, true
		}
	}
	return "", false
}

// seat reads a member that must be an object of a number and a letter, either of which may be missing.
func (p *parser) seat() (cirrus.Seat, error) {
	if err := p.content(); err != nil {
		return cirrus.Seat{}, err
	}
	if !p.take('{') {
		return cirrus.Seat{}, refusal("not a seat")
	}
	var meta metadata
	var seat cirrus.Seat
	err := p.members(func(name string) (bool, bool, error) {
		return meta.read(p, name)
	}, func(name string) error { return p.seatMember(&seat, name) })
	if err != nil {
		return cirrus.Seat{}, err
	}
	if meta.ref != nil {
		known, ok := p.references[*meta.ref].(cirrus.Seat)
		if !ok {
			return cirrus.Seat{}, refusal("a reference to no seat")
		}
		return known, nil
	}
	return seat, p.remember(meta.id, seat)
}

func (p *parser) seatMember(seat *cirrus.Seat, name string) error {
	name, _ = closest([]string{"Number", "Letter"}, name)
	switch name {
	case "Number":
		number, err := p.int32()
		seat.Number = number
		return err
	case "Letter":
		letter, err := p.letter()
		seat.Letter = cirrus.Char(letter)
		return err
	}
	return refusal("could not find a member of the seat")
}
