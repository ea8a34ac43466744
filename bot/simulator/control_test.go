package simulator_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

// eventually waits for a condition that another goroutine brings about.
func (b *bed) eventually(what string, holds func() bool) {
	b.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			b.t.Fatalf("this did not happen in time: %s", what)
		}
	}
}

// TestTheControlAPITellsAStory drives a person the way other programs do.
func TestTheControlAPITellsAStory(t *testing.T) {
	ph := newPhones()
	b := newBed(t, func(o *simulator.Options) { o.Phones = ph })
	var user struct{ ID int64 }
	b.control("POST", "users", object{"name": "Ada", "language": "de"}, &user)
	me := path("users/%d", user.ID)
	var sent struct{ Message int64 }
	b.control("POST", me+"/text", object{"text": "/start", "chat": "bot"}, &sent)
	if sent.Message != 1 {
		t.Fatalf("the first message has id %d", sent.Message)
	}
	keys := buttons([]object{{"text": "Shows", "callback_data": "shows"}, {"text": "Web", "url": "https://t.me/QuayTickets"}, {"text": "Copy", "copy_text": object{"text": "12.5"}}})
	card := b.call("sendMessage", object{"chat_id": user.ID, "text": "Hello", "reply_markup": keys}).messageID(t)
	var chats []simulator.ChatView
	b.control("GET", me+"/chats", nil, &chats)
	m := chats[0].Messages[1]
	if chats[0].Chat != "bot" || m.ID != int64(card) || m.From != "bot" || m.Buttons[1].URL != "https://t.me/QuayTickets" || m.Buttons[2].Copy != "12.5" {
		t.Fatalf("Ada sees %+v", chats)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for _, u := range b.updates(object{"timeout": 10, "offset": 100_000_002}) {
			b.call("answerCallbackQuery", object{"callback_query_id": u.Callback.ID, "text": "Got " + u.Callback.Data})
		}
	}()
	var tap struct {
		Answer string
		Alert  bool
	}
	b.control("POST", me+"/tap", object{"message": m.ID, "button": m.Buttons[0].ID}, &tap)
	<-answered
	if tap.Answer != "Got shows" || tap.Alert {
		t.Errorf("the tap answered %+v", tap)
	}
	var started struct{ Chat string }
	b.control("POST", me+"/secretchat", object{"with": "@courier"}, &started)
	ph.accept(user.ID)
	ph.courierSends(user.ID, simulator.SecretMessage{Text: "your ticket", Picture: []byte("png"), Date: time.Unix(5, 0)})
	b.control("POST", me+"/text", object{"text": "thanks", "chat": started.Chat}, &sent)
	var secret []simulator.ChatView
	b.control("GET", me+"/secret", nil, &secret)
	if s := secret[0]; s.Chat != started.Chat || s.State != "open" || s.Messages[0].Picture != "cG5n" || s.Messages[0].From != "courier" || s.Messages[1].From != "me" {
		t.Errorf("the phone shows %+v", secret)
	}
}

