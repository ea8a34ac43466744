package secretchat

import "github.com/gotd/td/tg/e2e"

// refused replaces message n, which the server will never take, by one that deletes it,
// under the same number: the peer must see every number. It acknowledges what the first
// one did and is under the same key, since messages after it were written by then, which
// the peer must still be able to read. A change of keys that the message was part of is
// off.
//
// Of a picture the upload may have gone stale, or the server has taken it, the answer
// was lost, and the upload is used up. So the message stays as it is, and only its file
// is uploaded anew, under the same key: if the peer has it, it sees a repeat.
func (c *chat) refused(e env, n int) error {
	out := c.entry(n)
	if out == nil || c.Phase != PhaseOpen {
		return nil
	}
	if out.Photo != nil && out.Uploads < maxUploads {
		out.File = nil
		return nil
	}
	id, err := e.randomID()
	if err != nil {
		return err
	}
	under := c.keyFor(*out)
	if under == nil {
		c.end(e, PhaseClosing, ReasonRefused)
		return nil
	}
	first := *out
	body := &e2e.DecryptedMessageService{RandomID: id, Action: c.instead(first)}
	data, err := c.encrypt(e, first, under, body)
	if err != nil {
		return err
	}
	*out = entry{N: n, In: first.In, RandomID: id, Kind: kindService, Data: data}
	c.Blobs = appendBlob(c.Blobs, first.Photo)
	c.progress(first.Key, Failed)
	return c.callOff(e, first)
}

// instead is what goes under the number of a refused message.
func (c *chat) instead(first entry) e2e.DecryptedMessageActionClass {
	if first.Exchange != 0 && c.Exchange.negotiated() != nil && c.Exchange.ID == first.Exchange {
		return &e2e.DecryptedMessageActionAbortKey{ExchangeID: first.Exchange}
	}
	return &e2e.DecryptedMessageActionDeleteMessages{RandomIDs: []int64{first.RandomID}}
}

// callOff forgets a change of keys whose request or answer was refused, so that another
// one can be made later, and answers a request of the peer's that ours had overruled.
func (c *chat) callOff(e env, first entry) error {
	if first.Exchange == 0 || c.Exchange == nil || c.Exchange.ID != first.Exchange {
		return nil
	}
	overruled := c.Exchange.Overruled
	c.postponeKey(e)
	if overruled == nil {
		return nil
	}
	_, err := c.keyRequested(e, waiting{}, &e2e.DecryptedMessageActionRequestKey{
		ExchangeID: overruled.ID, GA: overruled.Public,
	})
	return err
}

// keyFor is the key under which a message can be written anew. Where its own is gone,
// the current one will do if nothing after it is under another; nil otherwise.
func (c *chat) keyFor(out entry) *chatKey {
	own, _ := wireFingerprint(out.Data)
	for _, key := range []*chatKey{c.Key, c.Old} {
		if key != nil && key.Fingerprint == own {
			return key
		}
	}
	for _, later := range c.Outbox {
		if under, _ := wireFingerprint(later.Data); later.N > out.N && under != c.Key.Fingerprint {
			return nil
		}
	}
	return c.Key
}
