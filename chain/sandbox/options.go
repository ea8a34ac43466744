package sandbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// Generation says how Ticketbooth keeps ticket secrets.
type Generation string

// The generations of Ticketbooth.
const (
	Ciphered Generation = "ciphered" // AES-256-CBC; key and IV are in the answer
	Hashed   Generation = "hashed"   // SHA3-224
)

// NodeAge says which node it is.
type NodeAge string

// The generations of the node.
const (
	Node2020  NodeAge = "2020"  // v3.0.5, the version that Ticketbooth was built with
	NodeToday NodeAge = "today" // StratisFullNode of October 2022
)

// Options are the settings of a sandbox. The zero value of each but Rand and Clock is a default.
type Options struct {
	Generation        Generation     // default Ciphered
	Node              NodeAge        // default NodeToday
	Network           cirrus.Network // default cirrus.TestNet
	Block             time.Duration  // between blocks; 0: only when asked
	Listen            string         // node API and control API; default 127.0.0.1:0
	ListenTicketbooth string         // default 127.0.0.1:0
	Clock             func() time.Time
	Rand              io.Reader
	Dir               string // where certificate and password file go; default a new temporary folder, removed by Close
	Seed              bool   // make venues with shows at the start
	Log               *slog.Logger
}

// ErrOptions says which option is wrong, and what is right.
var ErrOptions = errors.New("sandbox options")

func (o Options) complete() (Options, error) {
	if o.Generation == "" {
		o.Generation = Ciphered
	}
	if o.Node == "" {
		o.Node = NodeToday
	}
	if o.Network == (cirrus.Network{}) {
		o.Network = cirrus.TestNet
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.ListenTicketbooth == "" {
		o.ListenTicketbooth = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.Generation != Ciphered && o.Generation != Hashed:
		return o, fmt.Errorf("%w: generation %q, want %s or %s", ErrOptions, o.Generation, Ciphered, Hashed)
	case o.Node != Node2020 && o.Node != NodeToday:
		return o, fmt.Errorf("%w: node %q, want %s or %s", ErrOptions, o.Node, Node2020, NodeToday)
	case o.Block < 0:
		return o, fmt.Errorf("%w: block time %s, want 0 (manual) or more", ErrOptions, o.Block)
	}
	return o, nil
}

// Gas limits of the two nodes, in units of gas.
const (
	gas2020  = 100_000
	gasToday = 250_000
	perBlock = 10 // a block takes so many times the limit of a call
)

func (o Options) rules() ledger.Rules {
	if o.Node == Node2020 {
		return ledger.Rules{MaxGasLimit: gas2020, BlockGas: perBlock * gas2020, SplitMissing: true}
	}
	return ledger.Rules{MaxGasLimit: gasToday, BlockGas: perBlock * gasToday}
}
