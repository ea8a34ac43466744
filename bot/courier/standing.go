package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/session"
	"github.com/usherbot/usher/bot/secretchat"
)

// logOutTimeout bounds how long Telegram is asked to end a session: the account's
// owner can end it on the phone as well.
const logOutTimeout = 20 * time.Second

// Standing is what the store holds of the courier.
type Standing struct {
	Account int64 // Telegram's id of it; 0 when none is logged in
	Contact Contact
	Since   time.Time // of the login
	Session bool      // whether a session is stored, which may not be logged in yet
	Open    int       // secret chats

	// What a Pool adds.

	Slot        string // of the account in the store
	Health      Health
	Reason      string    // in words; empty while HealthReady
	HealthSince time.Time // when it came to be so
	Until       time.Time // of HealthLimited; zero where that is not known
	Others      []Session // other logins that accept secret chats, when they were last looked at
}

// Standing reads how the courier stands. It asks Telegram nothing.
func (c *Courier) Standing(ctx context.Context) (Standing, error) {
	var s Standing
	a, err := c.account(ctx)
	if err != nil {
		return s, err
	}
	if a != nil {
		s.Account, s.Contact, s.Since = a.ID, Contact{Username: a.Username, Name: a.Name}, time.Unix(a.Since, 0)
	}
	if s.Session, err = c.hasSession(ctx); err != nil {
		return s, err
	}
	if s.Open, err = c.current().Count(ctx, secretchat.PhaseOpen); err != nil {
		return s, fmt.Errorf("count the courier's secret chats: %w", err)
	}
	return s, nil
}

func (c *Courier) hasSession(ctx context.Context) (bool, error) {
	_, err := sessions{c.cfg.Store}.LoadSession(ctx)
	if errors.Is(err, session.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// LogOut ends the account's session and forgets it with all chats; that they are over
// is told to the handler of the next Run. told is false when Telegram could not be
// reached: what is stored here is forgotten all the same. It must not be called while
// the courier runs, in this process or another one. A call that broke off may be
// repeated.
func (c *Courier) LogOut(ctx context.Context) (told bool, err error) {
	stored, err := c.hasSession(ctx)
	if err != nil {
		return false, err
	}
	told = true
	if stored {
		err := c.endSession(ctx)
		if told = err == nil || sessionGone(err); !told {
			c.cfg.Log.WarnContext(ctx, "Telegram did not end the courier's session", "error", err)
		}
	}
	return told, c.logOut(ctx)
}

func (c *Courier) endSession(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, logOutTimeout)
	defer cancel()
	client := c.client(nil, nil)
	return client.Run(ctx, func(ctx context.Context) error {
		return c.cfg.Do(ctx, "courier.logout", func(ctx context.Context) error {
			_, err := client.API().AuthLogOut(ctx)
			return err
		})
	})
}
