package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// once runs a command to its end, with something typed at it.
func (w *world) once(typed string, args ...string) (said string, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), asUsher+"=1"), w.env...)
	cmd.Stdin = strings.NewReader(typed)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// expect runs a command that must end so and say all of this.
func (w *world) expect(code int, typed string, args []string, says ...string) {
	w.t.Helper()
	said, got := w.once(typed, args...)
	if got != code {
		w.t.Fatalf("%v ended with %d: %s", args, got, said)
	}
	for _, want := range says {
		if !strings.Contains(said, want) {
			w.t.Errorf("%v does not say %q: %s", args, want, said)
		}
	}
}

// TestTheOperatorSeesTheCourierAndLogsItOut plays the commands beside a running Usher and without one.
func TestTheOperatorSeesTheCourierAndLogsItOut(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	w, _ := newWorld(t)
	status, login, logout := []string{"courier", "status"}, []string{"courier", "login"}, []string{"courier", "logout"}
	w.expect(0, "", status, "Account: none is logged in. Next: usher courier login", "Session: none", "Open secret chats: 0")
	w.run("")
	w.expect(0, "", status, "Account: @QuayTickets, id ", "Logged in: 20", "Health: ready", "Session: stored, sealed")
	w.expect(1, "\n", logout, "must start a new one", "Log out? y/N: ", "Nothing was changed.")
	w.expect(0, "", append(logout, "@QuayTickets", "--yes"), "nothing is sold", "Logged out.", "USHER_COURIER_CODE is set")
	w.expect(0, "", status, "Account: none is logged in")
	w.expect(0, "", login, "Logged in as @QuayTickets.", "Use this account for nothing else")
	if err := w.usher.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-w.usher.done
	w.expect(0, "", status, "Account: @QuayTickets, id ")
	w.expect(1, "", append(logout, "@another", "--yes"), "no such courier account", "usher courier logout @QuayTickets")
	w.expect(0, "", append(logout, "--yes"), "Logged out.", "USHER_COURIER_CODE is set")
	w.expect(0, "", status, "Account: none is logged in", "Session: none")
	w.expect(1, "", append(logout, "--yes"), "there is none to log out")
}
