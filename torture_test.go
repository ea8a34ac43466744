package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/usherbot/usher/storage/redistest"
)

var (
	tortureRun      = flag.String("torture.run", "", "play one run of the torture, as a failure prints it")
	tortureFull     = flag.Bool("torture.full", false, "play every run of the torture, not a sample of them")
	tortureFirst    = flag.Bool("torture.first", false, "stop the torture at the first run that fails")
	tortureOnly     = flag.String("torture.only", "", "regular expression: blows at these pairs only, site/state")
	tortureRollback = flag.Bool("torture.rollback", false, "play the runs of the torture in which Redis is rolled back, and no others")
	tortureSeed     = flag.Uint64("torture.seed", 1, "seed of the torture")
)

// plan is one run: the same plan plays the same again.
type plan struct {
	tale, reserve, generation string
	seed                      uint64
	blows                     []blow
}

// String gives the form that parsePlan reads.
func (p plan) String() string {
	text := fmt.Sprintf("%s,%s,%s,%d", p.tale, p.reserve, p.generation, p.seed)
	for _, b := range p.blows {
		text += "," + b.String()
	}
	return text
}

func parsePlan(text string) (p plan, err error) {
	parts := strings.Split(text, ",")
	if len(parts) < 4 {
		return p, fmt.Errorf("%q: want tale,reserve,generation,seed and then blows", text)
	}
	p.tale, p.reserve, p.generation = parts[0], parts[1], parts[2]
	if p.seed, err = strconv.ParseUint(parts[3], 10, 64); err != nil {
		return p, err
	}
	for _, part := range parts[4:] {
		b, err := parseBlow(part)
		if err != nil {
			return p, err
		}
		p.blows = append(p.blows, b)
	}
	return p, nil
}

// playTorture plays one run to its end, and gives the bed for what can be seen there.
func playTorture(t *testing.T, server *tortureRedis, p plan) *bed {
	t.Helper()
	b, err := newBed(t, t.Context(), server, t.TempDir(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.alive(b.start)
	for _, tale := range tortureTales() {
		if tale.name == p.tale {
			tale.play(b)
		}
	}
	b.ending()
	b.check()
	for _, o := range b.orders() {
		b.ends = append(b.ends, stateOf(o))
	}
	return b
}

// tortureRedis is a Redis in memory that writes one file.
type tortureRedis struct {
	*redistest.Server
	dir string
}

func startTortureRedis(t *testing.T) *tortureRedis {
	t.Helper()
	dir := fastDir(t)
	return &tortureRedis{redistest.Start(t, "--dir", dir, "--auto-aof-rewrite-percentage", "0"), dir}
}

// fastDir is a folder in memory, where there is one: what is tortured is not the disk.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "usher-torture-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestTorture plays stories of three customers, and in each run something happens to Usher at one pair of call site and
// state: it dies, or the call fails in one of the ways that calls fail. The whole of it is `make torture`.
func TestTorture(t *testing.T) {
	if *tortureRun != "" {
		p, err := parsePlan(*tortureRun)
		if err != nil {
			t.Fatal(err)
		}
		tell(t, playTorture(t, startTortureRedis(t), p))
		return
	}
	c := newChamber(*tortureSeed)
	if !*tortureFull {
		c.sampled(t)
	} else {
		c.calm(t)
		if *tortureRollback {
			c.rollbacks(t)
			c.report(t)
			return
		}
		c.faults(t)
		c.deaths(t)
	}
	c.report(t)
}

// tell prints how a run ended.
func tell(t *testing.T, b *bed) {
	t.Helper()
	for _, end := range b.ends {
		t.Log("order:", end)
	}
	for _, note := range b.notes {
		t.Log("note:", note)
	}
	for _, failure := range b.failures {
		t.Error(failure)
	}
}
