package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// shelf keeps values in a map.
type shelf map[string][]byte

func (s shelf) Get(_ context.Context, name string) ([]byte, error) { return s[name], nil }

func (s shelf) Put(_ context.Context, name string, value []byte) error {
	s[name] = value
	return nil
}

// till is a booth and a purse that answer as they are told.
type till struct {
	order.Booth
	order.Purse
	answer error
}

func (c *till) Reserve(context.Context, order.BoothCall) (order.Reservation, error) {
	return order.Reservation{TxID: "bought"}, c.answer
}

func (c *till) Release(context.Context, order.BoothCall) (cirrus.TxID, error) {
	return "released", c.answer
}

func (c *till) Build(context.Context, order.Payment) (order.BuiltTx, error) {
	return order.BuiltTx{TxID: "built"}, c.answer
}

type derivingTill struct{ *till }

func (derivingTill) Derive(order.BoothCall) ([]order.Secret, error) { return nil, nil }

type wrongPassword struct {
	*refusals
	till  *till
	told  []string
	deaf  error // what telling the operators comes to
	calls map[string]func(wallet string) error
}

func newWrongPassword(t *testing.T) *wrongPassword {
	t.Helper()
	w := &wrongPassword{till: &till{}}
	accounts := []cirrus.Account{{Wallet: "north"}, {Wallet: "south"}, {Wallet: "north", Name: "second"}}
	w.refusals = newRefusals(settings{accounts: accounts}, shelf{}, func(_ context.Context, wallet string) error {
		w.told = append(w.told, wallet)
		return w.deaf
	}, slog.New(slog.DiscardHandler))
	booth, purse := w.noted(w.till), notedPurse{w.till, w.refusals}
	w.calls = map[string]func(string) error{
		"buying": func(wallet string) error {
			_, err := booth.Reserve(t.Context(), order.BoothCall{Account: cirrus.Account{Wallet: wallet}})
			return err
		},
		"giving back": func(wallet string) error {
			_, err := booth.Release(t.Context(), order.BoothCall{Account: cirrus.Account{Wallet: wallet}})
			return err
		},
		"a transaction": func(wallet string) error {
			_, err := purse.Build(t.Context(), order.Payment{Account: cirrus.Account{Wallet: wallet}})
			return err
		},
	}
	return w
}

func (w *wrongPassword) finds(t *testing.T, what string, refused, told []string) {
	t.Helper()
	list, err := w.refused(t.Context())
	must(t, err)
	if !slices.Equal(list, refused) || !slices.Equal(w.told, told) {
		t.Errorf("%s: refused are %q and told was of %q, want %q and %q", what, list, w.told, refused, told)
	}
}

func TestARefusedPasswordIsToldOnceAndStandsUntilTheWalletOpens(t *testing.T) {
	for what := range newWrongPassword(t).calls {
		t.Run(what, func(t *testing.T) {
			w := newWrongPassword(t)
			call := w.calls[what]
			must(t, call("south"))
			w.finds(t, "at first", nil, nil)
			w.till.answer = fmt.Errorf("the node: %w", order.ErrPassword)
			for range 3 {
				if err := call("south"); !errors.Is(err, order.ErrPassword) {
					t.Fatalf("the order got %v", err)
				}
			}
			w.finds(t, "refused", []string{"south"}, []string{"south"})
			w.till.answer = order.ErrUnreachable
			_ = call("south")
			w.finds(t, "no answer", []string{"south"}, []string{"south"})
			w.till.answer = nil
			must(t, call("north"))
			w.finds(t, "another wallet opens", []string{"south"}, []string{"south"})
			must(t, call("south"))
			w.finds(t, "it opens", nil, []string{"south"})
		})
	}
}

