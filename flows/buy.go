package flows

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// proceed takes the next step towards an order: whatever is still missing is asked for, in this order: a seat, a
// refund address, a secret chat. Then comes the last screen before payment.
func (f *Flows) proceed(ctx context.Context, t *turn, o offer) (Reply, error) {
	seat, picked := t.picked(o)
	if !picked {
		return f.seats(t, o), nil
	}
	if b := f.blocked(ctx, t, o, seat); b != nil {
		return f.stopped(t, o, b), nil
	}
	if t.session.Refund == "" {
		return f.wallet(t), nil
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	t.session.Chat = state == ChatOpen || t.opened
	if !t.session.Chat {
		return f.handover(ctx, t, o, state)
	}
	screen, err := f.confirm(ctx, t.customer(), t.voice, t.session, o, nil)
	return f.inPlace(t, screen), err
}

// phones are the kinds of phones that the hand-over has steps for.
func phones() []string { return []string{"android", "iphone", "mac"} }

// handover explains how to open the secret chat. It goes on by itself when the chat opens.
func (f *Flows) handover(ctx context.Context, t *turn, o offer, state ChatState) (Reply, error) {
	contact, err := f.Courier.Contact(ctx)
	if err == nil {
		err = f.Courier.Invite(ctx, t.customer())
	}
	if errors.Is(err, order.ErrNoCourier) {
		return f.stopped(t, o, &obstacle{id: offID(OffCourier)}), nil
	}
	if err != nil {
		return Reply{}, fmt.Errorf("inviting to a secret chat: %w", err)
	}
	t.session.Screen = screenHandover
	key := showKey(o.Show.TxID)
	kind := phones()[0]
	var choice []Button
	for _, phone := range phones() {
		if phone == t.session.Phone {
			kind = phone
		}
	}
	for _, phone := range phones() {
		id := "button." + phone
		if phone == kind {
			id += "_chosen"
		}
		choice = append(choice, t.button(id, nil, act(doPhone, key, phone)))
	}
	text := paragraphs(t.say("handover.why", nil), t.say("handover."+kind, args{"Courier": contact.Username}), t.say("handover.goes_on", nil))
	if state == ChatPending {
		text = paragraphs(text, t.say("handover.pending", nil))
	}
	buttons := [][]Button{
		{t.link("button.open_courier", args{"Courier": contact.Username}, "https://t.me/"+contact.Username)},
		choice,
		{t.button("button.chat_done", nil, act(doGo, key)), t.button("button.no_phone", nil, act(doLater))},
	}
	return f.inPlace(t, Screen{Text: text, Buttons: buttons}), nil
}

// confirm is the last screen before payment: what it costs, who holds the money meanwhile, what a refund would be.
// note is put in front where something changed.
func (f *Flows) confirm(ctx context.Context, customer int64, v voice, s Session, o offer, note Text) (Screen, error) {
	seat := s.Draft.Seats[0]
	price, err := order.Quote(o.Sale, seat, f.Config.Gas, f.Config.ServiceFee)
	if err != nil {
		return Screen{}, fmt.Errorf("quoting %s: %w", seat, err)
	}
	first, err := f.firstOrder(ctx, customer)
	if err != nil {
		return Screen{}, err
	}
	var trust Text
	if first {
		trust = v.say("confirm.trust", args{"Support": f.support(v)})
	}
	text := paragraphs(note,
		v.say("confirm.head", args{
			"Show": showName(*o.Show), "Venue": venueName(*o.Show), "Seat": seatName(seat), "Time": moment(o.Show.Time),
		}),
		f.costs(v, price),
		f.refundOf(v, o, price.Seat),
		v.say("confirm.refund_to", args{"Address": s.Refund.Short()}),
		trust,
		v.say("confirm.next", args{"Minutes": int(f.Config.Hold.Minutes())}),
	)
	key := showKey(o.Show.TxID)
	paid := strconv.FormatInt(int64(price.Seat), 10)
	buttons := [][]Button{
		{v.button("button.confirm", args{"Sum": f.crs(price.Due())}, act(doBuy, key, seatKey(seat), paid))},
		{v.button("button.other_seat", nil, act(doSeats, key)), v.button("button.other_address", nil, act(doWallet))},
	}
	return Screen{Text: text, Buttons: buttons}, nil
}

// costs lists what is paid, line by line.
func (f *Flows) costs(v voice, p order.Price) Text {
	var fee Text
	if p.Fee > 0 {
		fee = v.say("cost.fee", args{"Sum": f.crs(p.Fee)})
	}
	return lines(
		v.say("cost.seat", args{"Sum": f.crs(p.Seat)}),
		v.say("cost.deposit", args{"Sum": f.crs(p.Deposit), "Back": f.about(p.Back)}),
		fee,
		v.say("cost.all", args{"Sum": f.crs(p.Due())}),
	)
}

// firstOrder tells whether this customer never ordered before.
func (f *Flows) firstOrder(ctx context.Context, customer int64) (bool, error) {
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return false, fmt.Errorf("listing orders: %w", err)
	}
	return len(all) == 0, nil
}

