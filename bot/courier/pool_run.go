package courier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lookEvery is how often the slots are looked at: for accounts that `usher courier login`
// and `logout` stored meanwhile, and for news that have become due.
const lookEvery = 5 * time.Second

// Run runs every account until the context ends, whose error it returns. It logs the
// configured one in where none is.
func (p *Pool) Run(ctx context.Context) error {
	r := &poolRun{pool: p, running: map[string]*running{}}
	defer r.stopAll()
	for {
		if err := r.look(ctx); err != nil && ctx.Err() == nil {
			p.cfg.Log.WarnContext(ctx, "courier accounts could not be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.cfg.Clock.After(lookEvery):
		}
	}
}

// poolRun is one run of a Pool.
type poolRun struct {
	pool      *Pool
	adopted   bool
	running   map[string]*running // by slot
	nextLogin time.Time
	failures  int
	// loggedOut: the operator has logged the last account out. It does not log in by itself
	// before the next start.
	loggedOut bool
}

// running is one account at work.
type running struct {
	retired bool
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

func (r *running) stop() {
	r.cancel()
	r.done.Wait()
}

func (r *poolRun) stopAll() {
	for _, one := range r.running {
		one.cancel()
	}
	for _, one := range r.running {
		one.done.Wait()
	}
}

// look brings what runs into line with what is stored.
func (r *poolRun) look(ctx context.Context) error {
	if !r.adopted {
		if err := r.pool.adopt(ctx); err != nil {
			return err
		}
		r.adopted = true
	}
	slots, err := r.pool.slots(ctx)
	if err != nil {
		return err
	}
	if err := r.pool.retireDoubles(ctx, slots); err != nil {
		return err
	}
	var problems []error
	for _, s := range slots {
		problems = append(problems, r.start(ctx, s))
	}
	problems = append(problems, r.pool.tellAll(ctx, slots), r.logIn(ctx, slots))
	return errors.Join(problems...)
}

// retireDoubles retires all but the newest slot of an account.
func (p *Pool) retireDoubles(ctx context.Context, slots []slot) error {
	newest := map[int64]int{}
	for i, s := range slots {
		if before, ok := newest[s.Account]; ok {
			if err := p.retire(ctx, &slots[before]); err != nil {
				return err
			}
		}
		newest[s.Account] = i
	}
	return nil
}

func (p *Pool) retire(ctx context.Context, s *slot) error {
	if s.Retired {
		return nil
	}
	s.Retired = true
	return put(ctx, p.cfg.Common, slotPrefix+s.name, *s)
}

// start runs the account of a slot, or lets one that was retired end.
func (r *poolRun) start(ctx context.Context, s slot) error {
	one := r.running[s.name]
	if one != nil {
		if one.retired == s.Retired {
			return nil
		}
		r.loggedOut = true
		one.stop()
		delete(r.running, s.name)
	}
	c, err := r.pool.courier(s.name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	one = &running{retired: s.Retired, cancel: cancel}
	one.done.Go(func() { r.pool.run(ctx, s, c) })
	r.running[s.name] = one
	return nil
}

// run is an account at work: a retired one is logged out, and then only tells that its
// chats are over. What nobody remembers any more is removed.
func (p *Pool) run(ctx context.Context, s slot, c *Courier) {
	for s.Retired && ctx.Err() == nil {
		forgotten, err := p.bury(ctx, s, c)
		if forgotten {
			return
		}
		if err == nil {
			break
		}
		p.cfg.Log.WarnContext(ctx, "retired courier account not logged out", "slot", s.name, "error", err)
		_ = c.wait(ctx, lastRetry)
	}
	// What an earlier process saw says nothing of now, but it counts until this one knows.
	if err := p.noted(ctx, s.name, AccountNews{Health: HealthAway, Reason: "it is connecting"}); err != nil && ctx.Err() == nil {
		p.cfg.Log.WarnContext(ctx, "courier account's standing not kept", "slot", s.name, "error", err)
	}
	if err := c.Run(ctx); ctx.Err() == nil {
		p.cfg.Log.ErrorContext(ctx, "courier account does not run", "slot", s.name, "error", err)
	}
}

// bury logs a retired account out, and removes its slot when no chat of it is remembered.
func (p *Pool) bury(ctx context.Context, s slot, c *Courier) (forgotten bool, err error) {
	if _, err := c.LogOut(ctx); err != nil {
		return false, err
	}
	left, err := c.names(ctx, chatsPrefix)
	if err != nil || len(left) > 0 {
		return false, err
	}
	if err := c.turnAllDown(ctx); err != nil {
		return false, err
	}
	old := []string{healthName, sessionsName, budgetName, limitName}
	for _, prefix := range []string{inboxPrefix, askingPrefix} {
		names, err := c.names(ctx, prefix)
		if err != nil {
			return false, err
		}
		old = append(old, names...)
	}
	if err := c.erase(ctx, old...); err != nil {
		return false, err
	}
	return true, erase(ctx, p.cfg.Common, slotPrefix+s.name)
}

// logIn logs the configured account in where none is, by itself.
func (r *poolRun) logIn(ctx context.Context, slots []slot) error {
	p := r.pool
	for _, s := range slots {
		h, err := p.healthOf(ctx, s)
		if err != nil {
			return err
		}
		if h.lives() && !s.Retired {
			r.loggedOut = false
			return nil
		}
	}
	if p.cfg.Code == nil || p.cfg.Phone == "" || r.loggedOut || p.cfg.Clock.Now().Before(r.nextLogin) {
		return nil
	}
	login := Login{Phone: p.cfg.Phone, Code: p.cfg.Code, Password: p.cfg.Password}
	if p.cfg.Server == "" {
		login.Silence = func(context.Context, []Session) bool { return true }
	}
	_, err := p.Login(ctx, login)
	switch {
	case err == nil:
		r.failures = 0
		slots, err := p.slots(ctx)
		if err != nil {
			return err
		}
		for _, s := range slots {
			err = errors.Join(err, r.start(ctx, s))
		}
		return err
	case errors.Is(err, errLogin):
		r.nextLogin = p.cfg.Clock.Now().Add(loginRetry)
		err = errors.Join(err, p.noteRefused(ctx, err))
	default:
		r.nextLogin = p.cfg.Clock.Now().Add(min(firstRetry<<min(r.failures, 10), lastRetry))
		r.failures++
	}
	return fmt.Errorf("log in by itself: %w", err)
}
