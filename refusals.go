package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// refusals keeps which wallets the node does not open, for their password is refused. While there is one nothing is
// sold: whoever paid would wait for their seat, and perhaps lose it. Passwords are read at the start only, so a process
// that takes up the work forgets what was refused before, and tries each wallet.
type refusals struct {
	store    small
	accounts []cirrus.Account // one of each wallet
	tell     func(ctx context.Context, wallet string) error
	log      *slog.Logger
}

// What is kept about a wallet; nothing: it opens, or was not tried.
const (
	walletRefused = "refused" // and no operator knows of it yet
	walletTold    = "told"
)

// offWallet is why nothing is sold then. Customers read that the operator looks into it.
const offWallet = "wallet"

// tellWithin is how long the answer of the node may wait for operators to be told. They are told at the next refusal
// if it does not suffice.
const tellWithin = 5 * time.Second

// tryWithin bounds the look at one wallet at the start.
const tryWithin = time.Minute

func newRefusals(s settings, store small, tell func(context.Context, string) error, log *slog.Logger) *refusals {
	r := &refusals{store: store, tell: tell, log: log}
	for _, account := range s.accounts {
		if !slices.ContainsFunc(r.accounts, func(a cirrus.Account) bool { return a.Wallet == account.Wallet }) {
			r.accounts = append(r.accounts, account)
		}
	}
	return r
}

func walletKey(wallet string) string { return "operator:wallet:" + wallet }

// refused lists the wallets whose password was refused last.
func (r *refusals) refused(ctx context.Context) (list []string, err error) {
	for _, account := range r.accounts {
		wallet := account.Wallet
		state, err := r.store.Get(ctx, walletKey(wallet))
		if err != nil {
			return nil, fmt.Errorf("reading whether wallet %s opens: %w", wallet, err)
		}
		if len(state) > 0 {
			list = append(list, wallet)
		}
	}
	return list, nil
}

// forget has each wallet count as one that was not tried.
func (r *refusals) forget(ctx context.Context) error {
	var problems []error
	for _, account := range r.accounts {
		problems = append(problems, r.put(ctx, account.Wallet, ""))
	}
	return errors.Join(problems...)
}

// try finds out before anybody pays whether each wallet opens.
func (r *refusals) try(ctx context.Context, node opener) {
	for _, account := range r.accounts {
		ctx, done := context.WithTimeout(ctx, tryWithin)
		addresses, err := node.Candidates(ctx, account, 1)
		if err == nil && len(addresses) > 0 {
			err = node.CheckPassword(ctx, account.Wallet, addresses[0])
			r.note(ctx, account.Wallet, err)
		}
		if err != nil {
			r.log.Warn("whether a wallet opens", "wallet", account.Wallet, "error", err)
		}
		done()
	}
}

// opener is what tells whether a wallet opens, without touching its coins.
type opener interface {
	Candidates(ctx context.Context, account cirrus.Account, n int) ([]cirrus.Address, error)
	CheckPassword(ctx context.Context, wallet string, address cirrus.Address) error
}

func (r *refusals) put(ctx context.Context, wallet, state string) error {
	if err := r.store.Put(ctx, walletKey(wallet), []byte(state)); err != nil {
		return fmt.Errorf("keeping whether wallet %s opens: %w", wallet, err)
	}
	return nil
}

// note learns from what a call that needs the password came to. What fails here is logged only: the call's own answer
// must reach the order whatever happens.
func (r *refusals) note(ctx context.Context, wallet string, answer error) {
	wrong := errors.Is(answer, order.ErrPassword)
	if answer != nil && !wrong {
		return // says nothing about the password
	}
	ctx, done := context.WithTimeout(ctx, tellWithin)
	defer done()
	if err := r.learn(ctx, wallet, wrong); err != nil {
		r.log.Warn("a wallet's password", "wallet", wallet, "refused", wrong, "error", err)
	}
}

func (r *refusals) learn(ctx context.Context, wallet string, wrong bool) error {
	state, err := r.store.Get(ctx, walletKey(wallet))
	if err != nil {
		return fmt.Errorf("reading whether wallet %s opens: %w", wallet, err)
	}
	switch {
	case !wrong && len(state) > 0:
		return r.put(ctx, wallet, "")
	case !wrong || string(state) == walletTold:
		return nil
	}
	if err := r.put(ctx, wallet, walletRefused); err != nil {
		return err
	}
	if err := r.tell(ctx, wallet); err != nil {
		return err
	}
	return r.put(ctx, wallet, walletTold)
}

// notedBooth has refusals learn from calls to buy and to give back.
type notedBooth struct {
	order.Booth
	refusals *refusals
}

func (b notedBooth) Reserve(ctx context.Context, call order.BoothCall) (order.Reservation, error) {
	made, err := b.Booth.Reserve(ctx, call)
	b.refusals.note(ctx, call.Account.Wallet, err)
	return made, err
}

func (b notedBooth) Release(ctx context.Context, call order.BoothCall) (cirrus.TxID, error) {
	tx, err := b.Booth.Release(ctx, call)
	b.refusals.note(ctx, call.Account.Wallet, err)
	return tx, err
}

// noted has refusals learn from what a booth answers. A booth that derives its secrets stays one that does.
func (r *refusals) noted(booth order.Booth) order.Booth {
	if deriver, can := booth.(order.Deriver); can {
		return notedDeriver{notedBooth{booth, r}, deriver}
	}
	return notedBooth{booth, r}
}

type notedDeriver struct {
	notedBooth
	order.Deriver
}

// notedPurse has refusals learn from the transactions that bring money to seats and back to customers.
type notedPurse struct {
	order.Purse
	refusals *refusals
}

func (p notedPurse) Build(ctx context.Context, payment order.Payment) (order.BuiltTx, error) {
	built, err := p.Purse.Build(ctx, payment)
	p.refusals.note(ctx, payment.Account.Wallet, err)
	return built, err
}