func TestOperatorsAreToldOfAPasswordUntilOneHears(t *testing.T) {
	w := newWrongPassword(t)
	w.till.answer, w.deaf = order.ErrPassword, errors.New("no Telegram")
	_ = w.calls["buying"]("north")
	w.finds(t, "nobody heard", []string{"north"}, []string{"north"})
	w.deaf = nil
	_ = w.calls["a transaction"]("north")
	_ = w.calls["buying"]("north")
	w.finds(t, "heard", []string{"north"}, []string{"north", "north"})
}

func TestARestartTriesEachWalletAfresh(t *testing.T) {
	w := newWrongPassword(t)
	w.till.answer = order.ErrPassword
	_ = w.calls["buying"]("north")
	must(t, w.forget(t.Context()))
	w.finds(t, "restarted", nil, []string{"north"})
	_ = w.calls["buying"]("north")
	w.finds(t, "still wrong", []string{"north"}, []string{"north", "north"})
}

// lockedNode opens every wallet but one.
type lockedNode struct{ locked string }

func (lockedNode) Candidates(context.Context, cirrus.Account, int) ([]cirrus.Address, error) {
	return []cirrus.Address{"somewhere"}, nil
}

func (n lockedNode) CheckPassword(_ context.Context, wallet string, _ cirrus.Address) error {
	if wallet == n.locked {
		return order.ErrPassword
	}
	return nil
}

func TestAWrongPasswordIsFoundBeforeAnybodyPays(t *testing.T) {
	w := newWrongPassword(t)
	w.try(t.Context(), lockedNode{locked: "south"})
	w.finds(t, "at the start", []string{"south"}, []string{"south"})
	w.try(t.Context(), lockedNode{})
	w.finds(t, "mended", nil, []string{"south"})
}

func TestABoothThatDerivesSecretsStillDoes(t *testing.T) {
	w := newWrongPassword(t)
	if _, can := w.noted(derivingTill{w.till}).(order.Deriver); !can {
		t.Error("tickets bought without an answer are lost")
	}
	if _, can := w.noted(w.till).(order.Deriver); can {
		t.Error("a booth that derives nothing claims that it does")
	}
}

func TestNoAnswerIsHeldBackByWhatIsNotKept(t *testing.T) {
	var log bytes.Buffer
	w := newWrongPassword(t)
	w.store, w.log = brokenShelf{}, slog.New(slog.NewTextHandler(&log, nil))
	must(t, w.calls["buying"]("north"))
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
	if _, err := w.refused(t.Context()); err == nil {
		t.Error("it counts as sure that each wallet opens")
	}
}

type brokenShelf struct{}

func (brokenShelf) Get(context.Context, string) ([]byte, error) { return nil, errors.New("no store") }
func (brokenShelf) Put(context.Context, string, []byte) error   { return errors.New("no store") }

func TestAWalletThatDoesNotOpenStopsSellingUntilItsPasswordIsMended(t *testing.T) {
	d, err := startDemo(t.Context(), demoFlags{generation: "ciphered", node: "today", block: "manual"},
		streams{strings.NewReader(""), io.Discard, io.Discard})
	must(t, err)
	t.Cleanup(func() { must(t, d.close()) })
	wallet := d.app.settings.accounts[0].Wallet
	right := d.app.settings.passwords[wallet]
	d.app.settings.passwords[wallet] = right + "x"
	d.app.refused.try(t.Context(), d.app.node)
	if reason, off := d.app.sellingOff(t.Context()); !off || reason != offWallet {
		t.Errorf("selling is off %t for reason %q", off, reason)
	}
	lines, err := d.app.status(t.Context())
	must(t, err)
	if says := strings.Join(lines, "\n"); !strings.Contains(says, "Wallet "+wallet+": its password is refused.") || strings.Contains(says, right) {
		t.Errorf("the operator reads %s", says)
	}
	d.app.settings.passwords[wallet] = right
	d.app.refused.try(t.Context(), d.app.node)
	if reason, _ := d.app.sellingOff(t.Context()); reason == offWallet {
		t.Error("selling is still off")
	}
}
