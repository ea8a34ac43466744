// Package mtproto is the local Telegram's MTProto server: on loopback, with
// everything in memory, for the accounts that log in over the network (the
// couriers) and any number of people with simulated phones. Secret chats
// between them are real: the server only ever sees ciphertext.
package mtproto

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	gotdclock "github.com/gotd/td/clock"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/exchange"
	"github.com/gotd/td/proto"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// dc is the number of the only data centre.
const dc = 2

// Server is a running local Telegram; Close ends it.
type Server struct {
	opts     Options
	hub      *hub.Hub
	keys     *keyring
	open     map[uint32]handler
	faults   faults
	listener net.Listener
	private  exchange.PrivateKey
	keyFile  string
	cipher   crypto.Cipher
	ids      *proto.MessageIDGen
	clock    clock
	ctx      context.Context
	stop     context.CancelFunc
	tasks    sync.WaitGroup
	changed  atomic.Pointer[func(int64)]

	mu     sync.Mutex
	phones map[int64][]*phone.Simulated
	locks  map[int64]*lock
	closed bool
}

// clock gives gotd the server's time and the machine's timers.
type clock struct {
	gotdclock.Clock
	now func() time.Time
}

func (c clock) Now() time.Time { return c.now() }

// Start listens and serves until ctx ends or Close is called; Close must be
// called either way. It makes an RSA key pair of its own.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	h, err := hub.New(hub.Options{Clock: opts.Clock, Rand: opts.Rand, DailyChats: opts.DailyChats, DC: dc})
	if err != nil {
		return nil, fmt.Errorf("start the local Telegram: %w", err)
	}
	key, err := rsa.GenerateKey(opts.Rand, crypto.RSAKeyBits)
	if err != nil {
		return nil, fmt.Errorf("make the local Telegram's key: %w", err)
	}
	s := &Server{
		opts: opts, hub: h, keys: newKeyring(), open: open(),
		private: exchange.PrivateKey{RSA: key},
		cipher:  crypto.NewServerCipher(opts.Rand),
		ids:     proto.NewMessageIDGen(opts.Clock),
		clock:   clock{Clock: gotdclock.System, now: opts.Clock},
		phones:  map[int64][]*phone.Simulated{},
		locks:   map[int64]*lock{},
	}
	for _, c := range opts.couriers() {
		h.AddUser(hub.User{ID: c.ID, Phone: c.Phone, Username: c.Username, FirstName: c.FirstName})
	}
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// listen writes the key file, opens the port and begins to accept.
func (s *Server) listen(ctx context.Context) error {
	f, err := os.CreateTemp("", "usher-telegram-*.pem")
	if err != nil {
		return fmt.Errorf("make the key file: %w", err)
	}
	s.keyFile = f.Name()
	_, err = f.Write(s.PublicKeyPEM())
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		var lc net.ListenConfig
		s.listener, err = lc.Listen(ctx, "tcp", s.opts.Listen)
	}
	if err != nil {
		_ = os.Remove(s.keyFile)
		return fmt.Errorf("start the local Telegram on %s: %w", s.opts.Listen, err)
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	context.AfterFunc(s.ctx, func() { _ = s.listener.Close() })
	s.tasks.Add(1)
	go s.accept(s.ctx)
	return nil
}

// Addr is the address (host:port) that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// DC is the number of the only data centre.
func (s *Server) DC() int { return dc }

// PublicKeyPEM is the server's RSA public key, PKCS #1 in PEM.
func (s *Server) PublicKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{
		Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&s.private.RSA.PublicKey),
	})
}

// Environment is what a courier needs to log in here, as NAME=value lines. The
// key file is there until Close.
func (s *Server) Environment() []string {
	c := s.opts.Courier
	return []string{
		"USHER_COURIER_API_ID=" + strconv.Itoa(c.APIID),
		"USHER_COURIER_API_HASH=" + c.APIHash,
		fmt.Sprintf("USHER_COURIER_SERVER=%d@%s", dc, s.Addr()),
		"USHER_COURIER_SERVER_KEY=" + s.keyFile,
		"USHER_COURIER_PHONE=" + c.Phone,
		"USHER_COURIER_CODE=" + c.Code,
	}
}

