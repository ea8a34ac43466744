package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
	"github.com/usherbot/usher/storage/redistest"
)

// bed is Usher wired as ever, with a local node and a Redis that are real, and a clock, jobs, chance, phones and a courier
// that are the test's. One goroutine plays everything in it, so that a seed and a list of blows play the same again.
type bed struct {
	t      *testing.T
	ctx    context.Context
	plan   plan
	chain  *sandbox.Sandbox
	redis  *redis.Client
	server *redistest.Server
	dir    string // where it keeps its data
	tides  []tideMark
	clock  *memory.Clock
	sites  *tortureSites
	chance *rand.Rand
	set    settings

	app      *app
	jobs     *memory.Jobs
	eye      *storage.DB // looks at what is stored, and is no part of Usher
	venue    cirrus.Address
	show     uint64 // end of sale
	people   map[int64]*person
	persons  []*person // in order
	operator *person
	payments map[cirrus.Address]cirrus.Strats
	drawn    map[string][]byte
	read     map[string]string
	stood    map[order.ID]string
	leases   map[string]time.Time // of locks and turns that were left behind: since when
	letter   int
	update   int64
	lives    int
	resting  bool // a beat is under way
	failures []string
	ends     []string // what became of each order
	notes    []string // what went wrong and is no failure in itself
}

// What a dead process holds keeps others out for so long, by the test's clock: locks and customers' turns. By the clock
// of Redis it is far longer, so that nothing runs out in the middle of a beat.
const (
	lockLease = 5 * time.Second
	turnLease = 30 * time.Second
	noLease   = 10 * time.Minute
)

// newBed makes everything but Usher. The Redis is emptied.
func newBed(t *testing.T, ctx context.Context, server *tortureRedis, dir string, p plan) (*bed, error) {
	b := &bed{
		t: t, ctx: ctx, plan: p, server: server.Server, dir: server.dir, clock: memory.NewClock(time.Now().Truncate(time.Hour)),
		people: map[int64]*person{}, payments: map[cirrus.Address]cirrus.Strats{}, letter: 100,
		drawn: map[string][]byte{}, read: map[string]string{}, stood: map[order.ID]string{}, leases: map[string]time.Time{},
	}
	b.chance = rand.New(rand.NewPCG(p.seed, 1)) // #nosec G404 -- a test that must play the same again
	b.sites = &tortureSites{
		blows: slices.Clone(p.blows), count: map[pair]int{}, total: map[pair]int{}, last: map[order.ID][]string{},
	}
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		return nil, err
	}
	b.redis = redis.NewClient(options)
	if err := b.redis.FlushAll(ctx).Err(); err != nil {
		return nil, err
	}
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], p.seed)
	b.chain, err = sandbox.Start(ctx, sandbox.Options{
		Clock: b.clock.Now, Rand: rand.NewChaCha8(seed), Dir: dir, Generation: sandbox.Generation(p.generation),
	})
	if err != nil {
		return nil, err
	}
	b.sites.chain, b.sites.rollback = b.chain, b.rollBack
	if err := b.stage(); err != nil {
		return nil, err
	}
	for i, name := range []string{"Olga", "Ada", "Ben", "Cleo"} {
		b.addPerson(int64(i+1), name)
	}
	b.operator = b.people[1]
	return b, b.configure(server.URL, dir)
}

func (b *bed) addPerson(id int64, name string) {
	p := &person{bed: b, id: id, name: name, refund: b.chain.Network().Address(cirrus.Hash{0xAD, byte(id)})}
	b.people[id] = p
	b.persons = append(b.persons, p)
}

// Of the one show: its seats, what they cost, and what a contract keeps of a price that it gives back.
const (
	seatPrice  = 20 * cirrus.CRS
	releaseFee = 2 * cirrus.CRS
	saleBlocks = 110
)

// stage makes a venue with five seats, of which the last two cost more and less.
func (b *bed) stage() error {
	var seats []cirrus.Seat
	var prices []sandbox.SeatPrice
	for i := range 5 {
		seat := cirrus.Seat{Number: 1, Letter: 'A' + cirrus.Char(i)}
		price := uint64(seatPrice)
		switch i {
		case 3:
			price += uint64(5 * cirrus.CRS)
		case 4:
			price -= uint64(5 * cirrus.CRS)
		}
		seats, prices = append(seats, seat), append(prices, sandbox.SeatPrice{Seat: seat, Price: price})
	}
	var err error
	b.venue, err = b.chain.Venue(sandbox.VenueRequest{
		Venue: "Cellar", Seats: seats, ReleaseFee: uint64(releaseFee), NoReleaseBlocks: 12,
	})
	if err != nil {
		return err
	}
	b.show = b.chain.Height() + saleBlocks
	if b.plan.tale == "brief" {
		b.show -= saleBlocks / 2
	}
	return b.chain.Show(sandbox.ShowRequest{
		Address: b.venue, Name: "Songs", Organiser: "Quay", Prices: prices, EndOfSale: b.show,
		Time: uint64(b.clock.Now().Add(30 * 24 * time.Hour).Unix()),
	})
}

