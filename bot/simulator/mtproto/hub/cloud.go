package hub

import (
	"slices"
	"unicode/utf16"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// textMax is how many UTF-16 units an ordinary message may have.
const textMax = 4096

// mailbox is what an account has of ordinary messages. It counts its messages
// and, by pts, the changes of them; all its devices see the same.
type mailbox struct {
	letters []*letter
	changes []change
	// sent are the random ids that were used.
	sent map[int64]bool
}

// letter is an ordinary message as one of the two accounts has it; twin is the
// other's, nil for what somebody wrote to themselves.
type letter struct {
	id   int
	with *account
	twin *letter
	out  bool
	read bool
	text string
	date int
}

// change is a change under its pts: a new message or, without one, an update.
type change struct {
	pts    int
	letter *letter
	update tg.UpdateClass
	about  *account
}

// pts is the number of the account's last change; an account begins at 1.
func (m *mailbox) pts() int { return len(m.changes) + 1 }

// has tells whether an account has written to this one.
func (m *mailbox) has(from *account) bool {
	return slices.ContainsFunc(m.letters, func(l *letter) bool { return l.with == from && !l.out })
}

// wire shows a message to its account. In private chats Telegram leaves the
// sender out: it is the peer, or, of what is out, the account itself.
func (l *letter) wire() *tg.Message {
	m := &tg.Message{ID: l.id, PeerID: &tg.PeerUser{UserID: l.with.ID}, Date: l.date, Message: l.text}
	m.SetOut(l.out)
	return m
}

// post puts a message into both accounts and tells all devices but the one
// that wrote it, which may be nil.
func (h *Hub) post(from, to *account, by *Device, text string) *letter {
	mine := &letter{with: to, out: true, text: text, date: h.now()}
	theirs := &letter{with: from, twin: mine, text: text, date: mine.date}
	if from != to {
		mine.twin = theirs
	}
	h.keep(from, mine, by)
	if from != to {
		h.keep(to, theirs, nil)
	}
	return mine
}

// keep numbers a message and tells the account's devices: of the first one with
// somebody in full, of further ones in short, without the other side, as
// Telegram does.
func (h *Hub) keep(a *account, l *letter, by *Device) {
	known := slices.ContainsFunc(a.mail.letters, func(o *letter) bool { return o.with == l.with })
	a.mail.letters = append(a.mail.letters, l)
	l.id = len(a.mail.letters)
	a.mail.changes = append(a.mail.changes, change{pts: a.mail.pts() + 1, letter: l, about: l.with})
	for _, d := range a.devices {
		switch {
		case d == by:
		case known:
			d.broadcast(&tg.UpdateShortMessage{
				Out: l.out, ID: l.id, UserID: l.with.ID, Message: l.text, Pts: a.mail.pts(), PtsCount: 1, Date: l.date,
			})
		default:
			d.push(&tg.UpdateNewMessage{Message: l.wire(), Pts: a.mail.pts(), PtsCount: 1}, l.with)
		}
	}
}

// changed numbers another change of the account's messages and tells its
// devices but one. number is given the pts.
func (h *Hub) changed(a, about *account, by *Device, number func(pts int) tg.UpdateClass) {
	pts := a.mail.pts() + 1
	u := number(pts)
	a.mail.changes = append(a.mail.changes, change{pts: pts, update: u, about: about})
	for _, d := range a.devices {
		if d != by {
			d.push(u, about)
		}
	}
}

// refusal is why from may not write to to, nil if it may.
func (h *Hub) refusal(from, to *account, text string) error {
	switch n := len(utf16.Encode([]rune(text))); {
	case n == 0:
		return tgerr.New(400, tg.ErrMessageEmpty)
	case n > textMax:
		return tgerr.New(400, tg.ErrMessageTooLong)
	case to.banned:
		return tgerr.New(400, tg.ErrInputUserDeactivated)
	case from.blocked[to.ID]:
		return tgerr.New(400, tg.ErrYouBlockedUser)
	case to.blocked[from.ID]:
		return tgerr.New(400, tg.ErrUserIsBlocked)
	case !from.mail.has(to):
		return h.limited(from)
	}
	return nil
}

// correspondent is the account that a peer of an ordinary chat names.
func (h *Hub) correspondent(d *Device, peer tg.InputPeerClass) (*account, error) {
	switch p := peer.(type) {
	case *tg.InputPeerSelf:
		return d.user, nil
	case *tg.InputPeerUser:
		a, err := h.resolve(d.user, &tg.InputUser{UserID: p.UserID, AccessHash: p.AccessHash})
		if err == nil {
			return a, nil
		}
	}
	return nil, tgerr.New(400, tg.ErrPeerIDInvalid)
}

func sendMessage(h *Hub, d *Device, req *tg.MessagesSendMessageRequest) (bin.Encoder, error) {
	to, err := h.correspondent(d, req.Peer)
	if err != nil {
		return nil, err
	}
	if err := h.refusal(d.user, to, req.Message); err != nil {
		return nil, err
	}
	switch {
	case req.RandomID == 0:
		return nil, tgerr.New(400, "RANDOM_ID_EMPTY")
	case d.user.mail.sent[req.RandomID]:
		return nil, tgerr.New(500, tg.ErrRandomIDDuplicate)
	}
	d.user.mail.sent[req.RandomID] = true
	l := h.post(d.user, to, d, req.Message)
	return &tg.UpdateShortSentMessage{
		Out: true, ID: l.id, Pts: d.user.mail.pts(), PtsCount: 1, Date: l.date,
	}, nil
}

// readHistory marks what came from a peer as read, up to a message.
func readHistory(h *Hub, d *Device, req *tg.MessagesReadHistoryRequest) (bin.Encoder, error) {
	with, err := h.correspondent(d, req.Peer)
	if err != nil {
		return nil, err
	}
	var last *letter
	for _, l := range d.user.mail.letters {
		if l.with == with && !l.out && !l.read && (req.MaxID <= 0 || l.id <= req.MaxID) {
			l.read, l.twin.read, last = true, true, l
		}
	}
	if last == nil {
		return &tg.MessagesAffectedMessages{Pts: d.user.mail.pts()}, nil
	}
	h.changed(d.user, with, d, func(pts int) tg.UpdateClass {
		return &tg.UpdateReadHistoryInbox{Peer: &tg.PeerUser{UserID: with.ID}, MaxID: last.id, Pts: pts, PtsCount: 1}
	})
	h.changed(with, d.user, nil, func(pts int) tg.UpdateClass {
		return &tg.UpdateReadHistoryOutbox{Peer: &tg.PeerUser{UserID: d.user.ID}, MaxID: last.twin.id, Pts: pts, PtsCount: 1}
	})
	return &tg.MessagesAffectedMessages{Pts: d.user.mail.pts(), PtsCount: 1}, nil
}

// getHistory lists what was written with a peer, newest first.
func getHistory(h *Hub, d *Device, req *tg.MessagesGetHistoryRequest) (bin.Encoder, error) {
	with, err := h.correspondent(d, req.Peer)
	if err != nil {
		return nil, err
	}
	limit := differenceLimit
	if req.Limit > 0 {
		limit = min(limit, req.Limit)
	}
	res := &tg.MessagesMessages{Users: d.users([]*account{with, d.user})}
	for i := len(d.user.mail.letters) - 1; i >= 0 && len(res.Messages) < limit; i-- {
		l := d.user.mail.letters[i]
		if l.with == with && (req.OffsetID <= 0 || l.id < req.OffsetID) && l.id > req.MinID {
			res.Messages = append(res.Messages, l.wire())
		}
	}
	return res, nil
}

// setTyping is shown to nobody.
func setTyping(h *Hub, d *Device, req *tg.MessagesSetTypingRequest) (bin.Encoder, error) {
	if _, err := h.correspondent(d, req.Peer); err != nil {
		return nil, err
	}
	return yes(), nil
}
