package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/phone"
	"github.com/usherbot/usher/chain/cirrus"
)

const (
	abroadDC      = 2
	abroadCourier = 700_000_001
	abroadPhone   = "+15550123"
	abroadCode    = "24680"
)

// abroad is an MTProto server that has nothing of the local Telegram's. It knows the few methods that secret chats and a
// login need, and answers every other one with an error.
type abroad struct {
	*abroadCloud
	addr net.TCPAddr
	key  []byte // PEM

	mu      sync.Mutex
	keys    map[[8]byte]bool // logged in
	logins  int
	unknown map[string]int // calls that were not known
}

func newAbroad(t *testing.T) *abroad {
	t.Helper()
	a := &abroad{abroadCloud: newAbroadCloud(), keys: map[[8]byte]bool{}, unknown: map[string]int{}}
	w := &abroadWire{answer: a.answer}
	a.addr = *w.serve(t)
	a.key = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&w.private.RSA.PublicKey)})
	return a
}

// env is what an operator would set.
func (a *abroad) env(t *testing.T) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "abroad.pem")
	if err := os.WriteFile(key, a.key, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		fmt.Sprintf("USHER_COURIER_SERVER=%d@%s", abroadDC, &a.addr), "USHER_COURIER_SERVER_KEY=" + key, "USHER_COURIER_API_ID=9",
		"USHER_COURIER_API_HASH=fedcba9876543210fedcba9876543210", "USHER_COURIER_PHONE=" + abroadPhone, "USHER_COURIER_CODE=" + abroadCode,
	}
}

// answer answers a call of the courier's.
func (a *abroad) answer(caller *abroadCaller, b *bin.Buffer) (bin.Encoder, error) {
	id, err := b.PeekID()
	if err != nil {
		return nil, err
	}
	switch id {
	case tg.HelpGetConfigRequestTypeID:
		option := tg.DCOption{ID: abroadDC, IPAddress: a.addr.IP.String(), Port: a.addr.Port}
		return &tg.Config{Date: now(), Expires: now() + 3600, ThisDC: abroadDC, DCOptions: []tg.DCOption{option}}, nil
	case tg.AuthSendCodeRequestTypeID:
		return &tg.AuthSentCode{Type: &tg.AuthSentCodeTypeApp{Length: 5}, PhoneCodeHash: "hash"}, nil
	case tg.AuthSignInRequestTypeID:
		return a.signIn(caller, b)
	}
	a.mu.Lock()
	loggedIn := a.keys[caller.key.ID]
	a.mu.Unlock()
	if !loggedIn {
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	}
	switch id {
	case tg.UsersGetUsersRequestTypeID:
		return &tg.UserClassVector{Elems: []tg.UserClass{courierAbroad()}}, nil
	case tg.UpdatesGetStateRequestTypeID, tg.UpdatesGetDifferenceRequestTypeID:
		a.listen(caller)
	}
	answer, known, err := a.call(abroadCourier, b)
	if !known {
		a.refused(id)
	}
	return answer, err
}

