package sandbox

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// ahead is how far peers are in front of a node that says that it is still loading blocks.
const ahead = 500

type statusBody struct {
	Version          string        `json:"version"`
	Agent            string        `json:"agent"`
	Network          string        `json:"network"`
	CoinTicker       string        `json:"coinTicker"`
	ProcessID        int           `json:"processId"`
	ConsensusHeight  uint64        `json:"consensusHeight"`
	HeaderHeight     *uint64       `json:"headerHeight,omitempty"`
	BlockStoreHeight uint64        `json:"blockStoreHeight"`
	BestPeerHeight   *uint64       `json:"bestPeerHeight"`
	InIbd            *bool         `json:"inIbd,omitempty"`
	InboundPeers     []peerBody    `json:"inboundPeers"`
	OutboundPeers    []peerBody    `json:"outboundPeers"`
	FeaturesData     []featureBody `json:"featuresData"`
	DataDirectory    string        `json:"dataDirectoryPath"`
	RunningTime      string        `json:"runningTime"`
	Difficulty       float64       `json:"difficulty"`
	ProtocolVersion  int           `json:"protocolVersion"`
	Testnet          bool          `json:"testnet"`
	RelayFee         float64       `json:"relayFee"`
	State            string        `json:"state"`
}

type peerBody struct {
	Version string `json:"version"`
	Remote  string `json:"remoteSocketEndpoint"`
	Tip     uint64 `json:"tipHeight"`
}

type featureBody struct {
	Namespace string `json:"namespace"`
	State     string `json:"state"`
}

func (s *Sandbox) status(*ask) reply {
	tip := s.chain.Height()
	best := tip
	if s.self.InIbd {
		best += ahead
	}
	body := statusBody{
		Version: "1.3.2.4", Agent: "StratisFullNode", Network: s.self.Network, CoinTicker: cirrus.TestNet.Ticker, ProcessID: 1,
		ConsensusHeight: tip, HeaderHeight: &best, BlockStoreHeight: tip, InIbd: &s.self.InIbd,
		InboundPeers: []peerBody{}, OutboundPeers: []peerBody{}, RunningTime: s.options.Clock().Sub(s.born).String(),
		ProtocolVersion: 70012, Testnet: s.self.Network != cirrus.MainNet.Name, RelayFee: 0.0001, State: "Started",
	}
	inIbd := s.self.InIbd
	body.InIbd = &inIbd
	if s.self.Network == cirrus.MainNet.Name {
		body.CoinTicker = cirrus.MainNet.Ticker
	}
	if s.options.Node == Node2020 {
		body.Version, body.Agent = "3.0.5.0", "StratisNode"
	}
	for i := range s.self.Peers {
		body.BestPeerHeight = &best
		body.OutboundPeers = append(body.OutboundPeers, peerBody{body.Agent, fmt.Sprintf("[::ffff:192.0.2.%d]:16179", i%250+1), best})
	}
	for _, feature := range []string{"BlockStore.BlockStoreFeature", "MemoryPool.MempoolFeature", "Wallet.WalletFeature", "SmartContracts.SmartContractFeature"} {
		body.FeaturesData = append(body.FeaturesData, featureBody{"Stratis.Bitcoin.Features." + feature, "Initialized"})
	}
	return ok(body)
}

type scriptBody struct {
	Asm       string           `json:"asm"`
	Hex       string           `json:"hex"`
	ReqSigs   int              `json:"reqSigs,omitempty"`
	Type      string           `json:"type,omitempty"`
	Addresses []cirrus.Address `json:"addresses,omitempty"`
}

func (s *Sandbox) script(script []byte) scriptBody {
	body := scriptBody{Hex: hex.EncodeToString(script), Type: "nonstandard"}
	if to, plain := ledger.Payee(script); plain {
		body.Asm = "OP_DUP OP_HASH160 " + hex.EncodeToString(to[:]) + " OP_EQUALVERIFY OP_CHECKSIG"
		body.Type, body.ReqSigs, body.Addresses = "pubkeyhash", 1, []cirrus.Address{s.address(to)}
	}
	return body
}

