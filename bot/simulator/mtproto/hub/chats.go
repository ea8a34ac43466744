package hub

import (
	"fmt"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// chatState is how far a secret chat is.
type chatState int

const (
	// waiting: asked for, no device of the other account has answered.
	waiting chatState = iota
	// open: both devices know both public values.
	open
	// discarded: over for good.
	discarded
)

// chat is what the server knows about a secret chat.
type chat struct {
	id    int
	state chatState
	date  int
	// asker and asked are the two accounts, asking and answering their
	// devices; answering is nil while waiting.
	asker, asked      *account
	asking, answering *Device
	gA, gB            []byte
	fingerprint       int64
	// sent are the random ids that each device used.
	sent map[sentKey]bool
}

type sentKey struct {
	device *Device
	random int64
}

// other is the device at the other end, nil when there is none.
func (c *chat) other(d *Device) *Device {
	switch d {
	case c.asking:
		return c.answering
	case c.answering:
		return c.asking
	}
	return nil
}

// chat finds the chat that a device names, if its account takes part in it.
func (h *Hub) chat(d *Device, peer tg.InputEncryptedChat) (*chat, error) {
	c, ok := h.chats[peer.ChatID]
	if !ok || (c.asker != d.user && c.asked != d.user) ||
		peer.AccessHash != h.chatHash(c, d.user) {
		return nil, tgerr.New(400, tg.ErrChatIDInvalid)
	}
	return c, nil
}

func (h *Hub) chatHash(c *chat, a *account) int64 { return h.hash("chat", int64(c.id), a.ID) }

func requestEncryption(h *Hub, d *Device, req *tg.MessagesRequestEncryptionRequest) (bin.Encoder, error) {
	to, err := h.resolve(d.user, req.UserID)
	if err != nil {
		return nil, err
	}
	switch _, taken := h.chats[req.RandomID]; {
	case to == d.user:
		return nil, tgerr.New(400, tg.ErrUserIDInvalid)
	case badPublic(req.GA):
		return nil, tgerr.New(400, tg.ErrDhGAInvalid)
	case req.RandomID == 0:
		return nil, tgerr.New(400, "RANDOM_ID_INVALID")
	case taken:
		return nil, tgerr.New(500, tg.ErrRandomIDDuplicate)
	}
	if err := h.mayAsk(d.user, to); err != nil {
		return nil, err
	}
	c := &chat{
		id: req.RandomID, date: h.now(), gA: req.GA,
		asker: d.user, asked: to, asking: d, sent: map[sentKey]bool{},
	}
	h.chats[c.id] = c
	for _, o := range to.devices {
		if o.deaf {
			continue
		}
		o.notify(&tg.EncryptedChatRequested{
			ID: c.id, AccessHash: h.chatHash(c, to), Date: c.date,
			AdminID: c.asker.ID, ParticipantID: to.ID, GA: c.gA,
		}, c.asker)
	}
	return &tg.EncryptedChatWaiting{
		ID: c.id, AccessHash: h.chatHash(c, d.user), Date: c.date,
		AdminID: d.user.ID, ParticipantID: to.ID,
	}, nil
}

// mayAsk tells whether an account may ask another for a secret chat now, and
// counts that it did.
func (h *Hub) mayAsk(from, to *account) error {
	if err := unreachable(from, to); err != nil {
		return err
	}
	if err := h.limited(from); err != nil {
		return err
	}
	return h.spend(from)
}

// spend takes one of the chats that the account may ask for in 24 hours.
func (h *Hub) spend(a *account) error {
	now := h.clock()
	recent := a.asked[:0:0]
	for _, t := range a.asked {
		if now.Sub(t) < 24*time.Hour {
			recent = append(recent, t)
		}
	}
	a.asked = recent
	if len(recent) >= h.daily {
		wait := recent[len(recent)-h.daily].Add(24 * time.Hour).Sub(now)
		return tgerr.New(420, fmt.Sprintf("FLOOD_WAIT_%d", int(wait/time.Second)+1))
	}
	a.asked = append(a.asked, now)
	return nil
}

func acceptEncryption(h *Hub, d *Device, req *tg.MessagesAcceptEncryptionRequest) (bin.Encoder, error) {
	c, err := h.chat(d, req.Peer)
	if err != nil {
		return nil, err
	}
	switch {
	case c.asked != d.user:
		return nil, tgerr.New(400, tg.ErrChatIDInvalid)
	case c.state == open:
		return nil, tgerr.New(400, tg.ErrEncryptionAlreadyAccepted)
	case c.state == discarded:
		return nil, tgerr.New(400, tg.ErrEncryptionAlreadyDeclined)
	case badPublic(req.GB):
		return nil, tgerr.New(400, tg.ErrDhGAInvalid)
	}
	c.state, c.answering, c.gB, c.fingerprint = open, d, req.GB, req.KeyFingerprint
	for _, o := range d.user.devices {
		if o != d {
			o.notify(&tg.EncryptedChatDiscarded{ID: c.id}, c.asker)
		}
	}
	c.asking.notify(h.opened(c, c.asker, c.gB), c.asked)
	return h.opened(c, c.asked, c.gA), nil
}

func (h *Hub) opened(c *chat, viewer *account, public []byte) *tg.EncryptedChat {
	return &tg.EncryptedChat{
		ID: c.id, AccessHash: h.chatHash(c, viewer), Date: c.date,
		AdminID: c.asker.ID, ParticipantID: c.asked.ID,
		GAOrB: public, KeyFingerprint: c.fingerprint,
	}
}

func discardEncryption(h *Hub, d *Device, req *tg.MessagesDiscardEncryptionRequest) (bin.Encoder, error) {
	c, ok := h.chats[req.ChatID]
	member := ok && (c.asking == d || c.answering == d ||
		(c.state != open && c.asked == d.user))
	switch {
	case !member:
		return nil, tgerr.New(400, tg.ErrEncryptionIDInvalid)
	case c.state == discarded:
		return nil, tgerr.New(400, tg.ErrEncryptionAlreadyDeclined)
	}
	h.discard(c, d.user, d, req.DeleteHistory)
	return yes(), nil
}

// discard ends the chat and tells everybody but the device that did it, which
// is nil when the server did.
func (h *Hub) discard(c *chat, by *account, device *Device, deleteHistory bool) {
	pending := c.state == waiting
	c.state = discarded
	gone := &tg.EncryptedChatDiscarded{ID: c.id}
	gone.SetHistoryDeleted(deleteHistory)
	tell := []*Device{c.asking, c.answering}
	if pending {
		tell = append([]*Device{c.asking}, c.asked.devices...)
	}
	for _, o := range tell {
		if o != nil && o != device && !o.over() {
			o.notify(gone, by)
		}
	}
}
