package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxControl is the largest body that the control API takes, in bytes.
const maxControl = 16 << 20

// Control serves the control API under /telegram/. Errors come as
// {"error": "<what to do>"}: 400 for bad input, 404 for an unknown person, 504
// where the bot did not answer a tap.
func (t *Telegram) Control() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /telegram/users", control(t.controlUsers))
	mux.Handle("POST /telegram/users/{id}/text", control(t.controlText))
	mux.Handle("POST /telegram/users/{id}/tap", control(t.controlTap))
	mux.Handle("POST /telegram/users/{id}/secretchat", control(t.controlSecretChat))
	mux.Handle("POST /telegram/users/{id}/do", control(t.controlDo))
	mux.Handle("GET /telegram/users/{id}/chats", control(t.controlChats))
	mux.Handle("GET /telegram/users/{id}/secret", control(t.controlSecret))
	mux.Handle("GET /telegram/users/{id}/complaints", control(t.controlComplaints))
	mux.Handle("POST /telegram/groups", control(t.controlGroups))
	mux.Handle("GET /telegram/couriers", control(t.controlCouriers))
	mux.Handle("POST /telegram/courier", control(t.controlCourier))
	mux.Handle("POST /telegram/fault", control(t.controlFault))
	mux.Handle("POST /telegram/webhook", control(t.controlWebhook))
	mux.Handle("GET /telegram/traffic", control(t.controlTraffic))
	mux.Handle("/telegram/", control(func(r *http.Request, _ controlBody) (any, error) {
		return nil, badInput("there is no %s %s", r.Method, r.URL.Path)
	}))
	return mux
}

// controlBody holds every field that a call of the control API may have.
type controlBody struct {
	Name     string  `json:"name"`
	Language string  `json:"language"`
	Kind     string  `json:"kind"`
	Owner    lenient `json:"owner"`

	Text    string  `json:"text"`
	Chat    lenient `json:"chat"`
	Message lenient `json:"message"`
	Button  lenient `json:"button"`
	With    lenient `json:"with"`
	Action  string  `json:"action"`
	Phone   int     `json:"phone"`
	Picture []byte  `json:"picture"`

	Address string  `json:"address"` // with the page's own calls
	Amount  lenient `json:"amount"`

	API        string `json:"api"` // of a fault: bot or mtproto
	Method     string `json:"method"`
	Times      int    `json:"times"`
	RetryAfter int    `json:"retryAfter"`

	Username string `json:"username"` // with courier
	Seconds  int    `json:"seconds"`

	User   lenient `json:"user"` // with webhook
	Secret string  `json:"secret"`
	Bytes  int     `json:"bytes"`
}

// lenient takes a JSON string or number and keeps its text.
type lenient string

func (l *lenient) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*l = lenient(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("expected a string or a number, got %.20s", raw)
	}
	*l = lenient(n.String())
	return nil
}

func (l lenient) number(what string) (int64, error) {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil {
		return 0, badInput("%s must be a number", what)
	}
	return n, nil
}

// control turns a function into a handler that reads and writes JSON.
func control(do func(*http.Request, controlBody) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body controlBody
		if r.Method == http.MethodPost {
			err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl)).Decode(&body)
			if err != nil && !errors.Is(err, io.EOF) {
				writeJSON(w, http.StatusBadRequest, map[string]string{"error": "the body must be a JSON object: " + err.Error()})
				return
			}
		}
		result, err := do(r, body)
		if err != nil {
			writeJSON(w, controlStatus(err), map[string]string{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, result)
	})
}

func controlStatus(err error) int {
	var input *inputError
	switch {
	case errors.As(err, &input):
		return http.StatusBadRequest
	case errors.Is(err, ErrUnknownUser):
		return http.StatusNotFound
	case errors.Is(err, ErrNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		body, code = []byte(`{"error":"the answer cannot be written as JSON"}`), http.StatusInternalServerError
	}
	writeBody(w, body, code)
}

func userOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", r.PathValue("id"), ErrUnknownUser)
	}
	return id, nil
}

func (t *Telegram) controlUsers(_ *http.Request, b controlBody) (any, error) {
	if strings.TrimSpace(b.Name) == "" {
		return nil, badInput("a person needs a name")
	}
	if b.Language == "" {
		b.Language = "en"
	}
	return map[string]int64{"id": t.AddUser(b.Name, b.Language)}, nil
}

