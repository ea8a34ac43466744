package bot

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// batch is the most updates that Telegram gives at once (Bot API, getUpdates), and so the most that are under way: an
// update that is stuck holds nobody up until ninety-nine later ones wait for its confirmation.
const batch = 100

// pollMargin is what a poll may take beyond the time that Telegram holds it.
const pollMargin = 10 * time.Second

// confirmWithin is what the last confirmation may take: where it does not arrive, updates come twice.
const confirmWithin = 2 * time.Second

// update is one update on its way through the bot.
type update struct {
	id     int64
	raw    *models.Update
	flight *flight // nil: it came by polling
}

// before tells that a customer did this first. By webhook a tap may overtake a text: Telegram keeps only taps in order,
// and only texts.
func (u update) before(other update) bool { return u.id < other.id }

// window knows the updates that Telegram gave and that are not confirmed yet.
type window struct {
	mu      sync.Mutex
	ids     []int64 // as Telegram gave them; the handled ones at the front are cut off
	handled map[int64]bool
	next    int64         // after the last one given; 0: none was given yet
	idle    chan struct{} // closed while nothing is under way
}

func newWindow() *window {
	w := &window{handled: make(map[int64]bool), idle: make(chan struct{})}
	close(w.idle)
	return w
}

// add notes an update; false: it is under way, or handled, already. Telegram gives updates in the order of their ids,
// and one that was handled while a poll was on its way comes with that poll once more. After a week of silence they begin
// anew anywhere.
func (w *window) add(id int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Contains(w.ids, id) || (id < w.next && w.next-id <= 2*batch) {
		return false
	}
	if len(w.ids) == 0 {
		w.idle = make(chan struct{})
	}
	w.ids, w.next = append(w.ids, id), id+1
	return true
}

// done notes that an update needs not come again.
func (w *window) done(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.ids, id) || w.handled[id] {
		return
	}
	w.handled[id] = true
	for len(w.ids) > 0 && w.handled[w.ids[0]] {
		delete(w.handled, w.ids[0])
		w.ids = w.ids[1:]
	}
	if len(w.ids) == 0 {
		close(w.idle)
	}
}

// offset is what to ask Telegram for: it confirms all that lie before.
func (w *window) offset() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ids) > 0 {
		return w.ids[0]
	}
	return w.next
}

// quiet is closed while nothing is under way.
func (w *window) quiet() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.idle
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

type getUpdates struct {
	Offset  int64    `json:"offset,omitempty"`
	Limit   int      `json:"limit"`
	Timeout int      `json:"timeout"`
	Allowed []string `json:"allowed_updates"`
}

// allowed are the updates we have a use for. It is sent each time: left out, it means "as last time".
func allowed() []string {
	return []string{
		models.AllowedUpdateMessage, models.AllowedUpdateEditedMessage, models.AllowedUpdateChannelPost,
		models.AllowedUpdateCallbackQuery, models.AllowedUpdateMyChatMember,
	}
}

// ask asks for updates. The library's own loop confirms before anything was handled, so this is ours.
func (b *Bot) ask(ctx context.Context, hold time.Duration, limit int) ([]json.RawMessage, error) {
	params := getUpdates{Offset: b.window.offset(), Limit: limit, Timeout: int(hold.Seconds()), Allowed: allowed()}
	var raw []json.RawMessage
	err := b.callWithin(ctx, hold+pollMargin, "getUpdates", func(ctx context.Context) error {
		raw = nil
		return b.client.ask(ctx, "getUpdates", params, &raw)
	})
	return raw, err
}

// poll asks for updates until ctx ends; work is the context of what they lead to. While updates are under way it does
// not let Telegram hold the poll, because those that are not confirmed would be given again at once: it looks from time
// to time.
func (b *Bot) poll(ctx, work context.Context) {
	failures, look := 0, b.rules.Look
	for ctx.Err() == nil {
		var hold time.Duration
		if isClosed(b.window.quiet()) {
			hold = b.rules.Poll
		}
		raw, err := b.ask(ctx, hold, batch)
		if err != nil {
			failures++
			b.pollFailed(ctx, failures, err)
			continue
		}
		failures = 0
		fresh := b.takeAll(work, raw)
		look = min(2*look, 10*b.rules.Look)
		if fresh > 0 {
			look = b.rules.Look
		}
		if len(raw) > 0 {
			b.lookAgain(ctx, look, fresh)
		}
	}
}

// lookAgain waits until all is handled, or for d. Where nothing is under way and yet nothing new came, only time helps.
func (b *Bot) lookAgain(ctx context.Context, d time.Duration, fresh int) {
	quiet := b.window.quiet()
	if fresh == 0 && isClosed(quiet) {
		quiet = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-quiet:
	case <-timer.C:
	}
}

func (b *Bot) pollFailed(ctx context.Context, failures int, err error) {
	if ctx.Err() != nil {
		return
	}
	pause := b.rules.pause(failures)
	var slow *bot.TooManyRequestsError
	if errors.As(err, &slow) {
		pause = max(pause, time.Duration(slow.RetryAfter)*time.Second)
	}
	b.log.Warn("asking Telegram for updates", "error", err, "again_in", pause)
	_ = b.cfg.Wait(ctx, pause) // the loop looks at ctx
}

// takeAll sends updates on their way and gives the number of those that are new.
func (b *Bot) takeAll(ctx context.Context, all []json.RawMessage) (fresh int) {
	for _, raw := range all {
		if b.take(ctx, raw) {
			fresh++
		}
	}
	return fresh
}

// take sends one update on its way. One that cannot be read is given up: it would come for ever.
func (b *Bot) take(ctx context.Context, raw json.RawMessage) bool {
	var id struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(raw, &id); err != nil || !b.window.add(id.ID) {
		return false
	}
	u := update{id: id.ID, raw: new(models.Update)}
	if err := json.Unmarshal(raw, u.raw); err != nil {
		b.log.Error("update cannot be read and is left out", "update", u.id, "error", err)
		b.window.done(u.id)
		return true
	}
	if err := b.updates.push(ctx, lane(u.raw), u); err != nil {
		b.log.Debug("update not taken up", "update", u.id, "error", err)
	}
	return true
}

// confirm tells Telegram what was handled, when nobody will ask for more.
func (b *Bot) confirm(ctx context.Context) {
	if b.window.offset() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, confirmWithin)
	defer cancel()
	if _, err := b.ask(ctx, 0, 1); err != nil {
		b.log.Debug("confirming the last updates", "error", err)
	}
}
