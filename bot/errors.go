package bot

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-telegram/bot"
)

// meaning is what one of Telegram's refusals means for us.
type meaning int

const (
	asItWas   meaning = iota + 1 // the message shows just that already
	gone                         // the message to edit is not there
	fixed                        // the message cannot be edited like that: a text into a picture, too old
	noChat                       // nobody is there to write to
	tapIsOld                     // the tap cannot be answered any more
	noFile                       // the file id is not known any more
	unmeaning                    // none of these
)

// meanings are the refusals by parts of their description: Telegram tells them apart in no other way. The texts are
// those of Telegram's Bot API server (Client.cpp) and of the errors that it passes on.
func meanings() []struct {
	means meaning
	part  string
} {
	return []struct {
		means meaning
		part  string
	}{
		{asItWas, "message is not modified"},
		{gone, "message to edit not found"},
		{gone, "message_id_invalid"},
		{fixed, "message can't be edited"},
		{fixed, "there is no text in the message to edit"},
		{fixed, "there is no caption in the message to edit"},
		{fixed, "there is no media in the message to edit"},
		{noChat, "chat not found"},
		{noChat, "peer_id_invalid"},
		{noChat, "user not found"},
		{tapIsOld, "query is too old"},
		{tapIsOld, "query id is invalid"},
		{tapIsOld, "query_id_invalid"},
		{noFile, "wrong file identifier"},
		{noFile, "wrong remote file"},
		{noFile, "file_reference_"},
	}
}

// means reads a refusal.
func means(err error) meaning {
	if !errors.Is(err, bot.ErrorBadRequest) {
		return unmeaning
	}
	text := strings.ToLower(err.Error())
	for _, m := range meanings() {
		if strings.Contains(text, m.part) {
			return m.means
		}
	}
	return unmeaning
}

func says(err error, any ...meaning) bool { return err != nil && slices.Contains(any, means(err)) }

// isBlocked tells that the customer, or the group, does not let the bot write.
func isBlocked(err error) bool { return errors.Is(err, bot.ErrorForbidden) || says(err, noChat) }

// retryAfter is how long Telegram wants to be left alone.
func retryAfter(err error) (time.Duration, bool) {
	var slow *bot.TooManyRequestsError
	if !errors.As(err, &slow) {
		return 0, false
	}
	return time.Duration(max(slow.RetryAfter, 1)) * time.Second, true
}

// isLost tells that no answer came, or that Telegram had trouble of its own.
func isLost(err error) bool {
	var lost *lostError
	var server *serverError
	return errors.As(err, &lost) || errors.As(err, &server)
}

// isUnsent tells that Telegram cannot have seen the request.
func isUnsent(err error) bool {
	var lost *lostError
	return errors.As(err, &lost) && !lost.sent
}

// movedTo is the supergroup that a group became.
func movedTo(err error) (int64, bool) {
	var moved *bot.MigrateError
	if !errors.As(err, &moved) {
		return 0, false
	}
	return int64(moved.MigrateToChatID), true
}
