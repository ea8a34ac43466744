package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

// Names of the wallets that every sandbox has. Each has one account more than anybody needs.
const (
	WalletOne   = "usher1"
	WalletTwo   = "usher2"
	WalletFloat = "float"
	Account     = "account 0"

	accounts = 2
)

// Sandbox is a running node. All methods may be called by several goroutines at once.
type Sandbox struct {
	options Options
	faults  *faults
	log     *slog.Logger

	mu        sync.Mutex // guards everything below
	chain     *ledger.Chain
	wallets   *wallet.Keeper
	self      selfImage
	broadcast map[cirrus.TxID]bool // what this node sent since it started
	organiser cirrus.Hash
	born      time.Time
	venues    []cirrus.Address

	node, booth       *http.Server
	nodeURL, boothURL string
	cert              certificate
	files             files
	stop              context.CancelFunc
	done              sync.WaitGroup
	closing           sync.Once
	closeErr          error
}

// selfImage is what the node says of itself.
type selfImage struct {
	Peers    int
	InIbd    bool
	Network  string
	Announce bool // peers announce what the node sends them
	Index    bool // mined transactions can be found by id (-txindex)
}

// Start makes a sandbox and serves it until ctx ends or Close is called. Errors: ErrOptions, and what listening and
// writing files may give.
func Start(ctx context.Context, options Options) (*Sandbox, error) {
	s, err := build(options)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// build makes the chain and the wallets, without any I/O.
func build(options Options) (*Sandbox, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	chain, err := ledger.New(ledger.Config{Rules: options.rules(), Clock: options.Clock, Rand: options.Rand})
	if err != nil {
		return nil, fmt.Errorf("making the chain: %w", err)
	}
	keeper, err := wallet.New(wallet.Config{
		Chain: chain, Network: options.Network, Today: options.Node == NodeToday, Clock: options.Clock, Rand: options.Rand,
	})
	if err != nil {
		return nil, fmt.Errorf("making the wallets: %w", err)
	}
	s := &Sandbox{
		options: options, log: options.Log, faults: newFaults(), chain: chain, wallets: keeper, born: options.Clock(),
		broadcast: map[cirrus.TxID]bool{},
		self:      selfImage{Peers: 3, Network: options.Network.Name, Announce: true},
	}
	return s, s.populate()
}

// populate makes the wallets, fills the float, and seeds the venues.
func (s *Sandbox) populate() error {
	for _, name := range []string{WalletOne, WalletTwo, WalletFloat} {
		password, err := drawText(s.options.Rand, passwordLength)
		if err != nil {
			return err
		}
		s.wallets.Add(name, password, accounts)
	}
	organiser, err := s.chain.Stranger()
	if err != nil {
		return err
	}
	s.organiser = organiser
	float, account, err := s.wallets.Account(WalletFloat, Account)
	if err != nil {
		return err
	}
	for _, address := range s.wallets.UnusedAddresses(float, account, floatCoins) {
		if _, err := s.chain.Issue(address, floatCoin); err != nil {
			return err
		}
	}
	if _, err := s.mine(1); err != nil {
		return err
	}
	if s.options.Seed {
		return s.seed()
	}
	return nil
}

const (
	passwordLength = 20
	floatCoins     = 100
	floatCoin      = 50 * uint64(cirrus.CRS)
)

// open writes the files, listens and starts to serve and to mine.
func (s *Sandbox) open(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(ctx)
	var err error
	if s.cert, err = newCertificate(s.options.Clock()); err != nil {
		return err
	}
	if s.files, err = s.writeFiles(); err != nil {
		return err
	}
	if err := s.serve(ctx); err != nil {
		return err
	}
	if s.options.Block > 0 {
		s.done.Go(func() { s.keepMining(ctx) })
	}
	return nil
}

func (s *Sandbox) serve(ctx context.Context) error {
	nodeAt, err := listen(ctx, s.options.Listen)
	if err != nil {
		return err
	}
	boothAt, err := listen(ctx, s.options.ListenTicketbooth)
	if err != nil {
		return errors.Join(err, nodeAt.Close())
	}
	s.node, s.booth = newServer(s.Handler()), newServer(s.TicketboothHandler())
	s.booth.TLSConfig = s.cert.config()
	s.nodeURL, s.boothURL = "http://"+nodeAt.Addr().String(), "https://"+boothAt.Addr().String()
	s.done.Go(func() { s.report("node", s.node.Serve(nodeAt)) })
	s.done.Go(func() { s.report("ticketbooth", s.booth.ServeTLS(boothAt, "", "")) })
	s.done.Go(func() {
		<-ctx.Done()
		s.faults.release()
		if err := errors.Join(s.node.Close(), s.booth.Close()); err != nil {
			s.log.Error("closing the sandbox's servers", "error", err)
		}
	})
	return nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
	return listener, nil
}

// newServer bounds how long a client may take to ask. The bound lies behind the slowest fault, and there is none for
// answers, because a read that times out ends the call that it belongs to.
func newServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // so that a lost answer is a lost connection
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: hangs + time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 1 << 16, Protocols: protocols, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

func (s *Sandbox) report(which string, err error) {
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("a server of the sandbox ended", "server", which, "error", err)
	}
}

// keepMining makes a block every so often until ctx ends.
func (s *Sandbox) keepMining(ctx context.Context) {
	ticker := time.NewTicker(s.options.Block)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := s.Mine(1); err != nil {
				s.log.Error("mining a block", "error", err)
			}
		}
	}
}

// Close ends everything that Start began and removes what it wrote to a folder of its own.
func (s *Sandbox) Close() error {
	s.closing.Do(func() {
		if s.stop != nil {
			s.stop()
		}
		s.faults.release()
		s.done.Wait()
		if s.files.temporary {
			s.closeErr = os.RemoveAll(s.files.dir)
		}
	})
	return s.closeErr
}

// NodeURL is where the node API is.
func (s *Sandbox) NodeURL() string { return s.nodeURL }

// TicketboothURL is where the Ticketbooth API is.
func (s *Sandbox) TicketboothURL() string { return s.boothURL }

// CertPEM is the certificate of the Ticketbooth API.
func (s *Sandbox) CertPEM() []byte { return s.cert.pem }

// Network is the network that addresses are of.
func (s *Sandbox) Network() cirrus.Network { return s.options.Network }

// GasLimit is the most gas that one call may ask for, and what Ticketbooth asks for.
func (s *Sandbox) GasLimit() uint64 { return s.options.rules().MaxGasLimit }

// Password gives the password of a wallet, empty where there is no such wallet.
func (s *Sandbox) Password(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.wallets.Wallet(name)
	if err != nil {
		return ""
	}
	return found.Password()
}
