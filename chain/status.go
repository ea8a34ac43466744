package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Status is what a node says of itself (Node/status).
type Status struct {
	Version  string
	Network  string // as in cirrus.Network.Name
	Ticker   string // as in cirrus.Network.Ticker
	State    string // "Started" when it works
	Height   uint64 // of the consensus tip
	Stored   uint64 // height up to which blocks can be read
	BestPeer uint64 // height of the best peer; 0: not known
	Syncing  bool   // initial block download
	Peers    int
	Features map[string]string // state by short name, e.g. SmartContractFeature: Initialized
}

// maxBehind is how many blocks a node may be behind its best peer and still count as synced: a new block takes a
// moment to arrive.
const maxBehind = 2

// Health says whether the node is fit to sell with, and if not, why, in words for the operator. No wallet call looks
// at this by itself: a node that is behind answers from a stale tip.
func (s Status) Health() (healthy bool, why string) {
	switch {
	case s.State != "" && s.State != "Started":
		return false, fmt.Sprintf("the node is %s, not Started", s.State)
	case s.Syncing:
		return false, "the node is still downloading blocks"
	case s.Peers == 0:
		return false, "the node has no peers"
	case s.BestPeer > s.Height+maxBehind:
		return false, fmt.Sprintf("the node is at block %d, its best peer at %d", s.Height, s.BestPeer)
	}
	for name, state := range s.Features {
		if state != "Initialized" && strings.HasPrefix(name, "SmartContract") {
			return false, fmt.Sprintf("the node's %s is %s", name, state)
		}
	}
	return true, ""
}

type statusAnswer struct {
	Version          string            `json:"version"`
	Network          string            `json:"network"`
	Ticker           string            `json:"coinTicker"`
	State            string            `json:"state"`
	ConsensusHeight  *int64            `json:"consensusHeight"`
	BlockStoreHeight *int64            `json:"blockStoreHeight"`
	BestPeerHeight   *int64            `json:"bestPeerHeight"`
	Syncing          bool              `json:"inIbd"`
	Inbound          []json.RawMessage `json:"inboundPeers"`
	Outbound         []json.RawMessage `json:"outboundPeers"`
	Features         []struct {
		Namespace string `json:"namespace"`
		State     string `json:"state"`
	} `json:"featuresData"`
}

// parseStatus reads the answer of Node/status. A height that a starting node leaves out, or gives as -1, is 0.
func parseStatus(body []byte) (Status, error) {
	var read statusAnswer
	if json.Unmarshal(body, &read) != nil || read.Network == "" {
		return Status{}, errGarbage
	}
	height := func(given *int64) uint64 {
		if given == nil || *given < 0 {
			return 0
		}
		return uint64(*given)
	}
	status := Status{
		Version: read.Version, Network: read.Network, Ticker: read.Ticker, State: read.State,
		Height: height(read.ConsensusHeight), Stored: height(read.BlockStoreHeight),
		BestPeer: height(read.BestPeerHeight), Syncing: read.Syncing,
		Peers: len(read.Inbound) + len(read.Outbound), Features: make(map[string]string, len(read.Features)),
	}
	if read.BlockStoreHeight == nil {
		status.Stored = status.Height
	}
	for _, feature := range read.Features {
		name := feature.Namespace[strings.LastIndexByte(feature.Namespace, '.')+1:]
		status.Features[name] = feature.State
	}
	return status, nil
}

// Status asks the node how it is (Node/status).
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	err := c.do(ctx, call{site: SiteStatus, method: "GET", base: c.node, path: "/api/Node/status", harmless: true},
		func(body []byte) (err error) {
			status, err = parseStatus(body)
			return err
		})
	return status, err
}
