package courier

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrNoAccount: no account of that name is logged in.
var ErrNoAccount = errors.New("no such courier account")

// Login is how an account is logged in.
type Login struct {
	Phone    string
	Code     func(ctx context.Context) (string, error) // asked again after a wrong one, while it gives another one
	Password func(ctx context.Context) (string, error)
	// Silence is asked, where other sessions of the account accept secret chats, whether
	// to turn that off. They are not looked at when it is nil.
	Silence func(ctx context.Context, others []Session) bool
}

// Login logs an account in, or anew. It may be called while Run runs, in this or another
// process, which takes the account up within seconds. An account that was logged in
// before loses the chats of its earlier login.
func (p *Pool) Login(ctx context.Context, l Login) (Standing, error) {
	draft := &draft{values: map[string][]byte{}}
	cfg := p.cfg
	cfg.Phone, cfg.Code, cfg.Password = l.Phone, l.Code, l.Password
	cfg.Store, cfg.Shared = draft, draft
	c, err := New(cfg, nobodyHears{})
	if err != nil {
		return Standing{}, err
	}
	client := c.client(nil, nil)
	var made slot
	err = client.Run(ctx, func(ctx context.Context) error {
		a, err := c.authorize(ctx, client)
		if err != nil {
			return err
		}
		// Whoever is asked now takes their time. The login must not be lost with them.
		if made, err = p.occupy(ctx, a, draft); err == nil {
			c.lookAround(ctx, client.API(), l.Silence)
		}
		return err
	})
	if made.name == "" {
		return Standing{}, fmt.Errorf("log the courier in: %w", err)
	}
	if err != nil { // the login is there all the same
		p.cfg.Log.WarnContext(ctx, "connection broke after the courier's login", "error", err)
	}
	if err := p.release(ctx, made, draft); err != nil {
		return Standing{}, err
	}
	p.cfg.Log.InfoContext(ctx, "courier logged in", "account", made.Account, "slot", made.name)
	return p.standing(ctx, made)
}

// pendingFor is how long nobody takes a login up whose own process has not released it: two
// connections with one key at once could cost the session. After that it has died.
const pendingFor = 30 * time.Minute

// occupy keeps a login in a slot of its own, that nobody takes up yet.
func (p *Pool) occupy(ctx context.Context, a *account, d *draft) (slot, error) {
	slots, err := p.allSlots(ctx)
	if err != nil {
		return slot{}, err
	}
	highest := 0
	for _, s := range slots {
		highest = max(highest, number(s.name))
	}
	now := p.cfg.Clock.Now()
	s := slot{
		Version: recordVersion, Account: a.ID, Since: now.Unix(), Pending: now.Add(pendingFor).Unix(),
		name: strconv.Itoa(highest + 1),
	}
	return s, p.keep(ctx, s, d)
}

// release lets a login be taken up, once its own connection has ended.
func (p *Pool) release(ctx context.Context, s slot, d *draft) error {
	s.Pending = 0
	if err := p.keep(ctx, s, d); err != nil {
		return err
	}
	return erase(ctx, p.cfg.Common, refusedName)
}

// keep saves what a login left. The slot's own record is the last, so that what a death
// leaves is no slot.
func (p *Pool) keep(ctx context.Context, s slot, d *draft) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for _, name := range []string{sessionName, accountName, sessionsName} {
		value, err := d.Get(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case value == nil && name == sessionName:
			return errors.New("the login left no session")
		case value == nil:
			continue
		}
		if err := p.cfg.Shared.Put(ctx, prefixOf(s.name)+name, value); err != nil {
			return fmt.Errorf("save the courier's %s: %w", name, err)
		}
	}
	return put(ctx, p.cfg.Common, slotPrefix+s.name, s)
}

// Accounts reads how the accounts stand, those that are logged out left out. It asks
// Telegram nothing.
func (p *Pool) Accounts(ctx context.Context) ([]Standing, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return nil, err
	}
	var all []Standing
	for _, s := range slots {
		if s.Retired {
			continue
		}
		one, err := p.standing(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (p *Pool) standing(ctx context.Context, s slot) (Standing, error) {
	c, err := p.courier(s.name)
	if err != nil {
		return Standing{}, err
	}
	one, err := c.Standing(ctx)
	if err != nil {
		return one, err
	}
	h, err := p.healthOf(ctx, s)
	if err != nil {
		return one, err
	}
	one.Slot, one.Account, one.Since = s.name, s.Account, time.Unix(s.Since, 0)
	one.Health, one.Reason, one.HealthSince = h.Health, h.Reason, time.Unix(h.Since, 0)
	if one.Contact == (Contact{}) {
		one.Contact = Contact{Username: h.Username, Name: h.Name}
	}
	if h.Until != 0 {
		one.Until = time.Unix(h.Until, 0)
	}
	one.Others, err = c.othersLeft(ctx)
	return one, err
}

// Named picks the account of that name: its username, with or without @, its Telegram id,
// or empty where there is only one. Errors: ErrNoAccount.
func Named(accounts []Standing, name string) (Standing, error) {
	for _, a := range accounts {
		if a.named(name, len(accounts)) {
			return a, nil
		}
	}
	return Standing{}, ErrNoAccount
}

// Retire has an account logged out by the process that runs it, within seconds, or by the
// next one that runs.
func (p *Pool) Retire(ctx context.Context, account Standing) error {
	s := slot{Version: recordVersion, Account: account.Account, Since: account.Since.Unix(), name: account.Slot}
	return p.retire(ctx, &s)
}

// named says whether an account is meant by that name, of so many.
func (s Standing) named(name string, of int) bool {
	name = strings.TrimPrefix(name, "@")
	if name == "" {
		return of == 1
	}
	return strings.EqualFold(name, s.Contact.Username) || name == strconv.FormatInt(s.Account, 10)
}

// LogOut logs retired accounts out at once. Only the process that may write the couriers'
// records may do that, and only while Run does not run. told is false where Telegram could
// not be reached for one: what is stored here is forgotten all the same.
func (p *Pool) LogOut(ctx context.Context) (told bool, err error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return false, err
	}
	told = true
	for _, s := range slots {
		if !s.Retired {
			continue
		}
		c, err := p.courier(s.name)
		if err != nil {
			return false, err
		}
		here, err := c.LogOut(ctx)
		if err != nil {
			return false, err
		}
		told = told && here
	}
	return told, nil
}

// Waiting says whether a retired account is still to be logged out.
func (p *Pool) Waiting(ctx context.Context) (bool, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range slots {
		c, err := p.courier(s.name)
		if err != nil {
			return false, err
		}
		stored, err := c.hasSession(ctx)
		if err != nil || s.Retired && stored {
			return true, err
		}
	}
	return false, nil
}

// draft keeps a login until it is known whose it is.
type draft struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (d *draft) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.values[key]), nil
}

func (d *draft) Put(_ context.Context, key string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = slices.Clone(value)
	return nil
}

func (d *draft) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.values, key)
	return nil
}

func (d *draft) Keys(_ context.Context, prefix string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := slices.Sorted(maps.Keys(d.values))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) }), nil
}

// nobodyHears is the handler of a login, of which there is nothing to tell.
type nobodyHears struct{}

func (nobodyHears) ChatChanged(context.Context, int64, ChatNews) error            { return nil }
func (nobodyHears) TextReceived(context.Context, int64, string) error             { return nil }
func (nobodyHears) ParcelState(context.Context, int64, string, ParcelState) error { return nil }
func (nobodyHears) AccountChanged(context.Context, AccountNews) error             { return nil }
