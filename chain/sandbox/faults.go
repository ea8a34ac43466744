package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultRequest asks for the next calls to fail.
type FaultRequest struct {
	Path  string `json:"path"` // regular expression over the path of the call, in any case; empty: any
	Kind  string `json:"kind"` // timeout, drop-before, drop-after, status:503, garbage, slow:2s
	Times int    `json:"times"`
	Body  string `json:"body"` // of status and garbage
}

// ErrRequest says that a control call asks for something that cannot be done, and what to do instead.
var ErrRequest = errors.New("control call")

func wrong(format string, values ...any) error {
	return fmt.Errorf("%w: %s", ErrRequest, fmt.Sprintf(format, values...))
}

// fault is a FaultRequest that was understood.
type fault struct {
	path   *regexp.Regexp
	kind   string
	status int
	delay  time.Duration
	body   string
	left   int
}

// faults holds what is still to fail, oldest first.
type faults struct {
	mu     sync.Mutex
	list   []*fault
	ended  chan struct{} // closed by release: hanging calls end
	closed sync.Once
}

func newFaults() *faults { return &faults{ended: make(chan struct{})} }

func (f *faults) release() { f.closed.Do(func() { close(f.ended) }) }

const (
	garbage   = "<html>502 Bad Gateway</html>{\"transactionHash\":"
	maxTimes  = 1_000_000
	hangs     = 10 * time.Minute // the longest that a timeout lasts
	faultForm = `want {"path":"regexp","kind":"timeout|drop-before|drop-after|status:503|garbage|slow:2s","times":1,"body":"…"}`
)

// Fault makes the next matching calls to the node API and the Ticketbooth API fail. Errors: ErrRequest.
func (s *Sandbox) Fault(request FaultRequest) error {
	path, err := regexp.Compile("(?i)" + request.Path)
	if err != nil {
		return wrong("path is no regular expression: %v; %s", err, faultForm)
	}
	made := &fault{path: path, body: request.Body, left: max(request.Times, 1)}
	if request.Times < 0 || request.Times > maxTimes {
		return wrong("times is %d, want 1 to %d", request.Times, maxTimes)
	}
	kind, value, _ := strings.Cut(request.Kind, ":")
	made.kind = kind
	switch kind {
	case "timeout", "drop-before", "drop-after", "garbage":
	case "status":
		if made.status, err = strconv.Atoi(value); err != nil || made.status < 200 || made.status > 599 {
			return wrong("status %q, want 200 to 599; %s", value, faultForm)
		}
	case "slow":
		if made.delay, err = time.ParseDuration(value); err != nil || made.delay < 0 || made.delay > hangs {
			return wrong("slow %q, want a duration up to %s; %s", value, hangs, faultForm)
		}
	default:
		return wrong("kind %q is unknown; %s", clip(request.Kind), faultForm)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, made)
	return nil
}

// ClearFaults forgets every fault that has not happened yet.
func (s *Sandbox) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// next takes the fault that this call meets, if any.
func (f *faults) next(path string) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, candidate := range f.list {
		if !candidate.path.MatchString(path) {
			continue
		}
		if candidate.left--; candidate.left <= 0 {
			f.list = append(f.list[:i:i], f.list[i+1:]...)
		}
		return *candidate, true
	}
	return fault{}, false
}

// wrap lets calls fail.
func (f *faults) wrap(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		met, ok := f.next(r.URL.Path)
		if !ok {
			inner.ServeHTTP(w, r)
			return
		}
		f.fail(met, inner, w, r)
	})
}

func (f *faults) fail(met fault, inner http.Handler, w http.ResponseWriter, r *http.Request) {
	switch met.kind {
	case "timeout":
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxBody)) // only then the server sees that a caller gave up
		f.wait(hangs, r)
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	case "drop-before":
		panic(http.ErrAbortHandler)
	case "drop-after":
		inner.ServeHTTP(lost{}, r)
		panic(http.ErrAbortHandler)
	case "slow":
		f.wait(met.delay, r)
		inner.ServeHTTP(w, r)
	case "status":
		w.WriteHeader(met.status)
		_, _ = w.Write([]byte(met.body)) // the caller may be gone; nothing is left to do about it
	case "garbage":
		if met.body == "" {
			met.body = garbage
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(met.body)) // as above
	}
}

// lost takes an answer that nobody gets.
type lost struct{}

func (lost) Header() http.Header            { return http.Header{} }
func (lost) Write(data []byte) (int, error) { return len(data), nil }
func (lost) WriteHeader(int)                {}

func (f *faults) wait(most time.Duration, r *http.Request) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-f.ended:
	}
}