func TestBadInputIsExplained(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	b.call("sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(2, object{"text": "b", "callback_data": "x"}))})
	me := path("users/%d/", ada)
	tests := []struct {
		path string
		body any
		code int
		want string
	}{
		{"users", object{}, 400, "needs a name"},
		{"users/12/text", object{"text": "x"}, 404, "no person"},
		{"users/x/chats", nil, 400, "there is no POST"},
		{me + "text", object{"text": ""}, 400, "1 to 4096"},
		{me + "text", object{"text": "x", "chat": "nowhere"}, 400, "no chat"},
		{me + "text", "no object", 400, "JSON object"},
		{me + "tap", object{"message": 2, "button": "zz"}, 400, "no button"},
		{me + "tap", object{"message": 2, "button": "b"}, 400, "use an id"},
		{me + "tap", object{"message": 77, "button": "b"}, 400, "no message 77"},
		{me + "do", object{"action": "fly"}, 400, "nobody can"},
		{me + "do", object{"action": "add-bot", "chat": "bot"}, 400, "name a group"},
		{me + "secretchat", object{"with": "@courier"}, 400, "no phone"},
		{"groups", object{"name": "x", "kind": "village", "owner": ada}, 400, "group, supergroup or channel"},
		{"fault", object{"method": "(", "kind": "status:429"}, 400, "regular expression"},
		{"fault", object{"method": "send", "kind": "status:200"}, 400, "no status of a failure"},
		{"fault", object{"method": "send", "kind": "slow:soon"}, 400, "slow:<duration>"},
	}
	for _, tc := range tests {
		var got struct{ Error string }
		if code := b.control("POST", tc.path, tc.body, &got); code != tc.code || !strings.Contains(got.Error, tc.want) {
			t.Errorf("%s %v answered %d %q, want %d and %q", tc.path, tc.body, code, got.Error, tc.code, tc.want)
		}
	}
}

func TestATapWithoutAnswerTimesOut(t *testing.T) {
	b := newBed(t, func(o *simulator.Options) { o.AnswerWithin = 10 * time.Millisecond })
	ada := b.person("Ada")
	b.call("sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(1, object{"text": "b", "callback_data": "x"}))})
	var got struct{ Error string }
	code := b.control("POST", path("users/%d/tap", ada), object{"message": 2, "button": "b"}, &got)
	if code != http.StatusGatewayTimeout || !strings.Contains(got.Error, "did not answer") {
		t.Errorf("answered %d %q", code, got.Error)
	}
}

func TestWhatPeopleDo(t *testing.T) {
	ph := newPhones()
	b := newBed(t, func(o *simulator.Options) { o.Phones = ph })
	ada := b.person("Ada")
	do := func(a simulator.Action) int64 { return must[int64](t)(b.tg.Do(t.Context(), ada, a)) }
	do(simulator.Action{Action: "sticker"})
	do(simulator.Action{Action: "photo", Text: "look"})
	do(simulator.Action{Action: "edit", Message: 1, Text: "/help"})
	do(simulator.Action{Action: "forward", Message: 3})
	messages := b.chat(ada, "bot").Messages
	if len(messages) != 4 || messages[0].Text != "/help" || messages[1].Sticker == "" || messages[3].Text != "look" || messages[3].Picture == "" {
		t.Errorf("Ada sees %+v", messages)
	}
	do(simulator.Action{Action: "delete-chat", Chat: "bot"})
	if got := b.chat(ada, "bot").Messages; len(got) != 0 {
		t.Errorf("after deleting, Ada sees %+v", got)
	}
	for _, action := range []string{"phone-off", "phone-on", "new-phone"} {
		do(simulator.Action{Action: action})
	}
	do(simulator.Action{Action: "delete-chat", Chat: "secret:7"})
	if got := strings.Join(ph.all[ada].done, "|"); got != "phone-off |phone-on |new-phone |delete-chat 7" {
		t.Errorf("the phone did %q", got)
	}
}

func TestAnOldButtonCanStillBeTapped(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	old := buttons(row(1, object{"text": "Old", "callback_data": "old"}))
	id := b.call("sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": old}).messageID(t)
	button := b.last(ada).Buttons[0].ID
	b.call("editMessageText", object{"chat_id": ada, "message_id": id, "text": "y"})
	done := make(chan error)
	go func() {
		_, err := b.tg.Tap(t.Context(), ada, "bot", id, button)
		done <- err
	}()
	for _, u := range b.updates(object{"timeout": 10, "offset": 100_000_002}) {
		if u.Callback.Data != "old" || u.Callback.Instance == "" {
			t.Errorf("the bot got %+v", u.Callback)
		}
		b.call("answerCallbackQuery", object{"callback_query_id": u.Callback.ID})
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTrafficHoldsEverythingButTheToken(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	b.sendPhoto(ada, picture(t, 10, 10))
	b.call("setMyDescription", object{"description": "Tickets"})
	var got []struct {
		Method   string
		Fields   map[string]string
		Files    []struct{ Content []byte }
		Response struct{ OK bool }
	}
	b.control("GET", "traffic", nil, &got)
	if len(got) != 2 || got[0].Method != "sendPhoto" || got[0].Fields["chat_id"] != path("%d", ada) || !got[0].Response.OK {
		t.Fatalf("traffic is %+v", got)
	}
	if string(got[0].Files[0].Content) != string(picture(t, 10, 10)) {
		t.Error("the picture is not in the traffic")
	}
	var raw any
	b.control("GET", "traffic?after=1", nil, &raw)
	if list, ok := raw.([]any); !ok || len(list) != 1 || strings.Contains(path("%v", raw), token) {
		t.Errorf("traffic after the first is %v", raw)
	}
}

// TestWhoLooksOftenNeedNotCarryEveryPicture: with pictures=brief there is enough of each to see that it is there.
func TestWhoLooksOftenNeedNotCarryEveryPicture(t *testing.T) {
	ph := newPhones()
	b := newBed(t, func(o *simulator.Options) { o.Phones = ph })
	ada, photo := b.person("Ada"), picture(t, 100, 100)
	b.sendPhoto(ada, photo)
	me := path("users/%d", ada)
	var whole, brief []simulator.ChatView
	b.control("GET", me+"/chats", nil, &whole)
	b.control("GET", me+"/chats?pictures=brief", nil, &brief)
	all, beginning := last(whole[0].Messages), last(brief[0].Messages)
	if len(all.Picture) < len(photo) || len(beginning.Picture) != 16 || !strings.HasPrefix(all.Picture, beginning.Picture) {
		t.Errorf("%d characters, and in brief %q", len(all.Picture), beginning.Picture)
	}
	all.Picture, beginning.Picture = "", ""
	if !reflect.DeepEqual(all, beginning) {
		t.Errorf("in brief %+v, else %+v", beginning, all)
	}
}

func last(messages []simulator.MessageView) simulator.MessageView { return messages[len(messages)-1] }
