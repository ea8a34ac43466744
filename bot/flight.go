package bot

import "sync"

// flight is one update that Telegram delivered by webhook, from its arrival to its end. Deliveries of the same update
// share it.
type flight struct {
	id    int64
	ended chan struct{} // closed at its end; what follows is set before that

	handled bool   // its effect is saved: Telegram needs not send it again
	answer  []byte // the call to answer with; nil: none
}

// flights are the updates under way and those handled lately, so that one that comes twice has one effect and both
// deliveries hear the same.
type flights struct {
	mu       sync.Mutex
	underWay map[int64]*journey
	handled  memory[int64, *flight]
	failed   memory[int64, int] // how often an update failed
}

// journey is a flight with the deliveries that wait for its end.
type journey struct {
	flight  *flight
	waiting int
}

// join finds the flight of an update, or begins it: then first is true, and the update must be sent on its way. Each
// join needs a leave.
func (f *flights) join(id int64) (one *flight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one, ok := f.handled.get(id); ok {
		return one, false
	}
	j := f.underWay[id]
	if first = j == nil; first {
		if f.underWay == nil {
			f.underWay = make(map[int64]*journey)
		}
		j = &journey{flight: &flight{id: id, ended: make(chan struct{})}}
		f.underWay[id] = j
	}
	j.waiting++
	return j.flight, first
}

// leave notes that a delivery waits no more.
func (f *flights) leave(one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := f.underWay[one.id]; j != nil && j.flight == one {
		j.waiting--
	}
}

// land ends a flight whose effect is saved. answered tells that a delivery waits that will carry the answer; otherwise
// the answer must go another way.
func (f *flights) land(one *flight, answer []byte) (answered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := f.underWay[one.id]
	if j != nil && j.waiting > 0 {
		one.answer, answered = answer, true
	}
	one.handled = true
	delete(f.underWay, one.id)
	f.handled.put(one.id, one)
	close(one.ended)
	return answered
}

// fail ends a flight that Telegram must send again.
func (f *flights) fail(one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.underWay, one.id)
	close(one.ended)
}

// count notes another failure of an update, and gives their number.
func (f *flights) count(id int64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, _ := f.failed.get(id)
	f.failed.put(id, n+1)
	return n + 1
}