func (s *Sandbox) address(hash cirrus.Hash) cirrus.Address { return s.options.Network.Address(hash) }

type txOutBody struct {
	BestBlock     cirrus.TxID `json:"bestblock"`
	Confirmations uint64      `json:"confirmations"`
	Value         uint64      `json:"value"`
	Script        scriptBody  `json:"scriptPubKey"`
	Coinbase      bool        `json:"coinbase"`
}

func (s *Sandbox) getTxOut(a *ask) reply {
	id, err := cirrus.ParseTxID(a.text("trxid"))
	if err != nil {
		return nodeRefusal(refused("trxid"))
	}
	vout, err := a.number("vout", 0)
	if err != nil {
		return nodeRefusal(err)
	}
	point := cirrus.Outpoint{TxID: id, Index: uint32(vout)}
	if !s.chain.Unspent(point, a.flag("includeMemPool", true)) {
		return ok(null)
	}
	coin, _ := s.chain.Coin(point)
	entry, _ := s.chain.Entry(id)
	return ok(txOutBody{
		BestBlock: s.chain.Tip().Hash, Confirmations: s.chain.Confirmations(id), Value: coin.Amount,
		Script: s.script(coin.Script), Coinbase: entry.Kind == ledger.Coinbase,
	})
}

type rawBody struct {
	Hex      string      `json:"hex"`
	TxID     cirrus.TxID `json:"txid"`
	Hash     cirrus.TxID `json:"hash"`
	Version  int         `json:"version"`
	Size     int         `json:"size"`
	VSize    int         `json:"vsize"`
	LockTime int         `json:"locktime"`
	Vin      []vinBody   `json:"vin"`
	Vout     []voutBody  `json:"vout"`

	BlockHash     cirrus.TxID `json:"blockhash,omitempty"`
	Confirmations uint64      `json:"confirmations,omitempty"`
	Time          int64       `json:"time,omitempty"`
	BlockTime     int64       `json:"blocktime,omitempty"`
}

type vinBody struct {
	Coinbase string      `json:"coinbase,omitempty"`
	TxID     cirrus.TxID `json:"txid,omitempty"`
	Vout     *uint32     `json:"vout,omitempty"`
	Script   *scriptBody `json:"scriptSig,omitempty"`
	Sequence uint32      `json:"sequence"`
}

type voutBody struct {
	Value  crsDecimal `json:"value"`
	N      int        `json:"n"`
	Script scriptBody `json:"scriptPubKey"`
}

func (s *Sandbox) getRawTransaction(a *ask) reply {
	id, err := cirrus.ParseTxID(a.text("trxid"))
	if err != nil {
		return nodeRefusal(refused("trxid"))
	}
	entry, known := s.chain.Entry(id)
	if !known || (entry.State != ledger.InMempool && (entry.State != ledger.Mined || !s.self.Index)) {
		return ok(null)
	}
	if !a.flag("verbose", false) {
		return ok(entry.Tx.Hex())
	}
	return ok(s.raw(entry))
}

func (s *Sandbox) raw(entry *ledger.Entry) rawBody {
	size := entry.Tx.Size()
	body := rawBody{
		Hex: entry.Tx.Hex(), TxID: entry.ID, Hash: entry.ID, Version: 1, Size: size, VSize: size, Vin: []vinBody{}, Vout: []voutBody{},
	}
	for _, in := range entry.Tx.Ins {
		script := hex.EncodeToString(in.Script)
		vin := vinBody{Sequence: 1<<32 - 1}
		if entry.Kind == ledger.Coinbase || entry.Kind == ledger.Outside {
			vin.Coinbase = script
		} else {
			index := in.Prev.Index
			vin.TxID, vin.Vout, vin.Script = in.Prev.TxID, &index, &scriptBody{Asm: script, Hex: script}
		}
		body.Vin = append(body.Vin, vin)
	}
	for i, out := range entry.Tx.Outs {
		body.Vout = append(body.Vout, voutBody{Value: crsDecimal(out.Amount), N: i, Script: s.script(out.Script)})
	}
	if block, mined := s.chain.BlockAt(entry.Height); mined && entry.State == ledger.Mined {
		body.BlockHash, body.Confirmations = block.Hash, s.chain.Confirmations(entry.ID)
		body.Time, body.BlockTime = block.Time.Unix(), block.Time.Unix()
	}
	return body
}

