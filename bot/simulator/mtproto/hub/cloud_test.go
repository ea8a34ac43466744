package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// pushed collects what a device is told while it is connected.
func pushed(t *testing.T, d *hub.Device) func() []tg.UpdatesClass {
	t.Helper()
	var got []hub.Answer
	t.Cleanup(d.Subscribe(func(a hub.Answer) { got = append(got, a) }))
	return func() []tg.UpdatesClass {
		out := make([]tg.UpdatesClass, 0, len(got))
		for _, a := range got {
			u, err := tg.DecodeUpdates(&bin.Buffer{Buf: a})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, u)
		}
		got = nil
		return out
	}
}

func (w *world) write(from, to int64, text string) {
	w.t.Helper()
	if _, err := w.hub.Write(from, to, text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) difference(api *tg.Client, pts int) tg.UpdatesDifferenceClass {
	w.t.Helper()
	d, err := api.UpdatesGetDifference(w.t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: pts})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) pts(api *tg.Client) int {
	w.t.Helper()
	s, err := api.UpdatesGetState(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Pts
}

func (w *world) answer(api *tg.Client, to *tg.InputUser, random int64, text string) (tg.UpdatesClass, error) {
	return api.MessagesSendMessage(w.t.Context(), &tg.MessagesSendMessageRequest{
		Peer: &tg.InputPeerUser{UserID: to.UserID, AccessHash: to.AccessHash}, RandomID: random, Message: text,
	})
}

func TestAMessageIsToldToAllDevicesWithItsSender(t *testing.T) {
	w := newWorld(t)
	d, u := w.device(usher)
	news := pushed(t, d)
	w.write(ada, usher, "code 4711")
	got := news()
	if len(got) != 1 {
		t.Fatalf("told %v", got)
	}
	first := got[0].(*tg.Updates)
	m := first.Updates[0].(*tg.UpdateNewMessage)
	text := m.Message.(*tg.Message)
	if m.Pts != 2 || m.PtsCount != 1 || text.Message != "code 4711" || text.Out || text.ID != 1 {
		t.Errorf("told %v", m)
	}
	if peer, ok := text.PeerID.(*tg.PeerUser); !ok || peer.UserID != ada {
		t.Errorf("the peer is %v", text.PeerID)
	}
	sender := first.Users[0].(*tg.User)
	if sender.ID != ada || sender.Min || sender.FirstName != "Ada" {
		t.Errorf("the sender is %v", sender)
	}
	if err := w.ask(u, &tg.InputUser{UserID: sender.ID, AccessHash: sender.AccessHash}, 1); err != nil {
		t.Errorf("the sender's access hash does not serve: %v", err)
	}
	w.write(ada, usher, "again")
	short, ok := news()[0].(*tg.UpdateShortMessage)
	if !ok || short.UserID != ada || short.Message != "again" || short.Pts != 3 || short.PtsCount != 1 || short.Out {
		t.Errorf("the second message is told as %v", short)
	}
}

func TestMessagesOfAnAbsentDeviceAreInTheDifference(t *testing.T) {
	w := newWorld(t)
	_, u := w.device(usher)
	if pts := w.pts(u); pts != 1 {
		t.Fatalf("the account begins at %d", pts)
	}
	if _, ok := w.difference(u, 1).(*tg.UpdatesDifferenceEmpty); !ok {
		t.Error("something is told before anything happened")
	}
	for i := range 130 {
		w.write(ada, usher, fmt.Sprint(i))
	}
	slice, ok := w.difference(u, 1).(*tg.UpdatesDifferenceSlice)
	if !ok || len(slice.NewMessages) != 100 || slice.IntermediateState.Pts != 101 || len(slice.Users) != 1 {
		t.Fatalf("the first slice is %v", slice)
	}
	rest, ok := w.difference(u, slice.IntermediateState.Pts).(*tg.UpdatesDifference)
	if !ok || len(rest.NewMessages) != 30 || rest.State.Pts != 131 {
		t.Fatalf("the rest is %v", rest)
	}
	if m := rest.NewMessages[0].(*tg.Message); m.Message != "100" || m.ID != 101 {
		t.Errorf("the rest begins with %v", m)
	}
	if _, ok := w.difference(u, 131).(*tg.UpdatesDifferenceEmpty); !ok || w.pts(u) != 131 {
		t.Error("something is left")
	}
	if again, ok := w.difference(u, 130).(*tg.UpdatesDifference); !ok || len(again.NewMessages) != 1 {
		t.Error("what was told is not told again to who asks from before")
	}
}

func TestADifferenceIsAskedFromAPlaceThatExists(t *testing.T) {
	w := newWorld(t)
	_, u := w.device(usher)
	for pts, want := range map[int]string{
		0: "PERSISTENT_TIMESTAMP_EMPTY", -1: "PERSISTENT_TIMESTAMP_INVALID", 2: "PERSISTENT_TIMESTAMP_INVALID",
	} {
		_, err := u.UpdatesGetDifference(t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: pts})
		wants(t, err, want)
	}
}

