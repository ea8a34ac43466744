package simulator

import (
	"context"
	"net"
	"net/url"
	"regexp"
	"sync"
	"time"
)

const (
	maxHookDelay  = time.Minute // between attempts
	maxHookAnswer = 1 << 20     // bytes read of a bot's answer

	// Bot API, setWebhook, max_connections
	defaultConnections = 40
	maxConnections     = 100
)

// hooks delivers updates to the bot's webhook: those of one line one after
// another, each until it is taken, those of others at the same time. Its
// fields but ended are guarded by Telegram.mu.
type hooks struct {
	url     string
	secret  string
	most    int // deliveries at the same time
	lastErr string
	errDate int64
	busy    map[string]bool          // lines with an update under way, or pausing
	delays  map[string]time.Duration // the last pause of lines that failed
	last    delivery                 // what was delivered last

	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// active says whether a webhook is set; Telegram.mu is held.
func (h *hooks) active() bool { return h.url != "" }

// start begins delivering; the channel is closed when that ends.
func (h *hooks) start(ctx context.Context, t *Telegram) <-chan struct{} {
	h.busy, h.delays = make(map[string]bool), make(map[string]time.Duration)
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
	most := defaultConnections
	if p.str("max_connections") != "" {
		most = min(max(int(p.integer("max_connections")), 1), maxConnections)
	}
	t.dropPending(p)
	t.hooks.url, t.hooks.secret, t.hooks.most = address, p.str("secret_token"), most
	t.hooks.lastErr, t.hooks.errDate = "", 0
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
		info["max_connections"] = t.hooks.most
	}
	if t.hooks.lastErr != "" {
		info["last_error_message"], info["last_error_date"] = t.hooks.lastErr, t.hooks.errDate
	}
	if len(t.queue.allowed) > 0 {
		info["allowed_updates"] = t.queue.allowed
	}
	return info, nil
}
