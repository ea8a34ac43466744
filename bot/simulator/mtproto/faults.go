package mtproto

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// Fault makes the next Times calls of the methods that Method matches, such as
// ^messages\.sendEncrypted, fail. Kind is error:<code>:<TEXT> (nothing happens),
// drop-before (the connection is lost before the call is carried out),
// drop-after (it is lost before the answer), twice (the answer comes twice) or
// slow:<duration>, during which the connection brings nothing.
//
// What the server tells by itself has names too, ^updates$ or
// ^updateShortMessage$: with twice it comes twice, with any other kind never.
type Fault struct {
	Method string
	Kind   string
	Times  int
}

const (
	dropBefore = "drop-before"
	dropAfter  = "drop-after"
	twice      = "twice"
)

// ErrFault is wrapped by AddFault when the fault makes no sense.
var ErrFault = errors.New("bad fault")

// errLost ends a connection because of a fault.
var errLost = errors.New("the connection is lost, as was asked for")

type fault struct {
	method *regexp.Regexp
	kind   string
	left   int
	delay  time.Duration
	answer error
}

// faults are the failures that are still to come.
type faults struct {
	mu    sync.Mutex
	list  []*fault
	names map[uint32]string
}

// AddFault plans failures of calls over the network; simulated phones are not
// concerned.
func (s *Server) AddFault(f Fault) error {
	re, err := regexp.Compile("(?i)" + f.Method)
	if err != nil || f.Method == "" {
		return fmt.Errorf("%w: the method must be a regular expression over names such as messages.sendEncrypted", ErrFault)
	}
	planned := &fault{method: re, kind: f.Kind, left: max(f.Times, 1)}
	switch kind, value, _ := strings.Cut(f.Kind, ":"); kind {
	case dropBefore, dropAfter, twice:
	case "slow":
		planned.delay, err = time.ParseDuration(value)
	case "error":
		planned.answer, err = rpcFault(value)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return fmt.Errorf("%w: the kind must be error:<code>:<TEXT>, drop-before, drop-after, twice or slow:<duration>: %w", ErrFault, err)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.names == nil {
		s.faults.names = tg.TypesMap()
	}
	s.faults.list = append(s.faults.list, planned)
	return nil
}

func rpcFault(value string) (answer, err error) {
	number, text, _ := strings.Cut(value, ":")
	code, err := strconv.Atoi(number)
	if err != nil || text == "" {
		return nil, fmt.Errorf("%q is no code and text of an error", value)
	}
	return tgerr.New(code, text), nil
}

// take uses up one planned failure of a method, if there is one.
func (f *faults) take(method uint32) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, _, _ := strings.Cut(f.names[method], "#")
	for i, planned := range f.list {
		if !planned.method.MatchString(name) {
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

// repeated is an answer that comes twice.
type repeated struct{ bin.Encoder }

// spoil carries out a call as a fault has it.
func (c *conn) spoil(ctx context.Context, f fault, do func() (bin.Encoder, error)) (bin.Encoder, error) {
	switch {
	case f.kind == dropBefore:
		return nil, errLost
	case f.answer != nil:
		return nil, f.answer
	case f.delay > 0:
		timer := time.NewTimer(f.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, errLost
		}
	}
	answer, err := do()
	switch {
	case f.kind == dropAfter:
		return nil, errLost
	case f.kind == twice && err == nil:
		return repeated{answer}, nil
	}
	return answer, err
}

// told passes on what the server tells by itself, unless a fault is due. It is
// called with the hub locked.
func (c *conn) told(s *session, u hub.Answer) {
	m := message{s, proto.MessageFromServer, u}
	f, ok := c.server.faults.take(binary.LittleEndian.Uint32(u))
	if ok && f.kind != twice {
		return
	}
	c.enqueue(m)
	if ok {
		c.enqueue(m)
	}
}
