package hub

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Sizes of an encrypted message: fingerprint, message key and at least two
// cipher blocks; at most what one request carries.
const (
	encryptedMin = 8 + 16 + 32
	encryptedMax = 512 << 10
)

// deliverable checks that the device may send this into the chat now.
func (h *Hub) deliverable(d *Device, peer tg.InputEncryptedChat, random int64, data []byte) (*chat, error) {
	c, err := h.chat(d, peer)
	if err != nil {
		return nil, err
	}
	to := c.other(d)
	switch {
	case c.state == discarded:
		return nil, tgerr.New(400, tg.ErrEncryptionDeclined)
	case c.state == waiting || to == nil:
		return nil, tgerr.New(400, tg.ErrChatIDInvalid)
	case to.user.blocked[d.user.ID]:
		return nil, tgerr.New(403, tg.ErrUserIsBlocked)
	case len(data) < encryptedMin:
		return nil, tgerr.New(400, tg.ErrDataInvalid)
	case len(data) > encryptedMax:
		return nil, tgerr.New(400, tg.ErrDataTooLong)
	case c.sent[sentKey{d, random}]:
		return nil, tgerr.New(500, tg.ErrRandomIDDuplicate)
	}
	return c, nil
}

func (h *Hub) deliver(c *chat, d *Device, random int64, m tg.EncryptedMessageClass) {
	c.sent[sentKey{d, random}] = true
	c.other(d).enqueue(d.user, m)
}

func sendEncrypted(h *Hub, d *Device, req *tg.MessagesSendEncryptedRequest) (bin.Encoder, error) {
	c, err := h.deliverable(d, req.Peer, req.RandomID, req.Data)
	if err != nil {
		return nil, err
	}
	now := h.now()
	h.deliver(c, d, req.RandomID, &tg.EncryptedMessage{
		RandomID: req.RandomID, ChatID: c.id, Date: now, Bytes: req.Data,
		File: &tg.EncryptedFileEmpty{},
	})
	return &tg.MessagesSentEncryptedMessage{Date: now}, nil
}

func sendEncryptedFile(h *Hub, d *Device, req *tg.MessagesSendEncryptedFileRequest) (bin.Encoder, error) {
	c, err := h.deliverable(d, req.Peer, req.RandomID, req.Data)
	if err != nil {
		return nil, err
	}
	f, err := h.attach(d, req.File)
	if err != nil {
		return nil, err
	}
	now := h.now()
	h.deliver(c, d, req.RandomID, &tg.EncryptedMessage{
		RandomID: req.RandomID, ChatID: c.id, Date: now, Bytes: req.Data,
		File: h.shown(f, c.other(d).user),
	})
	return &tg.MessagesSentEncryptedFile{Date: now, File: h.shown(f, d.user)}, nil
}

func sendEncryptedService(h *Hub, d *Device, req *tg.MessagesSendEncryptedServiceRequest) (bin.Encoder, error) {
	c, err := h.deliverable(d, req.Peer, req.RandomID, req.Data)
	if err != nil {
		return nil, err
	}
	now := h.now()
	h.deliver(c, d, req.RandomID, &tg.EncryptedMessageService{
		RandomID: req.RandomID, ChatID: c.id, Date: now, Bytes: req.Data,
	})
	return &tg.MessagesSentEncryptedMessage{Date: now}, nil
}

func setEncryptedTyping(h *Hub, d *Device, req *tg.MessagesSetEncryptedTypingRequest) (bin.Encoder, error) {
	c, err := h.live(d, req.Peer)
	if err != nil {
		return nil, err
	}
	if req.Typing {
		c.other(d).push(&tg.UpdateEncryptedChatTyping{ChatID: c.id})
	}
	return yes(), nil
}

func readEncryptedHistory(h *Hub, d *Device, req *tg.MessagesReadEncryptedHistoryRequest) (bin.Encoder, error) {
	c, err := h.live(d, req.Peer)
	if err != nil {
		return nil, err
	}
	if req.MaxDate <= 0 {
		return nil, tgerr.New(400, tg.ErrMaxDateInvalid)
	}
	c.other(d).tell(&tg.UpdateEncryptedMessagesRead{ChatID: c.id, MaxDate: req.MaxDate, Date: h.now()})
	return yes(), nil
}

// live finds an open chat that this very device holds.
func (h *Hub) live(d *Device, peer tg.InputEncryptedChat) (*chat, error) {
	c, err := h.chat(d, peer)
	if err != nil {
		return nil, err
	}
	if c.state != open || c.other(d) == nil {
		return nil, tgerr.New(400, tg.ErrChatIDInvalid)
	}
	return c, nil
}
