package bot

import "sync"

// place is one message.
type place struct {
	chat    int64
	message int
}

// memorySize is how many entries a memory surely keeps.
const memorySize = 4096

// memory keeps what was used lately and forgets the rest: at most twice memorySize entries.
type memory[K comparable, V any] struct {
	mu       sync.Mutex
	new, old map[K]V
}

func (m *memory[K, V]) get(k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.new[k]; ok {
		return v, true
	}
	v, ok := m.old[k]
	if ok {
		m.set(k, v)
	}
	return v, ok
}

func (m *memory[K, V]) put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(k, v)
}

func (m *memory[K, V]) set(k K, v V) {
	if m.new == nil || len(m.new) >= memorySize {
		m.new, m.old = make(map[K]V), m.new
	}
	m.new[k] = v
}
