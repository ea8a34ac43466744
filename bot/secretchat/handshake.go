package secretchat

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/gotd/td/tg/e2e"
)

// Layers of the end-to-end schema.
const (
	ourLayer = 144
	minLayer = 73 // MTProto 2.0: nothing below it is ever written
	// wideFileLayer is the first in which files have 64-bit sizes.
	wideFileLayer = 143
	initialLayer  = 46 // what a peer is taken to have until it says otherwise
)

// maxEarly bounds what is kept for a chat that is not ready.
const maxEarly = 100

// lost is the record of a chat of which nothing else is known but that the server
// has it: it is only there to be discarded.
func lost(e env, id int) *chat {
	return &chat{
		Version: recordVersion, ID: id, Phase: PhaseClosing, Reason: ReasonStale,
		Created: e.now.Unix(), Ended: e.now.Unix(),
	}
}

// requested is the record of a chat that somebody else asks for.
func requested(e env, id int, accessHash, user int64, peerPublic []byte) *chat {
	return &chat{
		Version: recordVersion, ID: id, AccessHash: accessHash, User: user,
		Phase: PhaseRequested, Created: e.now.Unix(),
		PeerPublic: bytes.Clone(peerPublic), PeerLayer: initialLayer,
	}
}

// asking is the record of a chat that we ask for. Its id is the random id of the
// request.
func asking(e env, id int, user, userHash int64) *chat {
	return &chat{
		Version: recordVersion, ID: id, User: user, UserHash: userHash, Creator: true,
		Phase: PhaseAsking, Created: e.now.Unix(), PeerLayer: initialLayer,
	}
}

// accept makes our part of the key of a requested chat. The group has been
// checked; serverRandom is what came with it. After it everything that the accept
// call needs is in the record.
func (c *chat) accept(e env, g group, serverRandom []byte) error {
	if c.Phase != PhaseRequested {
		return nil
	}
	exponent, public, err := g.fresh(e.random, serverRandom)
	if err != nil {
		return err
	}
	if err := g.check(public, c.PeerPublic); err != nil {
		c.fault(e, FaultWeak)
		return nil //nolint:nilerr // the violation is in the record, which must be saved
	}
	c.G, c.P, c.Public = g.G, g.P, public
	c.setFirstKey(e, g.key(c.PeerPublic, exponent))
	clear(exponent)
	c.PeerPublic = nil
	c.Phase = PhaseAccepting
	return nil
}

// offer makes our part of the key of a chat that we ask for.
func (c *chat) offer(e env, g group, serverRandom []byte) error {
	if c.Phase != PhaseAsking || c.Exponent != nil {
		return nil
	}
	exponent, public, err := g.fresh(e.random, serverRandom)
	if err != nil {
		return err
	}
	c.G, c.P, c.Exponent, c.Public = g.G, g.P, exponent, public
	return nil
}

// waits notes that the server has taken our request.
func (c *chat) waits(accessHash int64) {
	if c.Phase == PhaseAsking {
		c.Phase, c.AccessHash = PhaseWaiting, accessHash
	}
}

// answered completes a chat of ours with the other side's part of the key.
func (c *chat) answered(e env, accessHash int64, peerPublic []byte, fingerprint int64) (Fault, error) {
	if c.Creator && !c.live() {
		// It was over for us before the server had our request: the phone must not
		// be left with a chat that nobody answers in.
		c.Phase = PhaseClosing
	}
	if c.Phase != PhaseAsking && c.Phase != PhaseWaiting || c.Exponent == nil {
		return "", nil
	}
	c.AccessHash = accessHash
	g := c.group()
	if err := g.check(c.Public, peerPublic); err != nil {
		if !errors.Is(err, errWeak) {
			return "", err
		}
		return c.fault(e, FaultWeak), nil
	}
	c.setFirstKey(e, g.key(peerPublic, c.Exponent))
	if c.Key.Fingerprint != fingerprint {
		return c.fault(e, FaultFingerprint), nil
	}
	return "", c.open(e)
}

// accepted completes a chat that others asked for, once the server has our part.
// The fingerprint is the server's echo of ours.
func (c *chat) accepted(e env, fingerprint int64) (Fault, error) {
	if c.Phase != PhaseAccepting {
		return "", nil
	}
	if c.Key.Fingerprint != fingerprint {
		return c.fault(e, FaultFingerprint), nil
	}
	return "", c.open(e)
}

// open makes the chat usable: tells the peer our layer first of all, and reads
// what arrived too early.
func (c *chat) open(e env) error {
	clear(c.Exponent)
	c.Exponent, c.Public = nil, nil
	c.Phase = PhaseOpen
	c.tell(Event{Kind: EventOpened})
	if err := c.notifyLayer(e); err != nil {
		return err
	}
	early := c.Early
	c.Early = nil
	for _, a := range early {
		if _, err := c.take(e, a); err != nil {
			return err
		}
	}
	return nil
}

// notifyLayer tells the peer our layer: when the chat opens, and when a newer
// version of this library knows more.
func (c *chat) notifyLayer(e env) error {
	if c.Phase != PhaseOpen || c.Notified >= ourLayer {
		return nil
	}
	c.Notified = ourLayer
	return c.act(e, &e2e.DecryptedMessageActionNotifyLayer{Layer: ourLayer})
}

func (c *chat) setFirstKey(e env, key secret) {
	c.Key = newChatKey(e, key)
	c.Picture = keyPicture(key)
}

func newChatKey(e env, key secret) *chatKey {
	return &chatKey{Bytes: key, Fingerprint: fingerprintOf(key), Since: e.now.Unix()}
}

// early keeps a message for a chat that is not ready.
func (c *chat) early(a arrival) Fault {
	if len(c.Early) >= maxEarly || c.held()+len(a.Wire) > maxHeld {
		return FaultEarly
	}
	a.Wire = bytes.Clone(a.Wire)
	c.Early = append(c.Early, a)
	return ""
}

// randomID draws a non-zero 64-bit id.
func (e env) randomID() (int64, error) {
	for {
		var raw [8]byte
		if err := e.fill(raw[:]); err != nil {
			return 0, err
		}
		var id int64
		for _, b := range raw {
			id = id<<8 | int64(b)
		}
		if id != 0 {
			return id, nil
		}
	}
}

func (e env) fill(b []byte) error {
	for read := 0; read < len(b); {
		n, err := e.random.Read(b[read:])
		if err != nil {
			return fmt.Errorf("read randomness: %w", err)
		}
		read += n
	}
	return nil
}
