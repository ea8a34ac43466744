package simulator_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

type object map[string]any

func buttons(rows ...[]object) object { return object{"inline_keyboard": rows} }

func row(n int, b object) []object {
	out := make([]object, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// TestRefusals holds the texts against which bots are written.
func TestRefusals(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	stranger := b.tg.AddUser("Never wrote", "en")
	met := b.tg.AddUser("Met in a group", "en")
	group := must[int64](t)(b.tg.AddGroup("Friends", "group", met))
	must[int64](t)(b.tg.Do(t.Context(), met, simulator.Action{Action: "add-bot", Chat: path("%d", group)}))
	text := b.call("sendMessage", object{"chat_id": ada, "text": "text"}).messageID(t)
	photo := b.sendPhoto(ada, picture(t, 10, 10)).messageID(t)
	long := strings.Repeat("x", 4097)
	tests := []struct {
		name, method string
		body         object
		want         string
	}{
		{"nothing", "sendMessage", object{"chat_id": ada, "text": " \n"}, "Bad Request: message text is empty"},
		{"no chat", "sendMessage", object{"text": "x"}, "Bad Request: chat_id is empty"},
		{"unknown chat", "sendMessage", object{"chat_id": 5, "text": "x"}, "Bad Request: chat not found"},
		{"first word", "sendMessage", object{"chat_id": stranger, "text": "x"}, "Bad Request: chat not found"},
		{"first word, met", "sendMessage", object{"chat_id": met, "text": "x"}, "Forbidden: bot can't initiate conversation with a user"},
		{"too long", "sendMessage", object{"chat_id": ada, "text": long}, "Bad Request: message is too long"},
		{"edit too long", "editMessageText", object{"chat_id": ada, "message_id": text, "text": long}, "Bad Request: MESSAGE_TOO_LONG"},
		{"long caption", "editMessageCaption", object{"chat_id": ada, "message_id": photo, "caption": long[:1025]}, "Bad Request: message caption is too long"},
		{"same", "editMessageText", object{"chat_id": ada, "message_id": text, "text": "text"}, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"},
		{"text of a photo", "editMessageText", object{"chat_id": ada, "message_id": photo, "text": "x"}, "Bad Request: there is no text in the message to edit"},
		{"caption of a text", "editMessageCaption", object{"chat_id": ada, "message_id": text, "caption": "x"}, "Bad Request: there is no caption in the message to edit"},
		{"picture for a text", "editMessageMedia", object{"chat_id": ada, "message_id": text, "media": object{"type": "photo", "media": "x"}}, "Bad Request: there is no media in the message to edit"},
		{"edit of nothing", "editMessageText", object{"chat_id": ada, "message_id": 999, "text": "x"}, "Bad Request: message to edit not found"},
		{"edit of theirs", "editMessageText", object{"chat_id": ada, "message_id": 1, "text": "x"}, "Bad Request: message can't be edited"},
		{"no message", "editMessageText", object{"chat_id": ada, "text": "x"}, "Bad Request: message identifier is not specified"},
		{"delete nothing", "deleteMessage", object{"chat_id": ada, "message_id": 999}, "Bad Request: message to delete not found"},
		{"unknown file", "sendPhoto", object{"chat_id": ada, "photo": "nonsense"}, "Bad Request: wrong remote file identifier specified: Wrong string length"},
		{"long data", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(1, object{"text": "b", "callback_data": long[:65]}))}, "Bad Request: BUTTON_DATA_INVALID"},
		{"long copy", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(1, object{"text": "b", "copy_text": object{"text": long[:257]}}))}, "Bad Request: BUTTON_COPY_TEXT_INVALID"},
		{"text button", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(1, object{"text": "b"}))}, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"bad link", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(1, object{"text": "b", "url": "http://nowhere"}))}, "Bad Request: inline keyboard button URL 'http://nowhere' is invalid: Wrong HTTP URL"},
		{"nine in a row", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(row(9, object{"text": "b", "callback_data": "x"}))}, "Bad Request: reply markup is too long"},
		{"104 buttons", "sendMessage", object{"chat_id": ada, "text": "x", "reply_markup": buttons(rows(13, row(8, object{"text": "b", "callback_data": "x"}))...)}, "Bad Request: reply markup is too long"},
		{"bad markup", "sendMessage", object{"chat_id": ada, "text": "<b>x", "parse_mode": "HTML"}, `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`},
		{"late answer", "answerCallbackQuery", object{"callback_query_id": "1"}, "Bad Request: query is too old and response timeout expired or query ID is invalid"},
		{"long answer", "answerCallbackQuery", object{"callback_query_id": "1", "text": long[:201]}, "Bad Request: MESSAGE_TOO_LONG"},
		{"no such method", "sendMoney", object{}, "Not Found"},
		{"plain webhook", "setWebhook", object{"url": "http://example.com/hook"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := b.call(tc.method, tc.body); got.OK || got.Description != tc.want {
				t.Errorf("answered %v %q, want %q", got.OK, got.Description, tc.want)
			}
		})
	}
}

