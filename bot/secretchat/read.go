package secretchat

import "github.com/gotd/td/tg/e2e"

// maxTold bounds what is kept for a handler that never takes it.
const maxTold = 200

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

// textOf returns what a person wrote, from any generation of messages, captions
// left aside.
func textOf(message e2e.DecryptedMessageClass) string {
	switch m := message.(type) {
	case *e2e.DecryptedMessage:
		return m.Message
	case *e2e.DecryptedMessage46:
		return m.Message
	case *e2e.DecryptedMessage23:
		return m.Message
	case *e2e.DecryptedMessage8:
		return m.Message
	default:
		return ""
	}
}

// read carries out the content of a message whose numbers are in order.
func (c *chat) read(e env, w waiting, message e2e.DecryptedMessageClass) (Fault, error) {
	if text := textOf(message); text != "" && len(c.Events) < maxTold {
		c.tell(event{Kind: eventText, Text: text})
	}
	switch action := actionOf(message).(type) {
	case *e2e.DecryptedMessageActionResend:
		if w.Resent {
			return "", nil
		}
		return c.resend(e, action), nil
	case *e2e.DecryptedMessageActionNotifyLayer:
		c.PeerLayer, c.Announced = max(c.PeerLayer, action.Layer), true
	case *e2e.DecryptedMessageActionSetMessageTTL:
		c.TTL = max(0, action.TTLSeconds)
	case *e2e.DecryptedMessageActionReadMessages:
		c.displayed(action.RandomIDs)
	case *e2e.DecryptedMessageActionRequestKey:
		return c.keyRequested(e, w, action)
	case *e2e.DecryptedMessageActionAcceptKey:
		return c.keyAccepted(e, action)
	case *e2e.DecryptedMessageActionCommitKey:
		return c.keyCommitted(e, action)
	case *e2e.DecryptedMessageActionAbortKey:
		return c.keyAborted(e, action), nil
	default:
		// Typing, deletions, screenshots, flushed histories, Noop, media: nothing of
		// the peer's is kept here, so there is nothing to do but to count.
	}
	return "", nil
}
