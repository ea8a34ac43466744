package bot

import (
	"context"
	"slices"
	"sync"
)

// lanes run items one after another where they have the same key, and at the same time where they don't. Each lane has
// a goroutine while it has items; wait outlives them all.
type lanes[T any] struct {
	do       func(ctx context.Context, key int64, item T)
	replaces func(item, older T) bool // item makes an older one that waits needless; nil: never
	before   func(item, other T) bool // item comes before another one that waits; nil: as they were added
	perLane  int                      // items that wait in one lane
	total    int                      // items that wait in all

	running sync.WaitGroup
	mu      sync.Mutex
	waiting map[int64][]T
	count   int
	moved   chan struct{} // closed and renewed when an item left its lane
}

// push adds an item; it waits while there is no room. Errors: ctx's.
func (l *lanes[T]) push(ctx context.Context, key int64, item T) error {
	for {
		moved := l.tryPush(ctx, key, item)
		if moved == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// tryPush adds the item, or gives the channel to wait on.
func (l *lanes[T]) tryPush(ctx context.Context, key int64, item T) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting, l.moved = make(map[int64][]T), make(chan struct{})
	}
	items, runs := l.waiting[key]
	if l.replaces != nil {
		before := len(items)
		items = slices.DeleteFunc(items, func(older T) bool { return l.replaces(item, older) })
		l.count -= before - len(items)
	}
	room := len(items) < l.perLane && l.count < l.total
	if room {
		items = slices.Insert(items, l.place(items, item), item)
		l.count++
	}
	if runs || room {
		l.waiting[key] = items
	}
	if !room {
		return l.moved
	}
	if !runs {
		l.running.Go(func() { l.run(ctx, key) })
	}
	return nil
}

// place is where an item goes among those that wait.
func (l *lanes[T]) place(items []T, item T) int {
	at := len(items)
	for l.before != nil && at > 0 && l.before(item, items[at-1]) {
		at--
	}
	return at
}

func (l *lanes[T]) run(ctx context.Context, key int64) {
	for {
		item, ok := l.next(key)
		if !ok {
			return
		}
		l.do(ctx, key, item)
	}
}

func (l *lanes[T]) next(key int64) (item T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	items := l.waiting[key]
	if len(items) == 0 {
		delete(l.waiting, key)
		return item, false
	}
	item, l.waiting[key] = items[0], items[1:]
	l.count--
	close(l.moved)
	l.moved = make(chan struct{})
	return item, true
}

// wait returns when all lanes are empty. Nothing may be pushed meanwhile from outside of a lane.
func (l *lanes[T]) wait() { l.running.Wait() }

// turns let one at a time write into a chat, so that what is sent first arrives first.
type turns struct {
	mu    sync.Mutex
	chats map[int64]*turn
}

type turn struct {
	token chan struct{}
	users int // who has it or waits for it
}

// take waits for the chat's turn; give must be called. Errors: ctx's.
func (t *turns) take(ctx context.Context, chat int64) (give func(), err error) {
	t.mu.Lock()
	if t.chats == nil {
		t.chats = make(map[int64]*turn)
	}
	one := t.chats[chat]
	if one == nil {
		one = &turn{token: make(chan struct{}, 1)}
		t.chats[chat] = one
	}
	one.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(t.chats, chat)
		}
	}
	select {
	case one.token <- struct{}{}:
		return func() { <-one.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
