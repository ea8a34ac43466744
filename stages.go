package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/chain/sandbox"
)

// stage is a demo of its own: a chain, a Telegram and an Usher that some of the stories are played in.
type stage struct {
	title string
	flags demoFlags
	tales []tale
	// open serves page and control APIs at --listen, so that somebody else can meddle with what is played.
	open bool
}

// stages are what is played for these flags. Those of one list are played one after another, the lists side by side:
// most of a story is waiting.
func stages(f demoFlags, given func(flag string) bool) ([][]stage, error) {
	f.block = "manual"
	var lists [][]stage
	generations := []string{"ciphered", "hashed"}
	if given("generation") {
		generations = []string{f.generation}
	}
	for _, generation := range generations {
		f := f
		f.generation = generation
		s := stage{title: fmt.Sprintf("Tickets with %s secrets, a node of %s", generation, f.node), flags: f, tales: everyday(), open: given("listen")}
		if s.open && len(lists) > 0 { // there is one address to listen on
			lists[0] = append(lists[0], s)
			continue
		}
		lists = append(lists, []stage{s})
	}
	late, old := f, f
	late.venues = backyard
	old.venues, old.node = arena, string(sandbox.Node2020)
	if !given("generation") {
		old.generation = string(sandbox.Hashed)
	}
	lists = append(lists,
		[]stage{{title: "Payments that come late", flags: late, tales: latecomers()}},
		[]stage{{title: "Seats that somebody else gets after they were paid for", flags: late, tales: outrun()}},
		[]stage{{title: "A large hall on an old node", flags: old, tales: crowded()}},
	)
	return lists, apart(lists)
}

// apart gives each stage a database of its own where a Redis was named: what is played in one is nothing to the others.
func apart(lists [][]stage) error {
	database := 0
	for _, list := range lists {
		for i := range list {
			f := &list[i].flags
			if f.redis == "" {
				return nil
			}
			at, err := url.Parse(f.redis)
			if err != nil || at.Scheme != "redis" && at.Scheme != "rediss" {
				return errors.New("--redis must be redis://host:port or rediss://host:port where stories are played: each demo takes a database of its own")
			}
			at.Path = "/" + strconv.Itoa(database)
			f.redis = at.String()
			database++
		}
	}
	return nil
}

// playAll plays every story and says how it ended: demo: ok, or demo: FAILED and why.
func playAll(ctx context.Context, lists [][]stage, io streams) error {
	slips := make([]slip, len(lists))
	group, playing := errgroup.WithContext(ctx)
	for i := range lists {
		slips[i].ended = make(chan struct{})
		group.Go(func() error { return slips[i].play(playing, lists[i], io) })
	}
	for i := range slips {
		err := slips[i].show(io.out)
		<-slips[i].ended
		if err != nil || slips[i].err != nil {
			break
		}
	}
	err := group.Wait()
	for i := range slips {
		if err != nil && errors.Is(err, slips[i].err) {
			_ = slips[i].show(io.out)
			_, _ = fmt.Fprintln(io.out, "demo: FAILED:", err)
			return errSaid
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(io.out, "demo: ok")
	return err
}

// slip keeps what one list of stages prints until it is its turn; then it is printed as it comes.
type slip struct {
	mu    sync.Mutex
	out   io.Writer // nil: it is not its turn yet
	kept  bytes.Buffer
	ended chan struct{} // closed at the end
	err   error         // how it ended; read after ended
}

func (s *slip) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		return s.kept.Write(text)
	}
	return s.out.Write(text)
}

// show prints what was kept, and everything that comes from now on.
func (s *slip) show(out io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out != nil {
		return nil
	}
	s.out = out
	_, err := s.kept.WriteTo(out)
	return err
}

func (s *slip) play(ctx context.Context, list []stage, io streams) error {
	defer close(s.ended)
	io.out = s
	for _, stage := range list {
		if _, s.err = fmt.Fprintln(s, "==", stage.title); s.err != nil {
			return s.err
		}
		if s.err = stage.play(ctx, io); s.err != nil {
			return s.err
		}
	}
	return nil
}

// play starts everything and plays the stage's stories in it.
func (s stage) play(ctx context.Context, io streams) (err error) {
	d, err := startDemo(ctx, s.flags, io)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	group, serving := errgroup.WithContext(ctx)
	defer func() {
		stop()
		if wait := group.Wait(); err == nil && !errors.Is(wait, context.Canceled) {
			err = wait
		}
		err = errors.Join(err, d.close())
	}()
	group.Go(func() error { return d.serve(serving) })
	if s.open {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.flags.listen)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: %w", s.flags.listen, err)
		}
		handler, err := d.handler()
		if err != nil {
			return err
		}
		group.Go(func() error { return serveHTTP(serving, listener, handler) })
		if _, err := fmt.Fprintln(io.out, "listening", listener.Addr()); err != nil {
			return err
		}
	}
	d.app.waitReady(serving)
	return d.play(serving, io.out, s.tales)
}

// wait lets a stretch of time go by at once: the clocks of Usher and of its chain go on, and blocks come meanwhile.
func (d *demo) wait(stretch time.Duration) error {
	d.ahead.Add(int64(stretch))
	_, err := d.chain.Mine(int(stretch / blockEvery))
	return err
}

// blockEvery is about how often the chain makes a block.
const blockEvery = 16 * time.Second

// now is the time as it is in the demo.
func (d *demo) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
