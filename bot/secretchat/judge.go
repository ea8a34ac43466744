package secretchat

import (
	"errors"
	"time"

	"github.com/gotd/td/tgerr"
)

type verdict int

const (
	verdictDone    verdict = iota
	verdictLater           // it may pass: the same bytes again after a pause
	verdictOver            // the chat is gone
	verdictRefused         // this very request will never be taken
	verdictEnded           // the account's session is gone
)

// Errors of the server that are looked at by name
// (https://core.telegram.org/method/messages.sendEncrypted and its neighbours).
const (
	errAlreadyAccepted   = "ENCRYPTION_ALREADY_ACCEPTED"
	errRandomIDDuplicate = "RANDOM_ID_DUPLICATE"
	errPeerFlood         = "PEER_FLOOD"
	errPrivacy           = "USER_PRIVACY_RESTRICTED"
	errFloodWait         = "FLOOD_WAIT"
)

// answer is what a call's outcome means for the chat.
type answer struct {
	verdict verdict
	wait    time.Duration // asked for by the server
	reason  Reason
	name    string // the server's name of the error, or what kind of failure it was
}

// again is the pause that the answer asks for.
func (a answer) again(w *worker) step {
	if a.wait > 0 {
		return step{more: true, wait: a.wait}
	}
	return w.retry()
}

// maxPause is the longest pause that a server can ask for before it is asked again.
const maxPause = 24 * time.Hour

// pause is a server's pause within bounds. One that is negative has run over.
func pause(wait time.Duration) time.Duration {
	if wait < 0 {
		return maxPause
	}
	return min(max(wait, firstRetry), maxPause)
}

// longFlood is a pause after which nobody waits for a chat of ours any more.
const longFlood = time.Minute

// toAsking is what the answer means for a chat that is only being asked for.
// Telegram lets an account start few chats a day, and fewer with strangers: the
// caller must hear of it at once and find another way.
func (a answer) toAsking() answer {
	switch {
	case a.name == errPeerFlood, a.name == errFloodWait && a.wait > longFlood:
		return answer{verdict: verdictOver, reason: ReasonFlood, name: a.name}
	case a.name == errPrivacy:
		return answer{verdict: verdictOver, reason: ReasonPrivacy, name: a.name}
	}
	return a
}

// judge sorts the outcomes of calls.
func judge(err error) answer {
	if err == nil {
		return answer{verdict: verdictDone}
	}
	if errors.Is(err, errGroup) {
		return answer{verdict: verdictLater, name: "weak group", wait: lastRetry}
	}
	if wait, ok := tgerr.AsFloodWait(err); ok {
		return answer{verdict: verdictLater, name: errFloodWait, wait: pause(wait)}
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return answer{verdict: verdictLater, name: "no answer"}
	}
	switch rpc.Type {
	case "ENCRYPTION_DECLINED", "ENCRYPTION_ID_INVALID", "ENCRYPTION_ALREADY_DECLINED", "CHAT_ID_INVALID":
		return answer{verdict: verdictOver, reason: ReasonPeer, name: rpc.Type}
	case "USER_IS_BLOCKED", "USER_DELETED", "INPUT_USER_DEACTIVATED":
		return answer{verdict: verdictOver, reason: ReasonBlocked, name: rpc.Type}
	case errRandomIDDuplicate:
		// Whether that is good news only the caller knows.
		return answer{verdict: verdictRefused, name: rpc.Type}
	case "MSG_WAIT_FAILED":
		return answer{verdict: verdictLater, name: rpc.Type}
	case "AUTH_KEY_DUPLICATED":
		return answer{verdict: verdictEnded, name: rpc.Type}
	}
	switch {
	case rpc.Code == 401:
		return answer{verdict: verdictEnded, name: rpc.Type}
	case rpc.Code >= 400 && rpc.Code < 500 && rpc.Code != 420:
		return answer{verdict: verdictRefused, name: rpc.Type}
	default:
		return answer{verdict: verdictLater, name: rpc.Type}
	}
}
