package secretchat_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gotd/td/tg"

	"github.com/usherbot/usher/bot/secretchat"
	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// store keeps everything in memory. A real one is durable and seals what it keeps.
type store struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *store) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values[key]), nil
}

func (s *store) Put(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = slices.Clone(value)
	return nil
}

func (s *store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

func (s *store) Keys(_ context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(func(yield func(string) bool) {
		for key := range maps.Keys(s.values) {
			if strings.HasPrefix(key, prefix) && !yield(key) {
				return
			}
		}
	}), nil
}

// greeter accepts everybody and greets who comes.
type greeter struct {
	client func() *secretchat.Client
	done   context.CancelFunc
}

func (g greeter) OnRequest(_ context.Context, user int64) (bool, error) {
	fmt.Println("user", user, "asks for a secret chat")
	return true, nil
}

func (g greeter) Event(ctx context.Context, c secretchat.Chat, e secretchat.Event) error {
	switch e.Kind {
	case secretchat.EventOpened:
		// The key of a message makes it one, however often this is called.
		_, err := g.client().SendText(ctx, c.ID, "greeting", "Good evening!")
		return err
	case secretchat.EventText:
		fmt.Println("they say:", e.Text)
		return g.client().Close(ctx, c.ID)
	case secretchat.EventProgress:
		if e.State == secretchat.Seen {
			fmt.Println("they have the", e.Key)
		}
	case secretchat.EventClosed:
		fmt.Println("the chat is over:", c.Reason)
		g.done()
	}
	return nil
}

// feed tells the client what happens to its account, in order and until ctx ends. Over
// a connection, telegram/updates of gotd does this.
func feed(ctx context.Context, device *hub.Device, client *secretchat.Client) error {
	api, wake, qts := tg.NewClient(device), make(chan struct{}, 1), 0
	defer device.Listen(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})()
	for {
		result, err := api.UpdatesGetDifference(ctx, &tg.UpdatesGetDifferenceRequest{Pts: 1, Qts: qts})
		if err != nil {
			return err
		}
		if d, ok := result.(*tg.UpdatesDifference); ok && (d.State.Qts > qts || len(d.OtherUpdates) > 0) {
			for _, u := range d.OtherUpdates {
				if u, ok := u.(*tg.UpdateEncryption); ok {
					err = errors.Join(err, client.HandleChat(ctx, u.Chat))
				}
			}
			for _, m := range d.NewEncryptedMessages {
				err = errors.Join(err, client.HandleMessage(ctx, m))
			}
			if err != nil {
				return err // nothing of this counts as handled
			}
			qts = d.State.Qts
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		}
	}
}

// A user asks for a secret chat from a phone, is greeted, and answers.
func Example() {
	// A Telegram in this process, with an account for the client and a user's phone.
	server, err := hub.New(hub.Options{})
	if err != nil {
		panic(err)
	}
	server.AddUser(hub.User{ID: 1, FirstName: "Greeter", Username: "greeter"})
	server.AddUser(hub.User{ID: 2, FirstName: "Ada"})
	device, err := server.NewDevice(1)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	var client *secretchat.Client
	client = secretchat.New(secretchat.Config{
		API:     tg.NewClient(device),
		Store:   &store{values: map[string][]byte{}},
		Handler: greeter{client: func() *secretchat.Client { return client }, done: cancel},
	})
	var work sync.WaitGroup
	work.Go(func() { _ = client.Run(ctx) })
	work.Go(func() { _ = feed(ctx, device, client) })

	ada, changed := newPhone(ctx, server, 2, "Ada")
	defer ada.Close()
	chat, err := ada.StartSecretChat(ctx, 1)
	if err != nil {
		panic(err)
	}
	for {
		<-changed
		if chats := ada.Chats(); len(chats[0].Messages) > 0 {
			fmt.Println("on the phone:", chats[0].Messages[0].Text)
			break
		}
	}
	if _, err := ada.Send(ctx, chat, "Good evening to you."); err != nil {
		panic(err)
	}
	work.Wait()

	// Unordered output:
	// user 2 asks for a secret chat
	// on the phone: Good evening!
	// they have the greeting
	// they say: Good evening to you.
	// the chat is over: ours
}

// newPhone switches a phone on; the channel has something whenever its screen changed.
func newPhone(ctx context.Context, server *hub.Hub, id int64, name string) (*phone.Simulated, <-chan struct{}) {
	changed := make(chan struct{}, 1)
	p, err := phone.New(ctx, phone.Options{
		UserID: id, Name: name,
		Connect: func() (phone.Line, error) { return server.NewDevice(id) },
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		panic(err)
	}
	return p, changed
}