// configure reads the settings as an operator would write them.
func (b *bed) configure(redisURL, dir string) error {
	env := environment{
		TelegramToken: "1:torturetoken", TelegramURL: "http://127.0.0.1:1", TelegramMode: "polling", Reserve: b.plan.reserve,
		ResoldSeats: "refuse", GasPrice: "100", Confirmations: "1", Finality: "20", CourierDaily: "20", CourierTimer: "0s",
		Hold: "15m", Choice: "30m", Undo: "10s", Keep: "336h", ServiceFee: "0", MaxAtStake: "0", Listen: "127.0.0.1:0", LogLevel: "info",
		LogFormat: "text", Support: "@Quay", Admins: "1", KeysFile: filepath.Join(dir, "keys"), RedisURL: redisURL + "/0",
	}
	if _, err := storage.CreateKeyring(env.KeysFile); err != nil {
		return err
	}
	if err := env.fill(b.chain.Environment()); err != nil {
		return err
	}
	var err error
	if b.set, err = env.check(); err != nil {
		return err
	}
	b.set.clock, b.set.turn, b.set.lease = b.clock.Now, noLease, noLease
	keys, err := storage.LoadKeyring(env.KeysFile)
	if err != nil {
		return err
	}
	b.eye, err = storage.Open(b.ctx, storage.Config{
		URL: env.RedisURL, Keys: keys, Network: b.chain.Network().Name, Clock: b.clock.Now,
	})
	return err
}

func (b *bed) close() {
	if b.app != nil {
		_ = b.app.close()
	}
	if b.eye != nil {
		_ = b.eye.Close()
	}
	_ = b.redis.Close()
	_ = b.chain.Close()
}

func (b *bed) fail(format string, a ...any) {
	b.failures = append(b.failures, fmt.Sprintf(format, a...))
}

// note keeps an error that Usher must get over by itself.
func (b *bed) note(err error) {
	if err != nil && len(b.notes) < 200 {
		b.notes = append(b.notes, err.Error())
	}
}

// alive does something in Usher. Where that kills it, it is started anew, on what Redis and the chain have.
func (b *bed) alive(do func()) {
	for range 4 {
		if b.survives(do) {
			return
		}
		do = b.start
	}
	b.fail("it does not come to life any more")
}

func (b *bed) survives(do func()) (survived bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case death:
			b.bury()
		default:
			panic(p)
		}
	}()
	do()
	return true
}

// bury takes away what was in memory.
func (b *bed) bury() {
	if b.app != nil {
		_ = b.app.close()
	}
	b.app = nil
	b.expire()
	b.advance(lockLease)
	b.expire()
	b.sites.mu.Lock()
	b.sites.dead = false
	b.sites.mu.Unlock()
}

// expire takes locks and turns out of Redis that have outlived their lease by the test's clock, which Redis does not
// know. Between two beats nobody is at work, so what lies there was left behind.
func (b *bed) expire() {
	if len(b.sites.struck) == 0 {
		return
	}
	keys, err := b.redis.Keys(b.ctx, "usher:*").Result()
	b.note(err)
	for _, key := range keys {
		lasts := lockLease
		switch {
		case strings.HasSuffix(key, ":turn"):
			lasts = turnLease
		case !strings.Contains(key, ":lock:"):
			continue
		}
		value, err := b.redis.Get(b.ctx, key).Result()
		b.note(err)
		left, known := b.leases[value]
		if !known {
			b.leases[value] = b.clock.Now()
		} else if b.clock.Now().Sub(left) >= lasts {
			b.note(b.redis.Del(b.ctx, key).Err())
		}
	}
}

// start starts Usher as whoever runs it does: it is tried again where something does not answer.
func (b *bed) start() {
	b.lives++
	var err error
	for range 5 {
		b.app, err = newAppWith(b.ctx, b.set, standIns{
			messenger: mail{b}, username: "usher", courier: post{b}, artist: sketch{drawn: b.drawn}, nodePause: time.Millisecond,
			newID: b.newID, pick: b.chance.IntN,
			jobs: func(run func(context.Context, order.ID) error) jobs {
				b.jobs = memory.NewJobs(b.clock, run)
				return byHand{b.jobs}
			},
		}, b.sites, b.log())
		if err == nil {
			break
		}
		b.note(fmt.Errorf("starting: %w", err))
	}
	if err != nil {
		b.fail("it does not start: %v", err)
		return
	}
	b.app.takeUp(b.ctx, b.app.sweeper())
	b.note(b.app.refused.forget(b.ctx))
	b.app.refused.try(b.ctx, b.app.node)
}

