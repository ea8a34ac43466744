// Package hub is the part of the local Telegram that keeps accounts, their
// devices, ordinary messages, secret chats and encrypted files, all in memory. It answers
// Telegram's API calls whoever brings them: a session of the MTProto server or
// a simulated phone in the same process. Of secret chats it relays ciphertext
// and can read none.
package hub

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Options of New. Zero values take the defaults.
type Options struct {
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Rand is the source of randomness; crypto/rand when nil.
	Rand io.Reader
	// DailyChats is how many secret chats an account may ask for within 24
	// hours; 30 when zero.
	DailyChats int
	// DC is the data centre's number that files are said to be in; 2 when
	// zero.
	DC int
}

// User describes an account.
type User struct {
	ID        int64
	Phone     string
	Username  string
	FirstName string
}

// account is a User with what the hub knows about it.
type account struct {
	User
	devices []*Device
	// blocked are the ids of the accounts that this one blocked.
	blocked map[int64]bool
	// asked are the times of its requestEncryption calls of the last day.
	asked []time.Time
	mail  mailbox
	// limit is set while it may not address strangers, banned and hidden by
	// Ban and Hide.
	limit          *limit
	banned, hidden bool
}

// Hub keeps accounts, devices, chats and files. All methods may be called at
// the same time.
type Hub struct {
	clock  func() time.Time
	rand   io.Reader
	daily  int
	dc     int
	secret [32]byte
	calls  map[uint32]call

	mu       sync.Mutex
	accounts map[int64]*account
	chats    map[int]*chat
	uploads  map[uploadKey]*upload
	files    map[int64]*file
	serial   int64
}

// New makes an empty hub. It fails when no randomness can be read.
func New(opts Options) (*Hub, error) {
	h := &Hub{
		clock: opts.Clock, rand: opts.Rand, daily: opts.DailyChats, dc: opts.DC,
		accounts: map[int64]*account{},
		chats:    map[int]*chat{},
		uploads:  map[uploadKey]*upload{},
		files:    map[int64]*file{},
	}
	if h.clock == nil {
		h.clock = time.Now
	}
	if h.rand == nil {
		h.rand = rand.Reader
	}
	if h.daily == 0 {
		h.daily = 30
	}
	if h.dc == 0 {
		h.dc = 2
	}
	if _, err := io.ReadFull(h.rand, h.secret[:]); err != nil {
		return nil, fmt.Errorf("read randomness for access hashes: %w", err)
	}
	h.calls = calls()
	return h, nil
}

// AddUser adds an account; one whose id exists is left alone.
func (h *Hub) AddUser(u User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.accounts[u.ID]; ok {
		return
	}
	u.Phone = strings.TrimPrefix(u.Phone, "+")
	h.accounts[u.ID] = &account{User: u, blocked: map[int64]bool{}, mail: mailbox{sent: map[int64]bool{}}}
}

// User finds an account by its id.
func (h *Hub) User(id int64) (User, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.accounts[id]
	if !ok {
		return User{}, false
	}
	return a.User, true
}

// UserByPhone finds an account by its number, with or without "+".
func (h *Hub) UserByPhone(phone string) (User, bool) {
	phone = strings.TrimPrefix(phone, "+")
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.accounts {
		if a.Phone == phone && phone != "" {
			return a.User, true
		}
	}
	return User{}, false
}

// now is the time in Unix seconds, as Telegram dates things.
func (h *Hub) now() int { return int(h.clock().Unix()) }

// hash derives an access hash: the same for the same arguments, and not to be
// guessed.
func (h *Hub) hash(kind string, a, b int64) int64 {
	buf := append([]byte(nil), h.secret[:]...)
	buf = append(buf, kind...)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(a))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(b))
	sum := sha256.Sum256(buf)
	return int64(binary.LittleEndian.Uint64(sum[:8]))
}

// resolve finds the account that an input names for the given viewer. A wrong
// access hash is as good as no such user.
func (h *Hub) resolve(viewer *account, in tg.InputUserClass) (*account, error) {
	switch in := in.(type) {
	case *tg.InputUserSelf:
		return viewer, nil
	case *tg.InputUser:
		a, ok := h.accounts[in.UserID]
		if ok && (a == viewer || in.AccessHash == h.hash("user", viewer.ID, a.ID)) {
			return a, nil
		}
	}
	return nil, tgerr.New(400, tg.ErrUserIDInvalid)
}

// view is the account as the viewer's application is told about it; of a banned
// one others see what they see of a deleted one.
func (h *Hub) view(viewer, a *account) *tg.User {
	u := &tg.User{ID: a.ID}
	u.SetAccessHash(h.hash("user", viewer.ID, a.ID))
	if a.banned && a != viewer {
		u.SetDeleted(true)
		return u
	}
	u.SetFirstName(a.FirstName)
	if a.Username != "" {
		u.SetUsername(a.Username)
	}
	if a == viewer {
		u.SetSelf(true)
		u.SetPhone(a.Phone)
	}
	u.SetStatus(&tg.UserStatusRecently{})
	return u
}

// random reads n random bytes.
func (h *Hub) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(h.rand, b); err != nil {
		return nil, fmt.Errorf("read %d random bytes: %w", n, err)
	}
	return b, nil
}
