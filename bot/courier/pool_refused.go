package courier

import (
	"context"
	"errors"
	"strings"

	"github.com/gotd/td/tgerr"
)

// refusedName is in the common store: why the configured account could not be logged in.
const refusedName = "login-refused"

// refusedLogin is a login by itself that only a person can help.
type refusedLogin struct {
	Version int    `json:"v"`
	Reason  string `json:"reason"`         // in words for the operator
	Kind    string `json:"kind"`           // Telegram's name for it, where it has one
	Told    string `json:"told,omitempty"` // the kind that the handler was told last
}

// kindOf is the same for refusals that differ in a time only.
func kindOf(err error, reason string) string {
	if rpc, ok := tgerr.As(err); ok {
		return rpc.Type
	}
	return reason
}

// whyRefusedLogin says for the operator why a login was refused.
func whyRefusedLogin(err error) string {
	if why := Refusal(err); why != "" {
		return strings.ToUpper(why[:1]) + why[1:] + "."
	}
	var silent *NoCodeError
	switch {
	case errors.As(err, &silent):
		return "No code was given: " + silent.Error() + ". Log in with usher courier login."
	case errors.Is(err, errNoSignUp):
		return "The phone number has no Telegram account: make one with Telegram's own app first."
	}
	return "The login failed, and the log says how."
}

// NoCodeError is for a Config's Code: nobody gave one.
type NoCodeError struct{ Why string }

func (e *NoCodeError) Error() string { return e.Why }

// noteRefused keeps why the login that Run tried was refused, until one succeeds.
func (p *Pool) noteRefused(ctx context.Context, err error) error {
	p.health.Lock()
	defer p.health.Unlock()
	var r refusedLogin
	if _, err := get(ctx, p.cfg.Common, refusedName, &r); err != nil {
		return err
	}
	r.Version, r.Reason = recordVersion, whyRefusedLogin(err)
	r.Kind = kindOf(err, r.Reason)
	if err := put(ctx, p.cfg.Common, refusedName, r); err != nil {
		return err
	}
	return p.tellRefusedLogin(ctx)
}

// tellRefusedLogin tells the handler of each reason once. The caller holds health.
func (p *Pool) tellRefusedLogin(ctx context.Context) error {
	var r refusedLogin
	found, err := get(ctx, p.cfg.Common, refusedName, &r)
	if err != nil || !found || r.Told == r.Kind || !p.sayable(refusedName, p.cfg.Clock.Now()) {
		return err
	}
	if !p.say(ctx, refusedName, AccountNews{Health: HealthRefused, Reason: r.Reason}) {
		return nil
	}
	r.Told = r.Kind
	return put(ctx, p.cfg.Common, refusedName, r)
}

// LoginRefused says why the configured account could not be logged in when it was tried
// last; empty where it was not tried, or some account was logged in since.
func (p *Pool) LoginRefused(ctx context.Context) (string, error) {
	var r refusedLogin
	_, err := get(ctx, p.cfg.Common, refusedName, &r)
	return r.Reason, err
}
