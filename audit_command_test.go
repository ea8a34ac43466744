package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// audited is a running Usher on a chain of its own, worked by hand, with somebody who audits it.
type audited struct {
	forked
	auditor *auditor
}

func newAudited(t *testing.T, f demoFlags) *audited {
	t.Helper()
	f.block, f.redis = "manual", redistest.Start(t).URL
	if f.generation == "" {
		f.generation, f.node = "hashed", "today"
	}
	d, err := startDemo(t.Context(), f, streams{strings.NewReader(""), io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	a := auditorOf(d.app)
	a.pause = time.Millisecond
	return &audited{forked{demo: d, t: t}, a}
}

// audits wants exactly these kinds to be found.
func (a *audited) audits(when string, want ...audit.Kind) audit.Report {
	a.t.Helper()
	report, err := a.auditor.audit(a.t.Context(), true)
	if err != nil {
		a.t.Fatalf("%s: %v", when, err)
	}
	bad := len(report.Findings) != len(want)
	for i, f := range report.Findings {
		bad = bad || i >= len(want) || f.Kind != want[i]
	}
	if bad {
		a.t.Fatalf("%s: wanted %v, found %+v", when, want, report.Findings)
	}
	return report
}

// block makes one and audits before Usher has heard of it and after.
func (a *audited) block(when string) order.Order {
	a.t.Helper()
	if _, err := a.chain.Mine(1); err != nil {
		a.t.Fatal(err)
	}
	a.audits(when + ", before Usher sees it")
	o := a.look()
	a.audits(when)
	return o
}

// until makes blocks until the order is as wanted.
func (a *audited) until(what string, is func(order.Order) bool) order.Order {
	a.t.Helper()
	for range 60 {
		if o := a.block(what); is(o) {
			return o
		}
	}
	a.t.Fatalf("not %s in 60 blocks", what)
	return order.Order{}
}

func (a *audited) fund(address cirrus.Address, sum cirrus.Strats) {
	a.t.Helper()
	if _, err := a.chain.Fund(address, sum); err != nil {
		a.t.Fatal(err)
	}
}

func isTicket(state order.TicketState) func(order.Order) bool {
	return func(o order.Order) bool { return o.Tickets[0].State == state }
}

// buys pays for the first seat there is until the ticket is there.
func (a *audited) buys(refund cirrus.Address) order.Order {
	a.t.Helper()
	o := a.open(refund)
	a.audits("ordered")
	a.fund(o.Address, o.Due)
	a.audits("payment in the mempool")
	return a.until("bought", isTicket(order.Owned))
}

// TestAnAuditCriesAtNoStepOfAnHonestOrder audits in every block of a purchase and of a refund, before Usher has seen the
// block and after, with something on top of the payment.
func TestAnAuditCriesAtNoStepOfAnHonestOrder(t *testing.T) {
	a := newAudited(t, demoFlags{})
	o := a.open(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x02}))
	a.fund(o.Address, o.Due+2*cirrus.CRS)
	a.audits("payment in the mempool")
	a.until("bought", isTicket(order.Owned))
	a.until("the excess is back", func(o order.Order) bool { return len(o.Payouts) == 1 && o.Payouts[0].State == order.Done })
	if _, err := a.app.engine.Do(t.Context(), o.Customer, o.ID, order.Ask{Verb: order.GiveBack, Ticket: o.Tickets[0].ID}); err != nil {
		t.Fatal(err)
	}
	a.ahead.Store(int64(time.Minute)) // the time to undo it
	a.until("given back", isTicket(order.Released))
	a.until("the money is back", func(o order.Order) bool { return !o.Open() })
}

