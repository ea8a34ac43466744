package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
)

// Conversations that the next text belongs to.
const (
	screenWallet   = "wallet"
	screenOwn      = "own" // the next text is a refund address for the order that is being made up
	screenHandover = "handover"
	screenNames    = "names" // the next text in the secret chat is a name
	screenNamed    = "named" // all names were given; the last of them may come twice
)

// wallet asks where money goes back to, or shows it.
func (f *Flows) wallet(t *turn) Reply {
	t.session.Screen = screenWallet
	if t.session.Refund == "" {
		return f.inPlace(t, Screen{
			Text:    paragraphs(t.say("wallet.ask", nil), t.say("wallet.linked", nil)),
			Buttons: [][]Button{{t.button("button.not_now", nil, act(doKeep))}},
		})
	}
	text := paragraphs(t.say("wallet.now", args{"Address": string(t.session.Refund)}), t.say("wallet.change", nil),
		t.say("wallet.linked", nil))
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{{t.button("button.keep", nil, act(doKeep))}}})
}

// keepWallet leaves the screen that asked for an address, back to the purchase where one is being made up.
func (f *Flows) keepWallet(ctx context.Context, t *turn) (Reply, error) {
	t.session.Screen = ""
	if t.session.Refund != "" && len(t.session.Draft.Seats) > 0 {
		return f.resume(ctx, t)
	}
	return f.inPlace(t, Screen{Text: t.say("wallet.kept", nil), Buttons: t.menu()}), nil
}

// resume goes on with the purchase that is being made up.
func (f *Flows) resume(ctx context.Context, t *turn) (Reply, error) {
	o, found, err := f.find(ctx, t.customer(), showKey(t.session.Draft.Show))
	if err != nil {
		return Reply{}, err
	}
	if !found {
		t.session.Draft = Draft{}
		return f.shows(ctx, t)
	}
	return f.proceed(ctx, t, o)
}

// walletText takes what was written as the refund address, if it can be one.
func (f *Flows) walletText(ctx context.Context, t *turn) (Reply, error) {
	address, wrong, err := f.refundAddress(ctx, t.event.Text)
	if err != nil {
		return Reply{}, err
	}
	if wrong != "" {
		text := paragraphs(t.say(wrong, args{"Network": f.Config.Network.Ticker}), t.say("wallet.again", nil))
		return f.fresh(t, Screen{Text: text, Buttons: [][]Button{{t.button("button.not_now", nil, act(doKeep))}}}), nil
	}
	own := t.session.Screen == screenOwn && len(t.session.Draft.Seats) > 0
	t.session.Screen = ""
	if own {
		return f.ownGiven(ctx, t, address)
	}
	t.session.Refund = address
	saved := t.say("wallet.saved", args{"Address": string(address)})
	if len(t.session.Draft.Seats) == 0 {
		return f.fresh(t, Screen{Text: saved, Buttons: t.menu()}), nil
	}
	return f.resumeWith(ctx, t, saved)
}

// resumeWith goes on with the purchase that is being made up, with a note in front.
func (f *Flows) resumeWith(ctx context.Context, t *turn, note Text) (Reply, error) {
	reply, err := f.resume(ctx, t)
	if err == nil && len(reply.Screens) > 0 {
		reply.Screens[0].Text = paragraphs(note, reply.Screens[0].Text)
	}
	return reply, err
}

// refundAddress checks what a customer wrote as an address that money can go back to. wrong is the id of the
// sentence that says what is the matter; err that it could not be found out.
func (f *Flows) refundAddress(ctx context.Context, text string) (a cirrus.Address, wrong string, err error) {
	text = strings.TrimSpace(text)
	a, err = f.Config.Network.ParseAddress(text)
	switch {
	case errors.Is(err, cirrus.ErrAddressNetwork):
		return "", "wallet.network", nil
	case err != nil:
		return "", "wallet.no_address", nil
	case a == f.Config.Network.Zero():
		return "", "wallet.zero", nil
	}
	own, err := f.Config.OwnAddress(ctx, a)
	if err != nil {
		return "", "", fmt.Errorf("checking a refund address: %w", err)
	}
	if own {
		return "", "wallet.ours", nil
	}
	contract, err := f.Config.IsContract(ctx, a)
	if err != nil {
		// The node can't be asked just now; the customer is told, and nothing is lost.
		return "", "wallet.unchecked", nil //nolint:nilerr // see above
	}
	if contract {
		return "", "wallet.contract", nil
	}
	return a, "", nil
}
