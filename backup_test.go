package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

// killUsher ends the running usher as kill -9 does.
func (w *world) killUsher() {
	w.t.Helper()
	if err := w.usher.cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	<-w.usher.done
}

// emptied is a Redis that has lost everything.
func (w *world) emptied() {
	w.t.Helper()
	w.redis.Kill()
	entries, err := os.ReadDir(w.redis.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(w.redis.Dir, entry.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
	w.redis.Restart()
}

// TestABackupFromBeforeThePaymentCostsNobodyMoney: the backup knows only that payment is awaited. After it the customer
// pays and has the ticket; then everything in Redis is lost and the backup put back. With secrets that are derived the ticket
// is theirs and can be given back; else, and without a float, its secret is lost with Redis, and the money comes back on the operator's word.
func TestABackupFromBeforeThePaymentCostsNobodyMoney(t *testing.T) {
	t.Parallel()
	for _, reserve := range []string{"ticketbooth", "direct"} {
		t.Run(reserve, func(t *testing.T) {
			t.Parallel()
			w, operator := newWorld(t)
			w.env = append(w.env, "USHER_RESERVE="+reserve, "USHER_FLOAT_WALLET=")
			w.run("")
			operator.write("/start")
			ada := w.person("Ada")
			refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0})
			address, due := ada.order("2B", refund)
			file := filepath.Join(t.TempDir(), "backup")
			w.expect(0, "", []string{"backup", file}, "made and read again", "keep a copy of the key ring too")
			w.pay(address, due)
			ada.sees("the ticket", says("is yours"), w.mine)
			w.expect(1, "", []string{"restore", file, "--replace"}, "an Usher runs on this Redis", "stop every Usher")
			w.killUsher()
			w.emptied()
			w.expect(0, "", []string{"restore", file}, "Redis holds what it held at", "secret chat made anew")
			w.run("")
			if reserve == "ticketbooth" {
				operator.sees("the operator's news", says("Needs a person"), w.mine)
				operator.tap("Give it back")
			} else {
				ada.givesBack()
			}
			ada.sees("the money back", says("has arrived at"), w.mine)
			s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
			if err != nil {
				t.Fatal(err)
			}
			if s.Paid != due || s.Held != 0 || s.Paid != s.Release+s.Gas+s.Network+s.Dust+s.Returned {
				t.Errorf("paid %s: %+v", due, s)
			}
			bob := w.person("Bob")
			if other, _ := bob.order("1A", cirrus.TestNet.Address(cirrus.Hash{0xB0})); other == address {
				t.Error("an address was given to two customers")
			}
		})
	}
}

// givesBack waits for the ticket to be known again and gives it back.
func (r *remote) givesBack() {
	r.t.Helper()
	r.sees("the ticket again", says("is yours, but there is no secret chat"), r.mine)
	r.write("/refund")
	list := r.sees("the refund", says("/refund_"), r.mine)
	r.write(strings.Fields(list.Text[strings.Index(list.Text, "/refund_"):])[0])
}
