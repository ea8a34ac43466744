package order

import (
	"context"

	"github.com/usherbot/usher/chain/cirrus"
)

// service says what a payout takes to the operator, and the network fee of it with so many coins. The service fee is
// taken once, with what is left of the deposit of a ticket that stayed the customer's. None is taken where that would
// leave nothing to send to the customer, or where the operator's address cannot be paid.
func (r *run) service(ctx context.Context, p Payout, coins int, total cirrus.Strats) (service, fee cirrus.Strats, err error) {
	without, with := NetworkFee(coins, 1), NetworkFee(coins, 2)
	t := r.o.Ticket(p.Ticket)
	if p.Why != WhyDeposit || t == nil || t.Fee < MinOutput || r.cfg.FeeTo == "" || total-with-t.Fee < MinOutput {
		return 0, without, nil
	}
	var contract bool
	err = r.call(ctx, "payout", string(p.State), SiteIsContract, func(ctx context.Context) error {
		contract, err = r.Purse.IsContract(ctx, r.cfg.FeeTo)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	if contract {
		r.Log.Error("service fee not taken: the address is a contract", "order", r.o.ID, "address", r.cfg.FeeTo)
		return 0, without, nil
	}
	return t.Fee, with, nil
}
