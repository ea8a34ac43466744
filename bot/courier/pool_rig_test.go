package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

const secondID = 2000

// secondAccount adds an account that can log in.
func secondAccount(o *mtproto.Options) {
	o.More = []mtproto.Account{{ID: secondID, Phone: "15550200", Code: "98765", Username: "usher_second", FirstName: "Second"}}
}

// rig is a pool at work on a local Telegram with two accounts.
type rig struct {
	*bed
	look  time.Duration // between two looks at other sessions
	pool  *courier.Pool
	notes *notes
	stop  func()
}

// newRig logs so many accounts in and starts the pool.
func newRig(t *testing.T, accounts int) *rig {
	t.Helper()
	r := &rig{bed: newBed(t, secondAccount)}
	idle := r.idle()
	for i := range accounts {
		_, err := idle.Login(t.Context(), logins(i))
		must(t, err)
	}
	r.run()
	r.healthy(accounts)
	return r
}

// logins are the logins of the accounts of a rig.
func logins(i int) courier.Login {
	phone, code := "15550100", "54321"
	if i > 0 {
		phone, code = "15550200", "98765"
	}
	return courier.Login{Phone: phone, Code: func(context.Context) (string, error) { return code, nil }}
}

// poolConfig has nothing to log in with.
func (r *rig) poolConfig() courier.Config {
	cfg := r.config()
	cfg.Code, cfg.Phone, cfg.Look = nil, "", r.look
	return cfg
}

// idle is the pool of another process, in which no account runs.
func (r *rig) idle() *courier.Pool {
	r.t.Helper()
	pool, err := courier.NewPool(r.poolConfig(), newNotes())
	must(r.t, err)
	return pool
}

// run starts the pool.
func (r *rig) run() {
	r.t.Helper()
	r.notes = newNotes()
	pool, err := courier.NewPool(r.poolConfig(), r.notes)
	must(r.t, err)
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	r.pool = pool
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			r.t.Errorf("the pool ended with %v", err)
		}
	})
	r.t.Cleanup(r.stop)
}

// eventually waits for what the store says.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline:
			r.t.Fatalf("never: %s", what)
		}
	}
}

// accounts are those that stand so.
func (r *rig) accounts(health courier.Health) (usernames []string) {
	r.t.Helper()
	all, err := r.pool.Accounts(r.t.Context())
	must(r.t, err)
	for _, a := range all {
		if a.Health == health {
			usernames = append(usernames, a.Contact.Username)
		}
	}
	return usernames
}

func (r *rig) healthy(n int) {
	r.t.Helper()
	r.eventually(fmt.Sprint(n, " accounts are ready"), func() bool { return len(r.accounts(courier.HealthReady)) == n })
}

// guest is a customer with a phone, and a chat with the account that they were led to.
type guest struct {
	id    int64
	with  string
	phone phone.Phone
	chats []string
}

func idOf(username string) int64 {
	if username == "usher_second" {
		return secondID
	}
	return courierID
}

// leads has the customer open a chat with the account that the pool names.
func (r *rig) leads(g *guest) {
	r.t.Helper()
	must(r.t, r.pool.Invite(r.t.Context(), g.id))
	contact, err := r.pool.Contact(r.t.Context(), g.id)
	must(r.t, err)
	g.with = contact.Username
	id, err := g.phone.StartSecretChat(r.t.Context(), idOf(g.with))
	must(r.t, err)
	g.chats = append(g.chats, id)
	r.notes.wait(r.t, fmt.Sprintf("opened %d ", g.id), len(g.chats))
	r.until("the chat is open on the phone", func() bool { return chat(g.phone, id).State == phone.StateOpen })
}

func (r *rig) guests(ids ...int64) (all []*guest) {
	r.t.Helper()
	for _, id := range ids {
		g := &guest{id: id, phone: r.phone(id)}
		r.leads(g)
		all = append(all, g)
	}
	return all
}

func (r *rig) deliver(g *guest) {
	r.t.Helper()
	p := parcel(r.t, "ticket")
	p.Again = "The same ticket once more."
	if _, err := r.pool.Deliver(r.t.Context(), g.id, p); err != nil && !errors.Is(err, courier.ErrNoChat) {
		r.t.Fatal(err)
	}
}

// pictures counts the tickets in the chats of a guest, and whether those after the first are called repeated.
func (g *guest) pictures() (n int, marked bool) {
	marked = true
	for _, id := range g.chats {
		got := arrived(g.phone, id)
		if !slices.Contains(got, "picture: Row A, seat 1") {
			continue
		}
		if n++; n > 1 {
			marked = marked && slices.ContainsFunc(got, func(text string) bool { return strings.HasPrefix(text, "The same ticket") })
		}
	}
	return n, marked
}
