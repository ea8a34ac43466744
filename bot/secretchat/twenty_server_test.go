package secretchat

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"
)

// logIn connects over TCP and stays until the test ends.
func (j *journey) logIn() {
	j.t.Helper()
	host, text, err := net.SplitHostPort(j.server.Addr())
	must(j.t, err)
	port, err := strconv.Atoi(text)
	must(j.t, err)
	public, err := crypto.ParseRSAPublicKeys(j.server.PublicKeyPEM())
	must(j.t, err)
	client := telegram.NewClient(1, "hash", telegram.Options{
		PublicKeys: []telegram.PublicKey{{RSA: public[0]}}, DC: j.server.DC(), SessionStorage: &session.StorageMemory{},
		DCList: dcs.List{Options: []tg.DCOption{{ID: j.server.DC(), IPAddress: host, Port: port}}},
		UpdateHandler: telegram.UpdateHandlerFunc(func(context.Context, tg.UpdatesClass) error {
			poke(j.wake)
			return nil
		}),
	})
	ctx, cancel := context.WithCancel(j.t.Context())
	ready, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		err := client.Run(ctx, func(ctx context.Context) error {
			code := auth.CodeAuthenticatorFunc(func(context.Context, *tg.AuthSentCode) (string, error) { return "24680", nil })
			ready <- auth.NewFlow(auth.CodeOnly("+4930123456", code), auth.SendCodeOptions{}).Run(ctx, client.Auth())
			<-ctx.Done()
			return ctx.Err()
		})
		if ctx.Err() == nil {
			ready <- err
		}
	}()
	j.t.Cleanup(func() { cancel(); <-done })
	select {
	case err := <-ready:
		must(j.t, err)
	case <-time.After(patience):
		j.t.Fatal("the login takes too long")
	}
	j.api = client.API()
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// feed tells a client what the server has, until its life ends.
func (j *journey) feed(ctx context.Context, client *Client) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j.mu.Lock()
	j.kill = cancel
	j.mu.Unlock()
	for {
		limited, stop := context.WithTimeout(ctx, 10*time.Second)
		result, err := j.api.UpdatesGetDifference(limited, &tg.UpdatesGetDifferenceRequest{Pts: j.state.Pts, Qts: j.state.Qts})
		stop()
		if err != nil {
			return
		}
		var news []tg.UpdateClass
		var messages []tg.EncryptedMessageClass
		state := j.state
		switch d := result.(type) {
		case *tg.UpdatesDifference:
			news, messages, state = d.OtherUpdates, d.NewEncryptedMessages, d.State
		case *tg.UpdatesDifferenceSlice:
			news, messages, state = d.OtherUpdates, d.NewEncryptedMessages, d.IntermediateState
		}
		if err := j.take(ctx, client, news, messages); err != nil {
			return
		}
		if state != j.state {
			j.state = state // only what was taken counts
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-j.wake:
		}
	}
}

func (j *journey) take(ctx context.Context, client *Client, news []tg.UpdateClass, messages []tg.EncryptedMessageClass) error {
	for _, u := range news {
		if u, ok := u.(*tg.UpdateEncryption); ok {
			if err := client.HandleChat(ctx, u.Chat); err != nil {
				return err
			}
		}
	}
	for _, m := range messages {
		if err := client.HandleMessage(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
