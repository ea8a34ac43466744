package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/bot/simulator"
)

// mailbox is user accounts without any protocol: it notes what is done to them.
type mailbox struct {
	mu      sync.Mutex
	letters map[int64][]simulator.Letter // by person, all with the first courier
	blocked map[int64]bool
	done    []string
}

func newMailbox() *mailbox {
	return &mailbox{letters: make(map[int64][]simulator.Letter), blocked: make(map[int64]bool)}
}

func (m *mailbox) Write(from, _ int64, text string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blocked[from] {
		return 0, errors.New("YOU_BLOCKED_USER")
	}
	id := int64(len(m.letters[from]) + 1)
	m.letters[from] = append(m.letters[from], simulator.Letter{ID: id, Mine: true, Text: text, Date: time.Now().Unix()})
	return id, nil
}

// answer is the courier's.
func (m *mailbox) answer(to int64, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.letters[to]
	for i := range all {
		all[i].Read = true
	}
	m.letters[to] = append(all, simulator.Letter{ID: int64(len(all) + 1), Text: text, Date: time.Now().Unix()})
}

func (m *mailbox) Dialogs(user int64) []simulator.Dialog {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.letters[user]) == 0 {
		return nil
	}
	return []simulator.Dialog{{With: 500_000_001, Blocked: m.blocked[user], Messages: slices.Clone(m.letters[user])}}
}

func (m *mailbox) note(format string, args ...any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = append(m.done, fmt.Sprintf(format, args...))
	return nil
}

func (m *mailbox) did() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.done)
}

func (m *mailbox) Block(user, other int64, block bool) error {
	_ = m.note("block %d %t", other, block)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocked[user] = block
	return nil
}

func (m *mailbox) Hide(_ int64, hide bool) error { return m.note("hide %t", hide) }

func (m *mailbox) Trouble(user int64, what string, within time.Duration) error {
	return m.note("%s %d %s", what, user, within)
}

func TestTroubleOfCouriersOverTheControlAPI(t *testing.T) {
	mail := newMailbox()
	b := newBed(t, func(o *simulator.Options) {
		o.Accounts = mail
		o.CourierPhone, o.CourierCode = "+1", "12345"
		o.MoreCouriers = []simulator.Courier{{ID: 500_000_002, Username: "Second", Name: "Second", Phone: "+2", Code: "23456"}}
	})
	for _, body := range []map[string]any{
		{"action": "flood", "seconds": 60},
		{"action": "ban", "username": "@second"},
		{"action": "other-session", "username": "QuayTickets"},
	} {
		if code := b.control(http.MethodPost, "courier", body, nil); code != http.StatusOK {
			t.Errorf("%v is answered %d", body, code)
		}
	}
	if want := []string{"flood 500000001 1m0s", "ban 500000002 0s", "other-session 500000001 0s"}; !slices.Equal(mail.did(), want) {
		t.Errorf("what happened is %q", mail.did())
	}
	for _, body := range []map[string]any{
		{"action": "praise"}, {"action": "ban", "username": "nobody"}, {"action": "flood", "seconds": -1},
	} {
		if code := b.control(http.MethodPost, "courier", body, nil); code != http.StatusBadRequest {
			t.Errorf("%v is answered %d", body, code)
		}
	}
	var couriers []map[string]string
	b.control(http.MethodGet, "couriers", nil, &couriers)
	if len(couriers) != 2 || couriers[0]["phone"] != "+1" || couriers[1]["code"] != "23456" || couriers[1]["username"] != "Second" {
		t.Errorf("the couriers are %v", couriers)
	}
}

func TestFaultsOfMTProtoArePassedOn(t *testing.T) {
	var planned []string
	b := newBed(t, func(o *simulator.Options) {
		o.Spoil = func(method, kind string, times int) error {
			planned = append(planned, fmt.Sprint(method, " ", kind, " ", times))
			return errors.New("so not")
		}
	})
	body := map[string]any{"api": "mtproto", "method": "messages.sendEncrypted", "kind": "twice", "times": 2}
	if code := b.control(http.MethodPost, "fault", body, nil); code != http.StatusBadRequest || len(planned) != 1 {
		t.Errorf("answered %d, planned %q", code, planned)
	}
	body["api"] = "smtp"
	if code := b.control(http.MethodPost, "fault", body, nil); code != http.StatusBadRequest || len(planned) != 1 {
		t.Errorf("answered %d, planned %q", code, planned)
	}
}

func TestThePhoneOnThePageWritesToTheCourier(t *testing.T) {
	s := newStage(t)
	s.page = browser(t)
	card := &scripted{stage: s}
	s.poll(func(ctx context.Context, c *bot.Bot, u *models.Update) {
		if u.Message != nil {
			card.chat = u.Message.Chat.ID
			card.instructions(ctx, c)
		}
	})
	s.do("open the page", chromedp.EmulateViewport(1440, 900), chromedp.Navigate(s.url), visible("start"))
	s.do("be shown a link", click("start"), says("message-text", "end-to-end"))
	s.do("follow it", tap("Let it write to me"), filled("phone-input", "code 4711"))
	s.shoot("letter")
	s.do("send what is there", click("phone-send"), says("message-text", "code 4711"), filled("phone-input", ""))
	s.mail.answer(card.person(), "Thank you: go on in the chat with the bot.")
	s.do("read the answer", chromedp.Reload(), visible("phone-letters"), click("phone-letters"), says("message-text", "Thank you"), says("message-text", "✓✓"))
	s.shoot("letters")
	s.do("go back", click("phone-back"), visible("phone-courier"))
	s.shoot("phone")
	s.do("block the courier", click("phone-courier"), visible("phone-block"), click("phone-block"), says("phone-block", "Unblock"))
	s.shoot("blocked")
	s.do("be refused", click("phone-message"), chromedp.SendKeys(byID("phone-input"), "hello\r"), says("toast", "YOU_BLOCKED_USER"))
	s.do("unblock it", click("phone-back"), click("phone-courier"), says("phone-block", "Unblock"), click("phone-block"), says("phone-block", "Block"))
	s.do("forbid secret chats", click("phone-more"), visible("phone-forbid"), click("phone-forbid"),
		click("phone-more"), visible("phone-allow"), click("phone-allow"), click("phone-more"), visible("phone-forbid"))
	if want := []string{"block 500000001 true", "block 500000001 false", "hide true", "hide false"}; !slices.Equal(s.mail.did(), want) {
		t.Errorf("what was done is %q", s.mail.did())
	}
}