func (t *Telegram) controlText(r *http.Request, b controlBody) (any, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	id, err := t.Text(r.Context(), user, string(b.Chat), b.Text)
	return map[string]int64{"message": id}, err
}

func (t *Telegram) controlTap(r *http.Request, b controlBody) (any, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	id, err := b.Message.number("message")
	if err != nil {
		return nil, err
	}
	return t.Tap(r.Context(), user, string(b.Chat), int(id), string(b.Button))
}

func (t *Telegram) controlSecretChat(r *http.Request, b controlBody) (any, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	if b.With == "" {
		b.With = "@courier"
	}
	name, err := t.StartSecretChatOn(r.Context(), user, max(b.Phone, 1), string(b.With))
	return map[string]string{"chat": name}, err
}

func (t *Telegram) controlDo(r *http.Request, b controlBody) (any, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	a := Action{Action: b.Action, Chat: string(b.Chat), Text: b.Text, Picture: b.Picture, Phone: b.Phone}
	if b.Message != "" {
		id, err := b.Message.number("message")
		if err != nil {
			return nil, err
		}
		a.Message = int(id)
	}
	id, err := t.Do(r.Context(), user, a)
	if err != nil || id == 0 {
		return map[string]int64{}, err
	}
	return map[string]int64{"message": id}, nil
}

// controlChats gives whole pictures, or with ?pictures=brief only their
// beginnings, for whoever looks again and again.
func (t *Telegram) controlChats(r *http.Request, _ controlBody) (any, error) {
	e, err := eyeOf(r)
	if err != nil {
		return nil, err
	}
	return t.chatsAs(e)
}

func (t *Telegram) controlSecret(r *http.Request, _ controlBody) (any, error) {
	e, err := eyeOf(r)
	if err != nil {
		return nil, err
	}
	return t.secretsAs(e)
}

// controlComplaints lists what the courier did wrong in the protocol, as the
// person's phones noticed it.
func (t *Telegram) controlComplaints(r *http.Request, _ controlBody) (any, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	all, err := t.phones(user)
	if err != nil {
		return nil, err
	}
	complaints := []string{}
	for _, phone := range all {
		complaints = append(complaints, phone.Complaints()...)
	}
	return complaints, nil
}

func (t *Telegram) controlGroups(_ *http.Request, b controlBody) (any, error) {
	owner, err := b.Owner.number("owner")
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(b.Name) == "" {
		return nil, badInput("a group needs a name")
	}
	id, err := t.AddGroup(b.Name, b.Kind, owner)
	return map[string]int64{"id": id}, err
}

func (t *Telegram) controlFault(_ *http.Request, b controlBody) (any, error) {
	var err error
	switch {
	case b.API == "" || b.API == "bot":
		err = t.AddFault(Fault{Method: b.Method, Kind: b.Kind, Times: b.Times, RetryAfter: b.RetryAfter})
	case b.API != "mtproto" || t.opts.Spoil == nil:
		err = badInput("calls of %q cannot be made to fail: \"bot\" and \"mtproto\" are known", b.API)
	default:
		err = shown(t.opts.Spoil(b.Method, b.Kind, b.Times))
	}
	return map[string]string{}, err
}

// controlWebhook calls the bot's webhook as Telegram would not make it, and
// answers with the bot's status.
func (t *Telegram) controlWebhook(r *http.Request, b controlBody) (any, error) {
	d := Disturbance{Kind: b.Kind, Secret: b.Secret, Text: b.Text, Bytes: b.Bytes}
	if b.User != "" {
		user, err := b.User.number("user")
		if err != nil {
			return nil, err
		}
		d.User = user
	}
	status, err := t.Disturb(r.Context(), d)
	return map[string]int{"status": status}, err
}

// controlTraffic lists the exchanges over the Bot API; ?after=<number> leaves
// out those up to that number.
func (t *Telegram) controlTraffic(r *http.Request, _ controlBody) (any, error) {
	after := 0
	if raw := r.URL.Query().Get("after"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil {
			return nil, badInput("after must be a number")
		}
		after = n
	}
	return append([]record{}, t.traffic.after(after)...), nil
}
