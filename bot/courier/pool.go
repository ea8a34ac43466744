package courier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/usherbot/usher/bot/secretchat"
)

// Names in the common store, and where an account's own records lie.
const (
	slotPrefix     = "slot/" // which accounts there are
	withPrefix     = "with/" // of a customer: the slot of the account that they are with
	accountsPrefix = "accounts/"
	// firstFormat is the slot of the account that a store holds from before there
	// could be several: its records lie at the top.
	firstFormat = "0"
)

func withName(customer int64) string { return withPrefix + strconv.FormatInt(customer, 10) }

// slot is a place for one login of an account: a number, never used for another one
// while its chats are remembered. A new login of the same account takes a new slot, so
// that it never meets a running courier of the old one.
type slot struct {
	Version int   `json:"v"`
	Account int64 `json:"account"` // Telegram's id
	Since   int64 `json:"since"`   // Unix seconds of the login
	// Retired: the account was logged out, or logged in anew in another slot. The slot
	// stays until its chats are forgotten.
	Retired bool `json:"retired,omitempty"`
	// Pending, in Unix seconds: until then it is the slot of the process that is logging in.
	Pending int64 `json:"pending,omitempty"`

	name string
}

// Pool is any number of accounts that share the customers. Each customer is with one of
// them, as long as that one lives. Its methods may be called in every process, whether
// or not Run runs there.
type Pool struct {
	cfg     Config
	handler Handler

	mu       sync.Mutex
	couriers map[string]*Courier // by slot

	health sync.Mutex         // a health record is changed by one at a time
	unsaid map[string]*unsaid // by slot, after a handler has failed; guarded by health
	hurry  atomic.Bool        // what is unsaid is to be told at once
}

// NewPool checks the configuration. It connects to nothing. What Config says of phone,
// code and password is for the first account: Run logs it in where none is.
func NewPool(cfg Config, handler Handler) (*Pool, error) {
	template, err := New(cfg, handler)
	if err != nil {
		return nil, err
	}
	return &Pool{
		cfg: template.cfg, handler: handler,
		couriers: map[string]*Courier{}, unsaid: map[string]*unsaid{},
	}, nil
}

// prefixOf is where the records of a slot lie.
func prefixOf(slot string) string {
	if slot == firstFormat {
		return ""
	}
	return accountsPrefix + slot + "/"
}

// slots lists the slots by number, without those of logins under way.
func (p *Pool) slots(ctx context.Context) ([]slot, error) {
	all, err := p.allSlots(ctx)
	now := p.cfg.Clock.Now().Unix()
	return slices.DeleteFunc(all, func(s slot) bool { return s.Pending > now }), err
}

func (p *Pool) allSlots(ctx context.Context) ([]slot, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	names, err := p.cfg.Common.Keys(ctx, slotPrefix)
	if err != nil {
		return nil, fmt.Errorf("list the courier's accounts: %w", err)
	}
	var all []slot
	for _, name := range names {
		s := slot{name: strings.TrimPrefix(name, slotPrefix)}
		found, err := get(ctx, p.cfg.Common, name, &s)
		if err != nil {
			return nil, err
		}
		if found {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b slot) int { return cmp.Compare(number(a.name), number(b.name)) })
	return all, nil
}

// number is a slot's number; 0 for what is none.
func number(slot string) int {
	n, _ := strconv.Atoi(slot)
	return n
}

// courier is the account of a slot.
func (p *Pool) courier(slot string) (*Courier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.couriers[slot]; ok {
		return c, nil
	}
	c, err := New(p.configOf(slot), seat{pool: p, slot: slot})
	if err != nil {
		return nil, err
	}
	p.couriers[slot] = c
	return c, nil
}

// configOf is the configuration of a slot's courier. It never logs in by itself: a login
// makes a slot, not the other way round.
func (p *Pool) configOf(slot string) Config {
	cfg := p.cfg
	cfg.Store, cfg.Shared = within(cfg.Store, prefixOf(slot)), within(cfg.Shared, prefixOf(slot))
	cfg.Code, cfg.Password, cfg.Phone = nil, nil, ""
	cfg.Log = cfg.Log.With("slot", slot)
	return cfg
}

