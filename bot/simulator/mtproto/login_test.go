package mtproto_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto"
)

// second is another courier's account, with a password.
func second() mtproto.Account {
	return mtproto.Account{
		ID: 8, Phone: "+4930999", Code: "13579", Username: "usher_two", FirstName: "Usher Two", Password: "correct horse",
	}
}

func startTwo(t *testing.T) *mtproto.Server {
	t.Helper()
	s, err := mtproto.Start(t.Context(), mtproto.Options{Courier: account(), More: []mtproto.Account{second()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// enter logs a client in with a password.
func enter(ctx context.Context, l *line, a mtproto.Account, password string) error {
	code := auth.CodeAuthenticatorFunc(func(context.Context, *tg.AuthSentCode) (string, error) { return a.Code, nil })
	return auth.NewFlow(auth.Constant(a.Phone, password, code), auth.SendCodeOptions{}).Run(ctx, l.client.Auth())
}

func fresh(t *testing.T, s *mtproto.Server) *line {
	t.Helper()
	return clientWith(t, s, func(*telegram.Options) {})
}

func TestATwoStepPasswordIsAskedFor(t *testing.T) {
	s := startTwo(t)
	l := fresh(t, s)
	l.run(t, func(ctx context.Context, api *tg.Client) error {
		if err := enter(ctx, l, second(), "wrong horse"); !errors.Is(err, auth.ErrPasswordInvalid) {
			t.Errorf("a wrong password's answer is %v", err)
		}
		if _, err := api.UpdatesGetState(ctx); !tgerr.Is(err, "AUTH_KEY_UNREGISTERED") {
			t.Errorf("without the password the state's answer is %v", err)
		}
		if _, err := api.AuthCheckPassword(ctx, &tg.InputCheckPasswordSRP{SRPID: 1}); !tgerr.Is(err, tg.ErrSRPIDInvalid) {
			t.Errorf("an answer to no question is answered %v", err)
		}
		if err := enter(ctx, l, second(), second().Password); err != nil {
			return err
		}
		self, err := l.client.Self(ctx)
		if err != nil || self.ID != second().ID || self.Username != "usher_two" {
			t.Errorf("logged in as %v, %v", self, err)
		}
		return err
	})
}

func TestEachCourierHasItsOwnCode(t *testing.T) {
	s := startTwo(t)
	l := fresh(t, s)
	l.run(t, func(ctx context.Context, _ *tg.Client) error {
		a := second()
		a.Code = account().Code
		if err := enter(ctx, l, a, a.Password); !tgerr.Is(err, tg.ErrPhoneCodeInvalid) {
			t.Errorf("the other courier's code is answered %v", err)
		}
		if err := enter(ctx, l, account(), ""); err != nil {
			return err
		}
		return nil
	})
	if _, err := mtproto.Start(t.Context(), mtproto.Options{
		Courier: account(), More: []mtproto.Account{account()},
	}); err == nil {
		t.Error("two couriers with one number were accepted")
	}
}

// TestABannedCourierIsToldAndKeptOut: the connected client is told to look,
// finds that it is banned, and cannot log in again until that is lifted.
func TestABannedCourierIsToldAndKeptOut(t *testing.T) {
	s := startTwo(t)
	told := make(chan tg.UpdatesClass, 10)
	l := clientWith(t, s, func(o *telegram.Options) {
		o.UpdateHandler = telegram.UpdateHandlerFunc(func(_ context.Context, u tg.UpdatesClass) error {
			told <- u
			return nil
		})
	})
	l.run(t, func(ctx context.Context, api *tg.Client) error {
		if err := login(ctx, l); err != nil {
			return err
		}
		if err := s.Hub().Ban(account().ID); err != nil {
			return err
		}
		select {
		case u := <-told:
			if _, ok := u.(*tg.UpdatesTooLong); !ok {
				t.Errorf("the client is told %T", u)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := api.UpdatesGetState(ctx); !tgerr.Is(err, "USER_DEACTIVATED_BAN") {
			t.Errorf("a banned account's call is answered %v", err)
		}
		if err := login(ctx, l); !tgerr.Is(err, tg.ErrPhoneNumberBanned) {
			t.Errorf("a banned account's login is answered %v", err)
		}
		if err := s.Hub().Unban(account().ID); err != nil {
			return err
		}
		return login(ctx, l)
	})
}
