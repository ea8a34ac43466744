package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// turnLasts frees a customer whose handler died.
const turnLasts = 30 * time.Second

type customer struct {
	session []byte // JSON; nil: none
	refund  cirrus.Address
	own     cirrus.Address
	names   []string
	version uint64
	handled map[int64]bool
	turn    time.Time // somebody's turn until then; zero: nobody's
	update  int64     // whose turn it is
}

func (db *DB) customer(id int64) *customer {
	c, ok := db.sessions[id]
	if !ok {
		c = &customer{handled: map[int64]bool{}}
		db.sessions[id] = c
	}
	return c
}

func (c *customer) read() (flows.Session, error) {
	var s flows.Session
	if c.session == nil {
		return s, nil
	}
	if err := json.Unmarshal(c.session, &s); err != nil {
		return flows.Session{}, err
	}
	if s.Format > flows.SessionFormat {
		return flows.Session{}, fmt.Errorf("format %d: %w", s.Format, order.ErrNewFormat)
	}
	s.Refund, s.Own, s.Names = c.refund, c.own, slices.Clone(c.names)
	return s, nil
}

// Begin implements flows.Sessions. Where fresh is false no turn was taken: there is nothing to End or Release.
func (db *DB) Begin(ctx context.Context, id, update int64) (s flows.Session, fresh bool, err error) {
	if err := ctx.Err(); err != nil {
		return s, false, fmt.Errorf("begin turn: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	c := db.customer(id)
	if s, err = c.read(); err != nil {
		return s, false, fmt.Errorf("begin turn: %w", err)
	}
	if update != 0 && c.handled[update] {
		return s, false, nil
	}
	now := db.clock()
	if c.turn.After(now) {
		return flows.Session{}, false, fmt.Errorf("begin turn: %w", order.ErrBusy)
	}
	c.turn, c.update = now.Add(turnLasts), update
	return s, true, nil
}

// End implements flows.Sessions. After Erase the session to write is one of Version 0.
func (db *DB) End(ctx context.Context, id, update int64, s flows.Session) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("end turn: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	c := db.customer(id)
	if !c.turn.After(db.clock()) || c.update != update || c.version != s.Version {
		return fmt.Errorf("end turn: %w", order.ErrConflict)
	}
	s.Format = flows.SessionFormat
	s.Version++
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("end turn: %w", err)
	}
	c.session, c.refund, c.own, c.names, c.version = body, s.Refund, s.Own, slices.Clone(s.Names), s.Version
	c.turn = time.Time{}
	if update != 0 {
		c.handled[update] = true
	}
	return nil
}

// Release implements flows.Sessions.
func (db *DB) Release(ctx context.Context, id int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("release turn: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.customer(id).turn = time.Time{}
	return nil
}

// Peek implements flows.Sessions. A customer never seen has an empty session.
func (db *DB) Peek(ctx context.Context, id int64) (flows.Session, error) {
	if err := ctx.Err(); err != nil {
		return flows.Session{}, fmt.Errorf("read session: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	s, err := db.customer(id).read()
	if err != nil {
		return flows.Session{}, fmt.Errorf("read session: %w", err)
	}
	return s, nil
}

// Erase implements flows.Sessions. Which updates were handled is kept, so that none counts twice.
func (db *DB) Erase(ctx context.Context, id int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("erase session: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	c := db.customer(id)
	c.session, c.refund, c.own, c.names, c.version = nil, "", "", nil, 0
	return nil
}
