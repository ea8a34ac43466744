package simulator_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

// phones are simulated phones without any protocol: what a test says happens.
type phones struct {
	mu      sync.Mutex
	all     map[int64]*phone
	changed func(int64)
}

func newPhones() *phones { return &phones{all: make(map[int64]*phone)} }

func (p *phones) AddUser(id int64, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[id] = &phone{phones: p, owner: id}
}

func (p *phones) Add(int64) error { return errors.New("nobody sells phones here") }

func (p *phones) All(id int64) []simulator.Phone {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ph, ok := p.all[id]; ok {
		return []simulator.Phone{ph}
	}
	return nil
}

func (p *phones) OnChange(f func(int64)) { p.changed = f }

// courierSends puts a message from the courier on somebody's phone.
func (p *phones) courierSends(owner int64, m simulator.SecretMessage) {
	p.mu.Lock()
	chats := p.all[owner].chats
	c := &chats[len(chats)-1]
	m.ID = int64(len(c.Messages) + 1)
	c.Messages = append(c.Messages, m)
	p.mu.Unlock()
	p.changed(owner)
}

// accept opens the newest secret chat of a phone.
func (p *phones) accept(owner int64) {
	p.mu.Lock()
	chats := p.all[owner].chats
	chats[len(chats)-1].State = "open"
	p.mu.Unlock()
	p.changed(owner)
}

type phone struct {
	phones *phones
	owner  int64
	chats  []simulator.SecretChat
	done   []string
}

func (p *phone) StartSecretChat(_ context.Context, with int64) (string, error) {
	if with == p.owner {
		return "", errors.New("nobody starts a secret chat with themselves")
	}
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	id := strconv.Itoa(len(p.chats) + 1)
	p.chats = append(p.chats, simulator.SecretChat{ID: id, With: with, State: "pending", Key: "00ff"})
	return id, nil
}

func (p *phone) Send(_ context.Context, chat, text string) (int64, error) {
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	for i := range p.chats {
		c := &p.chats[i]
		if c.ID == chat && c.State == "open" {
			id := int64(len(c.Messages) + 1)
			c.Messages = append(c.Messages, simulator.SecretMessage{ID: id, Mine: true, Text: text, Date: time.Unix(1_796_000_000, 0)})
			return id, nil
		}
	}
	return 0, errors.New("that secret chat is not open")
}

func (p *phone) SecretChats() []simulator.SecretChat {
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	out := make([]simulator.SecretChat, len(p.chats))
	for i, c := range p.chats {
		c.Messages = append([]simulator.SecretMessage(nil), c.Messages...)
		out[i] = c
	}
	return out
}

func (p *phone) Do(_ context.Context, action, chat string) error {
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	p.done = append(p.done, action+" "+chat)
	if action == "new-phone" {
		p.chats = nil
	}
	return nil
}

func (p *phone) Complaints() []string { return nil }

// fakeChain is a chain that does what it is told.
type fakeChain struct {
	mu     sync.Mutex
	height int64
	paid   []string
	opens  bool
}

func (c *fakeChain) View(context.Context) (simulator.ChainView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := simulator.ChainView{
		Height: c.height, Network: "Cirrus test network (local)", Manual: true,
		Wallet: simulator.WalletView{Address: "tQZ1mFdpXT7wBLzNQF3wWnzzSkbFBqPXiF", Balance: "2 480.75"},
		Doors: []simulator.DoorView{
			{Address: "tHarbour", Name: "Harbour Hall"}, {Address: "tMill", Name: "The Old Mill"},
		},
	}
	for _, p := range c.paid {
		v.Waiting = append(v.Waiting, simulator.TxView{ID: "5f0c77a19be2c9d0", What: p})
	}
	for i := range int64(5) {
		b := simulator.BlockView{Height: c.height - i, Time: 1_796_000_000 - 16*i}
		if i == 1 {
			b.Transactions = []simulator.TxView{{ID: "91ab03dd6c5f1122", What: "Ticket for seat 3D reserved"}}
		}
		v.Blocks = append(v.Blocks, b)
	}
	return v, nil
}

func (c *fakeChain) Pay(_ context.Context, address, amount string) (string, error) {
	if amount == "0" {
		return "", errors.New("The amount must be more than zero.") //nolint:staticcheck // shown to people as it is
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paid = append(c.paid, amount+" CRS to "+address[:6]+"…")
	return "5f0c77a19be2c9d0aa", nil
}

func (c *fakeChain) NextBlock(context.Context) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.height++
	c.paid = nil
	return c.height, nil
}

func (c *fakeChain) Scan(_ context.Context, door string, _ []byte) (simulator.Verdict, error) {
	if door != "tHarbour" {
		return simulator.Verdict{}, errors.New("The scanner does not know this ticket.") //nolint:staticcheck // shown to people as it is
	}
	return simulator.Verdict{Opens: c.opens, Results: []simulator.SeatVerdict{{Verdict: "valid", Seat: "3D"}}}, nil
}
