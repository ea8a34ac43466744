package simulator

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors of what people do.
var (
	ErrUnknownUser = errors.New("there is no person with this id")
	ErrNoAnswer    = errors.New("the bot did not answer the tap")
)

// inputError tells the driver of a person what to do differently.
type inputError struct{ what string }

func (e *inputError) Error() string { return e.what }

func badInput(format string, args ...any) error {
	return &inputError{what: fmt.Sprintf(format, args...)}
}

// apiError is an error as the Bot API answers it.
type apiError struct {
	code        int
	description string
	retryAfter  int // seconds, with 429
	movedTo     int64
}

func (e *apiError) Error() string { return e.description }

func badRequest(format string, args ...any) error {
	return &apiError{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func forbidden(what string) *apiError {
	return &apiError{code: http.StatusForbidden, description: "Forbidden: " + what}
}

func conflict(what string) error {
	return &apiError{code: http.StatusConflict, description: "Conflict: " + what}
}

func tooMany(seconds int) *apiError {
	return &apiError{
		code: http.StatusTooManyRequests, retryAfter: seconds,
		description: fmt.Sprintf("Too Many Requests: retry after %d", seconds),
	}
}

// The texts that Telegram answers, from the source of its Bot API server
// (telegram-bot-api, Client.cpp) and from what bots report.
const (
	notModified = "message is not modified: specified new message content and reply markup are exactly the same" +
		" as a current content and reply markup of the message"
	oldQuery      = "query is too old and response timeout expired or query ID is invalid"
	otherPoll     = "terminated by other getUpdates request; make sure that only one bot instance is running"
	webhookActive = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