func (a *abroad) signIn(caller *abroadCaller, b *bin.Buffer) (bin.Encoder, error) {
	var call tg.AuthSignInRequest
	if err := call.Decode(b); err != nil {
		return nil, err
	}
	if call.PhoneCode != abroadCode || call.PhoneCodeHash != "hash" || strings.TrimPrefix(call.PhoneNumber, "+") != abroadPhone[1:] {
		return nil, tgerr.New(400, "PHONE_CODE_INVALID")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[caller.key.ID] = true
	a.logins++
	return &tg.AuthAuthorization{User: courierAbroad()}, nil
}

func courierAbroad() *tg.User {
	u := &tg.User{Self: true, ID: abroadCourier, AccessHash: 3, FirstName: "Courier", Username: "courier_abroad", Phone: abroadPhone[1:]}
	u.SetFlags()
	return u
}

// listen tells a caller from now on at once what happens. One that is gone asks when it is back.
func (a *abroad) listen(caller *abroadCaller) {
	a.abroadCloud.mu.Lock()
	defer a.abroadCloud.mu.Unlock()
	a.box(abroadCourier).told = func(u tg.UpdateClass) {
		_ = caller.send(context.Background(), proto.MessageFromServer, &tg.Updates{Updates: []tg.UpdateClass{u}, Date: now()})
	}
}

func (a *abroad) refused(id uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unknown[tg.TypesMap()[id]]++
}

// phoneOf is a person's telephone abroad.
func (a *abroad) phoneOf(r *remote) *phone.Simulated {
	r.t.Helper()
	p, err := phone.New(r.t.Context(), phone.Options{
		UserID: r.id, Name: "Ada",
		Connect: func() (phone.Line, error) { return &abroadLine{cloud: a.abroadCloud, account: r.id}, nil },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.Close)
	return p
}

// TestUsherDeliversThroughAServerThatIsNotItsOwn has the binary log in by its environment alone, without a question, to a
// server that knows no more than it must, take a chat from a phone, sell, hand the ticket over, and go on after kill -9.
func TestUsherDeliversThroughAServerThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	w, _ := newWorld(t)
	w.env = append(w.env, a.env(t)...)
	w.run("")
	ada := w.person("Ada")
	p := a.phoneOf(ada)
	steps := ada.choosing("An Evening", "2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0}))
	for _, step := range steps[:len(steps)-2] {
		step()
	}
	ada.sees("the way to the secret chat", says("Start Secret Chat"), nil)
	chat, err := p.StartSecretChat(t.Context(), abroadCourier)
	if err != nil {
		t.Fatal(err)
	}
	steps[len(steps)-1]()
	ada.tap("Order and pay")
	address, due := ada.bill()
	w.pay(address, due)
	ada.sees("the ticket", says("has arrived on your phone, in the secret chat"), w.mine)

	var ticket string
	ada.sees("the picture", func(simulator.MessageView) bool {
		for _, m := range messagesIn(p, chat) {
			if len(m.Picture) > 0 {
				ticket, err = readQR(m.Picture)
				return err == nil
			}
		}
		return false
	}, w.mine)
	if !w.scan(cirrus.Address(setting(w.env, "USHER_VENUES")[:34]), ticket).Opens {
		t.Error("the door does not open")
	}
	answered(ada, p, chat)
	a.restarted(ada, p, chat)
	if complaints := p.Complaints(); len(complaints) > 0 {
		t.Errorf("the phone complains: %v", complaints)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.logins != 1 {
		t.Errorf("logged in %d times", a.logins)
	}
	t.Logf("calls that were refused as unknown: %v", slices.Sorted(maps.Keys(a.unknown)))
}

// restarted kills usher, has it start again, and wants the same chat to go on, with what was written meanwhile.
func (a *abroad) restarted(ada *remote, p *phone.Simulated, chat string) {
	ada.t.Helper()
	if err := ada.usher.cmd.Process.Kill(); err != nil {
		ada.t.Fatal(err)
	}
	<-ada.usher.done
	ada.run("")
	answered(ada, p, chat)
	if status, text := ada.try(http.MethodGet, "http://"+ada.usher.addr+"/ready", nil, nil); status != http.StatusOK {
		ada.t.Errorf("after its restart usher is not ready: %d %s", status, text)
	}
}

// answered writes into the secret chat and waits for the courier's answer.
func answered(ada *remote, p *phone.Simulated, chat string) {
	ada.t.Helper()
	before := len(messagesIn(p, chat))
	if _, err := p.Send(ada.t.Context(), chat, "Is this a person?"); err != nil {
		ada.t.Fatal(err)
	}
	ada.sees("an answer", func(simulator.MessageView) bool { return len(messagesIn(p, chat)) > before+1 }, nil)
}

func messagesIn(p *phone.Simulated, id string) []phone.Message {
	for _, chat := range p.Chats() {
		if chat.ID == id {
			return chat.Messages
		}
	}
	return nil
}
