package local_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run starts a local Telegram as its command does and reads what it prints.
func run(t *testing.T) map[string]string { return runWith(t, local.Options{}) }

func runWith(t *testing.T, o local.Options) map[string]string {
	t.Helper()
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- local.Run(ctx, o, "127.0.0.1:0", writer)
		_ = writer.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	environment := make(map[string]string)
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return environment
		}
		name, value, _ := strings.Cut(lines.Text(), "=")
		environment[name] = value
	}
	t.Fatalf("it ended before it was ready: %v", <-done)
	return nil
}

func call(t *testing.T, method, url string, body, into any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s answered %s: %+v %v", method, url, answer.Status, into, err)
	}
}

func TestItPrintsWhatUsherNeeds(t *testing.T) {
	environment := run(t)
	for _, name := range []string{
		"TELEGRAM_TOKEN", "TELEGRAM_URL", "COURIER_API_ID", "COURIER_API_HASH", "COURIER_SERVER", "COURIER_SERVER_KEY",
		"COURIER_PHONE", "COURIER_CODE",
	} {
		if environment["USHER_"+name] == "" {
			t.Errorf("USHER_%s is not there", name)
		}
	}
	var me struct{ Result struct{ Username string } }
	call(t, "POST", environment["USHER_TELEGRAM_URL"]+"/bot"+environment["USHER_TELEGRAM_TOKEN"]+"/getMe", nil, &me)
	if me.Result.Username != "QuayTicketsBot" {
		t.Errorf("the bot is %q", me.Result.Username)
	}
}

// TestPeopleHavePhones: with nobody logged in as the courier, a secret chat
// stays pending, and a phone that is off cannot ask for one.
func TestPeopleHavePhones(t *testing.T) {
	url := run(t)["USHER_TELEGRAM_URL"] + "/telegram/users"
	var ada struct{ ID json.Number }
	call(t, "POST", url, map[string]string{"name": "Ada"}, &ada)
	url += "/" + ada.ID.String()
	var started struct{ Chat string }
	call(t, "POST", url+"/secretchat", map[string]string{"with": "@courier"}, &started)
	var chats []simulator.ChatView
	call(t, "GET", url+"/secret", nil, &chats)
	if len(chats) != 1 || chats[0].Chat != started.Chat || chats[0].State != "pending" || chats[0].Title != "Quay Tickets courier" {
		t.Errorf("Ada's phone shows %+v", chats)
	}
	var nothing struct{}
	call(t, "POST", url+"/do", map[string]string{"action": "new-phone"}, &nothing)
	call(t, "GET", url+"/secret", nil, &chats)
	if len(chats) != 0 {
		t.Errorf("Ada's new phone shows %+v", chats)
	}
}

// TestPeopleWriteToTheCourier: an ordinary text to the courier's account is in
// a chat of its own.
func TestPeopleWriteToTheCourier(t *testing.T) {
	url := run(t)["USHER_TELEGRAM_URL"] + "/telegram/users"
	var ada struct{ ID json.Number }
	call(t, "POST", url, map[string]string{"name": "Ada"}, &ada)
	url += "/" + ada.ID.String()
	var chats []simulator.ChatView
	call(t, "GET", url+"/chats", nil, &chats)
	if len(chats) != 1 {
		t.Errorf("before anything was written Ada sees %+v", chats)
	}
	for _, name := range []string{"@QuayTickets", "quaytickets", "@courier"} {
		var sent struct{ Message int64 }
		call(t, "POST", url+"/text", map[string]string{"chat": name, "text": "to " + name}, &sent)
		if sent.Message == 0 {
			t.Errorf("the text to %s has no id", name)
		}
	}
	call(t, "GET", url+"/chats", nil, &chats)
	if len(chats) != 2 || chats[1].Chat != "@QuayTickets" || chats[1].Kind != "user" || len(chats[1].Messages) != 3 {
		t.Fatalf("Ada sees %+v", chats)
	}
	if m := chats[1].Messages[0]; m.From != "me" || m.Text != "to @QuayTickets" || m.Read {
		t.Errorf("Ada sees %+v", m)
	}
}

// TestEveryCourierCanBeFound: each has a number to log in with and takes
// messages and secret chats under its own name.
func TestEveryCourierCanBeFound(t *testing.T) {
	url := runWith(t, local.Options{Couriers: 3})["USHER_TELEGRAM_URL"] + "/telegram"
	var couriers []struct{ Username, Phone, Code string }
	call(t, "GET", url+"/couriers", nil, &couriers)
	if len(couriers) != 3 || couriers[0].Username != "QuayTickets" || couriers[2].Username != "QuayTickets3" {
		t.Fatalf("the couriers are %+v", couriers)
	}
	for _, c := range couriers {
		if c.Phone == "" || c.Code == "" {
			t.Errorf("nobody can log in as %+v", c)
		}
	}
	var ada struct{ ID json.Number }
	call(t, "POST", url+"/users", map[string]string{"name": "Ada"}, &ada)
	person := url + "/users/" + ada.ID.String()
	var done struct{}
	call(t, "POST", person+"/text", map[string]string{"chat": "@QuayTickets2", "text": "hello"}, &done)
	call(t, "POST", person+"/secretchat", map[string]string{"with": "@quaytickets3"}, &done)
	var chats []simulator.ChatView
	call(t, "GET", person+"/chats", nil, &chats)
	if len(chats) != 3 || chats[1].Chat != "@QuayTickets2" || chats[2].Title != "Quay Tickets courier 3" {
		t.Errorf("Ada sees %+v", chats)
	}
}