// bought finds the order that this very button led to before: a second tap, or an update that comes again, shows it
// and orders nothing.
func (f *Flows) bought(ctx context.Context, t *turn, a action) (Reply, bool, error) {
	seat, err := parseSeat(a.args[1])
	if err != nil {
		reply, err := f.old(ctx, t)
		return reply, true, err
	}
	open, err := f.unpaid(ctx, t.customer())
	if err != nil {
		return Reply{}, false, err
	}
	for _, o := range open {
		if showKey(o.Show.TxID) == a.args[0] && len(o.Tickets) > 0 && o.Tickets[0].Seat == seat {
			t.session.Draft = Draft{}
			return f.ordered(t, o), true, nil
		}
	}
	return Reply{}, false, nil
}

// buy makes the order, if everything is still as the customer saw it.
func (f *Flows) buy(ctx context.Context, t *turn, o offer, a action) (Reply, error) {
	seat, err := parseSeat(a.args[1])
	mine, picked := t.picked(o)
	if err != nil || !picked || mine != seat {
		reply := f.seats(t, o)
		reply.Answer = t.answer("tap.old")
		return reply, nil
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	if f.blocked(ctx, t, o, seat) != nil || t.session.Refund == "" || state != ChatOpen {
		return f.proceed(ctx, t, o)
	}
	on, _ := o.Seat(seat)
	if seen, err := strconv.ParseUint(a.args[2], 10, 64); err != nil || seen != on.Price {
		screen, err := f.confirm(ctx, t.customer(), t.voice, t.session, o, t.say("confirm.price_changed", nil))
		return f.inPlace(t, screen), err
	}
	return f.open(ctx, t, o, seat)
}

func (f *Flows) open(ctx context.Context, t *turn, o offer, seat cirrus.Seat) (Reply, error) {
	made, err := f.Desk.Open(ctx, order.New{
		Customer: t.customer(), Language: t.lang, Sale: o.Sale, Seats: []cirrus.Seat{seat}, Refund: t.session.Refund,
	})
	if err != nil {
		if b, ok := refusal(err, seat); ok {
			return f.stopped(t, o, b), nil
		}
		return Reply{}, fmt.Errorf("opening an order: %w", err)
	}
	t.session.Draft = Draft{}
	return f.ordered(t, made), nil
}

// ordered replaces the screen with the costs. The card itself comes as a message of its own from Tell, which is the
// only one that shows it, so that there is never more than one.
func (f *Flows) ordered(t *turn, o order.Order) Reply {
	text := t.say("ordered", args{"Seat": seatName(o.Tickets[0].Seat), "Show": showName(o.Show)})
	reply := f.inPlace(t, Screen{Text: text})
	t.session.Shown = 0
	return reply
}
