package bot

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
)

// Webhook is how Telegram reaches the bot.
type Webhook struct {
	URL    string // where it calls; empty: updates come by polling
	Secret string // secret: it says so with each call, 1 to 256 of A-Za-z0-9_-
}

// secretHeader carries the secret of a delivery (Bot API, setWebhook, secret_token).
const secretHeader = "X-Telegram-Bot-Api-Secret-Token" // #nosec G101 -- the name of a header

// maxDelivery bounds a delivery, in bytes; real ones have some thousands.
const maxDelivery = 1 << 20

// Webhook is what Telegram calls with updates, in place of polling. It says 200 only when an update's effect is saved;
// otherwise Telegram sends the update again. It says 401 to whoever does not know the secret. Updates are taken up
// while Receive runs.
func (b *Bot) Webhook() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer := b.delivered(w, r)
		// A connection has deadlines; a recorder in a test does not.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(b.rules.ReadWithin))
		err := b.cfg.Sites.Do(r.Context(), "telegram.webhook", func(context.Context) error {
			return respond(w, status, answer)
		})
		if err != nil {
			b.log.Debug("answering a delivery", "error", err)
		}
	})
}

func respond(w http.ResponseWriter, status int, answer []byte) error {
	if status != http.StatusOK && status != http.StatusServiceUnavailable {
		w.Header().Set("Connection", "close") // what was not read of the request is nobody's
	}
	if answer != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, err := w.Write(answer)
	return err
}

// delivered takes a delivery to its end: the status, and the call to answer with.
func (b *Bot) delivered(w http.ResponseWriter, r *http.Request) (status int, answer []byte) {
	raw, status := b.read(w, r)
	if status != http.StatusOK {
		return status, nil
	}
	var id struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(raw, &id); err != nil || id.ID <= 0 {
		b.log.Warn("delivery is no update")
		return http.StatusBadRequest, nil
	}
	one, first := b.flights.join(id.ID)
	defer b.flights.leave(one)
	if first {
		b.handOver(r.Context(), one, raw)
	}
	return b.outcome(r.Context(), one)
}

// read reads a delivery, if it is Telegram's: of others it reads nothing.
func (b *Bot) read(w http.ResponseWriter, r *http.Request) (raw []byte, status int) {
	control := http.NewResponseController(w)
	if !b.isTelegram(r) {
		_ = control.SetReadDeadline(time.Now()) // the server would wait for what it throws away
		b.log.Debug("delivery without the webhook's secret", "from", r.RemoteAddr)
		return nil, http.StatusUnauthorized
	}
	_ = control.SetReadDeadline(time.Now().Add(b.rules.ReadWithin))
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	var huge *http.MaxBytesError
	switch {
	case errors.As(err, &huge):
		b.log.Error("delivery is too large and is left out", "most", huge.Limit)
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		b.log.Debug("reading a delivery", "error", err)
		return nil, http.StatusRequestTimeout
	}
	_ = control.SetReadDeadline(time.Time{}) // handling may take longer
	return raw, http.StatusOK
}

// isTelegram compares the secret in a time that tells nothing about it.
func (b *Bot) isTelegram(r *http.Request) bool {
	given, right := sha256.Sum256([]byte(r.Header.Get(secretHeader))), sha256.Sum256([]byte(b.cfg.Webhook.Secret))
	return b.cfg.Webhook.Secret != "" && subtle.ConstantTimeCompare(given[:], right[:]) == 1
}

// handOver gives an update to Receive. One that cannot be read is given up: it would come for ever.
func (b *Bot) handOver(ctx context.Context, one *flight, raw []byte) {
	u := update{id: one.id, raw: new(models.Update), flight: one}
	if err := json.Unmarshal(raw, u.raw); err != nil {
		b.log.Error("update cannot be read and is left out", "update", u.id, "error", err)
		b.flights.land(one, nil)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.rules.TakeWithin)
	defer cancel()
	select {
	case b.inbox <- u:
	case <-ctx.Done():
		b.log.Debug("update not taken up", "update", u.id)
		b.flights.fail(one)
	}
}

// outcome waits for the end of a flight, as long as Telegram waits.
func (b *Bot) outcome(ctx context.Context, one *flight) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(ctx, b.rules.DeliverWithin)
	defer cancel()
	select {
	case <-one.ended:
	case <-ctx.Done():
		return http.StatusServiceUnavailable, nil
	}
	if !one.handled {
		return http.StatusServiceUnavailable, nil
	}
	return http.StatusOK, one.answer
}

// Receive takes up what comes by webhook until ctx ends, then lets what is under way come to its end for a moment. Any
// number of processes may receive at the same time. It returns ctx's error.
func (b *Bot) Receive(ctx context.Context) error {
	return b.work(ctx, func(work context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case u := <-b.inbox:
				if err := b.updates.push(work, lane(u.raw), u); err != nil {
					b.flights.fail(u.flight)
				}
			}
		}
	})
}

// landed ends an update's flight; true: its delivery carries the answer to the tap, which saves a call. Only such
// answers go this way: for a message we need to know its id and whether Telegram took it, which it does not tell here.
func (b *Bot) landed(u update, e flows.Event, r flows.Reply) (answered bool) {
	if u.flight == nil {
		return false
	}
	var call []byte
	if e.Callback != "" {
		call = answerCall(e, r)
	}
	return b.flights.land(u.flight, call) && call != nil
}

func answerCall(e flows.Event, r flows.Reply) []byte {
	call, err := json.Marshal(struct {
		Method string `json:"method"`
		ID     string `json:"callback_query_id"`
		Text   string `json:"text,omitempty"`
		Alert  bool   `json:"show_alert,omitempty"`
	}{"answerCallbackQuery", e.Callback, cut(r.Answer, maxAnswerText), r.Alert})
	if err != nil {
		return nil // cannot be; the tap is answered by a call then
	}
	return call
}

// errPanicked is a handler that panicked.
var errPanicked = errors.New("the handler panicked")

// isHopeless tells that an update that failed need not come again. Polling has nobody who would send it again. By
// webhook it comes again for a long time, so that nothing is lost while Redis is away; but one that cannot be handled
// must not hold up its customer for ever, because Telegram sends the next one only after it.
func (b *Bot) isHopeless(u update, err error) bool {
	return u.flight == nil || errors.Is(err, errPanicked) || b.flights.count(u.id) >= b.rules.Deliveries
}

// String hides the secret.
func (w Webhook) String() string { return fmt.Sprintf("webhook at %s", w.URL) }
