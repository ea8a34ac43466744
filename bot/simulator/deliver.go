package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// delivery is an update on its way to the bot's webhook.
type delivery struct {
	queued
	url, secret string
}

// deliver is the loop of the webhook.
func (t *Telegram) deliver(ctx context.Context) {
	table := methods()
	for ctx.Err() == nil {
		d, wake := t.nextDelivery()
		if wake == nil {
			t.hooks.ended.Go(func() { t.deliverTo(ctx, table, d) })
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
		}
	}
}

// nextDelivery is the update to deliver; without one the channel tells of the
// next change.
func (t *Telegram) nextDelivery() (delivery, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.confirm(0, t.opts.Clock())
	if !t.hooks.active() || len(t.hooks.busy) >= t.hooks.most {
		return delivery{}, t.wake
	}
	for _, u := range t.queue.waiting {
		if !t.hooks.busy[u.line] {
			t.hooks.busy[u.line] = true
			return delivery{u, t.hooks.url, t.hooks.secret}, nil
		}
	}
	return delivery{}, t.wake
}

// deliverTo delivers once. Where that fails the line pauses.
func (t *Telegram) deliverTo(ctx context.Context, table map[string]method, d delivery) {
	err := t.deliverOne(ctx, table, d)
	if err != nil {
		t.opts.Log.Warn("telegram: webhook not taken", "update", d.id, "error", err)
	}
	pause(ctx, t.delivered(d, err))
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.hooks.busy, d.line)
	t.stirLocked()
}

// delivered takes the update off the queue, or notes why it stays, and gives
// the pause before it comes again.
func (t *Telegram) delivered(d delivery, err error) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.queue.drop(d.id)
		t.hooks.last = d
		delete(t.hooks.delays, d.line)
		return 0
	}
	t.hooks.lastErr, t.hooks.errDate = err.Error(), t.now()
	delay := min(max(2*t.hooks.delays[d.line], t.opts.RetryAfter), maxHookDelay)
	t.hooks.delays[d.line] = delay
	return delay
}

func (t *Telegram) deliverOne(ctx context.Context, table map[string]method, d delivery) error {
	fault, _ := t.faults.take("webhook")
	if !pause(ctx, fault.delay) || fault.kind == faultDropBefore || fault.answer != nil {
		return fmt.Errorf("delivering update %d: the fault %q was asked for", d.id, fault.kind)
	}
	body, kind, status, err := t.callHook(ctx, d)
	t.traffic.add(record{Method: "webhook", Update: d.raw, Status: status, Fault: fault.kind, Time: t.opts.Clock()})
	switch {
	case err != nil:
		return err
	case status < 200 || status > 299:
		return fmt.Errorf("delivering update %d: wrong response from the webhook: %d %s", d.id, status, http.StatusText(status))
	}
	t.callBack(ctx, table, body, kind)
	if fault.kind == faultDropAfter {
		return fmt.Errorf("delivering update %d: its answer was lost as asked for", d.id)
	}
	return nil
}

func (t *Telegram) callHook(ctx context.Context, d delivery) (body []byte, kind string, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(d.raw))
	if err != nil {
		return nil, "", 0, fmt.Errorf("delivering update %d: %w", d.id, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if d.secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", d.secret)
	}
	answer, err := t.opts.Client.Do(r)
	if err != nil {
		return nil, "", 0, fmt.Errorf("delivering update %d: %w", d.id, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxHookAnswer))
	if err != nil {
		return nil, "", answer.StatusCode, fmt.Errorf("reading the answer to update %d: %w", d.id, err)
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
	if err != nil || !callable(name) {
		return
	}
	delete(p.fields, "method")
	result, err := t.run(ctx, table, name, p)
	response, code := answer(result, err)
	t.traffic.add(record{
		Method: name, Fields: p.fields, Files: recordFiles(p), Status: code, Response: response, Time: t.opts.Clock(),
	})
}

// callable tells whether a bot may call a method in its answer: none that
// asks, and none about the webhook itself.
func callable(name string) bool {
	switch name = strings.ToLower(name); name {
	case "", "setwebhook", "deletewebhook", "close", "logout":
		return false
	}
	return !strings.HasPrefix(name, "get")
}
