package simulator

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// method carries out one method of the Bot API, with the lock held.
type method func(t *Telegram, p params) (any, error)

// methods are the methods that answer at once, by lower-case name; getUpdates
// waits and is told apart before.
func methods() map[string]method {
	return map[string]method{
		"getme":                           (*Telegram).getMe,
		"sendmessage":                     (*Telegram).sendMessage,
		"sendphoto":                       (*Telegram).sendPhoto,
		"senddocument":                    (*Telegram).sendDocument,
		"sendchataction":                  (*Telegram).sendChatAction,
		"editmessagetext":                 (*Telegram).editMessageText,
		"editmessagecaption":              (*Telegram).editMessageCaption,
		"editmessagemedia":                (*Telegram).editMessageMedia,
		"editmessagereplymarkup":          (*Telegram).editMessageReplyMarkup,
		"deletemessage":                   (*Telegram).deleteMessage,
		"answercallbackquery":             (*Telegram).answerCallbackQuery,
		"getfile":                         (*Telegram).getFile,
		"getchat":                         (*Telegram).getChat,
		"getchatmember":                   (*Telegram).getChatMember,
		"getchatadministrators":           (*Telegram).getChatAdministrators,
		"leavechat":                       (*Telegram).leaveChat,
		"setwebhook":                      (*Telegram).setWebhook,
		"deletewebhook":                   (*Telegram).deleteWebhook,
		"getwebhookinfo":                  (*Telegram).getWebhookInfo,
		"setmycommands":                   (*Telegram).setMyCommands,
		"getmycommands":                   (*Telegram).getMyCommands,
		"deletemycommands":                (*Telegram).deleteMyCommands,
		"setmyname":                       setting("name", 64),
		"getmyname":                       settingOf("name"),
		"setmydescription":                setting("description", 512),
		"getmydescription":                settingOf("description"),
		"setmyshortdescription":           setting("short_description", 120),
		"getmyshortdescription":           settingOf("short_description"),
		"setchatmenubutton":               accepted,
		"setmydefaultadministratorrights": accepted,
	}
}

func accepted(*Telegram, params) (any, error) { return true, nil }

func (t *Telegram) getMe(params) (any, error) { return t.bot, nil }

// BotAPI serves /bot<token>/<method> and /file/bot<token>/<path>.
func (t *Telegram) BotAPI() http.Handler {
	table := methods()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
			t.serveFile(w, r, path)
			return
		}
		path, _ := strings.CutPrefix(r.URL.Path, "/bot")
		token, name, found := strings.Cut(path, "/")
		switch {
		case !found || !tokenShape.MatchString(token):
			writeAnswer(w, nil, &apiError{code: http.StatusNotFound, description: "Not Found"})
		case subtle.ConstantTimeCompare([]byte(token), []byte(t.opts.Token)) != 1:
			writeAnswer(w, nil, &apiError{code: http.StatusUnauthorized, description: "Unauthorized"})
		default:
			t.serveMethod(w, r, table, name)
		}
	})
}

func (t *Telegram) serveMethod(w http.ResponseWriter, r *http.Request, table map[string]method, name string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	p, err := readParams(r)
	if err != nil {
		t.opts.Log.Warn("bot api: unreadable request", "method", name, "error", err)
		writeAnswer(w, nil, badRequest("can't parse the request"))
		return
	}
	fault, hit := t.faults.take(name)
	if hit && fault.kind == faultDropBefore {
		t.traffic.add(record{Method: name, Fields: p.fields, Files: recordFiles(p), Fault: fault.kind, Time: t.opts.Clock()})
		panic(http.ErrAbortHandler)
	}
	if hit && !pause(r.Context(), fault.delay) {
		return
	}
	var result any
	if hit && fault.answer != nil {
		err = fault.answer
	} else {
		result, err = t.run(r.Context(), table, name, p)
	}
	if r.Context().Err() != nil && err != nil {
		return // nobody is left to read the answer of this poll
	}
	body, code := answer(result, err)
	t.traffic.add(record{
		Method: name, Fields: p.fields, Files: recordFiles(p), Fault: fault.kind,
		Status: code, Response: body, Time: t.opts.Clock(),
	})
	if hit && fault.kind == faultDropAfter {
		panic(http.ErrAbortHandler)
	}
	writeBody(w, body, code)
}

// run carries out a method; it is also the way of a method call in the answer
// to a webhook.
func (t *Telegram) run(ctx context.Context, table map[string]method, name string, p params) (any, error) {
	name = strings.ToLower(name)
	if name == "getupdates" {
		return t.getUpdates(ctx, p)
	}
	do, ok := table[name]
	if !ok {
		return nil, &apiError{code: http.StatusNotFound, description: "Not Found"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	result, err := do(t, p)
	if err == nil {
		t.stirLocked()
	}
	return result, err
}

// answer is the body and the status of an answer, as the Bot API shapes it.
func answer(result any, err error) (json.RawMessage, int) {
	envelope := map[string]any{"ok": err == nil}
	code := http.StatusOK
	if err == nil {
		envelope["result"] = result
	} else {
		e := &apiError{code: http.StatusInternalServerError, description: "Internal Server Error"}
		errors.As(err, &e)
		code = e.code
		envelope["error_code"], envelope["description"] = e.code, e.description
		if e.retryAfter > 0 {
			envelope["parameters"] = map[string]any{"retry_after": e.retryAfter}
		}
		if e.movedTo != 0 {
			envelope["parameters"] = map[string]any{"migrate_to_chat_id": e.movedTo}
		}
	}
	body, err := json.Marshal(envelope)
	if err != nil {
		return json.RawMessage(`{"ok":false,"error_code":500,"description":"Internal Server Error"}`), http.StatusInternalServerError
	}
	return body, code
}

func writeAnswer(w http.ResponseWriter, result any, err error) {
	body, code := answer(result, err)
	writeBody(w, body, code)
}

func writeBody(w http.ResponseWriter, body []byte, code int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client went away: nothing to do about it
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
