package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// payer is what every call that makes a transaction carries.
type payer struct {
	WalletName  words          `json:"walletName"`
	AccountName words          `json:"accountName"`
	Password    *words         `json:"password"`
	GasPrice    count          `json:"gasPrice"`
	Sender      words          `json:"sender"`
	Outpoints   []outpointBody `json:"outpoints"`
}

// problemBody is the object that ASP.NET answers malformed fields with.
type problemBody struct {
	Errors  map[string][]string `json:"errors"`
	Type    string              `json:"type"`
	Title   string              `json:"title"`
	Status  int                 `json:"status"`
	TraceID string              `json:"traceId"`
}

// problems collects what is wrong with the fields of a request, by field.
type problems map[string][]string

func (p problems) add(field, format string, values ...any) {
	p[field] = append(p[field], fmt.Sprintf(format, values...))
}

func (p problems) answer() reply {
	return reply{status: http.StatusBadRequest, problem: true, body: problemBody{
		Errors: p, Type: "https://tools.ietf.org/html/rfc7231#section-6.5.1",
		Title: "One or more validation errors occurred.", Status: http.StatusBadRequest, TraceID: "00-sandbox-00",
	}}
}

// fields decodes the body of a call and checks it with what all calls have in common and what this one adds. The
// answer is nil where all is well.
func fields[T any](s *Sandbox, a *ask, of func(*T) *payer, more func(*T, problems)) (T, *reply) {
	var body T
	found := problems{}
	if err := a.decode(&body); err != nil {
		found.unreadable(err)
		answer := found.answer()
		return body, &answer
	}
	s.checkPayer(of(&body), found)
	if more != nil {
		more(&body, found)
	}
	if len(found) > 0 {
		answer := found.answer()
		return body, &answer
	}
	return body, nil
}

// unreadable says which field of a body has the wrong kind of value, without repeating the value.
func (p problems) unreadable(err error) {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		p.add(upperFirst(kind.Field), "Error converting value of kind %s.", kind.Value)
		return
	}
	p.add("", "The request body is not valid: %s", clip(err.Error()))
}

func upperFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func (s *Sandbox) checkPayer(fields *payer, found problems) {
	if strings.TrimSpace(string(fields.WalletName)) == "" {
		found.add("WalletName", "'Wallet Name' must not be empty.")
	}
	if strings.TrimSpace(string(fields.AccountName)) == "" {
		found.add("AccountName", "'Account Name' must not be empty.")
	}
	if fields.Password == nil {
		found.add("Password", "'Password' must not be empty.")
	}
	if fields.GasPrice < ledger.MinGasPrice || fields.GasPrice > ledger.MaxGasPrice {
		found.add("GasPrice", "'Gas Price' must be between %d and %d. You entered %d.", ledger.MinGasPrice, ledger.MaxGasPrice, fields.GasPrice)
	}
	if _, err := s.options.Network.ParseAddress(string(fields.Sender)); err != nil {
		found.add("Sender", "Address must be valid for %s", s.options.Network.Name)
	}
}

func (p payer) password() words {
	if p.Password == nil {
		return ""
	}
	return *p.Password
}
