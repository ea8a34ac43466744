package flows

import (
	"context"

	"github.com/usherbot/usher/chain/cirrus"
)

// refundTo is where money of an order that is made now goes back to.
func (s Session) refundTo() cirrus.Address {
	if s.Own != "" {
		return s.Own
	}
	return s.Refund
}

// ownWallet shows where money of the order that is being made up goes back to, and takes another address for it alone.
func (f *Flows) ownWallet(t *turn) Reply {
	t.session.Screen = screenOwn
	text := paragraphs(t.say("wallet.own", args{"Address": string(t.session.refundTo())}), t.say("wallet.own_change", nil),
		t.say("wallet.linked", nil))
	row := []Button{t.button("button.keep", nil, act(doKeep))}
	if t.session.Own != "" {
		row = append(row, t.button("button.usual_address", args{"Address": t.session.Refund.Short()}, act(doUsual)))
	}
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{row}})
}

// ownTapped does what the buttons around an order's own refund address say.
func (f *Flows) ownTapped(ctx context.Context, t *turn, v verb) (Reply, error) {
	if len(t.session.Draft.Seats) == 0 || t.session.Refund == "" || v == doAlways && t.session.Own == "" {
		return f.old(ctx, t)
	}
	t.session.Screen = ""
	switch v {
	case doOwn:
		return f.ownWallet(t), nil
	case doAlways:
		t.session.Refund, t.session.Own = t.session.Own, ""
		return f.resumeWith(ctx, t, t.say("wallet.saved", args{"Address": string(t.session.Refund)}))
	}
	t.session.Own = ""
	return f.resumeWith(ctx, t, t.say("wallet.usual", args{"Address": string(t.session.Refund)}))
}

// ownGiven notes an address for the order that is being made up.
func (f *Flows) ownGiven(ctx context.Context, t *turn, address cirrus.Address) (Reply, error) {
	if address == t.session.Refund {
		t.session.Own = ""
		return f.resumeWith(ctx, t, t.say("wallet.usual", args{"Address": string(address)}))
	}
	t.session.Own = address
	return f.resumeWith(ctx, t, t.say("wallet.own_saved", args{"Address": string(address)}))
}

// refundLine says on the last screen before payment where money goes back to.
func refundLine(v voice, s Session) Text {
	id := "confirm.refund_to"
	if s.Own != "" {
		id = "confirm.refund_to_own"
	}
	return v.say(id, args{"Address": s.refundTo().Short()})
}

// refundRow lets an order's own refund address become the remembered one.
func refundRow(v voice, s Session) [][]Button {
	if s.Own == "" {
		return nil
	}
	return [][]Button{{v.button("button.from_now_on", nil, act(doAlways))}}
}
