package phone

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
	"github.com/gotd/td/tgerr"
)

var (
	errFingerprint = errors.New("the key fingerprint does not fit the key")
	errTheirs      = errors.New("closed by the other side or answered on another device")
)

// StartSecretChat implements Phone.
func (p *Simulated) StartSecretChat(ctx context.Context, with int64) (string, error) {
	defer p.opts.Changed()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on() {
		return "", ErrOff
	}
	to, err := p.contact(ctx, with)
	if err != nil {
		return "", err
	}
	g, random, err := p.dhGroup(ctx)
	if err != nil {
		return "", err
	}
	secret, public, err := g.exponent(p.opts.Rand, random)
	if err != nil {
		return "", err
	}
	id, err := p.chatID()
	if err != nil {
		return "", err
	}
	res, err := p.api.MessagesRequestEncryption(ctx, &tg.MessagesRequestEncryptionRequest{
		UserID: to, RandomID: id, GA: public,
	})
	if err != nil {
		return "", fmt.Errorf("ask for a secret chat: %w", err)
	}
	waiting, ok := res.(*tg.EncryptedChatWaiting)
	if !ok {
		return "", fmt.Errorf("ask for a secret chat: the server answered %T", res)
	}
	c := newChat(waiting.ID, with, true)
	c.accessHash, c.group, c.secret = waiting.AccessHash, g, secret
	p.add(c)
	return strconv.Itoa(c.id), nil
}

func (p *Simulated) add(c *chat) {
	p.chats[c.id] = c
	p.order = append(p.order, c.id)
}

// contact finds somebody among the profiles that this phone can open.
func (p *Simulated) contact(ctx context.Context, id int64) (*tg.InputUser, error) {
	res, err := p.api.ContactsGetContacts(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("read the contacts: %w", err)
	}
	if list, ok := res.(*tg.ContactsContacts); ok {
		p.learn(list.Users)
		for _, u := range list.Users {
			if u, ok := u.(*tg.User); ok && u.ID == id {
				return &tg.InputUser{UserID: u.ID, AccessHash: u.AccessHash}, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrUnknownPerson, id)
}

// learn keeps the names of people for the screen.
func (p *Simulated) learn(users []tg.UserClass) {
	for _, u := range users {
		if u, ok := u.(*tg.User); ok && !u.Deleted {
			p.names[u.ID] = u.FirstName
		}
	}
}

// chatID draws a number for a chat: 31 random bits, not zero.
func (p *Simulated) chatID() (int, error) {
	for {
		n, err := p.random64()
		if err != nil {
			return 0, err
		}
		id := int(uint64(n) & 0x7fffffff)
		if id != 0 && p.chats[id] == nil && !p.forgotten[id] {
			return id, nil
		}
	}
}

func (p *Simulated) random64() (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(p.opts.Rand, b[:]); err != nil {
		return 0, fmt.Errorf("read a random number: %w", err)
	}
	return int64(binary.LittleEndian.Uint64(b[:])), nil
}

// onEncryption handles a change of a chat. The same change may come twice.
func (p *Simulated) onEncryption(ctx context.Context, u tg.EncryptedChatClass) {
	switch u := u.(type) {
	case *tg.EncryptedChatRequested:
		if p.chats[u.ID] == nil && !p.forgotten[u.ID] {
			p.onRequested(ctx, u)
		}
	case *tg.EncryptedChat:
		if c := p.chats[u.ID]; c != nil && c.creator && c.state == StatePending {
			p.onAccepted(ctx, c, u)
		}
	case *tg.EncryptedChatDiscarded:
		if c := p.chats[u.ID]; c != nil && c.state != StateClosed {
			p.closeHere(c, errTheirs)
			if u.HistoryDeleted {
				c.shown = nil
			}
		}
	}
}

// onRequested accepts a chat that somebody asked for, as phones do by
// themselves once they are online.
func (p *Simulated) onRequested(ctx context.Context, u *tg.EncryptedChatRequested) {
	c := newChat(u.ID, u.AdminID, false)
	c.accessHash = u.AccessHash
	p.add(c)
	if p.declineNext {
		p.declineNext = false
		p.close(ctx, c, errors.New("declined here"), false)
		return
	}
	err := p.accept(ctx, c, u.GA)
	switch {
	case tgerr.Is(err, tg.ErrEncryptionAlreadyAccepted):
		// Another phone of this person has the chat; this one shows nothing.
		p.forget(c)
	case err != nil:
		p.close(ctx, c, err, false)
	}
}

func (p *Simulated) accept(ctx context.Context, c *chat, theirs []byte) error {
	g, random, err := p.dhGroup(ctx)
	if err != nil {
		return err
	}
	other, err := g.public(theirs)
	if err != nil {
		return err
	}
	secret, public, err := g.exponent(p.opts.Rand, random)
	if err != nil {
		return err
	}
	k := g.agree(secret, other)
	res, err := p.api.MessagesAcceptEncryption(ctx, &tg.MessagesAcceptEncryptionRequest{
		Peer: c.peerRef(), GB: public, KeyFingerprint: k.print,
	})
	if err != nil {
		return fmt.Errorf("accept a secret chat: %w", err)
	}
	if _, ok := res.(*tg.EncryptedChat); !ok {
		return fmt.Errorf("accept a secret chat: the server answered %T", res)
	}
	c.group = g
	p.opened(ctx, c, k)
	return nil
}

// onAccepted completes a chat that this phone asked for.
func (p *Simulated) onAccepted(ctx context.Context, c *chat, u *tg.EncryptedChat) {
	other, err := c.group.public(u.GAOrB)
	if err != nil {
		p.close(ctx, c, err, false)
		return
	}
	k := c.group.agree(c.secret, other)
	c.secret = nil
	if k.print != u.KeyFingerprint {
		p.close(ctx, c, errFingerprint, false)
		return
	}
	p.opened(ctx, c, k)
}

// opened starts using the key: the layer is announced, and what came too
// early is read.
func (p *Simulated) opened(ctx context.Context, c *chat, k *key) {
	c.state, c.current, c.picture, c.keyed = StateOpen, k, k.picture(), p.opts.Clock()
	p.service(ctx, c, &e2e.DecryptedMessageActionNotifyLayer{Layer: layerOurs})
	early := c.early
	c.early = nil
	for _, m := range early {
		p.onMessage(ctx, m)
	}
}

// close ends a chat for both sides.
func (p *Simulated) close(ctx context.Context, c *chat, why error, deleteHistory bool) {
	p.closeHere(c, why)
	req := &tg.MessagesDiscardEncryptionRequest{ChatID: c.id}
	req.SetDeleteHistory(deleteHistory)
	_, err := p.api.MessagesDiscardEncryption(ctx, req)
	if err != nil && !tgerr.Is(err, tg.ErrEncryptionAlreadyDeclined, tg.ErrEncryptionIDInvalid) {
		p.opts.Log.Warn("a simulated phone could not discard a chat", "chat", c.id, "error", err)
	}
}

func (p *Simulated) closeHere(c *chat, why error) {
	p.opts.Log.Info("a simulated phone closed a secret chat", "user", p.opts.UserID, "chat", c.id, "why", why)
	c.state, c.why = StateClosed, why.Error()
	c.wipe()
}
