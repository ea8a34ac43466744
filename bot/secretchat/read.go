package secretchat

import (
	"time"

	"github.com/gotd/td/tg/e2e"
)

// resendOf returns the resend request that a message is, if it is one.
func resendOf(layer *e2e.DecryptedMessageLayer) (*e2e.DecryptedMessageActionResend, bool) {
	action, ok := actionOf(layer.Message).(*e2e.DecryptedMessageActionResend)
	return action, ok
}

func actionOf(message e2e.DecryptedMessageClass) e2e.DecryptedMessageActionClass {
	switch m := message.(type) {
	case *e2e.DecryptedMessageService:
		return m.Action
	case *e2e.DecryptedMessageService8:
		return m.Action
	default:
		return nil
	}
}

// contentOf returns what a person wrote, from any generation of messages.
func contentOf(message e2e.DecryptedMessageClass) (id int64, text string, media e2e.DecryptedMessageMediaClass) {
	switch m := message.(type) {
	case *e2e.DecryptedMessage:
		return m.RandomID, m.Message, m.Media
	case *e2e.DecryptedMessage46:
		return m.RandomID, m.Message, m.Media
	case *e2e.DecryptedMessage23:
		return m.RandomID, m.Message, m.Media
	case *e2e.DecryptedMessage8:
		return m.RandomID, m.Message, m.Media
	default:
		return 0, "", nil
	}
}

// hear tells what a person wrote or sent. A file that does not fit what is said of it
// is not told of, its caption is.
func (c *chat) hear(w waiting, message e2e.DecryptedMessageClass) Fault {
	id, text, media := contentOf(message)
	file, caption := attachment(media)
	if text == "" {
		text = caption
	}
	if file != nil {
		fault := file.check(w.File)
		if fault == "" {
			c.pass(Event{Kind: EventFile, Message: id, Date: w.Date, Text: text, File: file})
			return ""
		}
		if text != "" {
			c.pass(Event{Kind: EventText, Message: id, Date: w.Date, Text: text})
		}
		return fault
	}
	if text != "" {
		c.pass(Event{Kind: EventText, Message: id, Date: w.Date, Text: text})
	}
	return ""
}

// read carries out the content of a message whose numbers are in order.
func (c *chat) read(e env, w waiting, message e2e.DecryptedMessageClass) (Fault, error) {
	action := actionOf(message)
	if action == nil {
		return c.hear(w, message), nil
	}
	switch action := action.(type) {
	case *e2e.DecryptedMessageActionResend:
		if w.Resent {
			return "", nil
		}
		return c.resend(e, action), nil
	case *e2e.DecryptedMessageActionRequestKey:
		return c.keyRequested(e, w, action)
	case *e2e.DecryptedMessageActionAcceptKey:
		return c.keyAccepted(e, action)
	case *e2e.DecryptedMessageActionCommitKey:
		return c.keyCommitted(e, action)
	case *e2e.DecryptedMessageActionAbortKey:
		return c.keyAborted(e, action), nil
	}
	c.note(action)
	return "", nil
}

// note takes actions that ask for no answer. Typing, Noop and whatever else is known
// are only counted.
func (c *chat) note(action e2e.DecryptedMessageActionClass) {
	switch action := action.(type) {
	case *e2e.DecryptedMessageActionNotifyLayer:
		c.PeerLayer, c.Announced = max(c.PeerLayer, action.Layer), true
	case *e2e.DecryptedMessageActionSetMessageTTL:
		c.TTL = max(0, action.TTLSeconds)
		c.pass(Event{Kind: EventTimer, Timer: time.Duration(c.TTL) * time.Second})
	case *e2e.DecryptedMessageActionReadMessages:
		c.displayed(action.RandomIDs)
	case *e2e.DecryptedMessageActionDeleteMessages:
		c.deleted(action.RandomIDs)
	case *e2e.DecryptedMessageActionFlushHistory:
		c.flushed()
	case *e2e.DecryptedMessageActionScreenshotMessages:
		c.pass(Event{Kind: EventScreenshot})
	}
}