// member is a slot with its courier.
type member struct {
	slot
	*Courier
}

// members lists all slots with their couriers: those of the customer's account first.
func (p *Pool) members(ctx context.Context, customer int64) ([]member, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return nil, err
	}
	var all []member
	for _, s := range slots {
		c, err := p.courier(s.name)
		if err != nil {
			return nil, err
		}
		all = append(all, member{s, c})
	}
	if len(all) < 2 || customer == 0 {
		return all, nil
	}
	theirs, err := p.with(ctx, customer)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b member) int {
		return cmp.Compare(rank(a.name == theirs), rank(b.name == theirs))
	})
	return all, nil
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// companion is whom a customer is with.
type companion struct {
	Version int    `json:"v"`
	Slot    string `json:"slot"`
}

// with is the slot of the account that a customer is with; empty for none yet.
func (p *Pool) with(ctx context.Context, customer int64) (string, error) {
	var w companion
	_, err := get(ctx, p.cfg.Common, withName(customer), &w)
	return w.Slot, err
}

func (p *Pool) keepWith(ctx context.Context, customer int64, slot string) error {
	return put(ctx, p.cfg.Common, withName(customer), companion{Version: recordVersion, Slot: slot})
}

// adopt makes a slot of the account that a store of the first format holds.
func (p *Pool) adopt(ctx context.Context) error {
	var known slot
	if found, err := get(ctx, p.cfg.Common, slotPrefix+firstFormat, &known); err != nil || found {
		return err
	}
	var a account
	found, err := get(ctx, p.cfg.Store, accountName, &a)
	if err != nil || !found {
		return err
	}
	return put(ctx, p.cfg.Common, slotPrefix+firstFormat, slot{Version: recordVersion, Account: a.ID, Since: a.Since})
}

// seat is a slot's ears: it keeps how the account stands, and lets the pool's handler
// hear of one pool.
type seat struct {
	pool *Pool
	slot string
}

// ChatChanged implements Handler. The account that a customer opens a chat with becomes
// theirs, and chats with others end. A chat that is over is news only where no other is.
func (s seat) ChatChanged(ctx context.Context, customer int64, news ChatNews) error {
	switch news.Kind {
	case NewsOpened:
		if err := s.moved(ctx, customer); err != nil {
			return err
		}
	case NewsClosed:
		if state, err := s.pool.Chat(ctx, customer); err != nil || state != ChatNone {
			return err
		}
	case NewsAsked, NewsRefused, NewsTurned:
	}
	return s.pool.handler.ChatChanged(ctx, customer, news)
}

func (s seat) moved(ctx context.Context, customer int64) error {
	members, err := s.pool.members(ctx, 0)
	if err != nil {
		return err
	}
	if err := s.pool.keepWith(ctx, customer, s.slot); err != nil {
		return err
	}
	var problems []error
	for _, m := range members {
		if m.name != s.slot {
			problems = append(problems, m.Renew(ctx, customer))
		}
	}
	return errors.Join(problems...)
}

// TextReceived implements Handler.
func (s seat) TextReceived(ctx context.Context, customer int64, text string) error {
	return s.pool.handler.TextReceived(ctx, customer, text)
}

// ParcelState implements Handler.
func (s seat) ParcelState(ctx context.Context, customer int64, parcel string, state ParcelState) error {
	return s.pool.handler.ParcelState(ctx, customer, parcel, state)
}

// AccountChanged implements Handler.
func (s seat) AccountChanged(ctx context.Context, news AccountNews) error {
	return s.pool.noted(ctx, s.slot, news)
}

// StartOver has every chat of every account made anew, because the store came back older
// than it was: each is discarded at the server, and told as closed. Only the process that
// may write the couriers' records may call it. What was begun goes on in the next Run; a
// call that broke off must be repeated.
func (p *Pool) StartOver(ctx context.Context) error {
	members, err := p.members(ctx, 0)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := m.current().DiscardAll(ctx, secretchat.ReasonStale); err != nil {
			return fmt.Errorf("discard the secret chats of slot %s: %w", m.name, err)
		}
	}
	return nil
}
