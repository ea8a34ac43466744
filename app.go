package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"time"

	"github.com/usherbot/usher/bot"
	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/chain"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

// app is Usher at work: everything wired together. It can be built up and torn down inside a test.
type app struct {
	settings settings
	log      *slog.Logger
	sites    order.Sites
	clock    func() time.Time

	keys    *storage.Keyring
	node    *chain.Client
	db      *storage.DB
	chats   *storage.Owned // the courier's records, of the process that works
	jobs    jobs
	engine  *order.Engine
	flows   *flows.Flows
	bot     *bot.Bot
	courier *courier.Pool // nil: none is configured
	ears    *courierEars
	watcher *chain.Watcher
	network cirrus.Network
	venues  *venues
	pause   pause
	wound   *winding
	durable *durability
	stake   *stake
	floats  *floatKeeper // nil: there is no float
	refused *refusals
	standIn standIns
}

// newApp wires Usher together. It asks the node for its network and Telegram for the bot's name; nothing runs yet.
func newApp(ctx context.Context, s settings, sites order.Sites, log *slog.Logger) (*app, error) {
	return newAppWith(ctx, s, standIns{}, sites, log)
}

func newAppWith(ctx context.Context, s settings, by standIns, sites order.Sites, log *slog.Logger) (*app, error) {
	a := &app{settings: s, log: log, sites: sites, clock: s.clock, standIn: by.filled()}
	if a.sites == nil {
		a.sites = order.Straight{}
	}
	if a.clock == nil {
		a.clock = time.Now
	}
	for _, build := range []func(context.Context) error{a.openNode, a.openStore, a.openFee, a.openTelegram, a.wire} {
		if err := build(ctx); err != nil {
			return nil, errors.Join(err, a.close())
		}
	}
	return a, nil
}

func (a *app) close() error {
	if a.node != nil {
		a.node.Close()
	}
	if a.db != nil {
		return a.db.Close()
	}
	return nil
}

func (a *app) openNode(context.Context) (err error) {
	a.node, err = chain.New(chain.Config{
		NodeURL: a.settings.nodeURL, TicketboothURL: a.settings.boothURL, TicketboothCert: a.settings.boothCert,
		Sites: a.sites, Pause: a.standIn.nodePause,
		Passwords: func(wallet string) (string, error) {
			password, ok := a.settings.passwords[wallet]
			if !ok {
				return "", fmt.Errorf("%w: WALLET_PASSWORD_FILE has no line for wallet %q", order.ErrPassword, wallet)
			}
			return password, nil
		},
	})
	return err
}

// openStore opens Redis for the network of the node, or the one remembered where the node does not answer now.
func (a *app) openStore(ctx context.Context) (err error) {
	if a.keys, err = storage.LoadKeyring(a.settings.keysFile); err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	storage.SendDriverLog(a.log)
	cfg := storage.Config{
		URL: a.settings.redisURL, Keys: a.keys, Sites: a.sites, Log: a.log, Turn: a.settings.turn, Lease: a.settings.lease,
		Clock: a.clock,
	}
	status, nodeErr := a.node.Status(ctx)
	if nodeErr == nil {
		cfg.Network = status.Network
	}
	a.db, err = storage.Open(ctx, cfg)
	if errors.Is(err, storage.ErrNoNetwork) {
		return fmt.Errorf("the node at %s does not answer, and which network it is of is not known yet: start the node, or set USHER_NODE_URL: %w", a.settings.nodeURL, nodeErr)
	}
	if errors.Is(err, storage.ErrRestoring) {
		return fmt.Errorf("%w: run usher restore again", err)
	}
	if err != nil {
		return fmt.Errorf("no answer from Redis: start it, or set USHER_REDIS_URL: %w", err)
	}
	if err := a.db.RememberNetwork(ctx, a.db.Network()); err != nil {
		return fmt.Errorf("this Redis belongs to another network: set USHER_REDIS_URL or USHER_NODE_URL: %w", err)
	}
	if _, err := a.db.LookOlder(ctx); err != nil {
		return err
	}
	a.chats = a.db.Owned("courier")
	if a.network, err = cirrus.NetworkNamed(a.db.Network()); err != nil {
		return err
	}
	a.durable = &durability{
		ask: a.db.Durability, risk: a.settings.redisRisk, store: a.db.Sealed(), pause: backOff{clock: a.clock}, log: a.log,
	}
	return a.durable.look(ctx)
}

// late lets the bot be made before the conversations, which need its name.
type late struct{ *flows.Flows }

