package courier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram/updates"
	"github.com/usherbot/usher/bot/secretchat"
)

// Names in the store.
const (
	chatsPrefix   = "chats/"
	sessionName   = "session" // gotd's session: the account's authorization key
	accountName   = "account" // who is logged in
	updatesName   = "updates" // how far the account's updates were handled
	invitedPrefix = "invited/"

	storeTimeout  = 10 * time.Second
	recordVersion = 1
)

func invitedName(customer int64) string { return invitedPrefix + strconv.FormatInt(customer, 10) }

// prefixed is a part of a store.
type prefixed struct {
	store  secretchat.Store
	prefix string
}

func within(store secretchat.Store, prefix string) secretchat.Store {
	return prefixed{store: store, prefix: prefix}
}

func (p prefixed) Get(ctx context.Context, key string) ([]byte, error) {
	return p.store.Get(ctx, p.prefix+key)
}

func (p prefixed) Put(ctx context.Context, key string, value []byte) error {
	return p.store.Put(ctx, p.prefix+key, value)
}

func (p prefixed) Delete(ctx context.Context, key string) error {
	return p.store.Delete(ctx, p.prefix+key)
}

func (p prefixed) Keys(ctx context.Context, prefix string) ([]string, error) {
	names, err := p.store.Keys(ctx, p.prefix+prefix)
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], p.prefix)
	}
	return names, err
}

// account is who is logged in.
type account struct {
	Version  int    `json:"v"`
	ID       int64  `json:"id"`
	Username string `json:"username,omitempty"`
	Name     string `json:"name,omitempty"`
	Since    int64  `json:"since,omitempty"` // Unix seconds of the login
}

// account reads who is logged in; nil when nobody is.
func (c *Courier) account(ctx context.Context) (*account, error) {
	var a account
	found, err := c.read(ctx, accountName, &a)
	if err != nil || !found {
		return nil, err
	}
	return &a, nil
}

func (c *Courier) read(ctx context.Context, name string, into any) (bool, error) {
	return get(ctx, c.cfg.Store, name, into)
}

func get(ctx context.Context, store secretchat.Store, name string, into any) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	raw, err := store.Get(ctx, name)
	if err != nil {
		return false, fmt.Errorf("read the courier's %s: %w", name, err)
	}
	if raw == nil {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("decode the courier's %s: %w", name, err)
	}
	return true, nil
}

// write keeps what only the process whose courier runs may change.
func (c *Courier) write(ctx context.Context, name string, value any) error {
	return put(ctx, c.cfg.Store, name, value)
}

// leave keeps what any process may leave for the one whose courier runs.
func (c *Courier) leave(ctx context.Context, name string, value any) error {
	return put(ctx, c.cfg.Shared, name, value)
}

func put(ctx context.Context, store secretchat.Store, name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the courier's %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := store.Put(ctx, name, raw); err != nil {
		return fmt.Errorf("save the courier's %s: %w", name, err)
	}
	return nil
}

func (c *Courier) erase(ctx context.Context, names ...string) error {
	return erase(ctx, c.cfg.Store, names...)
}

func erase(ctx context.Context, store secretchat.Store, names ...string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for _, name := range names {
		if err := store.Delete(ctx, name); err != nil {
			return fmt.Errorf("erase the courier's %s: %w", name, err)
		}
	}
	return nil
}

func (c *Courier) names(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	names, err := c.cfg.Store.Keys(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list the courier's %s*: %w", prefix, err)
	}
	return names, nil
}

// sessions keeps gotd's session.
type sessions struct{ store secretchat.Store }

// LoadSession implements gotd's session.Storage.
func (s sessions) LoadSession(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	raw, err := s.store.Get(ctx, sessionName)
	if err != nil {
		return nil, fmt.Errorf("read the courier's session: %w", err)
	}
	if raw == nil {
		return nil, session.ErrNotFound
	}
	return raw, nil
}

// StoreSession implements gotd's session.Storage.
func (s sessions) StoreSession(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.store.Put(ctx, sessionName, data); err != nil {
		return fmt.Errorf("save the courier's session: %w", err)
	}
	return nil
}

// errStopped: an update could not be handled, so that none may count as handled.
var errStopped = errors.New("handling of updates has stopped")

// progress keeps how far the account's updates were handled. gotd only logs what a
// handler returns and counts the update all the same; so the handler stops this
// store, and the update is told again after the next start. The account is in no
// channels, so nothing is kept for them.
type progress struct {
	c       *Courier
	mu      sync.Mutex
	stopped bool
}

type updatesRecord struct {
	Version int           `json:"v"`
	User    int64         `json:"user"`
	State   updates.State `json:"state"`
}

func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

func (p *progress) load(ctx context.Context, user int64) (updates.State, bool, error) {
	var r updatesRecord
	found, err := p.c.read(ctx, updatesName, &r)
	if err != nil || !found || r.User != user {
		return updates.State{}, false, err
	}
	return r.State, true, nil
}

func (p *progress) save(ctx context.Context, user int64, state updates.State) error {
	if p.stopped {
		return errStopped
	}
	return p.c.write(ctx, updatesName, updatesRecord{Version: recordVersion, User: user, State: state})
}

func (p *progress) change(ctx context.Context, user int64, f func(*updates.State)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, found, err := p.load(ctx, user)
	if err != nil {
		return err
	}
	if !found {
		return errors.New("no state of updates to change")
	}
	f(&state)
	return p.save(ctx, user, state)
}

// GetState implements gotd's updates.StateStorage, as do the methods below.
func (p *progress) GetState(ctx context.Context, user int64) (updates.State, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load(ctx, user)
}

// SetState replaces everything.
func (p *progress) SetState(ctx context.Context, user int64, state updates.State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.save(ctx, user, state)
}

// SetPts notes the ordinary updates.
func (p *progress) SetPts(ctx context.Context, user int64, pts int) error {
	return p.change(ctx, user, func(s *updates.State) { s.Pts = pts })
}

// SetQts notes the encrypted ones.
func (p *progress) SetQts(ctx context.Context, user int64, qts int) error {
	return p.change(ctx, user, func(s *updates.State) { s.Qts = qts })
}

// SetDate notes the time of the last update.
func (p *progress) SetDate(ctx context.Context, user int64, date int) error {
	return p.change(ctx, user, func(s *updates.State) { s.Date = date })
}

// SetSeq notes the number of the last batch.
func (p *progress) SetSeq(ctx context.Context, user int64, seq int) error {
	return p.change(ctx, user, func(s *updates.State) { s.Seq = seq })
}

// SetDateSeq notes both.
func (p *progress) SetDateSeq(ctx context.Context, user int64, date, seq int) error {
	return p.change(ctx, user, func(s *updates.State) { s.Date, s.Seq = date, seq })
}

// GetChannelPts knows no channels.
func (p *progress) GetChannelPts(context.Context, int64, int64) (int, bool, error) {
	return 0, false, nil
}

// SetChannelPts keeps nothing.
func (p *progress) SetChannelPts(context.Context, int64, int64, int) error { return nil }

// ForEachChannels has none.
func (p *progress) ForEachChannels(context.Context, int64, func(context.Context, int64, int) error) error {
	return nil
}
