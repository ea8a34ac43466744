package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

// maxBody bounds what a caller may send, in bytes.
const maxBody = 1 << 20

// ask is one request, read whole.
type ask struct {
	query map[string][]string // names in lower case
	body  []byte
	rest  []string // what the path has beyond the route
}

// reply is one answer. A nil body is an empty one.
type reply struct {
	status   int
	body     any // written as JSON
	location string
	problem  bool // an ASP.NET problem object
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// handler answers one request while the sandbox's lock is held.
type handler func(*ask) reply

// route is one call of an API.
type route struct {
	method string
	handle handler
}

func readAsk(r *http.Request) (*ask, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if len(body) > maxBody {
		return nil, &http.MaxBytesError{Limit: maxBody}
	}
	return &ask{query: foldQuery(r.URL.Query()), body: body}, nil
}

func foldQuery(values url.Values) map[string][]string {
	folded := make(map[string][]string, len(values))
	for name, list := range values {
		name = strings.ToLower(name)
		folded[name] = append(folded[name], list...)
	}
	return folded
}

// text gives a member of the query, empty where it is missing.
func (a *ask) text(name string) string {
	if list := a.query[strings.ToLower(name)]; len(list) > 0 {
		return list[0]
	}
	return ""
}

// number gives a member of the query as a whole number from 0 on, or what stands in for a missing one.
func (a *ask) number(name string, missing uint64) (uint64, error) {
	text := a.text(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, refused("The value '%s' is not valid for %s.", clip(text), name)
	}
	return n, nil
}

// flag gives a member of the query as true or false, or what stands in for a missing one.
func (a *ask) flag(name string, missing bool) bool {
	switch strings.ToLower(a.text(name)) {
	case "true":
		return true
	case "false":
		return false
	}
	return missing
}

// clip cuts what a caller wrote before it is repeated to them.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// decode reads the body as JSON. Unknown members are allowed, as they are in the originals.
func (a *ask) decode(into any) error {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return errors.New("a non-empty request body is required")
	}
	return json.Unmarshal(a.body, into)
}

func write(w http.ResponseWriter, answer reply) {
	if answer.location != "" {
		w.Header().Set("Location", answer.location)
	}
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer.body); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	kind := "application/json; charset=utf-8"
	if answer.problem {
		kind = "application/problem+json; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(answer.status)
	_, _ = w.Write(bytes.TrimRight(data.Bytes(), "\n")) // the caller may be gone; nothing is left to do about it
}

// refused is an error in the node's words.
func refused(format string, values ...any) error {
	message := fmt.Sprintf(format, values...)
	return &wallet.Refusal{Status: http.StatusBadRequest, Message: message, Description: message}
}

// null is written as JSON null, where a nil body would be an empty answer.
var null = json.RawMessage("null")

// words is a JSON string; a number is taken for its text, as the originals do.
type words string

func (t *words) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*t = words(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(data), Type: reflect.TypeFor[string]()}
	}
	*t = words(number.String())
	return nil
}

// count is a JSON number without a fraction from 0 on; a string of digits is taken for it, as the originals do.
type count uint64

func (c *count) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseUint(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(data), Type: reflect.TypeFor[uint64]()}
	}
	*c = count(n)
	return nil
}

// kindOf names the kind of a JSON value, so that a refusal need not repeat the value.
func kindOf(data []byte) string {
	switch data[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// moment is a point in time as .NET reads it: with or without a zone, with or without a time of day.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(data), Type: reflect.TypeFor[time.Time]()}
	}
	return m.read(text)
}

func (m *moment) read(text string) error {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, text); err == nil {
			m.Time = at
			return nil
		}
	}
	return refused("The value '%s' is not a valid date.", clip(text))
}

// crsDecimal is an amount of strats written in CRS as a JSON number.
type crsDecimal uint64

func (d crsDecimal) MarshalJSON() ([]byte, error) { return []byte(cirrus.Strats(d).Decimal()), nil }

// pointDecimal is a whole number written as the node writes a C# decimal: 230000000.0.
type pointDecimal uint64

func (d pointDecimal) MarshalJSON() ([]byte, error) {
	return append(strconv.AppendUint(nil, uint64(d), 10), ".0"...), nil
}

// outpointBody is a coin as a caller names it.
type outpointBody struct {
	TransactionID words `json:"transactionId"`
	Index         count `json:"index"`
}

// points reads the coins that a caller names. Errors: *wallet.Refusal.
func points(list []outpointBody) ([]cirrus.Outpoint, error) {
	var found []cirrus.Outpoint
	for _, named := range list {
		id, err := cirrus.ParseTxID(string(named.TransactionID))
		if err != nil || named.Index > 1<<31-1 {
			return nil, refused("Invalid Hex String")
		}
		found = append(found, cirrus.Outpoint{TxID: id, Index: uint32(named.Index)})
	}
	return found, nil
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
