package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// asUsher makes the test binary be usher: processes under test are this binary again, so nothing is compiled twice.
const asUsher = "TEST_AS_USHER"

// killAt names the moment at which such a process dies: "<site>:<nth>:before" or "…:after".
const killAt = "TEST_KILL_AT"

// stopAt names the moment at which such a process freezes, in the same form.
const stopAt = "TEST_STOP_AT"

func TestMain(m *testing.M) {
	if os.Getenv(asUsher) == "" {
		sideBySide()
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, moments(os.Getenv(killAt), os.Getenv(stopAt)))
	stop()
	os.Exit(code)
}

// sideBySide lets more tests run at once than there are processors, unless the command line says how many: a story
// waits for blocks and for Telegram's pauses most of the time.
func sideBySide() {
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	flag.Parse()
}

// moment is a Sites at which something happens to the process.
type moment struct {
	site    string
	before  bool
	left    chan struct{} // calls that pass first
	happens func()
}

// moments reads what is to happen to this process: it dies as kill -9 would have it, or it freezes.
func moments(kill, stop string) order.Sites {
	happens := die
	if stop != "" {
		kill, happens = stop, freeze
	}
	parts := strings.Split(kill, ":")
	if len(parts) != 3 {
		return order.Straight{}
	}
	var nth int
	_, _ = fmt.Sscan(parts[1], &nth)
	m := &moment{site: parts[0], before: parts[2] == "before", left: make(chan struct{}, 1000), happens: happens}
	for range nth - 1 {
		m.left <- struct{}{}
	}
	return m
}

func (m *moment) Do(ctx context.Context, site string, call func(context.Context) error) error {
	if site != m.site {
		return call(ctx)
	}
	select {
	case <-m.left:
		return call(ctx)
	default:
	}
	if m.before {
		m.happens()
		return call(ctx)
	}
	err := call(ctx)
	m.happens()
	return err
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// freeze stands still, once, until somebody sends SIGCONT.
var freeze = sync.OnceFunc(func() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) })

// process is usher, or one of its local servers, as a process of its own.
type process struct {
	cmd  *exec.Cmd
	env  []string // the USHER_ lines that it printed
	addr string   // the address that it printed after listening
	done chan error
	log  string
}

// start starts a process and waits until it says ready, or until it ends.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0], args...), done: make(chan error, 1), log: log.Name()}
	p.cmd.Env = append(append(os.Environ(), asUsher+"=1"), env...)
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan error, 1)
	go p.read(out, ready)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			text, _ := os.ReadFile(p.log)
			t.Logf("log of %v:\n%s", args, text)
		}
		_ = log.Close()
	})
	select {
	case err := <-ready:
		if err != nil && len(args) > 0 {
			t.Fatalf("%v did not get ready: %v", args, err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("%v did not get ready in two minutes", args)
	}
	return p
}

func (p *process) read(out io.Reader, ready chan<- error) {
	lines := bufio.NewScanner(out)
	said := false
	for lines.Scan() {
		line := lines.Text()
		switch addr, listening := strings.CutPrefix(line, "listening "); {
		case listening:
			p.addr = addr
		case line == "ready" && !said:
			said = true
			ready <- nil
		case strings.HasPrefix(line, "USHER_"):
			p.env = append(p.env, strings.ReplaceAll(line, "'", ""))
		}
	}
	if !said {
		ready <- errors.New("it ended before")
	}
	p.done <- p.cmd.Wait()
	close(p.done)
}
