package flows_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

var update = flag.Bool("update", false, "write the recorded conversations anew")

// TestStories plays the conversations under testdata. A line that begins with > is what somebody does or what happens;
// what is indented below it is what is seen then. With -update the latter is written anew.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	told, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := play(t, string(told))
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(told) {
		t.Errorf("%s went differently; look at the difference after -update.\n%s", file, firstDifference(string(told), got))
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "line " + strconv.Itoa(i+1) + "\n want " + a[i] + "\n got  " + b[i]
		}
	}
	return "one is longer"
}

// networkOf is the network that a story is told of.
func networkOf(told string) cirrus.Network {
	if strings.HasPrefix(told, "# On the test network") {
		return cirrus.TestNet
	}
	return cirrus.MainNet
}

// play goes through a story and gives it with what is seen.
func play(t *testing.T, told string, changes ...func(*world)) string {
	w := newWorldOn(t, networkOf(told))
	for _, change := range changes {
		change(w)
	}
	var out strings.Builder
	for line := range strings.SplitSeq(told, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
		case strings.HasPrefix(line, "> "):
			out.WriteString("\n" + line + "\n")
			w.happens(line[2:])
			out.WriteString(w.seen())
		}
	}
	return out.String()
}

// seen gives what everybody saw since the last time.
func (w *world) seen() string {
	var all string
	for _, id := range []int64{ann, bob, operator, -5} {
		c := w.chat(id)
		all += c.log.String()
		c.log.Reset()
	}
	return all
}

// happens carries out a line of a story.
func (w *world) happens(line string) {
	what, rest, _ := strings.Cut(line, " ")
	switch what {
	case "write", "tap", "send", "raw":
		w.does(ann, what, rest)
	case "bob":
		if what, rest, _ = strings.Cut(rest, " "); what == "chat" {
			w.chatTurns(bob, rest)
			return
		}
		w.does(bob, what, rest)
	case "operator":
		what, rest, _ = strings.Cut(rest, " ")
		w.does(operator, what, rest)
	case "grouptap", "groupwrite", "groupsend":
		w.inGroup(what, rest)
	case "group":
		command, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), " ")
		w.handle(flows.Event{Kind: flows.Group, Actor: flows.Actor{ID: ann}, Chat: -5, Command: command})
	case "chat":
		w.chatTurns(ann, rest)
	case "phone":
		w.phoneTurns(rest)
	case "secret":
		w.writesSecretly(rest)
	case "pay":
		w.pays(rest)
	case "paysingle":
		nr, how, _ := strings.Cut(rest, " ")
		w.paysSingle(nr, how)
	case "top":
		w.paysOnTop(rest)
	case "block", "blocks":
		n, _ := strconv.Atoi(rest)
		for range max(n, 1) {
			w.chain.block()
		}
	case "live":
		w.must(w.flows.RefreshHalls(context.Background()))
	case "wait":
		d, err := time.ParseDuration(rest)
		w.must(err)
		w.wait(d)
	default:
		w.turns(what, rest)
	}
}

// does is what a person does in the private chat.
func (w *world) does(who int64, what, rest string) {
	e := flows.Event{Kind: flows.Private, Actor: flows.Actor{ID: who, Name: "Ann", Language: "en"}, Chat: who}
	c := w.chat(who)
	if what == "tap" || what == "steal" || what == "raw" {
		w.taps(e, what, rest)
		return
	}
	c.next++
	e.Message = c.next
	switch {
	case what == "send":
		e.Other = rest
	case strings.HasPrefix(rest, "/"):
		e.Command, e.Argument, _ = strings.Cut(rest[1:], " ")
		if command, id, found := strings.Cut(e.Command, "_"); found {
			e.Command, e.Argument = command, id
		}
	case rest == "OURS", rest == "CONTRACT":
		e.Text = string(w.at(60))
	case rest == "SPACES":
		e.Text = " \n\u00a0 "
	case rest == "LONG":
		e.Text = strings.Repeat("C", 4096)
	case rest == "ANOTHER":
		e.Text = string(w.at(61))
	default:
		e.Text = rest
	}
	w.handle(e)
}

