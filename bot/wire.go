package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-telegram/bot"
)

// maxAnswer bounds what is read of an answer, in bytes: a hundred updates are far below it.
const maxAnswer = 16 << 20

// wire is the HTTP client that the library uses. It keeps the token out of errors and bounds answers.
type wire struct {
	client     Client
	url, token string
}

// lostError is a request that got no answer.
type lostError struct {
	err  error
	sent bool // Telegram may have carried it out
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// serverError is an answer that says that Telegram itself has trouble.
type serverError struct{ status int }

func (e *serverError) Error() string { return fmt.Sprintf("Telegram answered status %d", e.status) }

// Do makes a request. Its errors hold no address, because the address holds the token.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	if err := whole(req); err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		var dial *net.OpError
		return nil, &lostError{err: err, sent: !errors.As(err, &dial) || dial.Op != "dial"}
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		_ = resp.Body.Close()
		return nil, &serverError{resp.StatusCode}
	}
	resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// whole reads the body that the library would write bit by bit: so it has a length, may be sent again where a kept
// connection turns out to be closed, and the library's writer ends whatever becomes of the request.
func whole(req *http.Request) error {
	if req.Body == nil || req.GetBody != nil {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	err = errors.Join(err, req.Body.Close())
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return err
}

type limited struct {
	io.Reader
	io.Closer
}

func (w *wire) closeIdle() {
	if c, ok := w.client.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// hidden is an error whose text does not hold the token. What it wraps is not given out, only compared.
type hidden struct {
	text string
	err  error
}

func (e *hidden) Error() string        { return e.text }
func (e *hidden) Is(target error) bool { return errors.Is(e.err, target) }
func (e *hidden) As(target any) bool   { return errors.As(e.err, target) }

// hide wraps err with what was being done, and takes the token out of its text. The bot's id, before the colon, is no
// secret.
func (w *wire) hide(doing string, err error) error {
	if err == nil {
		return nil
	}
	_, secret, found := strings.Cut(w.token, ":")
	if !found || secret == "" {
		secret = w.token
	}
	text := strings.ReplaceAll(err.Error(), secret, "***")
	if doing != "" {
		text = doing + ": " + text
	}
	return &hidden{text: text, err: err}
}

// call makes one call of the Bot API at its call site, "telegram." and the method, within its time.
func (b *Bot) call(ctx context.Context, method string, do func(context.Context) error) error {
	return b.callWithin(ctx, b.rules.CallWithin, method, do)
}

// ask is a call that the library keeps to itself. It fills result from the answer; errors are those of the library.
func (w *wire) ask(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/bot"+w.token+"/"+method, bytes.NewReader(body))
	if err != nil {
		return w.hide("making the request", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		OK          bool            `json:"ok"`
		Result      json.RawMessage `json:"result"`
		Description string          `json:"description"`
		Code        int             `json:"error_code"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return &lostError{err: fmt.Errorf("reading the answer: %w", err), sent: true}
	}
	if !answer.OK {
		return refusal(answer.Code, answer.Description, answer.Parameters.RetryAfter)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("reading the result: %w", err)
	}
	return nil
}

func refusal(code int, description string, retryAfter int) error {
	switch code {
	case http.StatusTooManyRequests:
		return &bot.TooManyRequestsError{Message: description, RetryAfter: retryAfter}
	case http.StatusConflict:
		return fmt.Errorf("%w, %s", bot.ErrorConflict, description)
	case http.StatusUnauthorized, http.StatusNotFound:
		return fmt.Errorf("%w, %s", bot.ErrorUnauthorized, description)
	}
	return fmt.Errorf("refused with %d: %s", code, description)
}

func (b *Bot) callWithin(ctx context.Context, within time.Duration, method string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return b.client.hide(method, b.cfg.Sites.Do(ctx, "telegram."+method, do))
}
