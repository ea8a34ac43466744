package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

// stopUsher ends usher as an operator does.
func (w *world) stopUsher() {
	w.t.Helper()
	if err := w.usher.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	<-w.usher.done
}

// courierAccount is a Telegram account that a program may log in to.
type courierAccount struct{ Username, Phone, Code string }

// TestOfTwoCouriersOneIsBannedAndTheOperatorIsTold: both are logged in without a terminal, the code comes late, and
// selling goes on with the one that is left.
func TestOfTwoCouriersOneIsBannedAndTheOperatorIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	w, _ := newWorld(t)
	telegram := start(t, nil, "telegram", "--no-limits", "--couriers", "2")
	w.telegram = setting(telegram.env, "USHER_TELEGRAM_URL")
	operator, codes := w.person("Olga"), filepath.Join(t.TempDir(), "code")
	w.env = slices.DeleteFunc(append(w.env, telegram.env...), func(line string) bool {
		return strings.HasPrefix(line, "USHER_COURIER_CODE=")
	})
	w.env = append(w.env, fmt.Sprintf("USHER_ADMINS=%d", operator.id))
	login := []string{"courier", "login"}
	w.expect(1, "", login, "no terminal to ask at", "USHER_COURIER_CODE_FILE")

	var couriers []courierAccount
	w.call(http.MethodGet, w.telegram+"/telegram/couriers", nil, &couriers)
	w.env = append(w.env, "USHER_COURIER_CODE_FILE="+codes)
	late := time.AfterFunc(time.Second, func() { _ = os.WriteFile(codes, []byte(couriers[0].Code+"\n"), 0o600) })
	defer late.Stop()
	w.expect(0, "", login, "Logged in as @"+couriers[0].Username)
	must(t, os.WriteFile(codes, []byte(couriers[1].Code), 0o600))
	w.expect(0, "", append(login, "--phone", "+"+strings.TrimPrefix(couriers[1].Phone, "+")), "Logged in as @"+couriers[1].Username)
	w.run("")
	operator.write("/start")
	operator.sees("the greeting", func(m simulator.MessageView) bool { return strings.Contains(m.Text, "buys tickets") }, nil)

	w.stopUsher()
	w.call(http.MethodPost, w.telegram+"/telegram/courier", map[string]any{"username": couriers[0].Username, "action": "ban"}, nil)
	w.run("")
	operator.sees("what became of the account", func(m simulator.MessageView) bool {
		return strings.Contains(m.Text, "taken the account of courier @"+couriers[0].Username+" away") &&
			strings.Contains(m.Text, "usher courier login")
	}, nil)
	w.expect(0, "", []string{"courier", "status"}, "@"+couriers[0].Username, "Health: banned", "@"+couriers[1].Username, "Health: ready")
	w.expect(1, "", []string{"courier", "logout", "--yes"}, "name one of the 2 accounts")
	operator.write("/status")
	operator.sees("how the couriers stand", func(m simulator.MessageView) bool {
		return strings.Contains(m.Text, "Courier @"+couriers[0].Username+": banned") &&
			strings.Contains(m.Text, "Courier @"+couriers[1].Username+": ready") && strings.Contains(m.Text, "Selling is on")
	}, nil)
}
