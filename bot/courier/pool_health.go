package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usherbot/usher/bot/secretchat"
)

const (
	healthName = "health" // in an account's own records: how it stands
	// awayGrace is how long an account that is not connected counts as one that serves:
	// connections come back, and Usher starts.
	awayGrace = time.Minute
	// awayTold is how long an account is away before the handler is told, and steady how
	// long it is back: a connection that comes and goes is not told each time.
	awayTold = 5 * time.Minute
	steady   = time.Minute
)

// standing is how an account stands, as kept.
type standing struct {
	Version   int    `json:"v"`
	Health    Health `json:"health"`
	Reason    string `json:"reason,omitempty"`
	Since     int64  `json:"since"`           // Unix seconds: when it came to be so
	Until     int64  `json:"until,omitempty"` // Unix seconds, of HealthLimited
	Customers int    `json:"customers,omitempty"`
	Username  string `json:"username,omitempty"` // outlives the account's record
	Name      string `json:"name,omitempty"`
	Told      Health `json:"told,omitempty"` // what the handler was told last
}

// lives says that the account may hand over again by itself.
func (s standing) lives() bool { return s.Health != HealthEnded && s.Health != HealthBanned }

// serves says that the account hands over, or will in a moment.
func (s standing) serves(now time.Time) bool {
	switch s.Health {
	case HealthReady, HealthLimited:
		return true
	case HealthAway:
		return now.Sub(time.Unix(s.Since, 0)) < awayGrace
	default:
		return false
	}
}

// healthOf reads how the account of a slot stands. One that has never run is away since
// its login.
func (p *Pool) healthOf(ctx context.Context, s slot) (standing, error) {
	var h standing
	found, err := get(ctx, p.cfg.Store, prefixOf(s.name)+healthName, &h)
	if err == nil && !found {
		h = standing{Health: HealthAway, Reason: "it has not connected yet", Since: s.Since}
	}
	return h, err
}

// Serves says whether some account hands over, or will in a moment. Every process says
// the same.
func (p *Pool) Serves(ctx context.Context) (bool, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range slots {
		h, err := p.healthOf(ctx, s)
		if err != nil {
			return false, err
		}
		if !s.Retired && h.serves(p.cfg.Clock.Now()) {
			return true, nil
		}
	}
	return false, nil
}

// noted keeps news of an account, before it is told. An account that is gone stays so:
// its slot is not used for another login.
func (p *Pool) noted(ctx context.Context, slotName string, news AccountNews) error {
	p.health.Lock()
	defer p.health.Unlock()
	name := prefixOf(slotName) + healthName
	var known slot
	if _, err := get(ctx, p.cfg.Common, slotPrefix+slotName, &known); err != nil {
		return err
	}
	var s standing
	found, err := get(ctx, p.cfg.Store, name, &s)
	if err != nil || found && (!s.lives() || s.Health == news.Health) {
		return err
	}
	s.Version, s.Health, s.Reason, s.Since, s.Until = recordVersion, news.Health, news.Reason, p.cfg.Clock.Now().Unix(), 0
	if !news.Until.IsZero() {
		s.Until = news.Until.Unix()
	}
	if news.Account != (Contact{}) {
		s.Username, s.Name = news.Account.Username, news.Account.Name
	}
	if s.Customers, err = p.customers(ctx, slotName); err != nil {
		return err
	}
	if known.Retired || s.Told == "" && s.Health == HealthReady {
		s.Told = s.Health // the operator wanted it so, or it was never otherwise
	}
	if err := put(ctx, p.cfg.Store, name, s); err != nil {
		return err
	}
	return p.tellDue(ctx, slotName, s)
}

func (p *Pool) customers(ctx context.Context, slot string) (int, error) {
	c, err := p.courier(slot)
	if err != nil {
		return 0, err
	}
	n, err := c.current().Count(ctx, secretchat.PhaseOpen)
	if err != nil {
		return 0, fmt.Errorf("count the courier's secret chats: %w", err)
	}
	return n, nil
}

// due says that the handler has to be told.
func (s standing) due(now time.Time) bool {
	lasts := now.Sub(time.Unix(s.Since, 0))
	switch {
	case s.Health == s.Told:
		return false
	case s.Health == HealthAway:
		return lasts >= awayTold
	case s.Health == HealthReady:
		return s.Told != "" && lasts >= steady
	default:
		return true
	}
}

// tellDue tells the handler of what it was not told of yet. The caller holds health.
func (p *Pool) tellDue(ctx context.Context, slot string, s standing) error {
	now := p.cfg.Clock.Now()
	if !s.due(now) || !p.sayable(slot, now) {
		return nil
	}
	news := AccountNews{
		Account: Contact{Username: s.Username, Name: s.Name}, Health: s.Health, Reason: s.Reason, Customers: s.Customers,
	}
	if s.Until != 0 {
		news.Until = time.Unix(s.Until, 0)
	}
	if !p.say(ctx, slot, news) {
		return nil
	}
	s.Told = s.Health
	return put(ctx, p.cfg.Store, prefixOf(slot)+healthName, s)
}

// tellAll tells what has become due.
func (p *Pool) tellAll(ctx context.Context, slots []slot) error {
	p.health.Lock()
	defer p.health.Unlock()
	p.hurried()
	if err := p.tellRefusedLogin(ctx); err != nil {
		return err
	}
	for _, sl := range slots {
		var s standing
		found, err := get(ctx, p.cfg.Store, prefixOf(sl.name)+healthName, &s)
		if err == nil && found && !sl.Retired {
			err = errors.Join(p.tellDue(ctx, sl.name, s), p.tellCrowded(ctx, sl.name, s))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
