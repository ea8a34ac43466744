package secretchat

import (
	"context"
	"fmt"
	"time"

	"github.com/gotd/td/tg"
)

const (
	callTimeout   = 30 * time.Second
	uploadTimeout = 3 * time.Minute
)

// network does the next thing that a chat's record asks of the server.
func (c *Client) network(ctx context.Context, w *worker) (step, error) {
	ch, err := c.load(ctx, w.id)
	if err != nil {
		return step{}, c.halted(err)
	}
	if ch == nil {
		return step{}, nil
	}
	if err := c.replace(ctx, ch); err != nil {
		return step{}, err
	}
	switch ch.Phase {
	case PhaseRequested:
		return c.prepare(ctx, w, ch)
	case PhaseAccepting:
		return c.accept(ctx, w, ch)
	case PhaseAsking:
		return c.ask(ctx, w, ch)
	case PhaseWaiting:
		return c.await(ctx, ch)
	case PhaseOpen:
		return c.converse(ctx, w, ch)
	case PhaseClosing:
		return c.discard(ctx, w, ch)
	case PhaseClosed:
		return step{}, c.clean(ctx, ch)
	default:
		return step{}, nil
	}
}

// call makes one call under its site's name and says what its answer means.
func (c *Client) call(ctx context.Context, w *worker, site string, limit time.Duration, f func(context.Context) error) (answer, error) {
	select {
	case c.calls <- struct{}{}:
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	defer func() { <-c.calls }()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := c.cfg.Do(limited, site, f)
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	a := judge(err)
	switch a.verdict {
	case verdictDone:
		w.failures = 0
	case verdictEnded:
		return a, fmt.Errorf("%s: %w", site, err)
	default:
		c.cfg.Log.WarnContext(ctx, "secret chat call failed", "chat", w.id, "site", site, "error", a.name)
	}
	return a, nil
}

// prepare fetches the group and makes our part of the key of a requested chat.
func (c *Client) prepare(ctx context.Context, w *worker, ch *chat) (step, error) {
	g, random, a, err := c.parameters(ctx, w)
	if err != nil {
		return step{}, err
	}
	if a.verdict != verdictDone {
		return a.again(w), nil
	}
	return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.accept(e, g, random) })
}

// accept tells the server our part. That we tried is saved first: only so can "it
// was accepted already" be told from "another login accepted it".
func (c *Client) accept(ctx context.Context, w *worker, ch *chat) (step, error) {
	tried := ch.Attempts > 0
	if err := c.change(ctx, ch.ID, func(ch *chat, _ env) error { ch.Attempts++; return nil }); err != nil {
		return step{}, err
	}
	var result tg.EncryptedChatClass
	a, err := c.call(ctx, w, "accept", callTimeout, func(ctx context.Context) (err error) {
		result, err = c.cfg.API.MessagesAcceptEncryption(ctx, &tg.MessagesAcceptEncryptionRequest{
			Peer: ch.peer(), GB: ch.Public, KeyFingerprint: ch.Key.Fingerprint,
		})
		return err
	})
	if err != nil {
		return step{}, err
	}
	ours := a.verdict == verdictDone
	if a.name == errAlreadyAccepted {
		ours = tried
		a = answer{verdict: verdictOver, reason: ReasonElsewhere, name: a.name}
	}
	if !ours {
		return c.unless(ctx, w, ch.ID, a)
	}
	return step{more: true}, c.known(ctx, ch.ID, func(ch *chat, e env) (Fault, error) {
		switch result := result.(type) {
		case *tg.EncryptedChat:
			return ch.accepted(e, result.KeyFingerprint)
		case nil:
			return ch.accepted(e, ch.fingerprint())
		default:
			ch.end(e, PhaseClosed, ReasonPeer)
			return "", nil
		}
	})
}