// AddUser adds a person with a phone that is on. Adding an id again is
// ignored. The person's number is +888 and the id, with the courier's code,
// for whoever wants to log in as them with another client.
func (s *Server) AddUser(id int64, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.phones[id]; ok || s.closed || s.isCourier(id) {
		return
	}
	s.hub.AddUser(hub.User{ID: id, FirstName: name, Phone: fmt.Sprintf("888%d", id)})
	if err := s.addPhone(id, name); err != nil {
		// The hub answers in process: only a context that ended gets here.
		s.opts.Log.Error("a phone could not be added", "user", id, "error", err)
	}
}

// AddPhone logs an account in on one more simulated phone, which is on and
// accepts the secret chats that it is asked for: a person's second phone, or
// another login of a courier's account. hub.ErrNoUser is for nobody.
func (s *Server) AddPhone(id int64) error {
	u, ok := s.hub.User(id)
	if !ok {
		return hub.ErrNoUser
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	return s.addPhone(id, u.FirstName)
}

func (s *Server) addPhone(id int64, name string) error {
	p, err := phone.New(s.ctx, phone.Options{
		UserID: id, Name: name, Clock: s.opts.Clock, Rand: s.opts.Rand, Log: s.opts.Log,
		Connect: func() (phone.Line, error) { return s.hub.NewDevice(id) },
		Changed: func() { s.tell(id) },
	})
	if err != nil {
		return fmt.Errorf("add a phone: %w", err)
	}
	s.phones[id] = append(s.phones[id], p)
	return nil
}

// Write has a person or the courier write an ordinary message to another
// account, as from a device that is not simulated. It returns the message's id
// for who wrote, an error as Telegram answers it, or hub.ErrNoUser.
func (s *Server) Write(from, to int64, text string) (int, error) {
	id, err := s.hub.Write(from, to, text)
	if err != nil {
		return 0, fmt.Errorf("write for %d: %w", from, err)
	}
	return id, nil
}

// Dialogs lists the ordinary messages of a person with other accounts.
func (s *Server) Dialogs(user int64) []hub.Dialog { return s.hub.Dialogs(user) }

// Hub is what the server keeps of its accounts: for what Telegram, or the
// owner of an account, does to it.
func (s *Server) Hub() *hub.Hub { return s.hub }

func (s *Server) isCourier(id int64) bool {
	return slices.ContainsFunc(s.opts.couriers(), func(a Account) bool { return a.ID == id })
}

// account is who has a number: a courier, or a person with the first courier's
// code.
func (s *Server) account(phone string) (Account, bool) {
	u, ok := s.hub.UserByPhone(digits(phone))
	if !ok {
		return Account{}, false
	}
	for _, a := range s.opts.couriers() {
		if a.ID == u.ID {
			return a, true
		}
	}
	return Account{ID: u.ID, Code: s.opts.Courier.Code}, true
}

func (s *Server) tell(id int64) {
	if f := s.changed.Load(); f != nil {
		(*f)(id)
	}
}

// Phone is the first phone of a person that AddUser added.
func (s *Server) Phone(id int64) (phone.Phone, bool) {
	if all := s.Phones(id); len(all) > 0 {
		return all[0], true
	}
	return nil, false
}

// Phones are an account's simulated phones, in the order they were added.
func (s *Server) Phones(id int64) []phone.Phone {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []phone.Phone
	for _, p := range s.phones[id] {
		out = append(out, p)
	}
	return out
}

// OnChange sets the function that is told whose phone's secret chats changed.
// It is called from the phones' goroutines, must not block, and may be called
// more often than something changed.
func (s *Server) OnChange(f func(userID int64)) { s.changed.Store(&f) }

// Close ends the server and its phones and waits for their goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
	_ = s.listener.Close()
	for _, all := range s.phones {
		for _, p := range all {
			p.Close()
		}
	}
	s.tasks.Wait()
	if err := os.Remove(s.keyFile); err != nil {
		return fmt.Errorf("remove the key file: %w", err)
	}
	return nil
}
