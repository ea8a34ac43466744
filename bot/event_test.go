package bot

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
)

// reader is a bot that only reads updates.
func reader() *Bot {
	b := newBot(Config{Token: token, Handler: &script{}, Clock: func() time.Time { return time.Unix(99, 0) }}.withDefaults())
	b.username = "QuayTicketsBot"
	return b
}

func TestUpdatesBecomeEvents(t *testing.T) {
	const (
		nora    = `"from":{"id":5,"first_name":"Nora","last_name":"Lind","language_code":"nb"}`
		private = `"message_id":3,"date":42,"chat":{"id":5,"type":"private"},` + nora
		group   = `"message_id":3,"date":42,"chat":{"id":-7,"type":"supergroup"},` + nora
	)
	who := flows.Actor{ID: 5, Name: "Nora Lind", Language: "nb"}
	here := flows.Event{ID: 1, Kind: flows.Private, Actor: who, Chat: 5, Message: 3, Date: time.Unix(42, 0)}
	with := func(change func(*flows.Event)) *flows.Event {
		e := here
		change(&e)
		return &e
	}
	command := func(name, argument string) *flows.Event {
		return with(func(e *flows.Event) { e.Command, e.Argument = name, argument })
	}
	other := func(what string) *flows.Event { return with(func(e *flows.Event) { e.Other = what }) }
	for name, test := range map[string]struct {
		update string
		want   *flows.Event // nil: of no use
	}{
		"text":                   {`"message":{` + private + `,"text":"two seats"}`, with(func(e *flows.Event) { e.Text = "two seats" })},
		"command":                {`"message":{` + private + `,"text":"/Shows"}`, command("shows", "")},
		"deep link":              {`"message":{` + private + `,"text":"/start k3_x9"}`, command("start", "k3_x9")},
		"command with id":        {`"message":{` + private + `,"text":"/refund_m7q2"}`, command("refund", "m7q2")},
		"command naming us":      {`"message":{` + private + `,"text":"/refund_m7q2@quayticketsbot"}`, command("refund", "m7q2")},
		"command, new line":      {`"message":{` + private + `,"text":"/venue\nadd  C1"}`, command("venue", "add  C1")},
		"command naming another": {`"message":{` + private + `,"text":"/start@OtherBot"}`, nil},
		"only a slash":           {`"message":{` + private + `,"text":"/ 5"}`, with(func(e *flows.Event) { e.Text = "/ 5" })},
		"sticker":                {`"message":{` + private + `,"sticker":{"file_id":"x"}}`, other("sticker")},
		"photo":                  {`"message":{` + private + `,"photo":[{"file_id":"x"}],"caption":"/start"}`, other("photo")},
		"voice":                  {`"message":{` + private + `,"voice":{"file_id":"x"}}`, other("voice")},
		"forward": {
			`"message":{` + private + `,"text":"/start","forward_origin":{"type":"hidden_user","date":1,"sender_user_name":"x"}}`,
			other("forward"),
		},
		"place moved":   {`"edited_message":{` + private + `,"location":{"latitude":1,"longitude":2},"edit_date":43}`, nil},
		"edited":        {`"edited_message":{` + private + `,"text":"/start","edit_date":43}`, other("edited")},
		"service":       {`"message":{` + private + `,"pinned_message":{"message_id":1,"date":0,"chat":{"id":5}}}`, nil},
		"another bot":   {`"message":{"message_id":3,"date":42,"chat":{"id":-7,"type":"group"},"from":{"id":8,"is_bot":true},"text":"/start"}`, nil},
		"not asked for": {`"poll":{"id":"1"}`, nil},
		"group": {
			`"message":{` + group + `,"text":"/shows@QuayTicketsBot"}`,
			with(func(e *flows.Event) { e.Kind, e.Chat, e.Command = flows.Group, -7, "shows" }),
		},
		"channel": {
			`"channel_post":{"message_id":3,"date":42,"chat":{"id":-9,"type":"channel","title":"News"},"sender_chat":{"id":-9,"type":"channel","title":"News"},"text":"hi"}`,
			with(func(e *flows.Event) {
				e.Kind, e.Chat, e.Actor, e.Text = flows.Channel, -9, flows.Actor{ID: -9, Name: "News"}, "hi"
			}),
		},
		"tap": {
			`"callback_query":{"id":"77",` + nora + `,"message":{"message_id":3,"date":42,"chat":{"id":5,"type":"private"}},"data":"pay"}`,
			with(func(e *flows.Event) { e.Action, e.Callback, e.Date = "pay", "77", time.Unix(99, 0) }),
		},
		"tap on an old message": {
			`"callback_query":{"id":"77",` + nora + `,"message":{"message_id":3,"date":0,"chat":{"id":5,"type":"private"}},"data":"pay"}`,
			with(func(e *flows.Event) { e.Action, e.Callback, e.Date = "pay", "77", time.Unix(99, 0) }),
		},
		"tap elsewhere": {`"callback_query":{"id":"77",` + nora + `,"inline_message_id":"z","data":"pay"}`, nil},
		"blocked": {
			`"my_chat_member":{"chat":{"id":5,"type":"private"},` + nora + `,"date":42,"old_chat_member":{"status":"member","user":{"id":1}},"new_chat_member":{"status":"kicked","user":{"id":1}}}`,
			with(func(e *flows.Event) { e.Kind, e.Message, e.Blocked = flows.Membership, 0, true }),
		},
		"unblocked": {
			`"my_chat_member":{"chat":{"id":5,"type":"private"},` + nora + `,"date":42,"old_chat_member":{"status":"kicked","user":{"id":1}},"new_chat_member":{"status":"member","user":{"id":1}}}`,
			with(func(e *flows.Event) { e.Kind, e.Message = flows.Membership, 0 }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var raw models.Update
			if err := json.Unmarshal([]byte(`{"update_id":1,`+test.update+`}`), &raw); err != nil {
				t.Fatal(err)
			}
			e, ok := reader().event(update{id: 1, raw: &raw})
			switch {
			case test.want == nil && ok:
				t.Errorf("event is %+v", e)
			case test.want != nil && (!ok || e != *test.want):
				t.Errorf("event is %+v, %v; not %+v", e, ok, *test.want)
			}
		})
	}
}

func FuzzEveryUpdateIsReadOrLeftOut(f *testing.F) {
	f.Add(`{"update_id":1,"message":{"message_id":3,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5},"text":"/a_b@c d"}}`)
	f.Add(`{"update_id":1,"callback_query":{"id":"7","from":{"id":5},"data":"x"}}`)
	f.Add(`{"update_id":1,"channel_post":{}}`)
	f.Add(`{"update_id":1,"my_chat_member":{"new_chat_member":{"status":"left"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var raw models.Update
		if json.Unmarshal([]byte(text), &raw) != nil {
			return
		}
		lane(&raw)
		e, ok := reader().event(update{id: raw.ID, raw: &raw})
		if !ok {
			return
		}
		set := 0
		for _, is := range []bool{e.Command != "", e.Action != "", e.Text != "", e.Other != "", e.Kind == flows.Membership} {
			if is {
				set++
			}
		}
		if set != 1 {
			t.Errorf("%d things in one event: %+v", set, e)
		}
	})
}
