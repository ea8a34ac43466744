package mtproto

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// handler answers a call that needs no login.
type handler func(c *conn, s *session, b *bin.Buffer) (bin.Encoder, error)

// with makes a handler of a function that takes the decoded request.
func with[T any, P interface {
	*T
	bin.Decoder
}](f func(c *conn, s *session, req P) (bin.Encoder, error)) handler {
	return func(c *conn, s *session, b *bin.Buffer) (bin.Encoder, error) {
		req := P(new(T))
		if err := req.Decode(b); err != nil {
			return nil, tgerr.New(400, "INPUT_REQUEST_INVALID")
		}
		return f(c, s, req)
	}
}

// open is the table of the calls that need no login.
func open() map[uint32]handler {
	return map[uint32]handler{
		tg.HelpGetConfigRequestTypeID:       with(getConfig),
		tg.HelpGetNearestDCRequestTypeID:    with(getNearestDC),
		tg.HelpGetCDNConfigRequestTypeID:    with(getCDNConfig),
		tg.AuthSendCodeRequestTypeID:        with(sendCode),
		tg.AuthResendCodeRequestTypeID:      with(resendCode),
		tg.AuthCancelCodeRequestTypeID:      with(cancelCode),
		tg.AuthSignInRequestTypeID:          with(signIn),
		tg.AuthLogOutRequestTypeID:          with(logOut),
		tg.AuthBindTempAuthKeyRequestTypeID: with(bindTempAuthKey),
		tg.AccountGetPasswordRequestTypeID:  with(getPassword),
		tg.AuthCheckPasswordRequestTypeID:   with(checkPassword),
	}
}

// invoke answers a call: here, or by the hub for whoever is logged in.
func (c *conn) invoke(ctx context.Context, s *session, b *bin.Buffer) (bin.Encoder, error) {
	b, quiet, app, err := unwrap(b)
	if err != nil {
		return nil, err
	}
	if want := c.server.opts.Courier.APIID; app != 0 && want != 0 && app != want {
		return nil, tgerr.New(400, tg.ErrAPIIDInvalid)
	}
	kind, err := b.PeekID()
	if err != nil {
		return nil, tgerr.New(400, "INPUT_REQUEST_INVALID")
	}
	do := func() (bin.Encoder, error) { return c.answer(s, kind, b, quiet) }
	if f, ok := c.server.faults.take(kind); ok {
		return c.spoil(ctx, f, do)
	}
	return do()
}

// answer carries out a call. A quiet one does not ask for updates.
func (c *conn) answer(s *session, kind uint32, b *bin.Buffer, quiet bool) (bin.Encoder, error) {
	if h, ok := c.server.open[kind]; ok {
		return h(c, s, b)
	}
	d, ok := c.server.keys.device(s.key)
	if !ok {
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	}
	if !quiet {
		c.listen(s)
	}
	return d.Handle(b)
}

func sendCode(c *conn, s *session, req *tg.AuthSendCodeRequest) (bin.Encoder, error) {
	want := c.server.opts.Courier
	if want.APIID != 0 && (req.APIID != want.APIID || !same(req.APIHash, want.APIHash)) {
		return nil, tgerr.New(400, tg.ErrAPIIDInvalid)
	}
	return c.code(s, req.PhoneNumber)
}

func resendCode(c *conn, s *session, req *tg.AuthResendCodeRequest) (bin.Encoder, error) {
	phone, hash := c.server.keys.expected(s.key)
	if digits(req.PhoneNumber) != phone || !same(req.PhoneCodeHash, hash) {
		return nil, tgerr.New(400, tg.ErrPhoneCodeExpired)
	}
	return c.code(s, req.PhoneNumber)
}

// code "sends" the code that the server was started with.
func (c *conn) code(s *session, phone string) (bin.Encoder, error) {
	who, ok := c.server.account(phone)
	switch {
	case !ok:
		return nil, tgerr.New(400, tg.ErrPhoneNumberInvalid)
	case c.server.hub.Banned(who.ID):
		return nil, tgerr.New(400, tg.ErrPhoneNumberBanned)
	}
	var b [9]byte
	if _, err := io.ReadFull(c.server.opts.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("read a code hash: %w", err)
	}
	hash := hex.EncodeToString(b[:])
	c.server.keys.expect(s.key, digits(phone), hash)
	return &tg.AuthSentCode{
		Type:          &tg.AuthSentCodeTypeApp{Length: len(who.Code)},
		PhoneCodeHash: hash,
	}, nil
}

func cancelCode(c *conn, s *session, _ *tg.AuthCancelCodeRequest) (bin.Encoder, error) {
	c.server.keys.expect(s.key, "", "")
	return &tg.BoolTrue{}, nil
}

func signIn(c *conn, s *session, req *tg.AuthSignInRequest) (bin.Encoder, error) {
	phone, hash := c.server.keys.expected(s.key)
	who, known := c.server.account(phone)
	switch {
	case req.PhoneCode == "":
		return nil, tgerr.New(400, tg.ErrPhoneCodeEmpty)
	case hash == "" || digits(req.PhoneNumber) != phone || !same(req.PhoneCodeHash, hash):
		return nil, tgerr.New(400, tg.ErrPhoneCodeExpired)
	case !known:
		return nil, tgerr.New(400, tg.ErrPhoneNumberUnoccupied)
	case !same(req.PhoneCode, who.Code):
		return nil, tgerr.New(400, tg.ErrPhoneCodeInvalid)
	}
	c.server.keys.expect(s.key, "", "")
	if who.Password != "" {
		c.server.keys.halfway(s.key, who.ID)
		return nil, tgerr.New(401, "SESSION_PASSWORD_NEEDED")
	}
	return c.enter(s, who.ID)
}

// enter logs the session's key in as a new device of an account.
func (c *conn) enter(s *session, user int64) (bin.Encoder, error) {
	if c.server.hub.Banned(user) {
		return nil, tgerr.New(400, tg.ErrPhoneNumberBanned)
	}
	d, err := c.server.hub.NewDevice(user)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	c.dropDevice(s, c.server.keys.logIn(s.key, d))
	c.listen(s)
	return &tg.AuthAuthorization{User: d.Self()}, nil
}

func logOut(c *conn, s *session, _ *tg.AuthLogOutRequest) (bin.Encoder, error) {
	c.dropDevice(s, c.server.keys.logIn(s.key, nil))
	return &tg.AuthLoggedOut{}, nil
}

func (c *conn) dropDevice(s *session, d *hub.Device) {
	if d == nil {
		return
	}
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
	d.LogOut()
}

// bindTempAuthKey makes the temporary key that the session uses stand for a
// permanent one. That the client holds both is not checked: on loopback
// nobody else is there.
func bindTempAuthKey(c *conn, s *session, req *tg.AuthBindTempAuthKeyRequest) (bin.Encoder, error) {
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], uint64(req.PermAuthKeyID))
	if !c.server.keys.bind(s.key, id) {
		return nil, tgerr.New(400, tg.ErrEncryptedMessageInvalid)
	}
	return &tg.BoolTrue{}, nil
}

func digits(phone string) string { return strings.TrimPrefix(phone, "+") }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