// TestAuditFindsAnAddressFundedBehindItsBack: money at an address that no order has, and money that left a ticket's
// address by another hand than Usher's.
func TestAuditFindsAnAddressFundedBehindItsBack(t *testing.T) {
	a := newAudited(t, demoFlags{})
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x03})
	o := a.buys(refund)
	account := a.app.settings.accounts[0]
	behind, err := a.app.node.Candidates(t.Context(), account, 1)
	if err != nil {
		t.Fatal(err)
	}
	a.on(2) // all that the purchase gives back can be spent
	a.fund(behind[0], 5*cirrus.CRS)
	report := a.audits("in the mempool", audit.CoinWithoutOrder)
	if f := report.Findings[0]; f.Address != behind[0] || f.Amount != 5*cirrus.CRS || !strings.Contains(f.Says, account.String()) {
		t.Errorf("%+v", f)
	}
	var coins []cirrus.Outpoint
	var sum cirrus.Strats
	for _, coin := range coinsAt(a.chain.Ledger(), o.Address) {
		coins, sum = append(coins, coin.Outpoint), sum+coin.Amount
	}
	fee := order.NetworkFee(len(coins), 1)
	thief, err := a.app.node.Build(t.Context(), order.Payment{
		Account: o.Account, Coins: coins, Fee: fee, Outputs: []order.Output{{Address: refund, Amount: sum - fee}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.app.node.Send(t.Context(), thief.Hex); err != nil {
		t.Fatal(err)
	}
	report = a.audits("taken", audit.MoneyMissing, audit.CoinWithoutOrder)
	if f := report.Findings[0]; f.Address != o.Address || f.Order != o.ID || f.Amount != sum {
		t.Errorf("%+v", f)
	}
}

// TestAfterRedisIsLostTheAuditListsWhatLiesWhere: coins and the ticket are found by what the node's wallets remember.
func TestAfterRedisIsLostTheAuditListsWhatLiesWhere(t *testing.T) {
	a := newAudited(t, demoFlags{})
	o := a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x04}))
	a.loses()
	report := a.audits("Redis is empty", audit.CoinWithoutOrder, audit.TicketWithoutOrder)
	for _, f := range report.Findings {
		if f.Address != o.Address {
			t.Errorf("%+v", f)
		}
	}
	if line := report.Lines[0]; line.Address != o.Address || line.Holds == 0 || len(line.Tickets) != 1 || line.Tickets[0].Seat != o.Tickets[0].Seat.String() {
		t.Errorf("%+v", report.Lines)
	}
	at, err := redis.ParseURL(a.auditor.settings.redisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(at)
	defer client.Close() //nolint:errcheck // the end of the test
	if names, err := client.Keys(t.Context(), "*").Result(); err != nil || len(names) > 0 {
		t.Errorf("an audit wrote %v (%v)", names, err)
	}
}

// command runs usher as a process to its end.
func (w *world) command(in string, args ...string) (code int, out string) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), os.Args[0], args...) // #nosec G204 -- this test binary
	cmd.Env = append(append(os.Environ(), asUsher+"=1"), w.env...)
	cmd.Stdin = strings.NewReader(in)
	var said, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &log
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if text := strings.TrimSpace(log.String()); text != "" {
		w.t.Logf("%v says: %s", args, text)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

// TestTheAuditCommandBesideARunningUsher: it ends with 0 where all is well, with 1 where something fits nowhere, and
// needs no token of a bot.
func TestTheAuditCommandBesideARunningUsher(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("")
	ada := w.person("Ada")
	address, due := ada.order("2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0}))
	w.pay(address, due)
	ada.sees("the ticket", says("is yours"), w.mine)
	env := w.env
	w.env = append(w.env, "USHER_TELEGRAM_TOKEN=")
	if code, out := w.command("", "audit"); code != 0 || !strings.Contains(out, "All is well") || !strings.Contains(out, address) {
		t.Errorf("%d\n%s", code, out)
	}
	for _, a := range w.ledger().Addresses {
		if strings.HasPrefix(a.Wallet, "usher1/") && string(a.Address) != address {
			t.Fatalf("%s is in use", a.Address)
		}
	}
	w.env = append(w.env, "USHER_VENUES=", "USHER_REDIS_URL="+redistest.Start(t).URL)
	code, out := w.command("", "audit", "--json")
	var report audit.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 || len(report.Findings) != 1 ||
		report.Findings[0].Kind != audit.CoinWithoutOrder || string(report.Findings[0].Address) != address {
		t.Errorf("with an empty Redis: %d, %v\n%s", code, err, out)
	}
	w.env = env
}
