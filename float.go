package main

import (
	"context"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// floatPurse is the operator's float: a wallet account, and which order has which of its addresses.
type floatPurse struct {
	account cirrus.Account
	list    func(context.Context, cirrus.Account) ([]cirrus.Coin, error)
	claims  order.FloatClaims
}

// Coins implements order.Float.
func (f floatPurse) Coins(ctx context.Context, id order.ID) ([]cirrus.Coin, error) {
	// The claims are read first: a coin that goes to another order meanwhile is found claimed when it is claimed.
	claims, err := f.claims.FloatClaims(ctx)
	if err != nil {
		return nil, err
	}
	coins, err := f.list(ctx, f.account)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(coins, func(c cirrus.Coin) bool {
		owner, claimed := claims[c.Address]
		return claimed && owner != id
	}), nil
}

// Claim implements order.Float.
func (f floatPurse) Claim(ctx context.Context, address cirrus.Address, id order.ID) error {
	return f.claims.ClaimFloat(ctx, address, id)
}

// Free implements order.Float.
func (f floatPurse) Free(ctx context.Context, address cirrus.Address, id order.ID) error {
	return f.claims.FreeFloat(ctx, address, id)
}

// float is where the engine finds the operator's float; nil: there is none.
func (a *app) float() order.Float {
	if a.settings.float == nil {
		return nil
	}
	return floatPurse{*a.settings.float, a.node.Spendable, a.db}
}
