package hub

import (
	"errors"
	"slices"

	"github.com/gotd/td/tg"
)

// ErrNoUser is returned for an account that does not exist.
var ErrNoUser = errors.New("no such user")

// Device is one authorization of an account: a phone, or a client that logged
// in. Secret chats belong to devices, and each device has a queue of encrypted
// messages of its own, counted by qts.
type Device struct {
	hub  *Hub
	user *account
	id   int64

	qts    int
	queue  []queued
	events []event
	pushes []*subscription
	// gone is why the device may not call any more.
	gone string
	// since is when it logged in; deaf, that it is not told of chats that
	// somebody asks for.
	since int
	deaf  bool
}

// queued is an encrypted message that the device has not acknowledged.
type queued struct {
	qts     int
	message tg.EncryptedMessageClass
	from    *account
}

// event is a change of a chat, or that it was read. It has no qts of its own, so it is told again
// until the device acknowledges a message that came after it.
type event struct {
	after  int
	update tg.UpdateClass
	about  []*account
}

type subscription struct{ push func(Answer) }

// NewDevice logs the account in on a new device.
func (h *Hub) NewDevice(userID int64) (*Device, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.accounts[userID]
	if !ok {
		return nil, ErrNoUser
	}
	h.serial++
	d := &Device{hub: h, user: a, id: h.serial, since: h.now()}
	a.devices = append(a.devices, d)
	return d, nil
}

// UserID is the id of the device's account.
func (d *Device) UserID() int64 { return d.user.ID }

// Self is the device's account as it sees itself.
func (d *Device) Self() *tg.User { return d.hub.view(d.user, d.user) }

// Listen calls wake whenever something may have happened, until cancel is
// called. wake must neither block nor call the hub.
func (d *Device) Listen(wake func()) (cancel func()) {
	return d.Subscribe(func(Answer) { wake() })
}

// Subscribe has every update pushed as it happens, in order and encoded as an
// Updates, until cancel is called. push must neither block nor call the hub.
func (d *Device) Subscribe(push func(Answer)) (cancel func()) {
	h := d.hub
	s := &subscription{push: push}
	h.mu.Lock()
	defer h.mu.Unlock()
	d.pushes = append(d.pushes, s)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		d.pushes = slices.DeleteFunc(d.pushes, func(o *subscription) bool { return o == s })
	}
}

// LogOut ends the authorization: its secret chats are discarded, and it gets
// nothing any more.
func (d *Device) LogOut() {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	d.hub.logOut(d, loggedOut)
}

func (d *Device) over() bool { return d.gone != "" }

// logOut ends an authorization. A device that did not ask for it is told to
// look, and finds at its next call that it may not.
func (h *Hub) logOut(d *Device, why string) {
	if why != loggedOut {
		d.broadcast(&tg.UpdatesTooLong{})
	}
	d.gone = why
	d.user.devices = slices.DeleteFunc(d.user.devices, func(o *Device) bool { return o == d })
	for _, c := range h.chats {
		if c.state != discarded && (c.asking == d || c.answering == d) {
			h.discard(c, d.user, d, false)
		}
	}
}

// enqueue gives the device an encrypted message under its next qts.
func (d *Device) enqueue(from *account, m tg.EncryptedMessageClass) {
	d.qts++
	d.queue = append(d.queue, queued{qts: d.qts, message: m, from: from})
	d.push(&tg.UpdateNewEncryptedMessage{Message: m, Qts: d.qts}, from)
}

// notify tells the device of a change of a chat.
func (d *Device) notify(c tg.EncryptedChatClass, about ...*account) {
	d.tell(&tg.UpdateEncryption{Chat: c, Date: d.hub.now()}, about...)
}

// tell tells the device of something that has no number, now and, until a later
// message is acknowledged, in the difference.
func (d *Device) tell(u tg.UpdateClass, about ...*account) {
	d.events = append(d.events, event{after: d.qts, update: u, about: about})
	d.push(u, about...)
}

// push sends an update to whoever is connected; with nobody there it is lost.
func (d *Device) push(u tg.UpdateClass, about ...*account) {
	d.broadcast(&tg.Updates{Updates: []tg.UpdateClass{u}, Users: d.users(about), Date: d.hub.now()})
}

func (d *Device) broadcast(u tg.UpdatesClass) {
	if len(d.pushes) == 0 || d.over() {
		return
	}
	us, err := encoded(u)
	if err != nil {
		// Only a type that this package filled in wrongly cannot be encoded;
		// the difference brings the same error to the caller.
		return
	}
	for _, s := range d.pushes {
		s.push(us)
	}
}

func (d *Device) users(about []*account) []tg.UserClass {
	var users []tg.UserClass
	seen := map[*account]bool{}
	for _, a := range about {
		if a != nil && !seen[a] {
			seen[a] = true
			users = append(users, d.hub.view(d.user, a))
		}
	}
	return users
}

// acknowledge forgets what the device has up to qts, and returns the random
// ids of the messages forgotten.
func (d *Device) acknowledge(qts int) []int64 {
	var ids []int64
	rest := d.queue[:0:0]
	for _, q := range d.queue {
		if q.qts > qts {
			rest = append(rest, q)
			continue
		}
		ids = append(ids, q.message.GetRandomID())
	}
	d.queue = rest
	d.events = slices.DeleteFunc(d.events, func(e event) bool { return e.after < qts })
	return ids
}
