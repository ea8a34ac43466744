package memory

import (
	"context"
	"fmt"
	"maps"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

var _ order.FloatClaims = (*DB)(nil)

// ClaimFloat implements order.FloatClaims.
func (db *DB) ClaimFloat(ctx context.Context, address cirrus.Address, id order.ID) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("claim %s of the float: %w", address, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if owner, ok := db.float[address]; ok && owner != id {
		return fmt.Errorf("claim %s of the float: %w", address, order.ErrClaimed)
	}
	db.float[address] = id
	return nil
}

// FreeFloat implements order.FloatClaims.
func (db *DB) FreeFloat(ctx context.Context, address cirrus.Address, id order.ID) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("free %s of the float: %w", address, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.float[address] == id {
		delete(db.float, address)
	}
	return nil
}

// FloatClaims implements order.FloatClaims.
func (db *DB) FloatClaims(ctx context.Context) (map[cirrus.Address]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list what is claimed of the float: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	return maps.Clone(db.float), nil
}
