package main

import (
	"context"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// leastFee is the least service fee: what goes to FEE_ADDRESS is an output of a payout, and none may be dust.
const leastFee = order.MinFee

func (c *checker) fee(e environment, s *settings) {
	var err error
	s.fee, err = cirrus.ParseCRS(e.ServiceFee)
	c.need(err == nil && (s.fee == 0 || s.fee >= leastFee), "SERVICE_FEE", e.ServiceFee, "must be an amount of CRS: 0, or "+leastFee.String()+" and more")
	_, main := cirrus.MainNet.ParseAddress(e.FeeAddress)
	_, test := cirrus.TestNet.ParseAddress(e.FeeAddress)
	switch {
	case s.fee > 0 && e.FeeAddress == "":
		c.bad("FEE_ADDRESS", "", "must be an address of yours, for there is a SERVICE_FEE")
	case e.FeeAddress != "":
		c.need(main == nil || test == nil, "FEE_ADDRESS", e.FeeAddress, "must be an address of yours")
	}
}

// openFee checks where the service fee goes against what is known by now: the network, the addresses that orders have,
// and whether it is a contract, which no payment can pay. A node that does not answer is no reason not to start; each
// payout asks again.
func (a *app) openFee(ctx context.Context) error {
	if a.settings.fee == 0 {
		return nil
	}
	to, err := a.network.ParseAddress(a.settings.feeAddress)
	if err != nil {
		return fmt.Errorf("%s_FEE_ADDRESS must be an address of %s: %w", prefix, a.network.Name, err)
	}
	own, err := a.ownAddress(ctx, to)
	if err != nil {
		return fmt.Errorf("looking up %s_FEE_ADDRESS: %w", prefix, err)
	}
	if own {
		return fmt.Errorf("%s_FEE_ADDRESS is %q: must not be the address of an order", prefix, to)
	}
	contract, err := a.node.IsContract(ctx, to)
	if err != nil {
		a.log.Warn("not known whether FEE_ADDRESS can be paid", "error", err)
	}
	if contract {
		return fmt.Errorf("%s_FEE_ADDRESS is %q: must not be a contract", prefix, to)
	}
	return nil
}
