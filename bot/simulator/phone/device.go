package phone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gotd/td/tg"
)

// fetchTimeout bounds the work after one wake-up.
const fetchTimeout = time.Minute

// Line connects one device to Telegram.
type Line interface {
	tg.Invoker
	// Listen calls wake whenever something may have happened, until cancel is
	// called. wake does not block.
	Listen(wake func()) (cancel func())
}

// Options of New.
type Options struct {
	// UserID and Name are the person's Telegram id and first name.
	UserID int64
	Name   string
	// Connect logs the person in on a new device.
	Connect func() (Line, error)
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Rand is the source of randomness; crypto/rand when nil.
	Rand io.Reader
	// Changed is called after the chats may have changed, from several
	// goroutines and without a lock held; it must not block. May be nil.
	Changed func()
	// Log receives why chats were closed and what went wrong, never contents;
	// none when nil.
	Log *slog.Logger
}

// Simulated is a Phone. Close ends it.
type Simulated struct {
	opts Options
	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}

	mu          sync.Mutex
	line        Line
	api         *tg.Client
	unlisten    func()
	pts         int
	qts, date   int
	group       *group
	chats       map[int]*chat
	order       []int
	forgotten   map[int]bool
	names       map[int64]string
	lastMessage int64
	declineNext bool
	complaints  []string
}

var _ Phone = (*Simulated)(nil)

// New connects a phone and switches it on. It works until Close is called or
// ctx ends.
func New(ctx context.Context, opts Options) (*Simulated, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Simulated{
		opts: opts, stop: stop,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := p.newDevice(ctx); err != nil {
		stop()
		return nil, err
	}
	go p.run(ctx)
	return p, nil
}

// Close switches the phone off for good and waits for its goroutine.
func (p *Simulated) Close() {
	p.stop()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.switchOff()
}

// run fetches what happened whenever the line wakes it.
func (p *Simulated) run(ctx context.Context) {
	defer close(p.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		p.fetchOnce(ctx)
		p.opts.Changed()
	}
}

func (p *Simulated) fetchOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on() {
		return
	}
	if err := p.fetch(ctx); err != nil && ctx.Err() == nil {
		p.opts.Log.Warn("a simulated phone could not fetch its updates", "user", p.opts.UserID, "error", err)
	}
}

// newDevice forgets everything and logs in anew.
func (p *Simulated) newDevice(ctx context.Context) error {
	line, err := p.opts.Connect()
	if err != nil {
		return fmt.Errorf("log the phone in: %w", err)
	}
	api := tg.NewClient(line)
	state, err := api.UpdatesGetState(ctx)
	if err != nil {
		return fmt.Errorf("get the update state: %w", err)
	}
	p.switchOff()
	p.line, p.api, p.group = line, api, nil
	p.pts, p.qts, p.date = state.Pts, state.Qts, state.Date
	p.chats, p.order = map[int]*chat{}, nil
	p.forgotten = map[int]bool{}
	p.names = map[int64]string{p.opts.UserID: p.opts.Name}
	p.declineNext = false
	p.switchOn()
	return nil
}

func (p *Simulated) on() bool { return p.unlisten != nil }

func (p *Simulated) switchOn() {
	if p.on() {
		return
	}
	p.unlisten = p.line.Listen(p.poke)
	p.poke()
}

func (p *Simulated) switchOff() {
	if p.on() {
		p.unlisten()
		p.unlisten = nil
	}
}

func (p *Simulated) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Complaints implements Phone.
func (p *Simulated) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

func (p *Simulated) complain(c *chat, format string, args ...any) {
	p.complaints = append(p.complaints, fmt.Sprintf("chat %d: ", c.id)+fmt.Sprintf(format, args...))
}

// Chats implements Phone.
func (p *Simulated) Chats() []Chat {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Chat, 0, len(p.order))
	for _, id := range p.order {
		c := p.chats[id]
		shown := Chat{
			ID: strconv.Itoa(c.id), With: c.peer, State: c.state, Why: c.why, KeyHex: c.picture,
		}
		for _, m := range c.shown {
			m.Picture = slices.Clone(m.Picture)
			shown.Messages = append(shown.Messages, m.Message)
		}
		out = append(out, shown)
	}
	return out
}

// Do implements Phone.
func (p *Simulated) Do(ctx context.Context, action, chat string) error {
	defer p.opts.Changed()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch action {
	case ActionOff:
		p.switchOff()
	case ActionOn:
		p.switchOn()
	case ActionNewPhone:
		return p.newDevice(ctx)
	case ActionDecline:
		if chat == "" {
			p.declineNext = true
			return nil
		}
		return p.leave(ctx, chat, "declined here", false)
	case ActionDeleteChat:
		return p.leave(ctx, chat, "deleted here", true)
	case ActionBlock, ActionUnblock:
		return p.block(ctx, chat, action == ActionBlock)
	default:
		return fmt.Errorf("%w: %q", ErrAction, action)
	}
	return nil
}

// leave closes a chat for both sides, and removes it here if it is to be
// forgotten.
func (p *Simulated) leave(ctx context.Context, id, why string, forget bool) error {
	c, err := p.find(id)
	if err != nil {
		return err
	}
	if !p.on() {
		return ErrOff
	}
	if c.state != StateClosed {
		p.close(ctx, c, errors.New(why), forget)
	}
	if forget {
		p.forget(c)
	}
	return nil
}

// block keeps the other side of a chat from writing, or lets it again.
func (p *Simulated) block(ctx context.Context, id string, block bool) error {
	c, err := p.find(id)
	if err != nil {
		return err
	}
	if !p.on() {
		return ErrOff
	}
	u, err := p.contact(ctx, c.peer)
	if err != nil {
		return err
	}
	peer := &tg.InputPeerUser{UserID: u.UserID, AccessHash: u.AccessHash}
	if block {
		_, err = p.api.ContactsBlock(ctx, &tg.ContactsBlockRequest{ID: peer})
	} else {
		_, err = p.api.ContactsUnblock(ctx, &tg.ContactsUnblockRequest{ID: peer})
	}
	if err != nil {
		return fmt.Errorf("change whom the phone blocks: %w", err)
	}
	return nil
}

// find looks a chat up by the id that Chats gives.
func (p *Simulated) find(id string) (*chat, error) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrNoChat, id)
	}
	c, ok := p.chats[n]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoChat, id)
	}
	return c, nil
}
