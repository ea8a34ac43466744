package secretchat

import (
	"errors"
	"fmt"
	"sync"
)

// ErrHalted: a save failed, so that memory and store may disagree, or the client
// was retired. It does nothing more; make a new one, which starts from what the
// store holds.
var ErrHalted = errors.New("secret chats are halted")

var errRetired = errors.New("another client has taken over")

// Retire stops the client for good. When it returns, no call of it changes the
// store any more, and a new client may take it over; calls still to come return
// ErrHalted. Two clients at work on one store would use sequence numbers twice.
func (c *Client) Retire() {
	_ = c.halted(errRetired)
	for i := range c.users {
		passed(&c.users[i])
	}
	for i := range c.chats {
		passed(&c.chats[i])
	}
}

// passed waits until whoever holds the lock has let it go.
func passed(lock *sync.Mutex) {
	lock.Lock()
	defer lock.Unlock()
}

// halted stops everything, once, and returns why.
func (c *Client) halted(cause error) error {
	c.haltOnce.Do(func() {
		c.haltErr = fmt.Errorf("%w: %w", ErrHalted, cause)
		close(c.halt)
	})
	return c.haltErr
}

func (c *Client) isHalted() error {
	select {
	case <-c.halt:
		return c.haltErr
	default:
		return nil
	}
}
