package courier_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gotd/td/tgerr"
	"github.com/usherbot/usher/bot/courier"
)

// TestARefusedLoginSaysWhatToDo: the operator reads a sentence, not a chain of calls.
func TestARefusedLoginSaysWhatToDo(t *testing.T) {
	for name, want := range map[string]string{
		"PHONE_NUMBER_INVALID": "country code", "PHONE_NUMBER_BANNED": "banned", "PHONE_CODE_INVALID": "code is wrong",
		"PHONE_CODE_EXPIRED": "too old", "PASSWORD_HASH_INVALID": "password is wrong", "API_ID_INVALID": "my.telegram.org",
		"PHONE_NUMBER_UNOCCUPIED": "no Telegram account",
	} {
		if got := courier.Refusal(fmt.Errorf("sign in: %w", tgerr.New(400, name))); !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := courier.Refusal(tgerr.New(420, "FLOOD_WAIT_90")); !strings.Contains(got, "1m30s") {
		t.Errorf("a flood: %q", got)
	}
	for _, other := range []error{errors.New("connection reset"), tgerr.New(500, "INTERNAL")} {
		if got := courier.Refusal(other); got != "" {
			t.Errorf("%v: %q", other, got)
		}
	}
}