func rows(n int, r []object) [][]object {
	out := make([][]object, n)
	for i := range out {
		out[i] = r
	}
	return out
}

// sendPhoto uploads a picture as multipart, named by attach:// as files may be.
func (b *bed) sendPhoto(chat int64, content []byte) apiAnswer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"chat_id": path("%d", chat), "photo": "attach://file0"} {
		if err := form.WriteField(name, value); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file0", "a.png")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.post("sendPhoto", form.FormDataContentType(), body.String())
}

func (b *bed) post(method, kind, body string) apiAnswer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/bot"+token+"/"+method, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var out apiAnswer
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

func TestBodiesOfEveryKindAreRead(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	form := url.Values{"chat_id": {path("%d", ada)}, "text": {"urlencoded"}}
	b.post("sendMessage", "application/x-www-form-urlencoded", form.Encode()).messageID(t)
	if got := b.last(ada).Text; got != "urlencoded" {
		t.Errorf("Ada sees %q", got)
	}
	b.post("sendmessage", "application/json", path(`{"chat_id": %d, "text": "json"}`, ada)).messageID(t)
	if got := b.last(ada).Text; got != "json" {
		t.Errorf("Ada sees %q", got)
	}
	b.sendPhoto(ada, picture(t, 30, 20)).messageID(t)
	if b.last(ada).Picture == "" {
		t.Error("Ada sees no picture")
	}
	if got := b.post("sendMessage", "application/json", "{"); got.OK || got.Code != 400 {
		t.Errorf("half a body was answered %+v", got)
	}
}

func TestPicturesMustBePictures(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	for want, content := range map[string][]byte{
		"Bad Request: IMAGE_PROCESS_FAILED":     []byte("no picture"),
		"Bad Request: PHOTO_INVALID_DIMENSIONS": picture(t, 1, 21),
	} {
		if got := b.sendPhoto(ada, content); got.Description != want {
			t.Errorf("answered %q, want %q", got.Description, want)
		}
	}
}

func TestTokensAreChecked(t *testing.T) {
	b := newBed(t)
	for tok, want := range map[string]int{
		"4839201:wrong_AAAAAAAAAAAAAAAAAAAAAAAA": http.StatusUnauthorized,
		"nonsense":                               http.StatusNotFound,
	} {
		var got apiAnswer
		if code := b.request(http.MethodGet, "/bot"+tok+"/getMe", nil, &got); code != want || got.Code != want {
			t.Errorf("token %q was answered %d", tok, code)
		}
	}
}

func TestAnEditWithoutKeyboardRemovesIt(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	keys := buttons(row(2, object{"text": "b", "callback_data": "x"}))
	id := b.call("sendMessage", object{"chat_id": ada, "text": "a", "reply_markup": keys}).messageID(t)
	if n := len(b.last(ada).Buttons); n != 2 {
		t.Fatalf("Ada sees %d buttons", n)
	}
	b.call("editMessageText", object{"chat_id": ada, "message_id": id, "text": "b"}).messageID(t)
	if n := len(b.last(ada).Buttons); n != 0 {
		t.Errorf("after the edit Ada sees %d buttons", n)
	}
}

func TestFloodControl(t *testing.T) {
	b := newBed(t, func(o *simulator.Options) { o.Limits = true })
	ada := b.person("Ada")
	send := func(chat int64) apiAnswer { return b.call("sendMessage", object{"chat_id": chat, "text": "x"}) }
	for i := range 3 {
		if got := send(ada); !got.OK {
			t.Fatalf("message %d of a short burst: %s", i, got.Description)
		}
	}
	got := send(ada)
	if got.Code != 429 || got.Parameters.RetryAfter != 1 || got.Description != "Too Many Requests: retry after 1" {
		t.Fatalf("the fourth at once was answered %+v", got)
	}
	b.clock.advance(time.Second)
	for i := range 30 {
		if got := send(ada); !got.OK {
			t.Fatalf("message %d of one a second: %s", i, got.Description)
		}
		b.clock.advance(time.Second)
	}
}

func TestFloodControlInGroupsAndOverAll(t *testing.T) {
	b := newBed(t, func(o *simulator.Options) { o.Limits = true })
	ada := b.person("Ada")
	group := must[int64](t)(b.tg.AddGroup("Friends", "group", ada))
	must[int64](t)(b.tg.Do(t.Context(), ada, simulator.Action{Action: "add-bot", Chat: path("%d", group)}))
	for i := range 20 {
		if got := b.call("sendMessage", object{"chat_id": group, "text": "x"}); !got.OK {
			t.Fatalf("message %d in the group: %s", i, got.Description)
		}
		b.clock.advance(time.Second)
	}
	if got := b.call("sendMessage", object{"chat_id": group, "text": "x"}); got.Parameters.RetryAfter != 39 {
		t.Errorf("the 21st within a minute was answered %+v", got)
	}
	refused := 0
	for range 40 {
		if !b.call("sendMessage", object{"chat_id": b.person("Somebody"), "text": "x"}).OK {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("of 40 chats written to at once, %d were refused", refused)
	}
}
