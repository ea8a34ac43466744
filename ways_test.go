package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// sendsLine sends the courier the line that the newest link to it has ready.
func (r *remote) sendsLine() {
	r.t.Helper()
	link := ""
	r.sees("the link to the courier", func(m simulator.MessageView) bool {
		for _, b := range m.Buttons {
			if strings.HasPrefix(b.Text, "Let the courier") {
				link = b.URL
			}
		}
		return link != ""
	}, nil)
	to, err := url.Parse(link)
	if err != nil {
		r.t.Fatal(err)
	}
	body := map[string]any{"text": to.Query().Get("text"), "chat": "@" + strings.TrimPrefix(to.Path, "/")}
	r.call(http.MethodPost, r.url("text"), body, nil)
}

// TestTheCourierAsksThePhoneWhereTheCustomerWantsIt: the screen says that the phone is asked, and why that did not work;
// it goes on by itself in its place once the chat is open. Who is about to pay is told when the chat is gone.
func TestTheCourierAsksThePhoneWhereTheCustomerWantsIt(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("")
	ada := w.person("Ada")
	const upToTheAddress = 7
	for _, step := range ada.choosing("An Evening", "1B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA8}))[:upToTheAddress] {
		step()
	}
	screen := ada.sees("the way to the secret chat", says("Start Secret Chat"), nil)
	ada.does("privacy")
	ada.sendsLine()
	ada.sees("what stands against it", says("Your privacy settings"), nil)
	ada.does("no-privacy")
	ada.tap("iPhone")
	ada.does("phone-off")
	ada.sendsLine()
	ada.sees("that the phone is asked", says("Your phone is being asked"), nil)
	ada.does("phone-on")
	last := ada.sees("the last screen", func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" }, nil)
	if last.ID != screen.ID {
		t.Errorf("message %d goes on in message %d", screen.ID, last.ID)
	}
	ada.tap("Order and pay")
	address, due := ada.bill()
	ada.doesIn(ada.secretChat(), "delete-chat")
	ada.sees("that the chat is gone", says("Before you pay"), nil)
	ada.sees("the card that says so", says("so the ticket would have to wait"), nil)
	ada.sendsLine()
	ada.sees("that it is open", says("is open."), nil)
	w.pay(address, due)
	ada.sees("the ticket", says("has arrived on your phone"), w.mine)
	if n := len(ada.pictures()); n != 1 || ada.marked() != 0 {
		t.Errorf("%d pictures, %d marked", n, ada.marked())
	}
}
