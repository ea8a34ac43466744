package mtproto_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/updates"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/transport"
	"go.uber.org/goleak"

	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 2 * time.Minute

func account() mtproto.Account {
	return mtproto.Account{
		ID: 7, Phone: "+4930123456", Code: "24680", Username: "usher_courier", FirstName: "Usher",
		APIID: 1234, APIHash: "an api hash",
	}
}

func start(t *testing.T) *mtproto.Server {
	t.Helper()
	s, err := mtproto.Start(t.Context(), mtproto.Options{Courier: account()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// line is a plain gotd client of the server.
type line struct {
	client  *telegram.Client
	updates chan tg.UpdateClass
}

func client(t *testing.T, s *mtproto.Server, store session.Storage, resolver dcs.Resolver) *line {
	t.Helper()
	return clientWith(t, s, func(o *telegram.Options) { o.SessionStorage, o.Resolver = store, resolver })
}

func clientWith(t *testing.T, s *mtproto.Server, edit func(*telegram.Options)) *line {
	t.Helper()
	public, err := crypto.ParseRSAPublicKeys(s.PublicKeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	host, port := splitAddr(t, s.Addr())
	l := &line{updates: make(chan tg.UpdateClass, 100)}
	keys := make([]telegram.PublicKey, 0, len(public))
	for _, k := range public {
		keys = append(keys, telegram.PublicKey{RSA: k})
	}
	opts := telegram.Options{
		PublicKeys: keys, DC: s.DC(), SessionStorage: &session.StorageMemory{},
		DCList:        dcs.List{Options: []tg.DCOption{{ID: s.DC(), IPAddress: host, Port: port}}},
		UpdateHandler: inbox(l.updates),
	}
	edit(&opts)
	l.client = telegram.NewClient(account().APIID, account().APIHash, opts)
	return l
}

// run has f done on a connected client.
func (l *line) run(t *testing.T, f func(ctx context.Context, api *tg.Client) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := l.client.Run(ctx, func(ctx context.Context) error { return f(ctx, l.client.API()) })
	if err != nil {
		t.Fatal(err)
	}
}

// next waits for an update of a type.
func next[U tg.UpdateClass](ctx context.Context, l *line) (U, error) {
	for {
		select {
		case u := <-l.updates:
			if u, ok := u.(U); ok {
				return u, nil
			}
		case <-ctx.Done():
			var none U
			return none, errors.New("the update did not come")
		}
	}
}

func login(ctx context.Context, l *line) error {
	a := account()
	code := auth.CodeAuthenticatorFunc(func(context.Context, *tg.AuthSentCode) (string, error) { return a.Code, nil })
	return auth.NewFlow(auth.CodeOnly(a.Phone, code), auth.SendCodeOptions{}).Run(ctx, l.client.Auth())
}

// accept answers a request for a secret chat as an honest courier would.
func accept(ctx context.Context, api *tg.Client, u *tg.UpdateEncryption) (int, error) {
	req, ok := u.Chat.(*tg.EncryptedChatRequested)
	if !ok {
		return 0, errors.New("not a request: " + u.Chat.TypeName())
	}
	cfg, err := api.MessagesGetDhConfig(ctx, &tg.MessagesGetDhConfigRequest{RandomLength: 256})
	if err != nil {
		return 0, err
	}
	dh, ok := cfg.AsModified()
	if !ok {
		return 0, errors.New("no group")
	}
	gB, key, err := agree(dh, req.GA)
	if err != nil {
		return 0, err
	}
	_, err = api.MessagesAcceptEncryption(ctx, &tg.MessagesAcceptEncryptionRequest{
		Peer: tg.InputEncryptedChat{ChatID: req.ID, AccessHash: req.AccessHash}, GB: gB, KeyFingerprint: key,
	})
	return req.ID, err
}

func TestCourierLogsInAndCustomersChatIsAccepted(t *testing.T) {
	s := start(t)
	s.AddUser(1001, "Ada")
	ada, ok := s.Phone(1001)
	if !ok {
		t.Fatal("Ada has no phone")
	}
	changed := make(chan struct{}, 1)
	s.OnChange(func(int64) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	store := &session.StorageMemory{}
	firstVisit(t, s, store, ada)
	chat := ada.Chats()[0]
	if chat.State != phone.StateOpen {
		t.Fatalf("Ada's chat is %s: %s", chat.State, chat.Why)
	}
	for _, text := range []string{"one", "two", "three"} {
		if _, err := ada.Send(t.Context(), chat.ID, text); err != nil {
			t.Fatal(err)
		}
	}

	secondVisit(t, s, store, ada)
	select {
	case <-changed:
	default:
		t.Error("nobody was told of a change")
	}
}

// firstVisit logs the courier in and accepts Ada's chat.
func firstVisit(t *testing.T, s *mtproto.Server, store session.Storage, ada phone.Phone) {
	t.Helper()
	first := client(t, s, store, nil)
	first.run(t, func(ctx context.Context, api *tg.Client) error {
		if _, err := api.UpdatesGetState(ctx); !tgerr.Is(err, "AUTH_KEY_UNREGISTERED") {
			t.Errorf("before the login the state's answer is %v", err)
		}
		if err := wrongCode(ctx, first); !tgerr.Is(err, tg.ErrPhoneCodeInvalid) {
			t.Errorf("a wrong code's answer is %v", err)
		}
		if err := login(ctx, first); err != nil {
			return err
		}
		self, err := first.client.Self(ctx)
		if err != nil || self.ID != 7 || self.Username != "usher_courier" {
			t.Errorf("logged in as %v, %v", self, err)
		}
		if _, err := ada.StartSecretChat(ctx, 7); err != nil {
			return err
		}
		u, err := next[*tg.UpdateEncryption](ctx, first)
		if err != nil {
			return err
		}
		if _, err := accept(ctx, api, u); err != nil {
			return err
		}
		m, err := next[*tg.UpdateNewEncryptedMessage](ctx, first)
		if err == nil && m.Qts != 1 {
			t.Errorf("the first message has qts %d", m.Qts)
		}
		return err
	})
}

// secondVisit is the courier coming back with the same session, over an
// obfuscated transport: it is told in the difference what it missed.
func secondVisit(t *testing.T, s *mtproto.Server, store session.Storage, ada phone.Phone) {
	t.Helper()
	chat := ada.Chats()[0]
	second := client(t, s, store, dcs.Plain(dcs.PlainOptions{Protocol: transport.Abridged, Obfuscated: true}))
	second.run(t, func(ctx context.Context, api *tg.Client) error {
		d, err := api.UpdatesGetDifference(ctx, &tg.UpdatesGetDifferenceRequest{Pts: 1, Date: 1, Qts: 1})
		if err != nil {
			return err
		}
		diff, ok := d.(*tg.UpdatesDifference)
		if !ok || len(diff.NewEncryptedMessages) != 3 || diff.State.Qts != 4 {
			t.Errorf("the difference is %v", d)
		}
		ids, err := api.MessagesReceivedQueue(ctx, 4)
		if err != nil || len(ids) != 3 {
			t.Errorf("acknowledging told %v, %v", ids, err)
		}
		if err := ada.Do(ctx, phone.ActionDeleteChat, chat.ID); err != nil {
			return err
		}
		u, err := next[*tg.UpdateEncryption](ctx, second)
		if err != nil {
			return err
		}
		if _, ok := u.Chat.(*tg.EncryptedChatDiscarded); !ok {
			t.Errorf("a deleted chat is told as %T", u.Chat)
		}
		_, err = api.AuthLogOut(ctx)
		return err
	})
}

// inbox keeps what gotd's update manager hands on.
type inbox chan tg.UpdateClass

func (i inbox) Handle(_ context.Context, u tg.UpdatesClass) error {
	if us, ok := u.(*tg.Updates); ok {
		for _, u := range us.Updates {
			i <- u
		}
	}
	return nil
}

func TestUpdateManagerFindsWhatArrivedWhileItWasAway(t *testing.T) {
	s := start(t)
	s.AddUser(1001, "Ada")
	ada, _ := s.Phone(1001)
	got := make(inbox, 100)
	manager := updates.New(updates.Config{Handler: got})
	l := clientWith(t, s, func(o *telegram.Options) {
		o.UpdateHandler, o.EnablePFS = manager, true
	})
	l.run(t, func(ctx context.Context, api *tg.Client) error {
		if err := login(ctx, l); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		started, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- manager.Run(ctx, api, account().ID, updates.AuthOptions{OnStart: func(context.Context) { close(started) }})
		}()
		<-started
		chat, err := ada.StartSecretChat(ctx, account().ID)
		if err != nil {
			return err
		}
		l.updates = got
		u, err := next[*tg.UpdateEncryption](ctx, l)
		if err != nil {
			return err
		}
		if _, err := accept(ctx, api, u); err != nil {
			return err
		}
		for want := 1; want <= 4; want++ {
			m, err := next[*tg.UpdateNewEncryptedMessage](ctx, l)
			if err != nil {
				return err
			}
			if m.Qts != want {
				t.Errorf("message %d has qts %d", want, m.Qts)
			}
			if _, err := ada.Send(ctx, chat, "more"); err != nil {
				return err
			}
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

// wrongCode tries to log in with a code that nobody sent.
func wrongCode(ctx context.Context, l *line) error {
	sent, err := l.client.Auth().SendCode(ctx, account().Phone, auth.SendCodeOptions{})
	if err != nil {
		return err
	}
	_, err = l.client.Auth().SignIn(ctx, account().Phone, "11111", sent.(*tg.AuthSentCode).PhoneCodeHash)
	return err
}

func TestEnvironmentLeadsToTheServer(t *testing.T) {
	s := start(t)
	env := map[string]string{}
	for _, line := range s.Environment() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	if want := "2@" + s.Addr(); env["USHER_COURIER_SERVER"] != want {
		t.Errorf("the server is %q, not %q", env["USHER_COURIER_SERVER"], want)
	}
	pem, err := os.ReadFile(env["USHER_COURIER_SERVER_KEY"])
	if err != nil || string(pem) != string(s.PublicKeyPEM()) {
		t.Errorf("the key file does not hold the key: %v", err)
	}
	if env["USHER_COURIER_CODE"] != account().Code || env["USHER_COURIER_API_ID"] != "1234" {
		t.Errorf("the environment is %v", env)
	}
}

func TestServerNeedsACourier(t *testing.T) {
	if _, err := mtproto.Start(t.Context(), mtproto.Options{}); !errors.Is(err, mtproto.ErrOptions) {
		t.Errorf("started without a courier: %v", err)
	}
}
