package flows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/usherbot/usher/flows/order"
)

// Key is what two people compare to know that nobody sits between them in a secret chat. It is made of hashes of the
// chat's key, as phones show them; the key itself can't be had from it.
type Key struct {
	// Picture has the cells as PNG.
	Picture []byte
	// Lines are the 64 hexadecimal digits, grouped as on the phone.
	Lines [4]string
}

// name tells the pictures of different keys apart.
func (k Key) name() string {
	const bytes = 6
	sum := sha256.Sum256(k.Picture)
	return "key:" + hex.EncodeToString(sum[:bytes])
}

// verify shows what a customer compares with the screen of their phone, or how to make a secret chat where there is none.
func (f *Flows) verify(ctx context.Context, t *turn) (Reply, error) {
	contact, key, err := f.chatKey(ctx, t.customer())
	switch {
	case errors.Is(err, order.ErrNoCourier):
		return f.aside(t, Screen{Text: t.say("verify.no_courier", nil), Buttons: t.menu()}), nil
	case errors.Is(err, order.ErrNoChat):
		return f.verifyLater(ctx, t)
	case err != nil:
		return Reply{}, fmt.Errorf("asking for the key of a secret chat: %w", err)
	}
	text := t.say("verify.key", args{
		"Courier": contact.Username, "Support": f.support(t.voice),
		"One": key.Lines[0], "Two": key.Lines[1], "Three": key.Lines[2], "Four": key.Lines[3],
	})
	buttons := append([][]Button{t.openCourier(contact)}, t.menu()...)
	return f.aside(t, Screen{Text: text, Picture: key.Picture, PictureName: key.name(), Buttons: buttons}), nil
}

// chatKey asks for the key of the customer's open chat. Errors: order.ErrNoCourier, order.ErrNoChat.
func (f *Flows) chatKey(ctx context.Context, customer int64) (Contact, Key, error) {
	if f.Verify == nil {
		return Contact{}, Key{}, order.ErrNoCourier
	}
	contact, err := f.Courier.Contact(ctx, customer)
	if err != nil {
		return Contact{}, Key{}, err
	}
	key, err := f.Verify(ctx, customer)
	return contact, key, err
}

// verifyLater says that there is no key yet, and how a chat is made; the courier answers this customer from now on. Once
// a chat is open the message says so.
func (f *Flows) verifyLater(ctx context.Context, t *turn) (Reply, error) {
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	w, err := f.way(ctx, t, state)
	if err != nil {
		return Reply{}, err
	}
	text := paragraphs(t.say("verify.none", nil), w.steps(t, t.say("verify.again", nil)))
	screen := Screen{Text: text, Buttons: append(w.rows(t.voice), t.menuBelow()...)}
	return Reply{Screens: f.goesOn(t, Outgoing{Chat: t.event.Chat, Screen: screen})}, nil
}
