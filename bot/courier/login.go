package courier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
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
	flow := auth.NewFlow(prompts{c.cfg}, auth.SendCodeOptions{})
	err := c.cfg.Do(ctx, "courier.login", func(ctx context.Context) error { return flow.Run(ctx, client.Auth()) })
	if err != nil {
		return fmt.Errorf("%w: %w", errLogin, err)
	}
	return nil
}

// errLogin marks what only a person can repair: a wrong code, a missing password.
var errLogin = errors.New("login refused")

// prompts answers gotd's questions from the configuration.
type prompts struct{ cfg Config }

// Phone is the account's number.
func (p prompts) Phone(context.Context) (string, error) { return p.cfg.Phone, nil }

// Code is what Telegram has just sent.
func (p prompts) Code(ctx context.Context, _ *tg.AuthSentCode) (string, error) {
	code, err := p.cfg.Code(ctx)
	return strings.TrimSpace(code), err
}

// Password is the two-step password.
func (p prompts) Password(ctx context.Context) (string, error) {
	if p.cfg.Password == nil {
		return "", errors.New("the account has a two-step password, and none is configured")
	}
	return p.cfg.Password(ctx)
}

// AcceptTermsOfService refuses: the courier never opens an account.
func (prompts) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error { return errNoSignUp }

// SignUp refuses as well.
func (prompts) SignUp(context.Context) (auth.UserInfo, error) { return auth.UserInfo{}, errNoSignUp }

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