func TestAnAnswerCountsInBothAccounts(t *testing.T) {
	w := newWorld(t)
	d, u := w.device(usher)
	two, _ := w.device(usher)
	_, a := w.device(ada)
	w.write(ada, usher, "hello")
	mine, others := pushed(t, d), pushed(t, two)
	sent, err := w.answer(u, w.find(u, "ada"), 9, "use the bot")
	if err != nil {
		t.Fatal(err)
	}
	short, ok := sent.(*tg.UpdateShortSentMessage)
	if !ok || short.ID != 2 || short.Pts != 3 || short.PtsCount != 1 || !short.Out {
		t.Errorf("sending is answered with %v", sent)
	}
	if len(mine()) != 0 {
		t.Error("the device is told of what it wrote itself")
	}
	if got := others(); len(got) != 1 || !got[0].(*tg.UpdateShortMessage).Out {
		t.Errorf("the account's other device is told %v", got)
	}
	if got := w.difference(a, 2).(*tg.UpdatesDifference); len(got.NewMessages) != 1 || got.State.Pts != 3 {
		t.Errorf("the answer arrives as %v", got)
	}
	dialogs := w.hub.Dialogs(ada)
	if len(dialogs) != 1 || dialogs[0].With.ID != usher || len(dialogs[0].Messages) != 2 {
		t.Fatalf("Ada sees %v", dialogs)
	}
	if m := dialogs[0].Messages; !m[0].Out || m[0].Text != "hello" || m[1].Out || m[1].Text != "use the bot" {
		t.Errorf("Ada sees %v", m)
	}
}

func TestOrdinaryMessagesAreRefusedAsByTelegram(t *testing.T) {
	w := newWorld(t)
	_, u := w.device(usher)
	to := w.find(u, "ada")
	_, err := w.answer(u, &tg.InputUser{UserID: ada, AccessHash: to.AccessHash + 1}, 1, "x")
	wants(t, err, "PEER_ID_INVALID")
	_, err = w.answer(u, to, 1, "")
	wants(t, err, "MESSAGE_EMPTY")
	_, err = w.answer(u, to, 1, strings.Repeat("🎟", 2049))
	wants(t, err, "MESSAGE_TOO_LONG")
	_, err = w.answer(u, to, 0, "x")
	wants(t, err, "RANDOM_ID_EMPTY")
	if _, err = w.answer(u, to, 1, "x"); err != nil {
		t.Fatal(err)
	}
	_, err = w.answer(u, to, 1, "x")
	wants(t, err, "RANDOM_ID_DUPLICATE")
	if err := w.hub.Block(ada, usher, true); err != nil {
		t.Fatal(err)
	}
	_, err = w.answer(u, to, 2, "x")
	wants(t, err, "USER_IS_BLOCKED")
	_, err = w.hub.Write(ada, usher, "x")
	wants(t, err, "YOU_BLOCKED_USER")
	if _, err = w.hub.Write(ada, 99, "x"); !errors.Is(err, hub.ErrNoUser) {
		t.Errorf("writing to nobody: %v", err)
	}
}

func TestReadingIsToldToBothSides(t *testing.T) {
	w := newWorld(t)
	_, u := w.device(usher)
	_, a := w.device(ada)
	w.write(ada, usher, "one")
	w.write(ada, usher, "two")
	with := w.find(u, "ada")
	peer := &tg.InputPeerUser{UserID: with.UserID, AccessHash: with.AccessHash}
	read := func(want int) {
		t.Helper()
		got, err := u.MessagesReadHistory(t.Context(), &tg.MessagesReadHistoryRequest{Peer: peer, MaxID: 1})
		if err != nil || got.Pts != 4 || got.PtsCount != want {
			t.Errorf("reading is answered with %v, %v", got, err)
		}
	}
	read(1)
	read(0)
	got := w.difference(a, 3).(*tg.UpdatesDifference)
	if mark, ok := got.OtherUpdates[0].(*tg.UpdateReadHistoryOutbox); !ok || mark.MaxID != 1 || mark.Pts != 4 {
		t.Errorf("Ada is told %v", got.OtherUpdates)
	}
	if m := w.hub.Dialogs(ada)[0].Messages; !m[0].Read || m[1].Read {
		t.Errorf("Ada sees %v", m)
	}
	history, err := u.MessagesGetHistory(t.Context(), &tg.MessagesGetHistoryRequest{Peer: peer, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	list := history.(*tg.MessagesMessages).Messages
	if len(list) != 1 || list[0].(*tg.Message).Message != "two" {
		t.Errorf("the history is %v", list)
	}
	if !slices.ContainsFunc(history.(*tg.MessagesMessages).Users, func(u tg.UserClass) bool { return u.GetID() == ada }) {
		t.Error("the history does not say who wrote")
	}
}
