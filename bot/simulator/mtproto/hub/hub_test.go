package hub_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

const (
	ada   = 1
	usher = 2
)

type world struct {
	t   *testing.T
	hub *hub.Hub
	now time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Unix(1_700_000_000, 0)}
	h, err := hub.New(hub.Options{Clock: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	h.AddUser(hub.User{ID: ada, FirstName: "Ada", Username: "ada"})
	h.AddUser(hub.User{ID: usher, FirstName: "Usher", Username: "usher_courier", Phone: "+4930"})
	w.hub = h
	return w
}

func (w *world) device(id int64) (*hub.Device, *tg.Client) {
	w.t.Helper()
	d, err := w.hub.NewDevice(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d, tg.NewClient(d)
}

// find resolves a name for a device.
func (w *world) find(api *tg.Client, name string) *tg.InputUser {
	w.t.Helper()
	r, err := api.ContactsResolveUsername(w.t.Context(), &tg.ContactsResolveUsernameRequest{Username: name})
	if err != nil {
		w.t.Fatal(err)
	}
	u := r.Users[0].(*tg.User)
	return &tg.InputUser{UserID: u.ID, AccessHash: u.AccessHash}
}

func public() []byte { return new(big.Int).Lsh(big.NewInt(3), 2000).Bytes() }

func (w *world) ask(api *tg.Client, to *tg.InputUser, id int) error {
	_, err := api.MessagesRequestEncryption(w.t.Context(), &tg.MessagesRequestEncryptionRequest{
		UserID: to, RandomID: id, GA: public(),
	})
	return err
}

// events reads the changes of chats that wait for a device.
func (w *world) events(api *tg.Client, qts int) []tg.EncryptedChatClass {
	w.t.Helper()
	d, err := api.UpdatesGetDifference(w.t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: 1, Qts: qts})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []tg.EncryptedChatClass
	if d, ok := d.(*tg.UpdatesDifference); ok {
		for _, u := range d.OtherUpdates {
			out = append(out, u.(*tg.UpdateEncryption).Chat)
		}
	}
	return out
}

// open makes an accepted chat and returns both ends' references.
func (w *world) open(from, to *tg.Client, with *tg.InputUser, id int) (a, b tg.InputEncryptedChat) {
	w.t.Helper()
	if err := w.ask(from, with, id); err != nil {
		w.t.Fatal(err)
	}
	events := w.events(to, 0)
	req := events[len(events)-1].(*tg.EncryptedChatRequested)
	b = tg.InputEncryptedChat{ChatID: req.ID, AccessHash: req.AccessHash}
	_, err := to.MessagesAcceptEncryption(w.t.Context(), &tg.MessagesAcceptEncryptionRequest{
		Peer: b, GB: public(), KeyFingerprint: 5,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	events = w.events(from, 0)
	chat := events[len(events)-1].(*tg.EncryptedChat)
	return tg.InputEncryptedChat{ChatID: chat.ID, AccessHash: chat.AccessHash}, b
}

func wants(t *testing.T, err error, want string) {
	t.Helper()
	if !tgerr.Is(err, want) {
		t.Errorf("the answer is %v, not %s", err, want)
	}
}

func send(w *world, api *tg.Client, peer tg.InputEncryptedChat, random int64) error {
	_, err := api.MessagesSendEncrypted(w.t.Context(), &tg.MessagesSendEncryptedRequest{
		Peer: peer, RandomID: random, Data: make([]byte, 24+64),
	})
	return err
}

func TestAnAccountMayAskForThirtyChatsADay(t *testing.T) {
	w := newWorld(t)
	_, api := w.device(usher)
	to := w.find(api, "@Ada")
	for i := range 30 {
		if err := w.ask(api, to, i+1); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
	err := w.ask(api, to, 31)
	if wait, ok := tgerr.AsFloodWait(err); !ok || wait > 23*time.Hour+31*time.Minute || wait < 23*time.Hour+29*time.Minute {
		t.Fatalf("the 31st chat's answer is %v", err)
	}
	w.now = w.now.Add(23*time.Hour + 31*time.Minute)
	if err := w.ask(api, to, 31); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

func TestRequestsAreRefusedAsByTelegram(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	to := w.find(u, "ada")
	wants(t, w.ask(u, &tg.InputUser{UserID: ada, AccessHash: to.AccessHash + 1}, 1), "USER_ID_INVALID")
	wants(t, w.ask(u, &tg.InputUser{UserID: 99}, 1), "USER_ID_INVALID")
	_, err := u.MessagesRequestEncryption(t.Context(), &tg.MessagesRequestEncryptionRequest{
		UserID: to, RandomID: 1, GA: []byte{1},
	})
	wants(t, err, "DH_G_A_INVALID")
	if err := w.ask(u, to, 1); err != nil {
		t.Fatal(err)
	}
	wants(t, w.ask(u, to, 1), "RANDOM_ID_DUPLICATE")
	me := w.find(a, "usher_courier")
	if _, err := a.ContactsBlock(t.Context(), &tg.ContactsBlockRequest{
		ID: &tg.InputPeerUser{UserID: me.UserID, AccessHash: me.AccessHash},
	}); err != nil {
		t.Fatal(err)
	}
	wants(t, w.ask(u, to, 2), "USER_IS_BLOCKED")
	_, err = u.ContactsResolveUsername(t.Context(), &tg.ContactsResolveUsernameRequest{Username: "nobody"})
	wants(t, err, "USERNAME_NOT_OCCUPIED")
	_, err = u.HelpGetConfig(t.Context())
	wants(t, err, "INPUT_METHOD_INVALID")
}

func TestAChatIsAcceptedByOneDevice(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, one := w.device(usher)
	_, two := w.device(usher)
	peerA, peerU := w.open(a, one, w.find(a, "usher_courier"), 5)
	_, err := two.MessagesAcceptEncryption(t.Context(), &tg.MessagesAcceptEncryptionRequest{Peer: peerU, GB: public()})
	wants(t, err, "ENCRYPTION_ALREADY_ACCEPTED")
	events := w.events(two, 0)
	if _, ok := events[len(events)-1].(*tg.EncryptedChatDiscarded); !ok {
		t.Errorf("the other device was told %v", events)
	}
	wants(t, send(w, two, peerU, 1), "CHAT_ID_INVALID")
	if err := send(w, one, peerU, 1); err != nil {
		t.Fatal(err)
	}
	wants(t, send(w, one, peerU, 1), "RANDOM_ID_DUPLICATE")
	wants(t, send(w, one, tg.InputEncryptedChat{ChatID: 5, AccessHash: 1}, 2), "CHAT_ID_INVALID")
	if _, err := a.MessagesDiscardEncryption(t.Context(), &tg.MessagesDiscardEncryptionRequest{ChatID: 5}); err != nil {
		t.Fatal(err)
	}
	wants(t, send(w, one, peerU, 3), "ENCRYPTION_DECLINED")
	wants(t, send(w, a, peerA, 3), "ENCRYPTION_DECLINED")
	_, err = one.MessagesDiscardEncryption(t.Context(), &tg.MessagesDiscardEncryptionRequest{ChatID: 5})
	wants(t, err, "ENCRYPTION_ALREADY_DECLINED")
	_, err = one.MessagesDiscardEncryption(t.Context(), &tg.MessagesDiscardEncryptionRequest{ChatID: 6})
	wants(t, err, "ENCRYPTION_ID_INVALID")
}

func TestMessagesWaitUntilTheyAreAcknowledged(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	peerA, _ := w.open(a, u, w.find(a, "usher_courier"), 5)
	for i := range 130 {
		if err := send(w, a, peerA, int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	get := func(qts int) tg.UpdatesDifferenceClass {
		d, err := u.UpdatesGetDifference(t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: 1, Qts: qts})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	slice, ok := get(0).(*tg.UpdatesDifferenceSlice)
	if !ok || len(slice.NewEncryptedMessages) != 100 || slice.IntermediateState.Qts != 100 {
		t.Fatalf("the first slice is %v", slice)
	}
	if again, ok := get(0).(*tg.UpdatesDifferenceSlice); !ok || len(again.OtherUpdates) != 1 {
		t.Error("what was not acknowledged is not told again, with the request")
	}
	rest, ok := get(100).(*tg.UpdatesDifference)
	if !ok || len(rest.NewEncryptedMessages) != 30 || rest.State.Qts != 130 || len(rest.OtherUpdates) != 0 {
		t.Fatalf("the rest is %v", rest)
	}
	_, err := u.MessagesReceivedQueue(t.Context(), 131)
	wants(t, err, "MAX_QTS_INVALID")
	if ids, err := u.MessagesReceivedQueue(t.Context(), 129); err != nil || len(ids) != 29 {
		t.Errorf("acknowledging told %v, %v", ids, err)
	}
	if _, ok := get(130).(*tg.UpdatesDifferenceEmpty); !ok {
		t.Error("something is left")
	}
}

func TestFilesArriveAsTheyWereSent(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	peerA, _ := w.open(a, u, w.find(a, "usher_courier"), 5)
	data := bytes.Repeat([]byte("0123456789abcdef"), 50_000)
	const part = 512 << 10
	for i := range 2 {
		_, err := a.UploadSaveFilePart(t.Context(), &tg.UploadSaveFilePartRequest{
			FileID: 77, FilePart: i, Bytes: data[i*part : min((i+1)*part, len(data))],
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sum := md5.Sum(data)
	up := func(parts int, sum string) error {
		_, err := a.MessagesSendEncryptedFile(t.Context(), &tg.MessagesSendEncryptedFileRequest{
			Peer: peerA, RandomID: int64(parts), Data: make([]byte, 24+64),
			File: &tg.InputEncryptedFileUploaded{ID: 77, Parts: parts, MD5Checksum: sum, KeyFingerprint: 9},
		})
		return err
	}
	wants(t, up(3, ""), "FILE_PART_SIZE_INVALID")
	wants(t, up(2, "00"), "MD5_CHECKSUM_INVALID")
	if err := up(2, hex.EncodeToString(sum[:])); err != nil {
		t.Fatal(err)
	}
	wants(t, up(2, ""), "RANDOM_ID_DUPLICATE")
	d, err := u.UpdatesGetDifference(t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := d.(*tg.UpdatesDifference).NewEncryptedMessages[0].(*tg.EncryptedMessage)
	f := m.File.(*tg.EncryptedFile)
	if f.Size != int64(len(data)) || f.KeyFingerprint != 9 || f.DCID != 2 {
		t.Errorf("the file is %v", f)
	}
	var got []byte
	for len(got) < len(data) {
		r, err := u.UploadGetFile(t.Context(), &tg.UploadGetFileRequest{
			Location: &tg.InputEncryptedFileLocation{ID: f.ID, AccessHash: f.AccessHash},
			Offset:   int64(len(got)), Limit: part,
		})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.(*tg.UploadFile).Bytes...)
	}
	if !bytes.Equal(got, data) {
		t.Error("the file changed on the way")
	}
	_, err = u.UploadGetFile(t.Context(), &tg.UploadGetFileRequest{
		Location: &tg.InputEncryptedFileLocation{ID: f.ID, AccessHash: f.AccessHash + 1}, Limit: part,
	})
	wants(t, err, "FILE_ID_INVALID")
}

func TestALoggedOutDeviceLosesItsChats(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	d, u := w.device(usher)
	peerA, _ := w.open(a, u, w.find(a, "usher_courier"), 5)
	d.LogOut()
	wants(t, send(w, a, peerA, 1), "ENCRYPTION_DECLINED")
	_, err := u.UpdatesGetState(t.Context())
	wants(t, err, "AUTH_KEY_UNREGISTERED")
}

func TestADeviceThatRefusesRequestsIsNotToldOfThem(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, one := w.device(usher)
	_, two := w.device(usher)
	list, err := one.AccountGetAuthorizations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Authorizations {
		if s.Current {
			continue
		}
		req := &tg.AccountChangeAuthorizationSettingsRequest{Hash: s.Hash}
		req.SetEncryptedRequestsDisabled(true)
		if _, err := one.AccountChangeAuthorizationSettings(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ask(a, w.find(a, "usher_courier"), 5); err != nil {
		t.Fatal(err)
	}
	if n, m := len(w.events(one, 0)), len(w.events(two, 0)); n != 1 || m != 0 {
		t.Errorf("the devices were told of %d and %d requests", n, m)
	}
}

func TestUpdatesArePushedInOrder(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	d, u := w.device(usher)
	var got []string
	cancel := d.Subscribe(func(u hub.Answer) { got = append(got, fmt.Sprint(len(u) > 0)) })
	peerA, _ := w.open(a, u, w.find(a, "usher_courier"), 5)
	if err := send(w, a, peerA, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := send(w, a, peerA, 2); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Errorf("%d updates were pushed", len(got))
	}
}
