package order_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// deriving is the node behind a booth whose secrets follow from the call: from its coin, its seat and its name.
type deriving struct {
	*node
	silent bool // nothing can be derived
	asked  []order.BoothCall
}

func (d *deriving) secret(c order.BoothCall) string {
	return fmt.Sprintf("of %s, seat %s, for %q", c.Coin, c.Seat, c.Name)
}

func (d *deriving) Reserve(ctx context.Context, c order.BoothCall) (order.Reservation, error) {
	got, err := d.node.Reserve(ctx, c)
	if err != nil {
		return got, err
	}
	d.calls[len(d.calls)-1].call.secret = d.secret(c)
	got.Secret.Plaintext = d.secret(c)
	return got, nil
}

func (d *deriving) Derive(c order.BoothCall) ([]order.Secret, error) {
	d.asked = append(d.asked, c)
	if d.silent {
		return nil, errors.New("no key ring")
	}
	return []order.Secret{{Plaintext: d.secret(c)}, {Plaintext: "in another form"}}, nil
}

// newDeriving is a world in which seats are bought so.
func newDeriving(t *testing.T) (*world, *deriving) {
	t.Helper()
	w := newWorld(t)
	booth := &deriving{node: w.node}
	w.engine.Booth = booth
	return w, booth
}

func TestLostAnswerLosesNothingWhereTheSecretIsDerived(t *testing.T) {
	w, booth := newDeriving(t)
	w.open()
	w.pay()
	w.next(order.SiteReserve, lost())
	w.mine(1)
	w.saw("reserving", "unknown", order.SiteReserve)
	w.mine(2)
	w.saw("unknown", "reserved", order.SiteCalls)
	w.wants(order.Filled, order.Owned)
	secret, ok := w.o.Secret(w.ticket().ID)
	if !ok || secret.Plaintext != string(w.node.seat(seat3D).Secret) || secret.TxID != w.ticket().Reserve.TxID {
		t.Error("the secret that counts is not the one on chain")
	}
	if len(w.told) != 0 || len(w.parcels) != 1 || len(booth.asked) != 1 {
		t.Errorf("operator told %v, parcels %v, derived %d times", w.told, w.parcels, len(booth.asked))
	}
	if asked := booth.asked[0]; asked.Price != price || asked.GasLimit != w.o.Gas.Limit || asked.Coin != w.ticket().Reserve.Coin.Outpoint {
		t.Errorf("derived for %+v", asked)
	}
}

func TestAnsweredCallIsNotDerivedAgain(t *testing.T) {
	w, booth := newDeriving(t)
	w.buy()
	if len(booth.asked) != 0 || len(w.o.Private.Secrets[w.ticket().ID]) != 1 {
		t.Errorf("derived %d times", len(booth.asked))
	}
}

func TestFailedCallWithoutAnswerIsLostAsEver(t *testing.T) {
	w, booth := newDeriving(t)
	w.open()
	w.pay()
	callsFail(w)
	w.next(order.SiteReserve, lost())
	w.next(order.SiteCalls, refusedWith(order.ErrUnreachable), refusedWith(order.ErrUnreachable))
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	if len(booth.asked) != 0 {
		t.Errorf("derived %d times for a seat that is not ours", len(booth.asked))
	}
}

func TestSecretThatCannotBeDerivedIsStray(t *testing.T) {
	w, booth := newDeriving(t)
	booth.silent = true
	w.open()
	w.pay()
	w.next(order.SiteReserve, lost())
	w.mine(3)
	w.wants(order.Filled, order.Attention)
	if len(w.told) != 1 || w.told[0] != string(order.ReasonNoSecret) {
		t.Errorf("operator told %v", w.told)
	}
}

// TestDeathAtAnyCallSiteLosesNothingWhereSecretsAreDerived: kill -9 costs nobody a ticket, without the exception for
// an answer that dies with the process.
func TestDeathAtAnyCallSiteLosesNothingWhereSecretsAreDerived(t *testing.T) {
	calm, _ := newDeriving(t)
	calm.groupStory()
	calm.wantsAll(order.Filled, order.Released, order.Owned, order.Owned)
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					w, _ := newDeriving(t)
					w.next(site, slices.Repeat([]fault{fine()}, nth)...)
					w.next(site, fault{before: before, crash: true})
					w.groupStory()
					w.survived("")
					w.wantsAll(order.Filled, order.Released, order.Owned, order.Owned)
				})
			}
		}
	}
}

// TestAnswerLostTwiceEndsOwned: the second call names the same coin, so its secret is the same.
func TestAnswerLostTwiceEndsOwned(t *testing.T) {
	w, _ := newDeriving(t)
	w.open()
	w.pay()
	w.next(order.SiteReserve, dropped(), lost())
	w.mine(16)
	w.wants(order.Filled, order.Owned)
	if w.ticket().Reserve.Attempt != 2 || len(w.told) != 0 {
		t.Errorf("%d calls, operator told %v", w.ticket().Reserve.Attempt, w.told)
	}
}
