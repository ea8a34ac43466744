package courier

import (
	"time"

	"github.com/gotd/td/tgerr"
)

// Refusal says in a sentence for the operator why Telegram refused a login, and what to
// do; empty for what else can go wrong. The errors are those of auth.sendCode, auth.signIn
// and auth.checkPassword (https://core.telegram.org/method/auth.signIn).
func Refusal(err error) string {
	if wait, ok := tgerr.AsFloodWait(err); ok {
		return "Telegram wants a pause of " + wait.Round(time.Second).String() + " after too many tries: log in again after it"
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return ""
	}
	return map[string]string{
		"PHONE_NUMBER_INVALID":    "Telegram knows no such phone number: check it, with + and country code",
		"PHONE_NUMBER_UNOCCUPIED": "the phone number has no Telegram account: make one with Telegram's own app first",
		"PHONE_NUMBER_BANNED":     "Telegram has banned this phone number: use another account, or write to recover@telegram.org",
		"PHONE_NUMBER_FLOOD":      "too many codes were asked for with this phone number: try again tomorrow",
		"PHONE_CODE_INVALID":      "the code is wrong: start the login again, and give the newest code that Telegram has sent",
		"PHONE_CODE_EMPTY":        "there was no code: start the login again, and give the newest code that Telegram has sent",
		"PHONE_CODE_EXPIRED":      "the code is too old: start the login again, and give the newest code that Telegram has sent",
		"PASSWORD_HASH_INVALID":   "the two-step password is wrong: check USHER_COURIER_PASSWORD_FILE, or type it again",
		"API_ID_INVALID":          "USHER_COURIER_API_ID and USHER_COURIER_API_HASH do not belong together: take both from my.telegram.org",
		"API_ID_PUBLISHED_FLOOD":  "Telegram no longer takes this API id: make one of your own at my.telegram.org",
	}[rpc.Type]
}