// taps is a tap on a button, of one that was there before, of one that somebody else sees, or of no button at all.
func (w *world) taps(e flows.Event, what, rest string) {
	c := w.chat(e.Chat)
	message, button, ok := c.button(rest)
	if old, found := strings.CutPrefix(rest, "old "); found {
		seen, known := c.seen[old]
		message, button, ok = seen.message, seen.button, known
	}
	second, twice := strings.CutPrefix(rest, "twice ")
	if twice {
		message, button, ok = c.button(second)
	}
	switch what {
	case "steal":
		message = c.next
		_, button, ok = w.chat(ann).button(rest)
	case "raw":
		message, button, ok = c.next, flows.Button{Action: rest}, true
	}
	if !ok || button.Action == "" {
		w.t.Fatalf("no button %q to tap", rest)
	}
	e.Message, e.Action, e.Callback = message, button.Action, "callback"
	w.handle(e)
	if twice {
		w.handle(e)
	}
}

func (w *world) handle(e flows.Event) {
	w.updates++
	e.ID, e.Date = w.updates, w.clock.Now()
	reply, err := w.flows.Handle(context.Background(), e)
	w.must(err)
	for card, message := range w.chat(e.Chat).apply(reply) {
		w.must(w.flows.CardShown(context.Background(), card, message))
	}
	w.must(w.jobs.RunUntilIdle(context.Background()))
}

// writesSecretly is a text in the secret chat, and the answer to it.
func (w *world) writesSecretly(text string) {
	answer, err := w.flows.TextReceived(context.Background(), ann, text)
	w.must(err)
	if answer != "" {
		w.chat(ann).secret(flows.Parcel{Warning: answer})
	}
}

// turns changes the world around the chat.
func (w *world) turns(what, rest string) {
	switch what {
	case "taken":
		for name := range strings.FieldsSeq(rest) {
			w.seat(name).Owner = w.at(250)
		}
	case "resold":
		w.seat(rest).Resold = true
	case "held":
		hold := order.Hold{Order: "other", Customer: bob, Until: w.clock.Now().Add(time.Hour)}
		w.must(w.db.Hold(context.Background(), w.sale.Show.TxID, w.seat(rest).Seat, hold, w.clock.Now()))
	case "price":
		seat, price, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(price, 10, 64)
		w.must(err)
		w.seat(seat).Price = n
	case "ends":
		w.sale.Show.EndOfSale = w.chain.height + w.number(rest, 15)
	case "norefund":
		w.sale.Terms.NoReleaseBlocks = w.sale.Show.EndOfSale
	case "another":
		w.anotherShow()
	case "rows":
		w.rows(int(w.number(rest, 10)))
	case "sellresold":
		w.flows.Config.SellResold = true
		w.newEngine(w.flows.Config.Gas)
	case "service":
		fee, err := cirrus.ParseCRS(rest)
		w.must(err)
		w.flows.Config.ServiceFee = fee
		w.newEngine(w.flows.Config.Gas)
	case "fee":
		w.sale.Terms.ReleaseFee = 1_000 * uint64(cirrus.CRS)
	case "over":
		w.sale.Show = nil
	case "identity":
		w.sale.Terms.Identity = true
	case "off":
		w.off = rest
	case "later":
		d, err := time.ParseDuration(rest)
		w.must(err)
		w.clock.Advance(d)
	case "gas":
		w.flows.Config.Gas.Limit = w.number(rest, 0)
	case "courier":
		w.courierTurns(rest)
	case "node":
		w.healthy = rest == "well"
	case "ours":
		w.own[w.at(60)] = true
	case "contract":
		if rest != "" {
			w.chain.contracts[cirrus.Address(rest)] = true
			break
		}
		delete(w.own, w.at(60))
		w.chain.contracts[w.at(60)] = true
	case "forking":
		w.final = 20
		w.newEngine(w.flows.Config.Gas)
	case "undone":
		w.chain.undo()
	case "lose":
		w.chain.fail = "lost"
	case "blocked":
		w.chat(ann).blocked = true
		w.handle(flows.Event{Kind: flows.Membership, Actor: flows.Actor{ID: ann}, Chat: ann, Blocked: true})
	case "unblocked":
		w.chat(ann).blocked = false
		w.handle(flows.Event{Kind: flows.Membership, Actor: flows.Actor{ID: ann}, Chat: ann})
	default:
		w.t.Fatalf("what is %q?", what)
	}
	if what != "blocked" && what != "unblocked" {
		w.post()
	}
}
