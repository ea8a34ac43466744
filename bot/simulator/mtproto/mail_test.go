package mtproto_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/updates"
	"github.com/gotd/td/tg"
)

// letters are a client whose update manager keeps its state between visits.
type letters struct {
	line    *line
	manager *updates.Manager
	users   atomic.Pointer[tg.User]
}

// Handle keeps the updates, and who wrote.
func (l *letters) Handle(ctx context.Context, u tg.UpdatesClass) error {
	if us, ok := u.(*tg.Updates); ok {
		for _, who := range us.Users {
			if who, ok := who.(*tg.User); ok && !who.Self {
				l.users.Store(who)
			}
		}
	}
	return inbox(l.line.updates).Handle(ctx, u)
}

// visit connects, has the manager catch up, and does f.
func (l *letters) visit(t *testing.T, in func(context.Context) error, f func(context.Context, *tg.Client) error) {
	t.Helper()
	l.line.run(t, func(ctx context.Context, api *tg.Client) error {
		if err := in(ctx); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		started, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- l.manager.Run(ctx, api, account().ID, updates.AuthOptions{
				OnStart: func(context.Context) { close(started) },
			})
		}()
		<-started
		if err := f(ctx, api); err != nil {
			return err
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

// courier is a client with a session and an update state that outlive it.
func (l *letters) connect(t *testing.T, connect func(func(*telegram.Options)) *line, state *updates.Config) {
	t.Helper()
	state.Handler = l
	l.manager = updates.New(*state)
	l.line = connect(func(o *telegram.Options) { o.UpdateHandler = l.manager })
}

// text waits for an ordinary message and answers what it says.
func (l *letters) text(ctx context.Context) (string, error) {
	u, err := next[*tg.UpdateNewMessage](ctx, l.line)
	if err != nil {
		return "", err
	}
	m, ok := u.Message.(*tg.Message)
	if !ok {
		return "", errors.New("not a text: " + u.Message.TypeName())
	}
	return m.Message, nil
}

// TestTextsReachTheCourierNowAndAfterItsReturn: what a person writes is an
// update of a connected courier, and one that was away is told by gotd's
// update manager, each text once and in order.
func TestTextsReachTheCourierNowAndAfterItsReturn(t *testing.T) {
	s := start(t)
	s.AddUser(1001, "Ada")
	store, state := &session.StorageMemory{}, updates.Config{}
	state.Storage = memoryState{}
	l := &letters{}
	dial := func(edit func(*telegram.Options)) *line {
		return clientWith(t, s, func(o *telegram.Options) { o.SessionStorage = store; edit(o) })
	}
	expect := func(ctx context.Context, texts ...string) error {
		for _, want := range texts {
			if got, err := l.text(ctx); err != nil || got != want {
				t.Errorf("the courier was told %q, %v, not %q", got, err, want)
			}
		}
		return nil
	}
	write := func(text string) {
		if _, err := s.Write(1001, account().ID, text); err != nil {
			t.Error(err)
		}
	}
	l.connect(t, dial, &state)
	l.visit(t, func(ctx context.Context) error { return login(ctx, l.line) }, func(ctx context.Context, _ *tg.Client) error {
		write("one")
		return expect(ctx, "one")
	})
	write("two")
	write("three")
	l.connect(t, dial, &state)
	l.visit(t, func(context.Context) error { return nil }, func(ctx context.Context, api *tg.Client) error {
		if err := expect(ctx, "two", "three"); err != nil {
			return err
		}
		write("four")
		if err := expect(ctx, "four"); err != nil {
			return err
		}
		who := l.users.Load()
		_, err := api.MessagesSendMessage(ctx, &tg.MessagesSendMessageRequest{
			Peer: &tg.InputPeerUser{UserID: who.ID, AccessHash: who.AccessHash}, RandomID: 1, Message: "use the bot",
		})
		return err
	})
	if d := s.Dialogs(1001); len(d) != 1 || len(d[0].Messages) != 5 || d[0].Messages[4].Text != "use the bot" {
		t.Errorf("Ada sees %v", d)
	}
}

// memoryState is gotd's interface of an update state, for one account.
type memoryState map[int64]updates.State

func (m memoryState) GetState(_ context.Context, user int64) (updates.State, bool, error) {
	s, ok := m[user]
	return s, ok, nil
}

func (m memoryState) SetState(_ context.Context, user int64, s updates.State) error {
	m[user] = s
	return nil
}

func (m memoryState) change(user int64, f func(*updates.State)) error {
	s := m[user]
	f(&s)
	m[user] = s
	return nil
}

func (m memoryState) SetPts(_ context.Context, user int64, pts int) error {
	return m.change(user, func(s *updates.State) { s.Pts = pts })
}

func (m memoryState) SetQts(_ context.Context, user int64, qts int) error {
	return m.change(user, func(s *updates.State) { s.Qts = qts })
}

func (m memoryState) SetDate(_ context.Context, user int64, date int) error {
	return m.change(user, func(s *updates.State) { s.Date = date })
}

func (m memoryState) SetSeq(_ context.Context, user int64, seq int) error {
	return m.change(user, func(s *updates.State) { s.Seq = seq })
}

func (m memoryState) SetDateSeq(_ context.Context, user int64, date, seq int) error {
	return m.change(user, func(s *updates.State) { s.Date, s.Seq = date, seq })
}

func (memoryState) GetChannelPts(context.Context, int64, int64) (int, bool, error) {
	return 0, false, nil
}
func (memoryState) SetChannelPts(context.Context, int64, int64, int) error { return nil }
func (memoryState) ForEachChannels(context.Context, int64, func(context.Context, int64, int) error) error {
	return nil
}
