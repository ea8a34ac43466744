package chain

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/cenkalti/backoff/v5"

	"github.com/usherbot/usher/flows/order"
)

// call is one kind of request to a node.
type call struct {
	site   string
	method string
	base   *url.URL
	path   string
	query  url.Values
	body   any      // sent as JSON
	limit  int64    // bytes of the answer; 0: limitAnswer
	hidden []string // what must not come back in an error
	// harmless: the call may be made again without knowing what became of it.
	harmless bool
	slow     bool // it only reads, but may take the node long
}

// get asks and reads the answer into out.
func (c *Client) get(ctx context.Context, site string, base *url.URL, path string, query url.Values, out any) error {
	return c.do(ctx, call{site: site, method: http.MethodGet, base: base, path: path, query: query, harmless: true}, into(out))
}

// post asks for a change, once. Its answer goes into out.
func (c *Client) post(ctx context.Context, site string, base *url.URL, path string, body, out any, hidden ...string) error {
	return c.do(ctx, call{site: site, method: http.MethodPost, base: base, path: path, body: body, hidden: hidden}, into(out))
}

// into reads JSON. What json says of a body that does not fit is kept away from the caller's errors: it may quote it.
func into(out any) func([]byte) error {
	return func(body []byte) error {
		if json.Unmarshal(body, out) != nil {
			return errGarbage
		}
		return nil
	}
}

var (
	errGarbage = errors.New("the answer cannot be understood")
	errTooLong = errors.New("the answer is too long")
	errNoHTTP  = errors.New("no valid HTTP answer")
)

// do makes a call, again where that is harmless and may help.
func (c *Client) do(ctx context.Context, r call, read func([]byte) error) error {
	if !r.harmless {
		return c.attempt(ctx, r, read)
	}
	var last error
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = c.pause
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		last = c.attempt(ctx, r, read)
		if last != nil && !passing(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(readTries))
	return last
}

// passing tells whether another attempt may end differently.
func passing(err error) bool {
	return errors.Is(err, order.ErrUnreachable) || errors.Is(err, order.ErrUnknownOutcome)
}

// attempt passes the call site once. What the site itself returns, an injected fault for example, is an outcome
// nobody knows unless it says otherwise.
func (c *Client) attempt(ctx context.Context, r call, read func([]byte) error) error {
	err := c.sites.Do(ctx, r.site, func(ctx context.Context) error { return c.exchange(ctx, r, read) })
	if err == nil || hasOutcome(err) {
		return err
	}
	return &Error{Site: r.site, reason: order.ErrUnknownOutcome, cause: err}
}

// exchange sends one request and reads its answer.
func (c *Client) exchange(ctx context.Context, r call, read func([]byte) error) error {
	limit := c.patience
	if r.harmless && !r.slow {
		limit = c.timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// Until a connection is there, nothing can have been sent.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := newRequest(ctx, r)
	if err != nil {
		return &Error{Site: r.site, reason: order.ErrRefused, cause: err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		reason := order.ErrUnreachable
		if connected.Load() {
			reason = order.ErrUnknownOutcome
		}
		return &Error{Site: r.site, reason: reason, cause: plainCause(err)}
	}
	defer func() { _ = response.Body.Close() }()
	return answer(r, response, read)
}

// answer reads the response. Where the body cannot be had or understood the status alone proves nothing.
func answer(r call, response *http.Response, read func([]byte) error) error {
	failed := &Error{Site: r.site, Status: response.StatusCode, reason: order.ErrUnknownOutcome}
	body, err := readAll(response.Body, r.limit)
	if response.StatusCode >= http.StatusMultipleChoices {
		words := messageOf(body)
		failed.Message = clean(words, r.hidden)
		failed.reason = meaning(response.StatusCode, words, r.harmless)
		return failed
	}
	if err == nil {
		err = read(body)
	}
	if err != nil {
		failed.cause = err
		return failed
	}
	return nil
}

func readAll(from io.Reader, limit int64) ([]byte, error) {
	if limit == 0 {
		limit = limitAnswer
	}
	body, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, limit)
	}
	return body, nil
}

func newRequest(ctx context.Context, r call) (*http.Request, error) {
	target := r.base.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, errors.New("the request cannot be written as JSON")
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return nil, withoutURL(err)
	}
	if r.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// plainCause gives of a failed exchange what can hold neither a URL nor words of the answer.
func plainCause(err error) error {
	err = withoutURL(err)
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errPin), errors.As(err, &certificate), errors.As(err, &network),
		errors.Is(err, context.Canceled), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return errNoHTTP
}

// withoutURL takes the URL out of an error: it may hold the operator's credentials.
func withoutURL(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}
