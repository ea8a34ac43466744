package mtproto

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto/srp"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// algorithm is the only one there is for passwords ("Two-factor
// authentication", core.telegram.org/api/srp).
type algorithm = tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow

// srpSize is the size of the group's numbers in bytes.
const srpSize = 256

// lock is what Telegram keeps of a password.
type lock struct {
	algo     algorithm
	p        *big.Int
	verifier *big.Int
}

// newLock draws salts; the verifier follows from them and the password.
func newLock(random io.Reader, password string) (*lock, error) {
	p, g := hub.Group()
	salts := make([]byte, 32)
	if _, err := io.ReadFull(random, salts); err != nil {
		return nil, fmt.Errorf("read salts for a password: %w", err)
	}
	l := &lock{p: p, algo: algorithm{Salt1: salts[:16], Salt2: salts[16:], G: g, P: p.Bytes()}}
	verifier, salt, err := srp.NewSRP(random).NewHash([]byte(password), srp.Input(l.algo))
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	l.algo.Salt1, l.verifier = salt, new(big.Int).SetBytes(verifier)
	return l, nil
}

// challenge is a question for a password, with what is needed to judge the
// answer.
type challenge struct {
	*lock
	id     int64
	secret *big.Int
	public [srpSize]byte
}

func (l *lock) challenge(random io.Reader) (*challenge, error) {
	draw := make([]byte, 8+srpSize)
	if _, err := io.ReadFull(random, draw); err != nil {
		return nil, fmt.Errorf("read randomness for a password's question: %w", err)
	}
	c := &challenge{lock: l, id: int64(binary.LittleEndian.Uint64(draw)), secret: new(big.Int).SetBytes(draw[8:])}
	g := big.NewInt(int64(l.algo.G))
	b := new(big.Int).Exp(g, c.secret, l.p)
	k := number(l.algo.P, fill(g))
	b.Add(b, k.Mul(k, l.verifier)).Mod(b, l.p).FillBytes(c.public[:])
	return c, nil
}

// fill pads a number to the size of the group's.
func fill(n *big.Int) []byte { return n.FillBytes(make([]byte, srpSize)) }

func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func number(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(hash(parts...)) }

// right tells whether an answer was made with the password.
func (c *challenge) right(a, proof []byte) bool {
	public := new(big.Int).SetBytes(a)
	if len(a) > srpSize || public.Sign() == 0 || public.Cmp(c.p) >= 0 {
		return false
	}
	a = fill(public)
	u := number(a, c.public[:])
	shared := new(big.Int).Exp(c.verifier, u, c.p)
	shared.Mul(shared, public).Mod(shared, c.p).Exp(shared, c.secret, c.p)
	xored := make([]byte, sha256.Size)
	subtle.XORBytes(xored, hash(c.algo.P), hash(fill(big.NewInt(int64(c.algo.G)))))
	want := hash(xored, hash(c.algo.Salt1), hash(c.algo.Salt2), a, c.public[:], hash(fill(shared)))
	return subtle.ConstantTimeCompare(want, proof) == 1
}

// getPassword asks for the password of whom the key belongs to, or says that
// there is none.
func getPassword(c *conn, s *session, _ *tg.AccountGetPasswordRequest) (bin.Encoder, error) {
	user := c.server.keys.owner(s.key)
	if user == 0 {
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	}
	random := make([]byte, srpSize)
	if _, err := io.ReadFull(c.server.opts.Rand, random); err != nil {
		return nil, fmt.Errorf("read randomness for a client: %w", err)
	}
	res := &tg.AccountPassword{
		NewAlgo: &tg.PasswordKdfAlgoUnknown{}, NewSecureAlgo: &tg.SecurePasswordKdfAlgoUnknown{},
		SecureRandom: random,
	}
	l, err := c.server.lock(user)
	if err != nil || l == nil {
		return res, err
	}
	q, err := l.challenge(c.server.opts.Rand)
	if err != nil {
		return nil, err
	}
	c.server.keys.ask(s.key, q)
	res.HasPassword = true
	res.SetCurrentAlgo(&q.algo)
	res.SetSRPB(q.public[:])
	res.SetSRPID(q.id)
	return res, nil
}

// lock is what the server keeps of an account's password, nil without one. It
// is made at the first question.
func (s *Server) lock(user int64) (*lock, error) {
	i := slices.IndexFunc(s.opts.couriers(), func(a Account) bool { return a.ID == user && a.Password != "" })
	if i < 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.locks[user]; ok {
		return l, nil
	}
	l, err := newLock(s.opts.Rand, s.opts.couriers()[i].Password)
	if err == nil {
		s.locks[user] = l
	}
	return l, err
}

// checkPassword completes a login.
func checkPassword(c *conn, s *session, req *tg.AuthCheckPasswordRequest) (bin.Encoder, error) {
	user := c.server.keys.owner(s.key)
	if user == 0 {
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	}
	answer, ok := req.Password.(*tg.InputCheckPasswordSRP)
	if !ok {
		return nil, tgerr.New(400, tg.ErrPasswordHashInvalid)
	}
	q := c.server.keys.asked(s.key)
	switch {
	case q == nil || q.id != answer.SRPID:
		return nil, tgerr.New(400, tg.ErrSRPIDInvalid)
	case !q.right(answer.A, answer.M1):
		return nil, tgerr.New(400, tg.ErrPasswordHashInvalid)
	}
	return c.enter(s, user)
}
