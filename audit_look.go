package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/usherbot/usher/chain"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

// auditor holds Redis against the node's wallets and contracts. It writes nothing.
type auditor struct {
	settings settings
	log      *slog.Logger
	node     *chain.Client
	keys     *storage.Keyring
	db       *storage.DB
	network  cirrus.Network
	clock    func() time.Time
	pause    time.Duration // between two looks
}

// auditPause is the wait between two looks: what is on its way while Usher works has got somewhere after it.
const auditPause = 3 * time.Second

// openAuditor opens node and Redis with as few settings as it takes: an audit must work when little else does.
func openAuditor(ctx context.Context, s settings, log *slog.Logger) (*auditor, error) {
	a := &auditor{settings: s, log: log, clock: time.Now, pause: auditPause}
	opened := &app{settings: s, log: log, sites: order.Straight{}}
	if err := opened.openNode(ctx); err != nil {
		return nil, err
	}
	a.node = opened.node
	if err := a.openStore(ctx); err != nil {
		a.node.Close()
		return nil, err
	}
	return a, nil
}

// auditorOf looks with what a running Usher has open.
func auditorOf(a *app) *auditor {
	return &auditor{settings: a.settings, log: a.log, node: a.node, keys: a.keys, db: a.db, network: a.network, clock: a.clock, pause: auditPause}
}

func (a *auditor) openStore(ctx context.Context) (err error) {
	status, err := a.node.Status(ctx)
	if err != nil {
		return fmt.Errorf("the node at %s does not answer: start it, or set USHER_NODE_URL: %w", a.settings.nodeURL, err)
	}
	if a.network, err = cirrus.NetworkNamed(status.Network); err != nil {
		return err
	}
	if a.keys, err = storage.LoadKeyring(a.settings.keysFile); err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	storage.SendDriverLog(a.log)
	a.db, err = storage.Open(ctx, storage.Config{URL: a.settings.redisURL, Network: status.Network, Keys: a.keys, Log: a.log})
	if err != nil {
		return fmt.Errorf("no answer from Redis: start it, or set USHER_REDIS_URL: %w", err)
	}
	known, err := a.db.Known(ctx)
	if err == nil && known != status.Network {
		err = fmt.Errorf("%w: %s, the node is on %s: set USHER_REDIS_URL or USHER_NODE_URL", storage.ErrOtherNetwork, known, status.Network)
	}
	if err != nil && !errors.Is(err, storage.ErrNoNetwork) {
		return errors.Join(err, a.db.Close())
	}
	return nil
}

func (a *auditor) close() error {
	a.node.Close()
	return a.db.Close()
}

