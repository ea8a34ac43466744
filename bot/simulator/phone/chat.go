package phone

import (
	"math/big"
	"slices"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

// Layers of the end-to-end schema ("End-to-end encryption", layers).
const (
	// layerFirst is assumed of somebody who has said nothing yet.
	layerFirst = 46
	// layerMin is what MTProto 2.0 needs; nothing goes out under less.
	layerMin = 73
	// layerOurs is the highest that this phone speaks.
	layerOurs = 144
)

// chat is a secret chat with everything the protocol keeps of it.
type chat struct {
	id         int
	accessHash int64
	peer       int64
	// creator tells whether this phone asked for the chat.
	creator bool
	state   string
	why     string
	picture string
	shown   []shown
	ttl     int

	group  *group
	secret *big.Int // the creator's exponent, until the other accepts

	// current encrypts; old still decrypts until the other side is known to
	// use current; the exchange may hold the next one.
	current, old *key
	exchange     *exchange
	uses         int
	keyed        time.Time
	// rekeyed counts the exchanges that were completed.
	rekeyed int

	// out is the number of the next message written, in the number of
	// messages processed, acked the other side's in.
	out, in, acked int
	layer          int
	notified       bool
	sent           map[int]outgoing
	waiting        map[int]incoming
	// asked is the first number after the last hole that was asked for.
	asked int
	// early are messages that came before the chat was open.
	early []tg.EncryptedMessageClass
	// unread are the random ids shown and not yet reported as read.
	unread     []int64
	unreadDate int
}

// shown is a message on the screen.
type shown struct {
	Message
	random int64
}

// outgoing is a message that the other side has not acknowledged.
type outgoing struct {
	random  int64
	wire    []byte
	service bool
	file    tg.InputEncryptedFileClass
}

// incoming is a decrypted message.
type incoming struct {
	layer *e2e.DecryptedMessageLayer
	file  tg.EncryptedFileClass
	date  int
	key   *key
	// done is set on a resend request that was answered on arrival.
	done bool
}

func newChat(id int, peer int64, creator bool) *chat {
	return &chat{
		id: id, peer: peer, creator: creator, state: StatePending, layer: layerFirst,
		sent: map[int]outgoing{}, waiting: map[int]incoming{},
	}
}

// x is the key offset of what this side, or the other, writes.
func (c *chat) x(mine bool) int {
	if c.creator == mine {
		return byCreator
	}
	return byInvitee
}

// outBit and inBit are the low bits of the sequence numbers that the creator,
// or the invitee, writes.
func outBit(creator bool) int {
	if creator {
		return 1
	}
	return 0
}

func inBit(creator bool) int { return 1 - outBit(creator) }

// peerRef names the chat in calls.
func (c *chat) peerRef() tg.InputEncryptedChat {
	return tg.InputEncryptedChat{ChatID: c.id, AccessHash: c.accessHash}
}

// keyFor finds the key that a message is under.
func (c *chat) keyFor(print int64) *key {
	for _, k := range []*key{c.current, c.next(), c.old} {
		if k != nil && k.print == print {
			return k
		}
	}
	return nil
}

// next is the key of an exchange that waits for the other side's commit.
func (c *chat) next() *key {
	if c.exchange == nil {
		return nil
	}
	return c.exchange.key
}

// wipe forgets all secrets and what they protected, except what is on the
// screen.
func (c *chat) wipe() {
	c.secret, c.current, c.old, c.exchange = nil, nil, nil, nil
	c.sent, c.waiting, c.early = map[int]outgoing{}, map[int]incoming{}, nil
	c.unread = nil
}

// forget removes a chat from the screen for good.
func (p *Simulated) forget(c *chat) {
	delete(p.chats, c.id)
	p.forgotten[c.id] = true
	p.order = slices.DeleteFunc(p.order, func(o int) bool { return o == c.id })
}