func (a *app) openTelegram(ctx context.Context) (err error) {
	handler := &late{}
	if a.standIn.messenger == nil {
		if err := a.openBot(ctx, handler); err != nil {
			return err
		}
	}
	a.ears = &courierEars{newID: newID, log: a.log}
	if a.settings.courier.id != 0 {
		if a.courier, err = courier.NewPool(a.courierConfig(), a.ears); err != nil {
			return fmt.Errorf("courier: %w", err)
		}
	}
	a.venues = &venues{configured: a.settings.venues, store: a.db.Sealed()}
	a.pause, a.wound = pause{a.db.Sealed()}, &winding{store: a.db.Sealed()}
	a.stake = &stake{all: a.db.All, load: a.db.Load, clock: a.clock}
	if a.jobs = storage.NewJobs(a.db, a.run1); a.standIn.jobs != nil {
		a.jobs = a.standIn.jobs(a.run1)
	}
	if a.flows, err = flows.New(a.flowsDeps()); err != nil {
		return err
	}
	a.durable.tell = a.flows.StoreNewsTold
	a.refused = newRefusals(a.settings, a.db.Sealed(), a.flows.PasswordRefused, a.log)
	handler.Flows, a.ears.flows, a.ears.courier, a.ears.wake = a.flows, a.flows, a.courier, a.wakeCustomer
	return nil
}

func (a *app) openBot(ctx context.Context, handler *late) error {
	menu, err := menu()
	if err != nil {
		return err
	}
	a.bot, err = bot.New(ctx, bot.Config{
		Token: a.settings.token, URL: a.settings.telegramURL, Handler: handler, Sites: a.sites, Log: a.log,
		Webhook: a.settings.webhook, Commands: menu, Sorry: func(language string) string { return handler.Sorry(language) },
	})
	if err != nil {
		return fmt.Errorf("the bot is not taken by Telegram: check USHER_TELEGRAM_TOKEN and USHER_TELEGRAM_URL: %w", err)
	}
	a.standIn.messenger, a.standIn.username = a.bot, a.bot.Username()
	return nil
}

// menu is the bot's command menu.
func menu() ([]bot.Menu, error) {
	entries, err := flows.Menu("en")
	var commands []bot.Command
	for _, e := range entries {
		commands = append(commands, bot.Command{Name: e.Command, Description: e.About})
	}
	return []bot.Menu{{Commands: commands}}, err
}

// lookAtSessions is how often it is looked whether other sessions of a courier's account would take its secret chats.
const lookAtSessions = 10 * time.Minute

func (a *app) courierConfig() courier.Config {
	c := a.settings.courier
	cfg := courier.Config{
		APIID: c.id, APIHash: c.hash, Phone: c.phone, Server: c.server, ServerKeyPEM: c.serverKey,
		Store: a.chats, Shared: a.chats.Shared(), Common: a.chats.Shared(), Log: a.log, Do: a.sites.Do,
		Code:     c.codes(a.log),
		Password: func(context.Context) (string, error) { return c.password, nil },
		Daily:    c.daily,
	}
	if c.server == "" {
		cfg.Look = lookAtSessions // other servers may not know the question
	}
	return cfg
}

func (a *app) flowsDeps() flows.Deps {
	desk := a.standIn.courier
	var verify func(context.Context, int64) (flows.Key, error)
	var link func(context.Context, int64) (flows.Link, error)
	var renew func(context.Context, int64) error
	if a.courier != nil {
		accounts := courierDesk{a.courier}
		desk, verify, link, renew = accounts, accounts.Verify, accounts.Link, accounts.Renew
	}
	a.engine = order.NewEngine(a.engineConfig(), order.Deps{}) // completed by wire
	return flows.Deps{
		Sessions: a.db, Courier: desk, Desk: a.engine, Operate: a.engine.Operate, View: a.db, Holds: a.db, Lookers: a.db, Messenger: a.standIn.messenger, Artist: a.standIn.artist,
		Clock: a.clock, Wake: a.wakeCustomer, Verify: verify, Link: link, Renew: renew, CardShown: a.engine.CardShown, Attention: a.attention, Pause: a.pause.set,
		Venue: a.changeVenue, Venues: a.venues.list,
		OperatorWrote: a.operatorWrote,
		Status:        a.status, WordsWrong: func(err error) { a.log.Error("words", "error", err) },
		Config: flows.Config{
			Support: a.settings.support, BotUsername: a.standIn.username, Admins: a.settings.admins, Network: a.network,
			Gas: a.settings.gas, ServiceFee: a.settings.fee, Hold: a.settings.hold, SellResold: a.settings.resold, Timer: a.settings.courier.timer,
			OwnAddress: a.ownAddress, IsContract: a.node.IsContract, SellingOff: a.sellingOff, WindingDown: a.wound.down,
		},
	}
}

