package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
)

// controlRoutes are the calls of the control API. They take the sandbox's lock themselves.
func (s *Sandbox) controlRoutes() map[string]route {
	post := func(handle func(*ask) (any, error)) route { return route{http.MethodPost, control(handle)} }
	get := func(handle func(*ask) (any, error)) route { return route{http.MethodGet, control(handle)} }
	return map[string]route{
		"/sandbox/fund":        post(s.controlFund),
		"/sandbox/mine":        post(s.controlMine),
		"/sandbox/venue":       post(s.controlVenue),
		"/sandbox/show":        post(s.controlShow),
		"/sandbox/reserve":     post(s.controlReserve),
		"/sandbox/endsale":     post(s.controlEndSale),
		"/sandbox/node":        post(s.controlNode),
		"/sandbox/fault":       post(s.controlFault),
		"/sandbox/faults":      {http.MethodDelete, control(s.controlClear)},
		"/sandbox/reorg":       post(s.controlReorg),
		"/sandbox/drop":        post(s.controlDrop),
		"/sandbox/doublespend": post(s.controlDoubleSpend),
		"/sandbox/code":        post(s.controlCode),
		"/sandbox/ledger":      get(func(*ask) (any, error) { return s.Ledger(), nil }),
		"/sandbox/scan":        post(s.controlScan),
		"/sandbox/height":      get(func(*ask) (any, error) { return heightBody{s.Height()}, nil }),
	}
}

// ControlHandler serves the control API under /sandbox/.
func (s *Sandbox) ControlHandler() http.Handler {
	routes := s.controlRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, known := routes[strings.TrimSuffix(r.URL.Path, "/")]
		if !known {
			write(w, controlFailure(http.StatusNotFound, "no such call: "+clip(r.URL.Path)))
			return
		}
		if r.Method != found.method {
			write(w, controlFailure(http.StatusMethodNotAllowed, "call it with "+found.method))
			return
		}
		request, err := readAsk(r)
		if err != nil {
			write(w, tooMuch(err))
			return
		}
		write(w, found.handle(request))
	})
}

type errorBody struct {
	Error string `json:"error"`
}

func controlFailure(status int, message string) reply {
	return reply{status: status, body: errorBody{message}}
}

// control turns an error into an answer that says what to do.
func control(handle func(*ask) (any, error)) handler {
	return func(a *ask) reply {
		body, err := handle(a)
		switch {
		case errors.Is(err, ErrRequest):
			return controlFailure(http.StatusBadRequest, strings.TrimPrefix(err.Error(), ErrRequest.Error()+": "))
		case err != nil:
			return controlFailure(http.StatusBadRequest, err.Error())
		}
		return ok(body)
	}
}

// read decodes the body of a control call. None at all is an empty object.
func read[T any](a *ask) (T, error) {
	var body T
	if len(a.body) == 0 {
		return body, nil
	}
	if err := a.decode(&body); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return body, wrong("%s must be a %s, not a %s", kind.Field, kind.Type, kind.Value)
		}
		return body, wrong("the body must be a JSON object: %v", err)
	}
	return body, nil
}

type heightBody struct {
	Height uint64 `json:"height"`
}

type transactionBody struct {
	TransactionID cirrus.TxID `json:"transactionId"`
}

type addressBody struct {
	Address cirrus.Address `json:"address"`
}

type done struct{}

func (s *Sandbox) controlFund(a *ask) (any, error) {
	body, err := read[struct {
		Address cirrus.Address `json:"address"`
		Amount  cirrus.Strats  `json:"amount"`
	}](a)
	if err != nil {
		return nil, err
	}
	id, err := s.Fund(body.Address, body.Amount)
	return transactionBody{id}, err
}

func (s *Sandbox) controlMine(a *ask) (any, error) {
	body, err := read[struct {
		Blocks *int `json:"blocks"`
	}](a)
	if err != nil {
		return nil, err
	}
	blocks := 1
	if body.Blocks != nil {
		blocks = *body.Blocks
	}
	height, err := s.Mine(blocks)
	return heightBody{height}, err
}

func (s *Sandbox) controlVenue(a *ask) (any, error) {
	body, err := read[VenueRequest](a)
	if err != nil {
		return nil, err
	}
	address, err := s.Venue(body)
	return addressBody{address}, err
}

func (s *Sandbox) controlShow(a *ask) (any, error) {
	body, err := read[ShowRequest](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.Show(body)
}

func (s *Sandbox) controlReserve(a *ask) (any, error) {
	body, err := read[ReserveRequest](a)
	if err != nil {
		return nil, err
	}
	id, err := s.Reserve(body)
	return transactionBody{id}, err
}

func (s *Sandbox) controlEndSale(a *ask) (any, error) {
	body, err := read[addressBody](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.EndSale(body.Address)
}

func (s *Sandbox) controlNode(a *ask) (any, error) {
	body, err := read[NodeRequest](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.Node(body)
}

func (s *Sandbox) controlFault(a *ask) (any, error) {
	body, err := read[FaultRequest](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.Fault(body)
}

func (s *Sandbox) controlClear(*ask) (any, error) {
	s.ClearFaults()
	return done{}, nil
}

func (s *Sandbox) controlReorg(a *ask) (any, error) {
	body, err := read[struct {
		Depth int `json:"depth"`
	}](a)
	if err != nil {
		return nil, err
	}
	height, err := s.Reorg(body.Depth)
	return heightBody{height}, err
}

func (s *Sandbox) controlDrop(a *ask) (any, error) {
	body, err := read[transactionBody](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.Drop(body.TransactionID)
}

func (s *Sandbox) controlDoubleSpend(a *ask) (any, error) {
	body, err := read[transactionBody](a)
	if err != nil {
		return nil, err
	}
	id, err := s.DoubleSpend(body.TransactionID)
	return transactionBody{id}, err
}

func (s *Sandbox) controlCode(a *ask) (any, error) {
	body, err := read[addressBody](a)
	if err != nil {
		return nil, err
	}
	return done{}, s.Code(body.Address)
}

func (s *Sandbox) controlScan(a *ask) (any, error) {
	body, err := read[struct {
		Address cirrus.Address `json:"address"`
		Ticket  string         `json:"ticket"`
	}](a)
	if err != nil {
		return nil, err
	}
	return s.Scan(body.Address, body.Ticket)
}
