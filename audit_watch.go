package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
)

// auditGauges are what `usher audit --watch` serves.
type auditGauges struct {
	findings, holds, coins, orders *prometheus.GaugeVec
	height, last                   prometheus.Gauge
	failures                       prometheus.Counter
}

func newAuditGauges(registry prometheus.Registerer) *auditGauges {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "usher", Subsystem: "audit", Name: name, Help: help}, labels)
	}
	g := &auditGauges{
		findings: gauge("findings", "What fits nowhere, by kind.", "kind"),
		holds:    gauge("wallet_crs", "CRS in a wallet of Usher's.", "account", "float"),
		coins:    gauge("wallet_coins", "Coins in a wallet of Usher's.", "account", "float"),
		orders:   gauge("orders", "Orders: all, and of these open.", "which"),
		height: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "usher", Subsystem: "audit", Name: "height", Help: "Block of the last audit that was carried out.",
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "usher", Subsystem: "audit", Name: "last_success_timestamp_seconds", Help: "When the last audit was carried out.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "usher", Subsystem: "audit", Name: "failures_total", Help: "Audits that could not be carried out.",
		}),
	}
	registry.MustRegister(g.findings, g.holds, g.coins, g.orders, g.height, g.last, g.failures)
	return g
}

// show sets the gauges to what an audit found; a kind that was not found is 0.
func (g *auditGauges) show(r audit.Report) {
	found := map[audit.Kind]int{}
	for _, f := range r.Findings {
		found[f.Kind]++
	}
	for _, kind := range audit.Kinds() {
		g.findings.WithLabelValues(string(kind)).Set(float64(found[kind]))
	}
	for _, b := range r.Purses {
		g.holds.WithLabelValues(b.Account, strconv.FormatBool(b.Float)).Set(float64(b.Holds) / float64(cirrus.CRS))
		g.coins.WithLabelValues(b.Account, strconv.FormatBool(b.Float)).Set(float64(b.Coins))
	}
	g.orders.WithLabelValues("all").Set(float64(r.Orders))
	g.orders.WithLabelValues("open").Set(float64(r.Open))
	g.height.Set(float64(r.Height))
	g.last.Set(float64(r.Made.Unix()))
}

// auditPoll is how often it is asked whether there is a new block.
const auditPoll = 2 * time.Second

// watch is `usher audit --watch`: it audits with each block and serves what it found, until ctx ends.
func (a *auditor) watch(ctx context.Context, listen string, io streams) error {
	registry := prometheus.NewRegistry()
	gauges := newAuditGauges(registry)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen: cannot listen on %s: %w", listen, err)
	}
	if _, err := fmt.Fprintln(io.out, "listening", listener.Addr()); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(serving, listener, mux) })
	group.Go(func() error { return a.keepAuditing(serving, gauges, io) })
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (a *auditor) keepAuditing(ctx context.Context, gauges *auditGauges, io streams) error {
	ready := false
	for height := uint64(0); ; {
		tip, err := a.node.BlockCount(ctx)
		if err == nil && (tip != height || !ready) {
			var report audit.Report
			if report, err = a.audit(ctx, false); err == nil {
				height = tip
				gauges.show(report)
				a.say(report)
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			gauges.failures.Inc()
			a.log.Warn("audit not carried out", "error", err)
		case !ready:
			ready = true
			if _, err := fmt.Fprintln(io.out, "ready"); err != nil {
				return err
			}
		}
		if err := sleep(ctx, auditPoll); err != nil {
			return err
		}
	}
}

// say logs findings: a number alone does not tell which order.
func (a *auditor) say(r audit.Report) {
	for _, f := range r.Findings {
		a.log.Error("audit", "kind", string(f.Kind), "order", string(f.Order), "address", string(f.Address), "says", f.Says)
	}
}
