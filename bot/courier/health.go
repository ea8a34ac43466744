package courier

import (
	"context"

	"github.com/gotd/td/tgerr"
)

// tell passes on how the account stands, when it changes.
func (c *Courier) tell(ctx context.Context, health Health, reason string) {
	c.mu.Lock()
	changed := c.health != health
	c.health = health
	c.mu.Unlock()
	if !changed {
		return
	}
	c.cfg.Log.InfoContext(ctx, "courier account changed", "health", string(health), "reason", reason)
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	news := AccountNews{Health: health, Reason: reason}
	if health == HealthLimited {
		news.Until, _ = c.LimitedUntil(ctx)
	}
	if a, err := c.account(ctx); err == nil && a != nil {
		news.Account = Contact{Username: a.Username, Name: a.Name}
	}
	if err := c.handler.AccountChanged(ctx, news); err != nil {
		c.cfg.Log.WarnContext(ctx, "courier account's change not taken", "error", err)
		c.forgetTold(health)
	}
}

// forgetTold has the same health told again: whoever was told has not taken it.
func (c *Courier) forgetTold(health Health) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.health == health {
		c.health = ""
	}
}

// tellServing tells that the account is connected, and whether it may start chats.
func (c *Courier) tellServing(ctx context.Context) {
	until, err := c.LimitedUntil(ctx)
	if err != nil && ctx.Err() == nil {
		c.cfg.Log.WarnContext(ctx, "whether the courier may start chats is not known", "error", err)
	}
	if until.IsZero() {
		c.tell(ctx, HealthReady, "")
		return
	}
	c.tell(ctx, HealthLimited, "Telegram lets it start no secret chats")
}

// tellLimit tells where Telegram has begun or ceased to let a connected account start chats.
func (c *Courier) tellLimit(ctx context.Context) {
	c.mu.Lock()
	connected := c.health == HealthReady || c.health == HealthLimited
	c.mu.Unlock()
	if connected {
		c.tellServing(ctx)
	}
}

// goneHealth says what became of an account whose session Telegram does not take.
func goneHealth(err error) (Health, string) {
	if banned(err) {
		return HealthBanned, "Telegram has taken the account away"
	}
	return HealthEnded, "Telegram has ended the courier's session"
}

// banned says that the account itself is gone, not just its login.
func banned(err error) bool {
	return tgerr.Is(err, "USER_DEACTIVATED", "USER_DEACTIVATED_BAN", "PHONE_NUMBER_BANNED")
}

// sessionGone says that Telegram has ended the login.
func sessionGone(err error) bool {
	return banned(err) || tgerr.Is(err, "AUTH_KEY_UNREGISTERED", "AUTH_KEY_INVALID", "AUTH_KEY_DUPLICATED",
		"SESSION_REVOKED", "SESSION_EXPIRED")
}
