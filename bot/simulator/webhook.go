package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"
)

const (
	maxHookDelay  = time.Minute // between attempts
	maxHookAnswer = 1 << 20     // bytes read of a bot's answer
)

// hooks delivers updates to the bot's webhook, one after another, each until
// it is taken. Its fields but ended are guarded by Telegram.mu.
type hooks struct {
	url     string
	secret  string
	lastErr string
	errDate int64

	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// active says whether a webhook is set; Telegram.mu is held.
func (h *hooks) active() bool { return h.url != "" }

// start begins delivering; the channel is closed when that ends.
func (h *hooks) start(ctx context.Context, t *Telegram) <-chan struct{} {
	ctx, h.cancel = context.WithCancel(ctx)
	h.ended.Go(func() { t.deliver(ctx) })
	return ctx.Done()
}

func (h *hooks) stop() {
	h.cancel()
	h.ended.Wait()
}

var secretShape = regexp.MustCompile(`^[A-Za-z0-9_-]{0,256}$`)

func (t *Telegram) setWebhook(p params) (any, error) {
	address := p.str("url")
	if address == "" {
		return t.deleteWebhook(p)
	}
	if err := checkHook(address); err != nil {
		return nil, err
	}
	if !secretShape.MatchString(p.str("secret_token")) {
		return nil, badRequest("secret token contains unallowed characters")
	}
	if err := t.queue.setAllowed(p); err != nil {
		return nil, err
	}
	t.dropPending(p)
	t.hooks.url, t.hooks.secret, t.hooks.lastErr, t.hooks.errDate = address, p.str("secret_token"), "", 0
	t.queue.endPoll()
	return true, nil
}

// checkHook takes https, and on this machine http too, as a Bot API server of
// one's own does.
func checkHook(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return badRequest("invalid webhook URL specified")
	}
	if u.Scheme == "https" {
		return nil
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	if u.Scheme != "http" || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return badRequest("bad webhook: An HTTPS URL must be provided for webhook")
	}
	return nil
}

func (t *Telegram) deleteWebhook(p params) (any, error) {
	t.hooks.url, t.hooks.secret = "", ""
	t.dropPending(p)
	return true, nil
}

func (t *Telegram) dropPending(p params) {
	if p.flag("drop_pending_updates") {
		t.queue.waiting = nil
	}
}

func (t *Telegram) getWebhookInfo(params) (any, error) {
	info := map[string]any{
		"url": t.hooks.url, "has_custom_certificate": false, "pending_update_count": len(t.queue.waiting),
	}
	if t.hooks.active() {
		info["max_connections"] = 40
	}
	if t.hooks.lastErr != "" {
		info["last_error_message"], info["last_error_date"] = t.hooks.lastErr, t.hooks.errDate
	}
	if len(t.queue.allowed) > 0 {
		info["allowed_updates"] = t.queue.allowed
	}
	return info, nil
}

// deliver is the loop of the webhook.
func (t *Telegram) deliver(ctx context.Context) {
	table := methods()
	delay := t.opts.RetryAfter
	for ctx.Err() == nil {
		u, address, secret, wake := t.nextDelivery()
		if address == "" {
			select {
			case <-wake:
			case <-ctx.Done():
			}
			continue
		}
		err := t.deliverOne(ctx, table, u, address, secret)
		t.delivered(u, err)
		if err == nil {
			delay = t.opts.RetryAfter
			continue
		}
		t.opts.Log.Warn("telegram: webhook not taken", "update", u.id, "error", err)
		pause(ctx, delay)
		delay = min(2*delay, maxHookDelay)
	}
}

// nextDelivery is the update to deliver; without one the address is empty and
// the channel tells of the next change.
func (t *Telegram) nextDelivery() (u queued, address, secret string, wake <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.confirm(0, t.opts.Clock())
	if !t.hooks.active() || len(t.queue.waiting) == 0 {
		return queued{}, "", "", t.wake
	}
	return t.queue.waiting[0], t.hooks.url, t.hooks.secret, nil
}

// delivered takes the update off the queue, or notes why it stays.
func (t *Telegram) delivered(u queued, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.hooks.lastErr, t.hooks.errDate = err.Error(), t.now()
		return
	}
	t.queue.confirm(u.id+1, t.opts.Clock())
}

func (t *Telegram) deliverOne(ctx context.Context, table map[string]method, u queued, address, secret string) error {
	fault, _ := t.faults.take("webhook")
	if !pause(ctx, fault.delay) || fault.kind == faultDropBefore || fault.answer != nil {
		return fmt.Errorf("delivering update %d: the fault %q was asked for", u.id, fault.kind)
	}
	body, kind, status, err := t.callHook(ctx, u, address, secret)
	t.traffic.add(record{Method: "webhook", Update: u.raw, Status: status, Fault: fault.kind, Time: t.opts.Clock()})
	switch {
	case err != nil:
		return err
	case status < 200 || status > 299:
		return fmt.Errorf("delivering update %d: wrong response from the webhook: %d %s", u.id, status, http.StatusText(status))
	}
	t.callBack(ctx, table, body, kind)
	if fault.kind == faultDropAfter {
		return fmt.Errorf("delivering update %d: its answer was lost as asked for", u.id)
	}
	return nil
}

func (t *Telegram) callHook(ctx context.Context, u queued, address, secret string) (body []byte, kind string, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(u.raw))
	if err != nil {
		return nil, "", 0, fmt.Errorf("delivering update %d: %w", u.id, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	answer, err := t.opts.Client.Do(r)
	if err != nil {
		return nil, "", 0, fmt.Errorf("delivering update %d: %w", u.id, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxHookAnswer))
	if err != nil {
		return nil, "", answer.StatusCode, fmt.Errorf("reading the answer to update %d: %w", u.id, err)
	}
	return body, answer.Header.Get("Content-Type"), answer.StatusCode, nil
}

// callBack carries out the method call that a bot may put into its answer. As
// with Telegram, the bot does not learn how it went.
func (t *Telegram) callBack(ctx context.Context, table map[string]method, body []byte, kind string) {
	if len(bytes.TrimSpace(body)) == 0 {
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", kind)
	if json.Valid(body) {
		r.Header.Set("Content-Type", "application/json")
	}
	p, err := readParams(r)
	name := p.str("method")
	if err != nil || name == "" || name == "getUpdates" {
		return
	}
	delete(p.fields, "method")
	result, err := t.run(ctx, table, name, p)
	response, code := answer(result, err)
	t.traffic.add(record{
		Method: name, Fields: p.fields, Files: recordFiles(p), Status: code, Response: response, Time: t.opts.Clock(),
	})
}
