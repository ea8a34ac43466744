package mtproto

import (
	"sync"

	"github.com/gotd/td/crypto"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// authKey is an authorization key that a client made with this server.
type authKey struct {
	crypto.AuthKey
	salt int64
	// permanent is what a temporary key was bound to.
	permanent *authKey
	// device is set once somebody logged in.
	device   *hub.Device
	sessions map[int64]bool
	// codeHash is what sendCode gave last, for the number phone.
	codeHash, phone string
	// half is who has given the code and must still give the password, srp
	// the last question for it.
	half int64
	srp  *challenge
}

// keyring keeps the authorization keys; they live as long as the server.
type keyring struct {
	mu   sync.Mutex
	byID map[[8]byte]*authKey
}

func newKeyring() *keyring { return &keyring{byID: map[[8]byte]*authKey{}} }

func (r *keyring) add(k crypto.AuthKey, salt int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID[k.ID] = &authKey{AuthKey: k, salt: salt, sessions: map[int64]bool{}}
}

func (r *keyring) find(id [8]byte) (*authKey, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.byID[id]
	return k, ok
}

// begin notes a session and tells whether it is new.
func (r *keyring) begin(k *authKey, session int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := k.sessions[session]
	k.sessions[session] = true
	return !known
}

// bind makes a temporary key stand for a permanent one.
func (r *keyring) bind(temporary *authKey, permanent [8]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.byID[permanent]
	if !ok || p == temporary || p.permanent != nil {
		return false
	}
	temporary.permanent = p
	return true
}

func (k *authKey) identity() *authKey {
	if k.permanent != nil {
		return k.permanent
	}
	return k
}

// device is who logged in with the key, or with the one it stands for.
func (r *keyring) device(k *authKey) (*hub.Device, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := k.identity().device
	return d, d != nil
}

// logIn attaches a device to the key, or detaches it when d is nil; the one
// before is returned.
func (r *keyring) logIn(k *authKey, d *hub.Device) *hub.Device {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := k.identity()
	before := id.device
	id.device, id.half = d, 0
	return before
}

// expect remembers which code was sent where.
func (r *keyring) expect(k *authKey, phone, hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := k.identity()
	id.phone, id.codeHash = phone, hash
}

func (r *keyring) expected(k *authKey) (phone, hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := k.identity()
	return id.phone, id.codeHash
}

// halfway remembers who has still to give the password.
func (r *keyring) halfway(k *authKey, user int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.identity().half = user
}

// owner is who the key belongs to, or will once the password is given; 0 for
// nobody.
func (r *keyring) owner(k *authKey) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := k.identity()
	if id.device != nil && id.half == 0 {
		return id.device.UserID()
	}
	return id.half
}

// ask remembers a question for the password; each can be answered once.
func (r *keyring) ask(k *authKey, q *challenge) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.identity().srp = q
}

func (r *keyring) asked(k *authKey) *challenge {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := k.identity()
	q := id.srp
	id.srp = nil
	return q
}