// TestTroubleIsDoneToOneCourier: a banned courier's secret chats are over, the
// other's are not.
func TestTroubleIsDoneToOneCourier(t *testing.T) {
	url := runWith(t, local.Options{Couriers: 2})["USHER_TELEGRAM_URL"] + "/telegram"
	var ada struct{ ID json.Number }
	call(t, "POST", url+"/users", map[string]string{"name": "Ada"}, &ada)
	person := url + "/users/" + ada.ID.String()
	var done struct{}
	call(t, "POST", person+"/secretchat", map[string]string{"with": "@courier"}, &done)
	call(t, "POST", person+"/secretchat", map[string]string{"with": "@QuayTickets2"}, &done)
	for _, what := range []string{"flood", "calm", "end-session", "unban", "ban"} {
		call(t, "POST", url+"/courier", map[string]any{"action": what, "seconds": 5}, &done)
	}
	eventually(t, "the banned courier's chat is closed, the other's is not", func() bool {
		var chats []simulator.ChatView
		call(t, "GET", person+"/secret", nil, &chats)
		return len(chats) == 2 && chats[0].State == "closed" && chats[1].State == "pending"
	})
}

// TestPeopleRestrictWhoAddressesThem: a blocked courier is not written to, and
// its chat says so.
func TestPeopleRestrictWhoAddressesThem(t *testing.T) {
	url := run(t)["USHER_TELEGRAM_URL"] + "/telegram/users"
	var ada struct{ ID json.Number }
	call(t, "POST", url, map[string]string{"name": "Ada"}, &ada)
	url += "/" + ada.ID.String()
	var done struct{}
	call(t, "POST", url+"/text", map[string]string{"chat": "@courier", "text": "hello"}, &done)
	do := func(action, chat string) {
		t.Helper()
		call(t, "POST", url+"/do", map[string]string{"action": action, "chat": chat}, &done)
	}
	do("privacy", "")
	do("no-privacy", "")
	do("block", "@courier")
	var chats []simulator.ChatView
	call(t, "GET", url+"/chats", nil, &chats)
	if !chats[1].Blocked || chats[0].Blocked {
		t.Errorf("Ada sees %+v", chats)
	}
	do("unblock", "@QuayTickets")
	call(t, "POST", url+"/text", map[string]string{"chat": "@courier", "text": "again"}, &done)
}

// TestACourierWithAPassword: the password's file is named among what Usher
// needs.
func TestACourierWithAPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runWith(t, local.Options{CourierPasswordFile: file})["USHER_COURIER_PASSWORD_FILE"]; got != file {
		t.Errorf("the password is said to be in %q", got)
	}
	if _, err := local.Start(t.Context(), local.Options{CourierPasswordFile: file + "-not"}); err == nil {
		t.Error("it started without its password")
	}
	if _, err := local.Start(t.Context(), local.Options{Couriers: 101}); err == nil {
		t.Error("it started with too many couriers")
	}
}

// eventually asks until something is true; the local Telegram's page would be
// told, the control API must be asked.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// TestASecondPhoneHasChatsOfItsOwn: what one phone started is not on the
// other, and each can be off.
func TestASecondPhoneHasChatsOfItsOwn(t *testing.T) {
	url := run(t)["USHER_TELEGRAM_URL"] + "/telegram/users"
	var ada struct{ ID json.Number }
	call(t, "POST", url, map[string]string{"name": "Ada"}, &ada)
	url += "/" + ada.ID.String()
	var done struct{}
	call(t, "POST", url+"/do", map[string]any{"action": "second-phone"}, &done)
	call(t, "POST", url+"/do", map[string]any{"action": "phone-off"}, &done)
	var started struct{ Chat string }
	call(t, "POST", url+"/secretchat", map[string]any{"with": "@courier", "phone": 2}, &started)
	var chats []simulator.ChatView
	call(t, "GET", url+"/secret", nil, &chats)
	if len(chats) != 1 || chats[0].Phone != 2 || chats[0].Chat != started.Chat {
		t.Errorf("Ada's phones show %+v", chats)
	}
	call(t, "POST", url+"/do", map[string]any{"action": "delete-chat", "chat": started.Chat}, &done)
	call(t, "GET", url+"/secret", nil, &chats)
	if len(chats) != 0 {
		t.Errorf("Ada's phones show %+v", chats)
	}
}
