package courier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gotd/td/tg"
)

const (
	sessionsName = "sessions" // in an account's own records: others that accept secret chats
	// lookAroundTimeout bounds the look at an account's other sessions: a server may not
	// know the question.
	lookAroundTimeout = 10 * time.Second
	// maxSessions bounds what is kept and shown of them.
	maxSessions = 20
)

// Session is another login of a courier's account that accepts secret chats: a chat that a
// customer starts may end up there, where nobody hands tickets over.
type Session struct {
	Device string    `json:"device"`
	App    string    `json:"app"`
	Since  time.Time `json:"since"`

	hash int64
}

type sessionsRecord struct {
	Version int       `json:"v"`
	Open    []Session `json:"open"`
	At      int64     `json:"at"`             // Unix seconds
	Told    bool      `json:"told,omitempty"` // the operator knows of all of them
}

// lookOut looks for other sessions of an account that runs, now and then: somebody may log in
// on a phone at any time. What Telegram does not tell stays as it was.
func (c *Courier) lookOut(ctx context.Context, api *tg.Client) error {
	for c.cfg.Look > 0 {
		if err := c.wait(ctx, c.cfg.Look); err != nil {
			return err
		}
		open, err := openSessions(ctx, api)
		if err == nil {
			err = c.found(ctx, open)
		}
		if err != nil && ctx.Err() == nil {
			c.cfg.Log.DebugContext(ctx, "the courier account's other sessions could not be looked at", "error", err)
		}
	}
	return nil
}

// found keeps which other sessions accept secret chats.
func (c *Courier) found(ctx context.Context, open []Session) error {
	var before sessionsRecord
	if _, err := c.read(ctx, sessionsName, &before); err != nil {
		return err
	}
	known := func(s Session) bool { return slices.ContainsFunc(before.Open, s.same) }
	news := slices.ContainsFunc(open, func(s Session) bool { return !known(s) })
	if !news && len(open) == len(before.Open) {
		return nil
	}
	if news {
		c.cfg.Log.WarnContext(ctx, "another session of the courier's account accepts secret chats", "sessions", len(open))
	}
	return c.write(ctx, sessionsName, sessionsRecord{
		Version: recordVersion, Open: open, At: c.cfg.Clock.Now().Unix(), Told: before.Told && !news,
	})
}

func (s Session) same(other Session) bool {
	return s.Device == other.Device && s.App == other.App && s.Since.Equal(other.Since)
}

// tellCrowded tells the handler once of other sessions that accept secret chats. The caller
// holds health.
func (p *Pool) tellCrowded(ctx context.Context, slot string, s standing) error {
	name, what := prefixOf(slot)+sessionsName, slot+" "+sessionsName
	var r sessionsRecord
	found, err := get(ctx, p.cfg.Store, name, &r)
	if err != nil || !found || r.Told || len(r.Open) == 0 || !p.sayable(what, p.cfg.Clock.Now()) {
		return err
	}
	newest := slices.MaxFunc(r.Open, func(a, b Session) int { return a.Since.Compare(b.Since) })
	news := AccountNews{
		Account: Contact{Username: s.Username, Name: s.Name}, Health: HealthCrowded,
		Reason: newest.Device + ", " + newest.App + ", since " + newest.Since.UTC().Format("2006-01-02 15:04") + " UTC",
	}
	if !p.say(ctx, what, news) {
		return nil
	}
	r.Told = true
	return put(ctx, p.cfg.Store, name, r)
}

// lookAround looks for other sessions of an account that has just logged in, and has them
// accept no secret chats where silence wants it. Nothing that fails here is more than a
// warning: the account is logged in.
func (c *Courier) lookAround(ctx context.Context, api *tg.Client, silence func(context.Context, []Session) bool) {
	if silence == nil {
		return
	}
	open, err := openSessions(ctx, api)
	if err != nil {
		c.cfg.Log.WarnContext(ctx, "the courier account's other sessions could not be looked at", "error", err)
		return
	}
	wanted := len(open) > 0 && silence(ctx, open)
	if wanted {
		open = quiet(ctx, api, open)
	}
	if len(open) > 0 {
		c.cfg.Log.WarnContext(ctx, "other sessions of the courier's account accept secret chats", "sessions", len(open))
	}
	// Who was asked and does not want it knows of them.
	found := sessionsRecord{Version: recordVersion, Open: open, At: c.cfg.Clock.Now().Unix(), Told: !wanted}
	if err := c.write(ctx, sessionsName, found); err != nil {
		c.cfg.Log.WarnContext(ctx, "what was found about other sessions is not kept", "error", err)
	}
}

func openSessions(ctx context.Context, api *tg.Client) ([]Session, error) {
	ctx, cancel := context.WithTimeout(ctx, lookAroundTimeout)
	defer cancel()
	all, err := api.AccountGetAuthorizations(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the account's sessions: %w", err)
	}
	var open []Session
	for _, a := range all.Authorizations {
		if a.Current || a.EncryptedRequestsDisabled || len(open) == maxSessions {
			continue
		}
		open = append(open, Session{
			Device: brief(a.DeviceModel, a.Platform), App: brief(a.AppName, a.AppVersion),
			Since: time.Unix(int64(a.DateCreated), 0).UTC(), hash: a.Hash,
		})
	}
	return open, nil
}

// quiet turns secret chats off in other sessions, and returns those in which it could not.
func quiet(ctx context.Context, api *tg.Client, open []Session) []Session {
	ctx, cancel := context.WithTimeout(ctx, lookAroundTimeout)
	defer cancel()
	var left []Session
	for _, s := range open {
		req := &tg.AccountChangeAuthorizationSettingsRequest{Hash: s.hash}
		req.SetEncryptedRequestsDisabled(true)
		if _, err := api.AccountChangeAuthorizationSettings(ctx, req); err != nil {
			left = append(left, s)
		}
	}
	return left
}

// brief joins what others say of themselves, without what could disturb a terminal.
func brief(parts ...string) string {
	var out []rune
	for _, part := range parts {
		for _, r := range part {
			if len(out) < 60 && r >= ' ' && r != 0x7f && !(r >= 0x80 && r < 0xa0) && !bidi(r) {
				out = append(out, r)
			}
		}
		if part != "" {
			out = append(out, ' ')
		}
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out)
}

func bidi(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// othersLeft are the other sessions that still accepted secret chats when they were last
// looked at.
func (c *Courier) othersLeft(ctx context.Context) ([]Session, error) {
	var r sessionsRecord
	_, err := c.read(ctx, sessionsName, &r)
	return r.Open, err
}
