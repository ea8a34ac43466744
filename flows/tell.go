package flows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// editGap is the least time between two edits of one card: Telegram counts edits as messages.
const editGap = 3 * time.Second

// Tell brings the card of an order up to date. What happens between two edits is not shown one by one: the last state
// wins. A new message is sent only for what must ring, each once. That a QR opens no door is said in the secret chat too,
// even to somebody who blocked the bot. It implements order.Teller.
func (f *Flows) Tell(ctx context.Context, o *order.Order) error {
	return errors.Join(f.tellBotChat(ctx, o), f.callDead(ctx, o))
}

func (f *Flows) tellBotChat(ctx context.Context, o *order.Order) error {
	now := f.Clock()
	o.Card.Again = time.Time{}
	if o.Card.Blocked {
		return nil
	}
	if preparing(*o, now) {
		o.Card.Again = o.ShowFrom
		return nil
	}
	around, err := f.around(ctx, *o)
	if err != nil {
		return err
	}
	err = f.tellCard(ctx, o, now, around)
	if at := soonest(*o, now); o.Card.Again.IsZero() {
		o.Card.Again = at
	}
	if err == nil {
		err = f.ring(ctx, o, around)
	}
	if err == nil {
		err = f.leave(ctx, o)
	}
	if errors.Is(err, order.ErrBlocked) {
		o.Card.Blocked, o.Card.Again = true, time.Time{}
		return nil
	}
	return err
}

// around gathers what a card shows beside its order.
func (f *Flows) around(ctx context.Context, o order.Order) (Around, error) {
	tip, err := f.tip(ctx)
	if err != nil {
		return Around{}, err
	}
	around := Around{Tip: tip}
	if around.Nr, around.Of, err = f.numbered(ctx, o); err != nil {
		return Around{}, err
	}
	waiting := func(t order.Ticket) bool { return t.Delivery.State == order.DeliveryWaiting }
	if !asksMoney(o) && !slices.ContainsFunc(o.Tickets, waiting) {
		return around, nil
	}
	contact, err := f.Courier.Contact(ctx, o.Customer)
	if errors.Is(err, order.ErrNoCourier) {
		around.Chat = ChatNone
		return around, nil
	}
	if err != nil {
		return Around{}, fmt.Errorf("asking for the courier: %w", err)
	}
	around.Courier = contact.Username
	around.Chat, err = f.chat(ctx, o.Customer)
	return around, err
}

func (f *Flows) tellCard(ctx context.Context, o *order.Order, now time.Time, around Around) error {
	screen, draw := f.card(*o, now, around).layout()
	digest := screen.digest()
	if o.Card.Message != 0 && digest == o.Card.Shown {
		return nil
	}
	if next := o.Card.Edited.Add(editGap); o.Card.Message != 0 && now.Before(next) {
		o.Card.Again = next
		return nil
	}
	var err error
	if screen.Picture, err = draw(); err != nil {
		return err
	}
	message, err := f.send(ctx, o.Customer, o.Card.Message, screen)
	if err != nil {
		return fmt.Errorf("showing the card of %s: %w", o.ID, err)
	}
	o.Card.Message, o.Card.Shown, o.Card.Edited = message, digest, now
	return nil
}

// leave has messages that were the card before say that it stands further down: what they showed is true no more.
func (f *Flows) leave(ctx context.Context, o *order.Order) error {
	for len(o.Card.Left) > 0 {
		screen, err := f.card(*o, f.Clock(), Around{}).leftBehind()
		if err != nil {
			return err
		}
		_, err = f.Messenger.Show(ctx, Outgoing{Chat: o.Customer, Edit: o.Card.Left[0], Screen: screen})
		if err != nil && !errors.Is(err, order.ErrGone) {
			return fmt.Errorf("leaving an earlier card of %s: %w", o.ID, err)
		}
		o.Card.Left = o.Card.Left[1:]
	}
	return nil
}

// leftBehind is what a message shows that was the card before. It keeps a picture, since a picture message can't become
// a text, but not the QR of a payment.
func (c card) leftBehind() (s Screen, err error) {
	s.Text = paragraphs(c.head(), c.say("card.elsewhere", nil))
	s.Buttons = [][]Button{{c.button("button.show_order", nil, act(doCard, string(c.o.ID)))}}
	s.PictureName = "stage:" + string(stageEnded)
	s.Picture, err = c.f.banners[stageEnded]()
	return s, err
}

// soonest is when a card must be looked at again although nothing happens, because an address that is not shown yet may be
// shown; zero: never.
func soonest(o order.Order, now time.Time) (at time.Time) {
	for _, t := range o.Tickets {
		from := t.ShowFrom()
		if t.Arriving() && now.Before(from) && (at.IsZero() || from.Before(at)) {
			at = from
		}
	}
	if next := lookAgain(o, now); at.IsZero() || !next.IsZero() && next.Before(at) {
		at = next
	}
	return at
}

// send edits a message, or sends a new one where there is none to edit any more.
func (f *Flows) send(ctx context.Context, customer int64, edit int, s Screen) (int, error) {
	message, err := f.Messenger.Show(ctx, Outgoing{Chat: customer, Edit: edit, Screen: s})
	if edit != 0 && errors.Is(err, order.ErrGone) {
		message, err = f.Messenger.Show(ctx, Outgoing{Chat: customer, Screen: s})
	}
	if err == nil && message == 0 {
		message = edit
	}
	return message, err
}

// digest tells whether a screen would look different. Estimated times move a little with every block and are left
// out, or each block would edit every card.
func (s Screen) digest() string {
	sum := sha256.New()
	for _, span := range s.Text {
		if span.Style != Time {
			fmt.Fprintf(sum, "%q %s %d\n", span.Text, span.Style, span.Unix)
		}
	}
	fmt.Fprintf(sum, "%q\n", s.PictureName)
	for _, row := range s.Buttons {
		fmt.Fprintf(sum, "%q\n", row)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