// ask requests a chat of ours. That we tried is saved first: a request whose
// answer was lost is made again under the same id, and the server says that it has
// it. The access hash comes with the other side's answer in any case.
func (c *Client) ask(ctx context.Context, w *worker, ch *chat) (step, error) {
	if ch.Exponent == nil {
		g, random, a, err := c.parameters(ctx, w)
		if err != nil {
			return step{}, err
		}
		if a.verdict != verdictDone {
			return a.again(w), nil
		}
		return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.offer(e, g, random) })
	}
	tried := ch.Attempts > 0
	if err := c.change(ctx, ch.ID, func(ch *chat, _ env) error { ch.Attempts++; return nil }); err != nil {
		return step{}, err
	}
	var result tg.EncryptedChatClass
	a, err := c.call(ctx, w, "ask", callTimeout, func(ctx context.Context) (err error) {
		result, err = c.cfg.API.MessagesRequestEncryption(ctx, &tg.MessagesRequestEncryptionRequest{
			UserID:   &tg.InputUser{UserID: ch.User, AccessHash: ch.UserHash},
			RandomID: ch.ID, GA: ch.Public,
		})
		return err
	})
	if err != nil {
		return step{}, err
	}
	ours := a.verdict == verdictDone || tried && a.name == errRandomIDDuplicate
	if !ours {
		return c.unless(ctx, w, ch.ID, a.toAsking())
	}
	return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error {
		switch result := result.(type) {
		case *tg.EncryptedChatWaiting:
			ch.waits(result.AccessHash)
		case nil:
			ch.waits(0)
		default:
			ch.end(e, PhaseClosed, ReasonRefused)
		}
		return nil
	})
}

// await gives up a chat of ours whose answer does not come.
func (c *Client) await(ctx context.Context, ch *chat) (step, error) {
	if c.cfg.Patience <= 0 {
		return step{}, nil
	}
	if left := time.Unix(ch.Created, 0).Add(c.cfg.Patience).Sub(c.cfg.Now()); left > 0 {
		return step{more: true, wait: left, news: true}, nil
	}
	return step{more: true}, c.finish(ctx, ch.ID, ReasonPatience)
}

// discard tells the server that a chat is over.
func (c *Client) discard(ctx context.Context, w *worker, ch *chat) (step, error) {
	a, err := c.call(ctx, w, "discard", callTimeout, func(ctx context.Context) error {
		_, err := c.cfg.API.MessagesDiscardEncryption(ctx, &tg.MessagesDiscardEncryptionRequest{
			ChatID: ch.ID, DeleteHistory: ch.Erase,
		})
		return err
	})
	if err != nil {
		return step{}, err
	}
	if a.verdict == verdictLater {
		return a.again(w), nil
	}
	if ch.Reason == ReasonUninvited || ch.User == 0 {
		return step{}, c.forget(ctx, ch)
	}
	return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error {
		ch.end(e, PhaseClosed, ch.Reason)
		return nil
	})
}

// clean removes pictures that are not to be sent any more.
func (c *Client) clean(ctx context.Context, ch *chat) error {
	if len(ch.Blobs) == 0 {
		return nil
	}
	for _, blob := range ch.Blobs {
		if err := c.remove(ctx, blob); err != nil {
			return err
		}
	}
	return c.change(ctx, ch.ID, func(ch *chat, _ env) error { ch.Blobs = nil; return nil })
}

// unless does what an unsuccessful answer asks for: wait, or end the chat.
func (c *Client) unless(ctx context.Context, w *worker, id int, a answer) (step, error) {
	switch a.verdict {
	case verdictOver:
		return step{more: true}, c.change(ctx, id, func(ch *chat, e env) error {
			ch.end(e, PhaseClosed, a.reason)
			return nil
		})
	case verdictRefused:
		return step{more: true}, c.finish(ctx, id, ReasonRefused)
	default:
		return a.again(w), nil
	}
}

func (c *chat) peer() tg.InputEncryptedChat {
	return tg.InputEncryptedChat{ChatID: c.ID, AccessHash: c.AccessHash}
}

func (c *chat) fingerprint() int64 {
	if c.Key == nil {
		return 0
	}
	return c.Key.Fingerprint
}
