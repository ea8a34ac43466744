package courier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// errNoSignUp: the phone number has no account.
var errNoSignUp = errors.New("the courier's phone number has no Telegram account")

// Login logs the account in with the code and the password that the configuration
// asks for, unless it is logged in already. It is for `usher courier login`; Run
// does the same by itself when it has a code to use.
func (c *Courier) Login(ctx context.Context) error {
	client := c.client(nil, nil)
	var account *account
	err := client.Run(ctx, func(ctx context.Context) (err error) {
		account, err = c.authorize(ctx, client)
		return err
	})
	if err != nil {
		return fmt.Errorf("log the courier in: %w", err)
	}
	c.cfg.Log.InfoContext(ctx, "courier logged in", "account", account.ID)
	return nil
}

// Contact returns how customers find the courier, or ErrNoCourier.
func (c *Courier) Contact(ctx context.Context) (Contact, error) {
	a, err := c.account(ctx)
	if err != nil {
		return Contact{}, err
	}
	if a == nil {
		return Contact{}, ErrNoCourier
	}
	return Contact{Username: a.Username, Name: a.Name}, nil
}

// authorize makes sure that the session is logged in, and keeps who it is. A session
// that was logged in and is not any more is an error that sessionGone knows.
func (c *Courier) authorize(ctx context.Context, client *telegram.Client) (*account, error) {
	known, err := c.account(ctx)
	if err != nil {
		return nil, err
	}
	self, err := client.Self(ctx)
	if known == nil && sessionGone(err) {
		if err := c.signIn(ctx, client); err != nil {
			return nil, err
		}
		self, err = client.Self(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("ask who the courier is: %w", err)
	}
	a := &account{
		Version: recordVersion, ID: self.ID, Username: username(self), Name: fullName(self), Since: c.cfg.Clock.Now().Unix(),
	}
	if known != nil && known.ID == a.ID && known.Since != 0 {
		a.Since = known.Since
	}
	return a, c.write(ctx, accountName, a)
}

// signIn logs in anew. Secret chats belong to the login that made them, so those
// of an earlier one are over, and so is its queue of updates.
func (c *Courier) signIn(ctx context.Context, client *telegram.Client) error {
	if err := c.erase(ctx, accountName, updatesName); err != nil {
		return err
	}
	if err := c.current().Abandon(ctx); err != nil {
		return fmt.Errorf("close the chats of an earlier login: %w", err)
	}
	if c.cfg.Code == nil || c.cfg.Phone == "" {
		return ErrNoCourier
	}
	err := c.cfg.Do(ctx, "courier.login", func(ctx context.Context) error { return c.enter(ctx, client.Auth()) })
	if err != nil {
		return fmt.Errorf("%w: %w", errLogin, err)
	}
	return nil
}

// maxCodeTries bounds how often a wrong code may be put right: codes lie in files from
// before, and people mistype.
const maxCodeTries = 3

// enter has Telegram send a code, and logs in with it.
func (c *Courier) enter(ctx context.Context, client *auth.Client) error {
	answer, err := client.SendCode(ctx, c.cfg.Phone, auth.SendCodeOptions{})
	if err != nil {
		return fmt.Errorf("ask for a code: %w", err)
	}
	sent, ok := answer.(*tg.AuthSentCode)
	if !ok {
		return fmt.Errorf("ask for a code: Telegram answers %T", answer)
	}
	last := ""
	for range maxCodeTries {
		code, askErr := c.cfg.Code(ctx)
		code = strings.TrimSpace(code)
		switch {
		case askErr != nil:
			return errors.Join(err, fmt.Errorf("get the code: %w", askErr))
		case code == last:
			return err // it would be refused once more
		}
		last = code
		_, err = client.SignIn(ctx, c.cfg.Phone, code, sent.PhoneCodeHash)
		if !tgerr.Is(err, "PHONE_CODE_INVALID", "PHONE_CODE_EMPTY") {
			break
		}
	}
	var signUp *auth.SignUpRequired
	switch {
	case errors.Is(err, auth.ErrPasswordAuthNeeded):
		return c.givePassword(ctx, client)
	case errors.As(err, &signUp):
		return errNoSignUp
	}
	return err
}

func (c *Courier) givePassword(ctx context.Context, client *auth.Client) error {
	password := ""
	if c.cfg.Password != nil {
		var err error
		if password, err = c.cfg.Password(ctx); err != nil {
			return fmt.Errorf("get the two-step password: %w", err)
		}
	}
	if password == "" {
		return errors.New("the account has a two-step password, and none is configured")
	}
	_, err := client.Password(ctx, password)
	return err
}

// errLogin marks what only a person can repair: a wrong code, a missing password.
var errLogin = errors.New("login refused")

func username(u *tg.User) string {
	if u.Username != "" {
		return u.Username
	}
	for _, name := range u.Usernames {
		if name.Active {
			return name.Username
		}
	}
	return ""
}

func fullName(u *tg.User) string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }
