package main

import (
	"bytes"
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// TestExportAddsUpForEachOrder: what came is what went, by columns whose names do not change; nothing personal is in it.
func TestExportAddsUpForEachOrder(t *testing.T) {
	a := newAudited(t, demoFlags{})
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x0C})
	o := a.buys(refund)
	a.on(2)
	var said bytes.Buffer
	if err := a.auditor.export(t.Context(), streams{nil, &said, &said}); err != nil {
		t.Fatal(err)
	}
	text := said.String()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := strings.Join(rows[0], ","); got != "order,created,network,contract,show,seats,state,open,paid,from_float,price,kept_by_venue,gas,"+
		"service_fee,network_fees,dust,returned,held,gas_used,calls" {
		t.Errorf("columns %s", got)
	}
	sums := map[string]cirrus.Strats{}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
		sums[name], _ = cirrus.ParseCRS(rows[1][i])
	}
	went := sums["price"] + sums["kept_by_venue"] + sums["gas"] + sums["service_fee"] + sums["network_fees"] + sums["dust"] + sums["returned"] + sums["held"]
	if sums["paid"] != o.Due || sums["paid"]+sums["from_float"] != went || cells["order"] != string(o.ID) || cells["calls"] != "1" || cells["open"] != "true" {
		t.Errorf("%v", cells)
	}
	if gas := o.Gas.Cost(o.Tickets[0].Reserve.GasUsed); sums["gas"] != gas || cells["gas_used"] == "0" {
		t.Errorf("gas %s, used %s; the chain took %s", sums["gas"], cells["gas_used"], gas)
	}
	for _, secret := range []string{string(refund), o.Show.Name, string(o.Address)} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in\n%s", secret, text)
		}
	}
}

// TestSeatsMakeNoFormulas, whatever character a contract has for a letter.
func TestSeatsMakeNoFormulas(t *testing.T) {
	o := order.Order{Tickets: []order.Ticket{
		{Seat: cirrus.Seat{Letter: '='}, State: order.Owned}, {Seat: cirrus.Seat{Number: 1, Letter: '\n'}, State: order.Lost},
	}}
	if got := exportSeats(o); !strings.HasPrefix(got, "seat ") || strings.ContainsAny(got, "\n\r") || strings.Count(got, ";") != 1 {
		t.Errorf("%q", got)
	}
}

// TestTheWatchServesWhatItFindsWithEachBlock.
func TestTheWatchServesWhatItFindsWithEachBlock(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	watch := start(t, append(w.env, "USHER_TELEGRAM_TOKEN="), "audit", "--watch", "--listen", "127.0.0.1:0")
	if page := w.metrics(watch); !strings.Contains(page, `usher_audit_findings{kind="coin_without_order"} 0`) ||
		!strings.Contains(page, `usher_audit_orders{which="all"} 0`) {
		t.Errorf("%s", page)
	}
	var free []cirrus.Address
	w.call(http.MethodGet, w.chain+"/api/wallet/unusedaddresses?walletName=usher1&accountName=account%200&count=1", nil, &free)
	w.pay(string(free[0]), 3*cirrus.CRS)
	w.mine()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !strings.Contains(w.metrics(watch), `usher_audit_findings{kind="coin_without_order"} 1`) {
		select {
		case <-deadline.C:
			t.Fatalf("not found:\n%s", w.metrics(watch))
		case <-look.C:
		}
	}
}

// metrics reads the page of a watch.
func (w *world) metrics(p *process) string {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+p.addr+"/metrics", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	page, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(page)
}
