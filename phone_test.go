package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// does is something that the person does with their phone.
func (r *remote) does(action string) { r.doesIn("", action) }

// doesIn is something that the person does in a chat.
func (r *remote) doesIn(chat, action string) {
	r.t.Helper()
	r.call(http.MethodPost, r.url("do"), map[string]any{"action": action, "chat": chat}, nil)
}

// startsChat opens a secret chat with a courier's account from the person's phone.
func (r *remote) startsChat(with string) {
	r.t.Helper()
	r.call(http.MethodPost, r.url("secretchat"), map[string]any{"with": with}, nil)
}

// said tells whether any message of the chat with the bot has ever said so, as it stands now.
func (r *remote) said(text string) bool {
	r.t.Helper()
	for _, m := range r.glance() {
		if strings.Contains(m.Text, text) {
			return true
		}
	}
	return false
}

// inSecret lists the texts of the secret chats that are on the person's phone.
func (r *remote) inSecret() (texts []string) {
	r.t.Helper()
	var chats []simulator.ChatView
	r.call(http.MethodGet, r.url("secret"), nil, &chats)
	for _, chat := range chats {
		for _, m := range chat.Messages {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// marked counts the tickets on the phone that are marked as sent before.
func (r *remote) marked() (n int) {
	r.t.Helper()
	for _, text := range r.inSecret() {
		if strings.Contains(text, "the same ticket once more") {
			n++
		}
	}
	return n
}

// secretChat is the newest secret chat on the person's phone.
func (r *remote) secretChat() string {
	r.t.Helper()
	var chats []simulator.ChatView
	r.call(http.MethodGet, r.url("secret"), nil, &chats)
	if len(chats) == 0 {
		r.t.Fatal("no secret chat")
	}
	return chats[len(chats)-1].Chat
}

// getsAgain waits for the ticket on the phone, so many times marked as sent before, doing step now and then, and holds it against the one that came
// first and against the door.
func (r *remote) getsAgain(first string, marked int, step func()) {
	r.t.Helper()
	var all []string
	r.sees("the ticket once more", func(simulator.MessageView) bool {
		all = r.pictures()
		return len(all) > 0 && r.marked() == marked
	}, step)
	if last := all[len(all)-1]; last != first || !r.scan(cirrus.Address(setting(r.env, "USHER_VENUES")[:34]), last).Opens {
		r.t.Errorf("%d pictures, and the last one is not the one that opens the door", len(all))
	}
}

// TestATicketIsFollowedToThePhone: with the phone off it is sent, and no more; with the phone on it has arrived. Where the
// chat is deleted, and on a new phone, it comes again with one tap, marked, and opens the door.
func TestATicketIsFollowedToThePhone(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("")
	ada := w.person("Ada")
	ada.choose("An Evening", "2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA7}))
	ada.does("phone-off")
	ada.tap("Order and pay")
	address, due := ada.bill()
	w.pay(address, due)
	ada.sees("that it was sent", says("the ticket was sent to your secret chat"), w.mine)
	ada.sees("that the phone has not fetched it", says("Your phone has not fetched it yet"), nil)
	if ada.said("arrived on your phone") || ada.said("has arrived in your secret chat") {
		t.Error("said to have arrived on a phone that is off")
	}
	ada.does("phone-on")
	ada.sees("that it arrived", says("has arrived on your phone"), nil)
	first := ada.pictures()
	if len(first) != 1 || ada.marked() != 0 {
		t.Fatalf("%d pictures", len(first))
	}
	ada.doesIn(ada.secretChat(), "delete-chat")
	ada.sees("that the chat is gone", says("Your ticket stays yours"), nil)
	ada.startsChat("@courier")
	ada.sees("what is offered", says("went into an earlier secret chat"), nil)
	ada.tap("Send 2B again")
	ada.getsAgain(first[0], 1, nil)
	ada.does("new-phone")
	ada.startsChat("@courier")
	// A second tap within seconds counts as the same.
	ada.getsAgain(first[0], 1, func() { ada.tap("Send the ticket again") })
}

// loginTwo logs two accounts of the courier in.
func (w *world) loginTwo() {
	w.t.Helper()
	var all []struct{ Username, Phone, Code string }
	w.call(http.MethodGet, w.telegram+"/telegram/couriers", nil, &all)
	before := w.env
	for _, c := range all {
		w.env = append(before, "USHER_COURIER_PHONE="+c.Phone, "USHER_COURIER_CODE="+c.Code)
		w.expect(0, "", []string{"courier", "login"}, "Logged in as @"+c.Username)
	}
	w.env = before
}

// leadsTo reads which account of the courier's a message leads to.
func leadsTo(m simulator.MessageView) string {
	return regexp.MustCompile(`@Quay\w+`).FindString(m.Text)
}

// TestABannedCouriersCustomersGetEverythingOnceMoreFromAnother: they are led to the other account and have their tickets
// there by themselves, once, though usher dies right after the ticket went out.
func TestABannedCouriersCustomersGetEverythingOnceMoreFromAnother(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, "--couriers", "2")
	w.loginTwo()
	w.run("courier.send_photo:2:after")
	doomed, again := w.usher, restarter(w)
	ada := w.person("Ada")
	steps := ada.choosing("An Evening", "2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA8}))
	for _, step := range steps[:len(steps)-2] {
		step()
	}
	theirs := leadsTo(ada.sees("the way to the secret chat", says("Start Secret Chat"), nil))
	ada.startsChat(theirs)
	ada.tap("Order and pay")
	w.pay(ada.bill())
	ada.sees("that it arrived", says("has arrived on your phone"), again)
	first := ada.pictures()
	if len(first) != 1 {
		t.Fatalf("%d pictures", len(first))
	}

	w.call(http.MethodPost, w.telegram+"/telegram/courier", map[string]any{"username": theirs, "action": "ban"}, nil)
	other := leadsTo(ada.sees("where to go", says("because its courier is not there any more"), nil))
	if other == theirs || other == "" {
		t.Fatalf("led from %s to %q", theirs, other)
	}
	ada.startsChat(other)
	ada.getsAgain(first[0], 1, again)
	ada.sees("usher started again", func(simulator.MessageView) bool { return w.usher != doomed }, again)
	ada.sees("that it arrived again", says("yours, arrived on your phone"), func() { ada.write("/tickets") })
	if n := ada.marked(); n != 1 {
		t.Errorf("sent again %d times", n)
	}
}