func (s *Sandbox) getRawMempool(*ask) reply {
	ids := []cirrus.TxID{}
	for _, entry := range s.chain.Mempool() {
		ids = append(ids, entry.ID)
	}
	return ok(ids)
}

func (s *Sandbox) getBlockHash(a *ask) reply {
	height, err := a.number("height", 0)
	if err != nil {
		return nodeRefusal(err)
	}
	block, found := s.chain.BlockAt(height)
	if !found {
		return nodeRefusal(refused("No block found at height %d", height))
	}
	return ok(block.Hash)
}

func (s *Sandbox) getBestBlockHash(*ask) reply { return ok(s.chain.Tip().Hash) }
func (s *Sandbox) getBlockCount(*ask) reply    { return ok(s.chain.Height()) }

type blockBody struct {
	Hash          cirrus.TxID   `json:"hash"`
	Confirmations uint64        `json:"confirmations"`
	Size          int           `json:"size"`
	Weight        int           `json:"weight"`
	Height        uint64        `json:"height"`
	Version       int           `json:"version"`
	VersionHex    string        `json:"versionHex"`
	MerkleRoot    cirrus.TxID   `json:"merkleroot"`
	Tx            []cirrus.TxID `json:"tx"`
	Transactions  []rawBody     `json:"transactions,omitempty"`
	Time          int64         `json:"time"`
	MedianTime    int64         `json:"mediantime"`
	Nonce         uint32        `json:"nonce"`
	Bits          string        `json:"bits"`
	Difficulty    float64       `json:"difficulty"`
	ChainWork     string        `json:"chainwork"`
	Count         int           `json:"nTx"`
	Prev          cirrus.TxID   `json:"previousblockhash"`
	Next          *cirrus.TxID  `json:"nextblockhash"`
}

func (s *Sandbox) getBlock(a *ask) reply {
	id, err := cirrus.ParseTxID(a.text("hash"))
	if err != nil {
		return nodeRefusal(refused("Invalid Hex String"))
	}
	block, found := s.chain.BlockNamed(id)
	if !found {
		return reply{status: http.StatusNotFound, body: "Block not found"}
	}
	if !a.flag("outputJson", true) {
		var raw strings.Builder
		for _, id := range block.Txs {
			entry, _ := s.chain.Entry(id)
			raw.WriteString(entry.Tx.Hex())
		}
		return ok(raw.String())
	}
	return ok(s.block(block, a.flag("showTransactionDetails", false)))
}

func (s *Sandbox) block(block *ledger.Block, details bool) blockBody {
	body := blockBody{
		Hash: block.Hash, Confirmations: s.chain.Height() - block.Height + 1, Height: block.Height, Version: 7,
		VersionHex: "00000007", MerkleRoot: block.MerkleRoot(), Tx: slices.Concat([]cirrus.TxID{}, block.Txs), Time: block.Time.Unix(),
		MedianTime: block.Time.Unix(), Nonce: block.Nonce, Bits: "1e00ffff", ChainWork: fmt.Sprintf("%064x", block.Height+1),
		Count: len(block.Txs), Prev: block.Prev,
	}
	for _, id := range block.Txs {
		entry, _ := s.chain.Entry(id)
		body.Size += entry.Tx.Size()
		if details {
			body.Transactions = append(body.Transactions, s.raw(entry))
		}
	}
	body.Weight = 4 * body.Size
	if next, follows := s.chain.BlockAt(block.Height + 1); follows {
		body.Next = &next.Hash
	}
	return body
}

type validBody struct {
	IsValid bool   `json:"isvalid"`
	Address string `json:"address"`
}

func (s *Sandbox) validateAddress(a *ask) reply {
	_, err := s.options.Network.ParseAddress(a.text("address"))
	return ok(validBody{IsValid: err == nil, Address: a.text("address")})
}