func (a *app) engineConfig() order.Config {
	s := a.settings
	var float cirrus.Account
	if s.float != nil {
		float = *s.float
	}
	return order.Config{
		Float: float,
		Gas:   s.gas, Accounts: s.accounts, Confirmations: s.confirmations, Hold: s.hold, Choice: s.choice, Undo: s.undo, Fee: s.fee, FeeTo: cirrus.Address(s.feeAddress),
		Resold: s.resold, Unpaid: 2, AtStake: s.atStake, Finality: s.finality,
	}
}

// booth is how seats are bought.
func (a *app) booth() (order.Booth, error) {
	if a.settings.direct == "" {
		return a.node, nil
	}
	return chain.NewDirect(a.node, a.network, a.settings.direct, a.keys.Derive)
}

func (a *app) wire(context.Context) error {
	booth, err := a.booth()
	if err != nil {
		return err
	}
	a.engine.Deps = order.Deps{
		Store: a.db, Locks: a.db, Holds: a.db, Addresses: a.db, View: a.db, Ledger: a.node, Past: a.node,
		Booth: a.refused.noted(booth), Purse: notedPurse{a.node, a.refused}, Float: a.float(),
		Jobs: a.jobs, Teller: a.flows, Deliverer: a.flows, Sites: a.sites, Clock: a.clock, NewID: a.standIn.newID, Pick: a.standIn.pick, Log: a.log,
		WindingDown: a.wound.down,
	}
	a.floats = a.newFloatKeeper()
	accounts := a.settings.accounts
	if a.settings.float != nil {
		accounts = append(accounts, *a.settings.float)
	}
	a.watcher = chain.NewWatcher(chain.Watching{
		Client: a.node, Network: a.network, Accounts: accounts, Venues: a.venues.list, Board: a.db, View: a.db,
		Drop: a.db.DropSale, Poll: a.settings.poll, Clock: a.clock, Log: a.log,
		Wake:   a.wakeOrder,
		Undone: func(ctx context.Context, height uint64) error { return a.sweeper().Undone(ctx, height) },
	})
	return nil
}

// wakeCustomer has a customer's orders hand over what waits for a secret chat.
func (a *app) wakeCustomer(ctx context.Context, customer int64) error {
	orders, err := a.engine.List(ctx, customer)
	if err != nil {
		return err
	}
	var problems []error
	for _, o := range orders {
		for _, t := range o.Tickets {
			if t.Delivery.State == order.DeliveryWaiting || t.Delivery.State == order.DeliverySent {
				_, err := a.engine.Do(ctx, customer, o.ID, order.Ask{Verb: order.Unblocked})
				problems = append(problems, err)
				break
			}
		}
	}
	return errors.Join(problems...)
}

// ownAddress tells whether money sent there would come back to Usher.
func (a *app) ownAddress(ctx context.Context, address cirrus.Address) (bool, error) {
	_, err := a.db.Owner(ctx, address)
	if errors.Is(err, order.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a *app) sellingOff(ctx context.Context) (reason string, off bool) {
	if a.pause.on(ctx) {
		return flows.OffPaused, true
	}
	if ok, _ := a.durable.selling(); !ok {
		return flows.OffStore, true
	}
	if why, _, err := a.db.Older(ctx); why != "" || err != nil {
		return flows.OffStore, true // no address is handed out before the chain was asked
	}
	if wallets, err := a.refused.refused(ctx); len(wallets) > 0 || err != nil {
		return offWallet, true
	}
	if most := a.settings.atStake; most > 0 {
		if full, err := a.stake.full(ctx, most); full || err != nil {
			return flows.OffFull, true
		}
	}
	if a.floats != nil {
		if float, err := a.floats.state(ctx); err != nil || float.low() {
			return flows.OffFull, true
		}
	}
	if a.courier != nil {
		if serves, err := a.courier.Serves(ctx); !serves || err != nil {
			return flows.OffCourier, true
		}
	}
	return "", false
}

// newID makes a short id that nobody can guess: 80 bits, in letters and digits that survive every clipboard.
func newID() string {
	random := make([]byte, 10)
	_, _ = rand.Read(random) // crypto/rand never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))
}

// pick gives a number below n.
func pick(n int) int {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0
	}
	return int(number.Int64())
}
