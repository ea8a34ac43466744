package secretchat

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// What follows is per core: nothing in it runs at once.

// BenchmarkHandshake makes chats, both sides of each: two exponents, two public values,
// two keys, on a group that was checked.
func BenchmarkHandshake(b *testing.B) {
	e, g := env{now: time.Unix(1_800_000_000, 0), random: rand.Reader}, testGroup(b)
	for b.Loop() {
		creator := asking(e, 42, 7, 70)
		must(b, creator.offer(e, g, nil))
		invitee := requested(e, 42, 98, 8, creator.Public)
		must(b, invitee.accept(e, g, nil))
		public, fingerprint := invitee.Public, invitee.Key.Fingerprint
		_, err := invitee.accepted(e, fingerprint)
		must(b, err)
		_, err = creator.answered(e, 99, public, fingerprint)
		must(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
}

// BenchmarkCheckGroup is what a new prime costs, once.
func BenchmarkCheckGroup(b *testing.B) {
	g := otherGroup(b)
	for b.Loop() {
		must(b, checkGroup(g.G, g.P))
	}
}

// BenchmarkMessage writes, encrypts, decrypts and reads texts, with the acknowledgements
// and changes of keys that they bring, and the record that is saved at each step.
func BenchmarkMessage(b *testing.B) {
	for _, size := range []int{16, 1024, 4096} {
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			p, text := openPair(b), string(make([]byte, size))
			n := 0
			for b.Loop() {
				n++
				_, err := p.sides[0].enqueue(p.env(), pending{Key: fmt.Sprint(n), Text: text})
				must(b, err)
				must(b, p.sides[0].renewKey(p.env()))
				for p.transmit(0, true) {
					p.reload(0)
				}
				for len(p.wire[1]) > 0 {
					p.deliver(1, 0, false)
					p.reload(1)
				}
				p.settle()
				p.texts[1] = nil
			}
			b.SetBytes(int64(size))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkOpenChat tells what a quiet open chat holds: in the store, and in a client's
// memory.
func BenchmarkOpenChat(b *testing.B) {
	const chats = 1000
	raw := template()[1]
	var held uint64
	for b.Loop() {
		d := &drawer{values: map[string][]byte{}}
		for id := range chats {
			d.values[chatName(int64(id), id)] = raw
		}
		c := New(Config{Store: d})
		c.runs = true
		before := heap()
		must(b, c.index(b.Context()))
		for id := range chats {
			_, err := c.load(b.Context(), id)
			must(b, err)
		}
		held = heap() - before
		runtime.KeepAlive(c)
	}
	b.ReportMetric(float64(len(raw)), "store-bytes/chat")
	b.ReportMetric(float64(held)/chats, "memory-bytes/chat")
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
