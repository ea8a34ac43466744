package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	faultDropBefore = "drop-before"
	faultDropAfter  = "drop-after"
)

// Fault makes the next Times calls of the methods that Method matches fail.
// Kind is status:<code>, drop-before (nothing happens and no answer comes),
// drop-after (it happens, but no answer comes) or slow:<duration>.
type Fault struct {
	Method     string `json:"method"`
	Kind       string `json:"kind"`
	Times      int    `json:"times"`
	RetryAfter int    `json:"retryAfter"` // seconds, with status:429; 1 by default
}

type fault struct {
	method *regexp.Regexp
	kind   string
	left   int
	delay  time.Duration
	answer *apiError
}

// faults are the failures that are still to come.
type faults struct {
	mu   sync.Mutex
	list []*fault
}

// AddFault plans failures; the error says what is wrong with f.
func (t *Telegram) AddFault(f Fault) error {
	re, err := regexp.Compile("(?i)" + f.Method)
	if err != nil || f.Method == "" {
		return badInput("method must be a regular expression over method names, such as ^sendPhoto$")
	}
	planned := &fault{method: re, kind: f.Kind, left: max(f.Times, 1)}
	switch kind, value, _ := strings.Cut(f.Kind, ":"); kind {
	case faultDropBefore, faultDropAfter:
	case "slow":
		planned.delay, err = time.ParseDuration(value)
	case "status":
		planned.answer, err = statusFault(value, f.RetryAfter)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return badInput("kind must be status:<code>, drop-before, drop-after or slow:<duration>: %v", err)
	}
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.list = append(t.faults.list, planned)
	return nil
}

func statusFault(value string, retryAfter int) (answer *apiError, err error) {
	code, err := strconv.Atoi(value)
	if err != nil || code < 400 || code > 599 {
		return nil, fmt.Errorf("%q is no status of a failure", value)
	}
	switch code {
	case http.StatusTooManyRequests:
		return tooMany(max(retryAfter, 1)), nil
	case http.StatusForbidden:
		return forbidden("bot was blocked by the user"), nil
	}
	return &apiError{code: code, description: http.StatusText(code)}, nil
}

// take uses up one planned failure for the method, if there is one.
func (f *faults) take(method string) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, planned := range f.list {
		if !planned.method.MatchString(method) {
			continue
		}
		planned.left--
		if planned.left == 0 {
			f.list = append(f.list[:i], f.list[i+1:]...)
		}
		return *planned, true
	}
	return fault{}, false
}
