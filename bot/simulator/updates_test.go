package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usherbot/usher/bot/simulator"
)

// update is what these tests look at of an update.
type update struct {
	ID      int64 `json:"update_id"`
	Message struct {
		Text     string           `json:"text"`
		Entities []map[string]any `json:"entities"`
		Chat     struct {
			ID   int64  `json:"id"`
			Type string `json:"type"`
		} `json:"chat"`
	} `json:"message"`
	Post *struct {
		Text string `json:"text"`
	} `json:"channel_post"`
	Callback *struct {
		ID       string `json:"id"`
		Data     string `json:"data"`
		Instance string `json:"chat_instance"`
	} `json:"callback_query"`
	Member *struct {
		Now struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

func (b *bed) updates(body object) []update {
	b.t.Helper()
	got := b.call("getUpdates", body)
	if !got.OK {
		b.t.Fatalf("getUpdates: %s", got.Description)
	}
	var out []update
	if err := json.Unmarshal(got.Result, &out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

func TestUpdatesStayUntilConfirmed(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	for _, text := range []string{"one", "two", "three"} {
		must[int64](t)(b.tg.Text(t.Context(), ada, "bot", text))
	}
	first := b.updates(object{"limit": 2})
	if len(first) != 2 || first[0].Message.Text != "/start" || first[0].Message.Entities[0]["type"] != "bot_command" {
		t.Fatalf("first batch: %+v", first)
	}
	if again := b.updates(object{}); len(again) != 4 {
		t.Errorf("without confirming, %d updates came", len(again))
	}
	if rest := b.updates(object{"offset": first[1].ID + 1}); len(rest) != 2 || rest[0].Message.Text != "two" {
		t.Errorf("after confirming two: %+v", rest)
	}
	if last := b.updates(object{"offset": -1}); len(last) != 1 || last[0].Message.Text != "three" {
		t.Errorf("with offset -1: %+v", last)
	}
}

func TestALongPollWakesUp(t *testing.T) {
	b := newBed(t)
	ada := b.tg.AddUser("Ada", "en")
	got := make(chan []update)
	go func() { got <- b.updates(object{"timeout": 20}) }()
	must[int64](t)(b.tg.Text(t.Context(), ada, "bot", "hello"))
	if u := <-got; len(u) != 1 || u[0].Message.Text != "hello" {
		t.Errorf("the poll brought %+v", u)
	}
}

func TestTheSecondPollEndsTheFirst(t *testing.T) {
	b := newBed(t)
	answers := make(chan apiAnswer, 2)
	go func() { answers <- b.call("getUpdates", object{"timeout": 20}) }()
	go func() { answers <- b.call("getUpdates", object{"timeout": 20}) }()
	first := <-answers
	if first.Code != http.StatusConflict || !strings.HasPrefix(first.Description, "Conflict: terminated by other getUpdates request") {
		t.Errorf("the first poll was answered %+v", first)
	}
	b.person("Ada")
	if second := <-answers; !second.OK {
		t.Errorf("the second poll was answered %+v", second)
	}
}

func TestOnlyAllowedUpdatesCome(t *testing.T) {
	b := newBed(t)
	b.updates(object{"allowed_updates": []string{"message"}})
	ada := b.person("Ada")
	must[int64](t)(b.tg.Do(t.Context(), ada, simulator.Action{Action: "block"}))
	if u := b.updates(object{}); len(u) != 1 || u[0].Message.Text != "/start" {
		t.Errorf("only messages were asked for, but these came: %+v", u)
	}
}

func TestWhatGroupsTellTheBot(t *testing.T) {
	b := newBed(t)
	ada := b.tg.AddUser("Ada", "en")
	group := path("%d", must[int64](t)(b.tg.AddGroup("Friends", "group", ada)))
	channel := path("%d", must[int64](t)(b.tg.AddGroup("News", "channel", ada)))
	for _, c := range []string{group, channel} {
		must[int64](t)(b.tg.Do(t.Context(), ada, simulator.Action{Action: "add-bot", Chat: c}))
		for _, text := range []string{"private talk", "/shows@QuayTicketsBot", "/shows@OtherBot"} {
			must[int64](t)(b.tg.Text(t.Context(), ada, c, text))
		}
	}
	var got []string
	for _, u := range b.updates(object{}) {
		switch {
		case u.Member != nil:
			got = append(got, "bot is "+u.Member.Now.Status)
		case u.Post != nil:
			got = append(got, "post "+u.Post.Text)
		default:
			got = append(got, u.Message.Chat.Type+" "+u.Message.Text)
		}
	}
	want := "bot is member|group |group /shows@QuayTicketsBot|bot is administrator|" +
		"post private talk|post /shows@QuayTicketsBot|post /shows@OtherBot"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("the bot learned\n%s\nwant\n%s", s, want)
	}
}

func TestAGroupBecomesASupergroup(t *testing.T) {
	b := newBed(t)
	ada := b.tg.AddUser("Ada", "en")
	group := must[int64](t)(b.tg.AddGroup("Friends", "group", ada))
	for _, action := range []string{"add-bot", "upgrade"} {
		must[int64](t)(b.tg.Do(t.Context(), ada, simulator.Action{Action: action, Chat: path("%d", group)}))
	}
	got := b.call("sendMessage", object{"chat_id": group, "text": "x"})
	if got.Code != 400 || got.Parameters.MovedTo >= -1_000_000_000_000 {
		t.Fatalf("writing to the old id was answered %+v", got)
	}
	b.call("sendMessage", object{"chat_id": got.Parameters.MovedTo, "text": "x"}).messageID(t)
}

// hook is a bot that takes updates by webhook.
type hook struct {
	server *httptest.Server
	got    chan string
	status chan int // answers to give; 200 once it is empty
	body   string
}

func newHook(t *testing.T, body string) *hook {
	h := &hook{got: make(chan string, 20), status: make(chan int, 5), body: body}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var u update
		if err := json.Unmarshal(raw, &u); err != nil {
			t.Error(err)
		}
		code := http.StatusOK
		select {
		case code = <-h.status:
		default:
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if code == http.StatusOK {
			_, _ = io.WriteString(w, h.body)
		}
		h.got <- r.Header.Get("X-Telegram-Bot-Api-Secret-Token") + " " + u.Message.Text
	}))
	t.Cleanup(h.server.Close)
	return h
}

func TestWebhookDeliversUntilTaken(t *testing.T) {
	h := newHook(t, "")
	b := newBed(t)
	ada := b.person("Ada")
	h.status <- http.StatusInternalServerError
	h.status <- http.StatusBadGateway
	if got := b.call("setWebhook", object{"url": h.server.URL, "secret_token": "s3cret"}); !got.OK {
		t.Fatal(got.Description)
	}
	must[int64](t)(b.tg.Text(t.Context(), ada, "bot", "two"))
	for _, want := range []string{"s3cret /start", "s3cret /start", "s3cret /start", "s3cret two"} {
		if got := <-h.got; got != want {
			t.Fatalf("the bot got %q, want %q", got, want)
		}
	}
	if got := b.call("getUpdates", object{}); got.Code != http.StatusConflict || !strings.Contains(got.Description, "webhook is active") {
		t.Errorf("polling beside a webhook was answered %+v", got)
	}
	b.eventually("the last answer is taken in", func() bool {
		return strings.Contains(string(b.call("getWebhookInfo", object{}).Result), `"pending_update_count":0`)
	})
	if got := b.call("deleteWebhook", object{}); !got.OK {
		t.Error(got.Description)
	}
	if u := b.updates(object{}); len(u) != 0 {
		t.Errorf("updates were kept after delivery: %+v", u)
	}
}

func TestAWebhookMayAnswerWithACall(t *testing.T) {
	b := newBed(t)
	ada := b.tg.AddUser("Ada", "en")
	h := newHook(t, path(`{"method":"sendMessage","chat_id":%d,"text":"by answer"}`, ada))
	if got := b.call("setWebhook", object{"url": h.server.URL}); !got.OK {
		t.Fatal(got.Description)
	}
	must[int64](t)(b.tg.Text(t.Context(), ada, "bot", "/start"))
	<-h.got
	b.eventually("the answer arrives", func() bool { return b.last(ada).Text == "by answer" })
}

func TestARepeatedWebhook(t *testing.T) {
	h := newHook(t, "")
	b := newBed(t)
	if err := b.tg.AddFault(simulator.Fault{Method: "^webhook$", Kind: "drop-after"}); err != nil {
		t.Fatal(err)
	}
	b.call("setWebhook", object{"url": h.server.URL})
	b.person("Ada")
	if first, second := <-h.got, <-h.got; first != second {
		t.Errorf("the bot got %q, then %q", first, second)
	}
}
