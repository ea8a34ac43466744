package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// stake knows what all open orders hold, for MAX_AT_STAKE. It reads every order, so it asks seldom.
type stake struct {
	all   func(context.Context) ([]order.ID, error)
	load  func(context.Context, order.ID) (order.Order, error)
	clock func() time.Time

	mu    sync.Mutex
	held  cirrus.Strats
	asked time.Time
}

// stakeAge is how old the sum may be: orders that were made meanwhile may go over the cap by what comes in so long.
const stakeAge = 15 * time.Second

// full tells whether the open orders hold as much as the cap, or more.
func (s *stake) full(ctx context.Context, most cirrus.Strats) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock().Sub(s.asked) < stakeAge {
		return s.held >= most, nil
	}
	ids, err := s.all(ctx)
	if err != nil {
		return false, err
	}
	var held cirrus.Strats
	for _, id := range ids {
		o, err := s.load(ctx, id)
		if errors.Is(err, order.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("adding up what is at stake: %w", err)
		}
		if o.Open() {
			held += o.AtStake()
		}
	}
	s.held, s.asked = held, s.clock()
	return held >= most, nil
}