// log is Usher's own where a run is played again.
func (b *bed) log() *slog.Logger {
	if *tortureRun == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(b.t.Output(), nil))
}

// byHand are jobs that run when the test says so.
type byHand struct{ *memory.Jobs }

func (byHand) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (b *bed) newID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	id := make([]byte, 16)
	for i := range id {
		id[i] = letters[b.chance.IntN(len(letters))]
	}
	return string(id)
}

// beat is everything that Usher does in a moment: updates, a look at the chain, what is due, what phones acknowledge.
func (b *bed) beat() {
	if b.resting || b.app == nil {
		return
	}
	b.resting = true
	defer func() { b.resting = false }()
	b.expire()
	for _, p := range b.persons {
		b.takeUpdates(p)
	}
	b.alive(func() { b.note(b.app.watcher.Look(b.ctx)) })
	b.alive(func() { b.note(b.app.sweepOnce(b.ctx, b.app.sweeper())) })
	b.alive(b.work)
	b.acknowledge()
	b.alive(b.work)
}

func (b *bed) work() { b.note(b.jobs.RunUntilIdle(b.ctx)) }

// takeUpdates gives Usher what a person wrote and tapped, one after another, until it confirms it.
func (b *bed) takeUpdates(p *person) {
	for try := 0; len(p.updates) > 0 && try < 8; try++ {
		confirmed := false
		b.alive(func() {
			err := p.handle(p.updates[0])
			b.note(err)
			confirmed = err == nil
		})
		if confirmed {
			p.updates = p.updates[1:]
		} else {
			b.advance(turnLease / 4)
			b.expire()
		}
	}
}

// pass lets time go by, with a beat at least each step.
func (b *bed) pass(all, step time.Duration) {
	for end := b.clock.Now().Add(all); b.clock.Now().Before(end); {
		to := b.clock.Now().Add(step)
		if next, ok := b.jobs.Next(); ok && next.Before(to) && next.After(b.clock.Now()) {
			to = next
		}
		if to.After(end) {
			to = end
		}
		b.advance(to.Sub(b.clock.Now()))
		b.beat()
	}
}

// mine makes blocks, one after another.
func (b *bed) mine(blocks int) {
	for range blocks {
		if _, err := b.chain.Mine(1); err != nil {
			b.fail("mining: %v", err)
		}
		b.advance(blockEvery)
		b.beat()
		for _, arrive := range b.sites.late {
			arrive()
		}
		b.sites.late = nil
		b.follow()
	}
}

// follow tells of a run that is played again how each order stands after a block.
func (b *bed) follow() {
	if *tortureRun == "" {
		return
	}
	for _, o := range b.orders() {
		if now := stateOf(o); b.stood[o.ID] != now {
			b.stood[o.ID] = now
			b.t.Logf("block %d: %s", b.chain.Height(), now)
		}
	}
}

// advance lets time go by. What Redis was told until now is older than it afterwards.
func (b *bed) advance(by time.Duration) {
	b.tides = append(b.tides, tideMark{b.clock.Now(), b.told()})
	b.clock.Advance(by)
}

// tideMark is how much Redis had written down at a time.
type tideMark struct {
	at    time.Time
	bytes int64
}

// told is how much Redis has written down.
func (b *bed) told() int64 {
	file, err := os.Stat(b.appended())
	if err != nil {
		b.fail("the append-only file: %v", err)
		return 0
	}
	return file.Size()
}

// appended is the file that Redis appends to.
func (b *bed) appended() string {
	files, err := filepath.Glob(filepath.Join(b.dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		b.fail("the append-only file: %v %v", files, err)
		return ""
	}
	return files[0]
}

// rollBack kills Redis and has it come back without the last second of what it was told.
func (b *bed) rollBack() {
	cut := int64(-1)
	for _, mark := range b.tides {
		if !mark.at.After(b.clock.Now().Add(-time.Second)) {
			cut = mark.bytes
		}
	}
	if cut < 0 {
		return
	}
	b.server.Kill()
	if err := os.Truncate(b.appended(), cut); err != nil {
		b.fail("cutting the append-only file: %v", err)
	}
	b.server.Restart()
}

// opens asks the door.
func (b *bed) opens(ticket string) bool {
	result, err := b.chain.Scan(b.venue, ticket)
	if err != nil {
		b.fail("the door: %v", err)
	}
	return result.Opens
}
