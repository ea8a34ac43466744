package secretchat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// recordVersion is the format of a stored chat.
const recordVersion = 1

// Phase says how far a chat is.
type Phase string

// The phases, in the order in which a chat goes through them. A chat that others
// start begins as requested, one of ours as asking.
const (
	PhaseRequested Phase = "requested" // somebody asks; our part of the key is not made yet
	PhaseAccepting Phase = "accepting" // the key exists; the server may or may not know our part
	PhaseAsking    Phase = "asking"    // we ask; the server may or may not know
	PhaseWaiting   Phase = "waiting"   // the other phone has not accepted yet
	PhaseOpen      Phase = "open"
	PhaseClosing   Phase = "closing" // over for us; the server is still to be told
	PhaseClosed    Phase = "closed"
)

// env is what the state machine may know of the world at one step.
type env struct {
	now    time.Time
	random io.Reader
}

// chatKey is one key of a chat with what decides when it must be changed.
type chatKey struct {
	Bytes       secret `json:"bytes"`
	Fingerprint int64  `json:"fingerprint"`
	Since       int64  `json:"since"` // Unix seconds
	Used        int    `json:"used"`  // messages either way
}

// chat is everything that must survive a restart of one side of one chat.
// Numbers are the raw ones: how many messages, not their wire form.
type chat struct {
	Version    int    `json:"v"`
	Writer     int64  `json:"writer,omitempty"` // which client saved it last
	Rev        int    `json:"rev,omitempty"`    // how often it was saved
	ID         int    `json:"id"`
	AccessHash int64  `json:"access_hash"`
	User       int64  `json:"user"`
	UserHash   int64  `json:"user_hash,omitempty"`
	Creator    bool   `json:"creator,omitempty"`
	Phase      Phase  `json:"phase"`
	Reason     Reason `json:"reason,omitempty"`
	Created    int64  `json:"created"`         // Unix seconds
	Ended      int64  `json:"ended,omitempty"` // Unix seconds
	Attempts   int    `json:"attempts,omitempty"`
	Replaces   []int  `json:"replaces,omitempty"` // chats that end because of this one

	G          int    `json:"g,omitempty"`
	P          []byte `json:"p,omitempty"`
	Exponent   secret `json:"exponent,omitempty"`
	Public     []byte `json:"public,omitempty"`
	PeerPublic []byte `json:"peer_public,omitempty"`

	Key      *chatKey  `json:"key,omitempty"`
	Old      *chatKey  `json:"old,omitempty"`
	Exchange *exchange `json:"exchange,omitempty"`
	Gone     []int64   `json:"gone,omitempty"` // fingerprints of the last keys given up
	Picture  []byte    `json:"picture,omitempty"`

	In        int       `json:"in"`    // messages of the peer processed
	Out       int       `json:"out"`   // the next number to give
	Acked     int       `json:"acked"` // our numbers below it have arrived
	Owed      int       `json:"owed,omitempty"`
	PeerLayer int       `json:"peer_layer"`
	Announced bool      `json:"announced,omitempty"` // the peer has told its layer
	Notified  int       `json:"notified,omitempty"`  // the layer that we have told the peer
	Strange   int       `json:"strange,omitempty"`   // messages in a row that no key of ours opens
	TTL       int       `json:"ttl,omitempty"`       // seconds
	Erase     bool      `json:"erase,omitempty"`     // its history is to go on the other side too
	Erased    bool      `json:"erased,omitempty"`    // the other side wants it to go here
	Waiting   []waiting `json:"waiting,omitempty"`
	AskedTo   int       `json:"asked_to,omitempty"` // holes below it were asked for
	AskedAt   int64     `json:"asked_at,omitempty"` // Unix seconds
	Early     []arrival `json:"early,omitempty"`    // came before the chat was ready

	Blobs   []string  `json:"blobs,omitempty"` // pictures that are not to be sent any more
	Pending []pending `json:"pending,omitempty"`
	Outbox  []entry   `json:"outbox,omitempty"`
	Marks   []mark    `json:"marks,omitempty"`
	Events  []Event   `json:"events,omitempty"`
	Told    int       `json:"told,omitempty"` // events ever made: the next one's number
}

// String says which chat it is and nothing of what is in it.
func (c *chat) String() string { return fmt.Sprintf("secret chat %d (%s)", c.ID, c.Phase) }

// GoString keeps %#v from printing keys.
func (c *chat) GoString() string { return c.String() }

// LogValue keeps keys out of logs.
func (c *chat) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("id", c.ID), slog.String("phase", string(c.Phase)))
}

func (c *chat) encode() ([]byte, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode secret chat %d: %w", c.ID, err)
	}
	return raw, nil
}

// errDamaged: a stored chat cannot be read. The chat is lost; a new one can be made.
var errDamaged = errors.New("damaged record of a secret chat")

// decodeChat reads a stored chat. The decoder's own words are left out of the
// error: they may quote what is in the record.
func decodeChat(raw []byte) (*chat, error) {
	c := new(chat)
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, errDamaged
	}
	if c.Version != recordVersion {
		return nil, fmt.Errorf("%w: format %d, want %d", errDamaged, c.Version, recordVersion)
	}
	keyed := c.Phase == PhaseAccepting || c.Phase == PhaseOpen
	if keyed && (c.Key == nil || len(c.Key.Bytes) != keyLen) {
		return nil, fmt.Errorf("%w: no key", errDamaged)
	}
	return c, nil
}

func (c *chat) group() group { return group{G: c.G, P: c.P} }

// live says that the chat is not over.
func (c *chat) live() bool { return c.Phase != PhaseClosing && c.Phase != PhaseClosed }

// end closes the chat on our side. Keys go at once; the caller of the library is
// told; the server is told by whoever carries out the closing phase.
func (c *chat) end(e env, phase Phase, reason Reason) {
	if !c.live() {
		if phase == PhaseClosed {
			c.Phase = PhaseClosed
		}
		return
	}
	known := c.Phase != PhaseRequested
	c.Phase, c.Reason, c.Ended = phase, reason, e.now.Unix()
	c.wipe()
	if known {
		c.tell(Event{Kind: EventClosed, Erased: c.Erased})
	}
}

func (c *chat) wipe() {
	for _, p := range c.Pending {
		c.Blobs = appendBlob(c.Blobs, p.Photo)
	}
	for i := range c.Outbox {
		c.Blobs = appendBlob(c.Blobs, c.Outbox[i].Photo)
		c.Outbox[i].settle()
	}
	c.forgetExchange()
	for _, key := range []secret{c.Exponent, c.keyBytes(c.Key), c.keyBytes(c.Old)} {
		clear(key)
	}
	c.Exponent, c.Key, c.Old = nil, nil, nil
	c.Waiting, c.Early, c.Outbox, c.Pending = nil, nil, nil, nil
	c.Public, c.PeerPublic, c.Picture, c.P, c.Replaces = nil, nil, nil, nil, nil
}

func appendBlob(blobs []string, p *photo) []string {
	if p == nil {
		return blobs
	}
	return append(blobs, p.Blob)
}

// atRest says that nothing is left to do for a chat that is over.
func (c *chat) atRest() bool {
	return c.Phase == PhaseClosed && len(c.Events) == 0 && len(c.Blobs) == 0
}

func (c *chat) keyBytes(k *chatKey) secret {
	if k == nil {
		return nil
	}
	return k.Bytes
}

// fault closes the chat for a violation.
func (c *chat) fault(e env, f Fault) Fault {
	c.end(e, PhaseClosing, Reason(f))
	return f
}
