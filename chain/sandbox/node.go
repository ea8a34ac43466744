package sandbox

import (
	"errors"
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/sandbox/wallet"
)

// nodeError is one member of the node's list of errors.
type nodeError struct {
	Status      int    `json:"status"`
	Message     string `json:"message"`
	Description string `json:"description"`
}

// nodeErrors is the body that the node answers errors with.
type nodeErrors struct {
	Errors []nodeError `json:"errors"`
}

func nodeFailure(status int, message, description string) reply {
	return reply{status: status, body: nodeErrors{Errors: []nodeError{{Status: status, Message: message, Description: description}}}}
}

// nodeRefusal gives an error as the node would.
func nodeRefusal(err error) reply {
	var refusal *wallet.Refusal
	if errors.As(err, &refusal) {
		return nodeFailure(refusal.Status, refusal.Message, refusal.Description)
	}
	var stranger wallet.ErrStranger
	if errors.As(err, &stranger) {
		return reply{status: http.StatusInternalServerError}
	}
	return nodeFailure(http.StatusBadRequest, err.Error(), "Transaction Exception")
}

// malformed is the node's answer to a body that it cannot read.
func malformed(err error) reply {
	return nodeFailure(http.StatusBadRequest, "The request body is not valid: "+clip(err.Error()), "Formatting error")
}

// nodeRoutes are the calls of the node API, by path in lower case.
func (s *Sandbox) nodeRoutes() map[string]route {
	get := func(handle handler) route { return route{http.MethodGet, handle} }
	post := func(handle handler) route { return route{http.MethodPost, handle} }
	routes := map[string]route{
		"/api/node/status":                           get(s.status),
		"/api/node/gettxout":                         get(s.getTxOut),
		"/api/node/getrawtransaction":                get(s.getRawTransaction),
		"/api/node/validateaddress":                  get(s.validateAddress),
		"/api/mempool/getrawmempool":                 get(s.getRawMempool),
		"/api/consensus/getblockhash":                get(s.getBlockHash),
		"/api/consensus/getbestblockhash":            get(s.getBestBlockHash),
		"/api/blockstore/block":                      get(s.getBlock),
		"/api/blockstore/getblockcount":              get(s.getBlockCount),
		"/api/smartcontracts/receipt":                get(s.getReceipt),
		"/api/smartcontracts/receipt-search":         get(s.searchReceipts),
		"/api/smartcontracts/code":                   get(s.getCode),
		"/api/smartcontracts/balance":                get(s.contractBalance),
		"/api/smartcontracts/local-call":             post(s.localCall),
		"/api/smartcontractwallet/account-addresses": get(s.accountAddresses),
		"/api/smartcontractwallet/address-balance":   get(s.addressBalance),
		"/api/smartcontractwallet/history":           get(s.callHistory),
		"/api/smartcontractwallet/call":              post(s.call),
		"/api/smartcontractwallet/send-transaction":  post(s.sendTransaction),
		"/api/smartcontracts/build-and-send-call":    post(s.call),
		"/api/wallet/list-wallets":                   get(s.listWallets),
		"/api/wallet/accounts":                       get(s.listAccounts),
		"/api/wallet/balance":                        get(s.walletBalance),
		"/api/wallet/general-info":                   get(s.generalInfo),
		"/api/wallet/unusedaddress":                  get(s.unusedAddress),
		"/api/wallet/unusedaddresses":                get(s.unusedAddresses),
		"/api/wallet/spendable-transactions":         get(s.spendableTransactions),
		"/api/wallet/history":                        get(s.walletHistory),
		"/api/wallet/build-transaction":              post(s.buildTransaction),
		"/api/wallet/send-transaction":               post(s.sendTransaction),
		"/api/wallet/signmessage":                    post(s.signMessage),
		"/api/wallet/sync-from-date":                 post(s.syncFromDate),
		"/api/wallet/remove-transactions":            {http.MethodDelete, s.removeTransactions},
	}
	if s.options.Node == NodeToday {
		routes["/api/wallet/newaddresses"] = get(s.newAddresses)
	}
	return routes
}

// Handler serves the node API and, under /sandbox/, the control API.
func (s *Sandbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/sandbox/", s.ControlHandler())
	mux.Handle("/", s.faults.wrap(s.serveNode(s.nodeRoutes())))
	return mux
}

func (s *Sandbox) serveNode(routes map[string]route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, known := routes[strings.ToLower(strings.TrimSuffix(r.URL.Path, "/"))]
		if !known {
			write(w, reply{status: http.StatusNotFound})
			return
		}
		if r.Method != found.method {
			write(w, reply{status: http.StatusMethodNotAllowed})
			return
		}
		request, err := readAsk(r)
		if err != nil {
			write(w, tooMuch(err))
			return
		}
		write(w, s.locked(found.handle, request))
	})
}

// locked runs a handler while nobody else touches the chain.
func (s *Sandbox) locked(handle handler, request *ask) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	return handle(request)
}

func tooMuch(err error) reply {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return reply{status: http.StatusRequestEntityTooLarge}
	}
	return reply{status: http.StatusBadRequest}
}
