package simulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Disturbance is a call of the bot's webhook as Telegram would not make it: by
// somebody else, broken, or once more.
type Disturbance struct {
	// Kind is forged (with another secret), huge (of Bytes), slow (a byte every
	// Every, without an end), garbage (no JSON) or repeated (what was delivered
	// last, once more).
	Kind   string
	Secret string        // the right one by default, with forged a wrong one
	User   int64         // who seems to write to the bot, except with repeated
	Text   string        // and what; "/start" by default
	Bytes  int           // 2 MiB by default
	Every  time.Duration // 100 ms by default
}

// disturber is the first update id of what was never there.
const disturber = 900_000_000

// Disturb makes the call and gives the bot's status; 0 where it broke the
// connection off.
func (t *Telegram) Disturb(ctx context.Context, d Disturbance) (status int, err error) {
	ctx, done := context.WithCancel(ctx) // ends what still trickles
	defer done()
	address, secret, last := t.webhook()
	if address == "" {
		return 0, badInput("there is no webhook to call")
	}
	body, err := t.disturbance(ctx, d, last)
	if err != nil {
		return 0, err
	}
	if d.Kind == "forged" {
		secret = "forged"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return 0, fmt.Errorf("disturbing the bot: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", cmp.Or(d.Secret, secret))
	answer, err := t.opts.Client.Do(r)
	if ctx.Err() != nil {
		return 0, fmt.Errorf("disturbing the bot: %w", ctx.Err())
	}
	if err == nil {
		status = answer.StatusCode
		t.takeAnswer(ctx, d, answer)
	}
	t.traffic.add(record{Method: "webhook", Status: status, Fault: d.Kind, Time: t.opts.Clock()})
	return status, nil
}

// takeAnswer carries out the call in the answer to a repeated delivery, which
// Telegram may make itself.
func (t *Telegram) takeAnswer(ctx context.Context, d Disturbance, answer *http.Response) {
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxHookAnswer))
	if err == nil && d.Kind == "repeated" && answer.StatusCode == http.StatusOK {
		t.callBack(ctx, methods(), body, answer.Header.Get("Content-Type"))
	}
}

func (t *Telegram) webhook() (address, secret string, last delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hooks.url, t.hooks.secret, t.hooks.last
}

// disturbance is the body of the call.
func (t *Telegram) disturbance(ctx context.Context, d Disturbance, last delivery) (io.Reader, error) {
	switch d.Kind {
	case "repeated":
		if last.raw == nil {
			return nil, badInput("nothing was delivered yet")
		}
		return bytes.NewReader(last.raw), nil
	case "garbage":
		return strings.NewReader(`{"update_id":`), nil
	case "forged", "slow":
	case "huge":
		d.Text = strings.Repeat("x", cmp.Or(d.Bytes, 2<<20))
	default:
		return nil, badInput("a disturbance is forged, huge, slow, garbage or repeated, not %q", d.Kind)
	}
	raw, err := t.neverWritten(d)
	if err != nil {
		return nil, err
	}
	if d.Kind == "slow" {
		return &trickle{raw: raw, wait: func() bool { return pause(ctx, cmp.Or(d.Every, 100*time.Millisecond)) }}, nil
	}
	return bytes.NewReader(raw), nil
}

// neverWritten is the update of a message that the person never wrote.
func (t *Telegram) neverWritten(d Disturbance) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.chatFor(d.User, "bot")
	if err != nil {
		return nil, err
	}
	t.last.disturber++
	m := &message{id: 1_000_000, from: d.User, date: t.now()}
	m.text.Text = cmp.Or(d.Text, "/start")
	raw, err := json.Marshal(wireUpdate{ID: disturber + t.last.disturber, Message: t.wireMessage(c, m)})
	if err != nil {
		return nil, fmt.Errorf("writing an update: %w", err)
	}
	return raw, nil
}

// trickle gives a byte at a time, and white space for ever after.
type trickle struct {
	raw  []byte
	wait func() bool // false: it is over
}

func (s *trickle) Read(p []byte) (int, error) {
	if !s.wait() {
		return 0, io.ErrUnexpectedEOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = ' '
	if len(s.raw) > 0 {
		p[0], s.raw = s.raw[0], s.raw[1:]
	}
	return 1, nil
}
