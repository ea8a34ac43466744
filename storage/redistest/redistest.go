// Package redistest starts real Redis servers for tests, each on a port and in a folder of its own.
package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout = 2 * time.Minute
	pollEvery    = 10 * time.Millisecond
	portTries    = 5
)

// Server is a redis-server that loses nothing it confirmed: appendonly yes, appendfsync always, noeviction.
type Server struct {
	URL  string // redis://127.0.0.1:port
	Addr string // 127.0.0.1:port
	Dir  string // where it keeps its data

	tb   testing.TB
	args func(host, port string) []string
	mu   sync.Mutex
	cmd  *exec.Cmd
	gone chan struct{} // closed once cmd has ended
}

// Start starts a server that ends with the test. Further arguments are those of redis-server and come last, so that
// they win.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := &Server{tb: tb, Dir: tb.TempDir()}
	s.args = func(host, port string) []string {
		return append([]string{
			"--bind", host, "--port", port, "--dir", s.Dir, "--save", "", "--loglevel", "warning",
			"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
		}, args...)
	}
	s.begin()
	return s
}

// begin starts the server on a free port.
func (s *Server) begin() {
	s.tb.Helper()
	s.tb.Cleanup(s.Kill)
	var err error
	for range portTries {
		if s.Addr, err = freeAddr(s.tb.Context()); err != nil {
			continue
		}
		if err = s.start(); err == nil {
			s.URL = "redis://" + s.Addr
			return
		}
		s.Kill() // somebody may have taken the port in between
	}
	s.tb.Fatalf("redistest: %v (these tests need redis-server)", err)
}

// StartCluster starts a cluster of one node that owns all slots. It refuses commands whose keys are in different
// slots as a large one does. URL is of the form redis+cluster://.
func StartCluster(tb testing.TB) *Server {
	tb.Helper()
	s := Start(tb, "--cluster-enabled", "yes")
	if _, err := s.say("CLUSTER ADDSLOTSRANGE 0 16383"); err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	err := poll(ctx, func() bool {
		info, err := s.say("CLUSTER INFO")
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	if err != nil {
		tb.Fatalf("redistest: cluster not ready: %v", err)
	}
	s.URL = "redis+cluster://" + s.Addr
	return s
}

// StartSentinel starts a server with a sentinel before it. URL is of the form redis+sentinel:// and names the sentinel;
// Kill and Restart are those of the server behind it.
func StartSentinel(tb testing.TB) *Server {
	tb.Helper()
	s := Start(tb)
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	config := filepath.Join(tb.TempDir(), "sentinel.conf") // a sentinel writes into its configuration
	if err := os.WriteFile(config, fmt.Appendf(nil, "sentinel monitor main %s %s 1\n", host, port), 0o600); err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	sentinel := &Server{tb: tb, Dir: tb.TempDir(), args: func(host, port string) []string {
		return []string{config, "--sentinel", "--bind", host, "--port", port, "--loglevel", "warning"}
	}}
	sentinel.begin()
	s.URL = "redis+sentinel://" + sentinel.Addr + "/main"
	return s
}

// Kill ends the server at once, as kill -9 does. Killing it again is no error.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.gone
	s.cmd = nil
}

// Restart starts a killed server again with the data and the port it had.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		s.tb.Fatalf("redistest: restart: %v", err)
	}
}

// Configure changes a setting while the server runs, as whoever operates it can. A restart forgets it.
func (s *Server) Configure(name, value string) {
	s.tb.Helper()
	if answer, err := s.say("CONFIG SET " + name + " " + value); err != nil || answer != "+OK" {
		s.tb.Fatalf("redistest: setting %s to %s: %q, %v", name, value, answer, err)
	}
	// Turning appendonly on has a child write the file anew, which outlives a killed server and writes on in its folder.
	ctx, cancel := context.WithTimeout(s.tb.Context(), startTimeout)
	defer cancel()
	err := poll(ctx, func() bool {
		info, err := s.say("INFO persistence")
		return err == nil && strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	if err != nil {
		s.tb.Fatalf("redistest: the file is not written anew: %v", err)
	}
}

// Snapshot keeps the data as they are now. back puts them in the place of the newer ones, as whoever restores a backup
// does. Both restart the server.
func (s *Server) Snapshot() (back func()) {
	s.tb.Helper()
	kept := s.tb.TempDir()
	replace := func(to, from string) {
		s.tb.Helper()
		s.Kill()
		if err := errors.Join(empty(to), os.CopyFS(to, os.DirFS(from))); err != nil {
			s.tb.Fatalf("redistest: %v", err)
		}
		s.Restart()
	}
	replace(kept, s.Dir)
	return func() {
		s.tb.Helper()
		replace(s.Dir, kept)
	}
}

func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	cmd := exec.Command("redis-server", s.args(host, port)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait() // it says "killed", which is what was asked for
	}()
	s.cmd, s.gone = cmd, gone
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.tb.Context()), startTimeout)
	defer cancel()
	mine := fmt.Sprintf("process_id:%d\r", cmd.Process.Pid)
	err = poll(ctx, func() bool {
		// Somebody else's server may have taken the port in between.
		info, err := s.say("INFO server")
		return err == nil && strings.Contains(info, mine) || ended(gone)
	})
	if ended(gone) {
		err = errors.New("ended at once")
	}
	if err != nil {
		return fmt.Errorf("redis-server on %s: %w", s.Addr, err)
	}
	return nil
}

// say sends one inline command and gives the first line of the answer, or all of it where it is a bulk string.
func (s *Server) say(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	answer := bufio.NewReader(conn)
	line, err := answer.ReadString('\n')
	line = strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(line, "$") {
		return line, err
	}
	size, err := strconv.Atoi(line[1:])
	if err != nil {
		return "", err
	}
	body := make([]byte, size)
	for at := 0; at < size; {
		n, err := answer.Read(body[at:])
		if err != nil {
			return "", err
		}
		at += n
	}
	return string(body), nil
}

func ended(gone chan struct{}) bool {
	select {
	case <-gone:
		return true
	default:
		return false
	}
}

func freeAddr(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// poll asks until the answer is yes or ctx ends.
func poll(ctx context.Context, ready func() bool) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