// audit looks, and looks again where something fits nowhere: Usher may have been in the middle of something. all also
// reads the histories of the wallets, which finds tickets that Redis has forgotten.
func (a *auditor) audit(ctx context.Context, all bool) (audit.Report, error) {
	const looks = 3
	var report audit.Report
	for n := range looks {
		if n > 0 {
			if err := sleep(ctx, a.pause); err != nil {
				return report, err
			}
		}
		books, err := a.look(ctx, all)
		if err != nil {
			return report, err
		}
		now := audit.Make(books)
		if n > 0 {
			now = audit.Both(report, now)
		}
		if report = now; len(report.Findings) == 0 {
			break
		}
	}
	return report, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// look reads everything once: first what is there, then what is written of it.
func (a *auditor) look(ctx context.Context, all bool) (b audit.Books, err error) {
	b = audit.Books{Now: a.clock(), Hold: a.settings.hold, Received: map[cirrus.Address]cirrus.Account{}}
	status, err := a.node.Status(ctx)
	if err != nil {
		return b, fmt.Errorf("asking the node how it is: %w", err)
	}
	b.Tip = order.Tip{Height: status.Height, Time: b.Now, Network: status.Network}
	if err := a.lookAtWallets(ctx, &b, all); err != nil {
		return b, err
	}
	if err := a.lookAtHalls(ctx, &b); err != nil {
		return b, err
	}
	b.Orders, b.Unread = nil, nil // the halls took a while
	if err := a.lookAtOrders(ctx, &b); err != nil {
		return b, err
	}
	if b.Claims, err = a.db.Claims(ctx); err != nil {
		return b, err
	}
	b.FloatClaims, err = a.db.FloatClaims(ctx)
	return b, err
}

func (a *auditor) lookAtWallets(ctx context.Context, b *audit.Books, all bool) error {
	for _, account := range a.accounts() {
		info, err := a.node.WalletInfo(ctx, account.Wallet)
		if err != nil {
			return fmt.Errorf("asking how far wallet %s is: %w", account.Wallet, err)
		}
		if info.Synced+1 < b.Tip.Height {
			return fmt.Errorf("wallet %s has come to block %d of %d, so money would seem to be missing: wait until it has looked at all", account.Wallet, info.Synced, b.Tip.Height)
		}
		coins, err := a.node.Spendable(ctx, account)
		if err != nil {
			return fmt.Errorf("listing the coins of %s: %w", account, err)
		}
		float := a.settings.float != nil && account == *a.settings.float
		b.Purses = append(b.Purses, audit.Purse{Account: account, Float: float, Coins: coins})
		if !all || float {
			continue
		}
		traffic, err := a.node.Traffic(ctx, account)
		if err != nil {
			return fmt.Errorf("reading the history of %s: %w", account, err)
		}
		for address := range traffic.Received {
			b.Received[address] = account
		}
	}
	return nil
}

// accounts are those that are looked at, the float among them.
func (a *auditor) accounts() []cirrus.Account {
	list := slices.Clone(a.settings.accounts)
	if float := a.settings.float; float != nil && !slices.Contains(list, *float) {
		list = append(list, *float)
	}
	return list
}

func (a *auditor) lookAtOrders(ctx context.Context, b *audit.Books) error {
	ids, err := a.db.All(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		o, err := a.db.Load(ctx, id)
		switch {
		case errors.Is(err, order.ErrNotFound):
			continue
		case errors.Is(err, storage.ErrSealed), errors.Is(err, order.ErrNewFormat):
			b.Unread = append(b.Unread, id)
			continue
		case err != nil:
			return err
		}
		b.Orders = append(b.Orders, o)
	}
	return nil
}

// lookAtHalls reads the contracts that Usher sells from, and those that orders have living tickets of.
func (a *auditor) lookAtHalls(ctx context.Context, b *audit.Books) error {
	contracts, err := a.contracts(ctx)
	if err != nil {
		return err
	}
	if err := a.lookAtOrders(ctx, b); err != nil {
		return err
	}
	since := map[cirrus.Address]uint64{} // the oldest show that a living ticket is of
	for _, o := range b.Orders {
		if !ownsAny(o) {
			continue
		}
		if from, known := since[o.Show.Contract]; !known || o.Show.Block < from {
			since[o.Show.Contract] = o.Show.Block
		}
		if !slices.Contains(contracts, o.Show.Contract) {
			contracts = append(contracts, o.Show.Contract)
		}
	}
	for _, contract := range contracts {
		hall := audit.Hall{Contract: contract}
		if hall.Tickets, err = a.node.Tickets(ctx, contract); err != nil {
			return fmt.Errorf("reading the tickets of %s: %w", contract, err)
		}
		if from, asked := since[contract]; asked {
			if hall.Show, err = a.node.LastShow(ctx, contract, from); err != nil {
				return fmt.Errorf("contract %s: %w", contract, err)
			}
		}
		b.Halls = append(b.Halls, hall)
	}
	return nil
}

// ownsAny tells whether a ticket of the order may be on chain.
func ownsAny(o order.Order) bool {
	return o.State == order.Filled && slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool {
		return t.State != order.Lost && t.State != order.Dropped && t.State != order.Exchanged && t.State != order.Released
	})
}

// contracts are those to sell from: of the settings, and added in Telegram.
func (a *auditor) contracts(ctx context.Context) ([]cirrus.Address, error) {
	v := venues{configured: a.settings.venues, store: a.db.Sealed()}
	changed, err := v.changes(ctx)
	if errors.Is(err, storage.ErrSealed) {
		return a.settings.venues, nil // another key ring: the orders say so too
	}
	if err != nil {
		return nil, fmt.Errorf("reading the venues: %w", err)
	}
	var list []cirrus.Address
	for _, contract := range slices.Concat(a.settings.venues, changed.Added) {
		if !slices.Contains(list, contract) {
			list = append(list, contract)
		}
	}
	return list, nil
}

// printReport writes a report for a person; everything lists empty addresses of ended orders too.
func printReport(out io.Writer, r audit.Report, everything bool) error {
	p := &reportPrinter{out: out, report: r, everything: everything}
	return cmp.Or(p.head(), p.lines(), p.findings())
}
