package secretchat

import (
	"cmp"
	"slices"
	"time"

	"github.com/gotd/td/tg/e2e"
)

const (
	// maxHole is the widest range that may be asked for again, TDLib's limit.
	maxHole = 1000
	// minRandomBytes is the least that a message must bring.
	minRandomBytes = 15
	// askAgain is how long an unrepaired hole waits before it is asked for anew.
	askAgain = time.Minute
	// owedAcknowledge is how many messages are read before we write something only
	// to acknowledge them: a peer keeps every message until then.
	owedAcknowledge = 50
)

// waiting is a message that arrived behind a hole: decrypted, but not processed.
type waiting struct {
	N           int         `json:"n"`
	Acks        int         `json:"acks"`
	Data        []byte      `json:"data"` // serialised decryptedMessageLayer
	Fingerprint int64       `json:"fingerprint"`
	File        *remoteFile `json:"file,omitempty"`
	Date        int         `json:"date,omitempty"`   // when the server took it, Unix seconds
	Resent      bool        `json:"resent,omitempty"` // its resend request was carried out on arrival
}

// wireOut is the out_seq_no of our message n.
func (c *chat) wireOut(n int) int {
	if c.Creator {
		return 2*n + 1
	}
	return 2 * n
}

// wireIn is the in_seq_no that says that n messages of the peer were processed.
func (c *chat) wireIn(n int) int {
	if c.Creator {
		return 2 * n
	}
	return 2*n + 1
}

// wirePeer is the out_seq_no of the peer's message n.
func (c *chat) wirePeer(n int) int {
	if c.Creator {
		return 2 * n
	}
	return 2*n + 1
}

// rightParity says whether a received pair of numbers is of the kind that the
// other role writes.
func (c *chat) rightParity(in, out int) bool {
	if in < 0 || out < 0 {
		return false
	}
	if c.Creator {
		return out%2 == 0 && in%2 == 1
	}
	return out%2 == 1 && in%2 == 0
}

// arrange puts a message where its number says: away, to be processed, or to wait.
func (c *chat) arrange(e env, w waiting, layer *e2e.DecryptedMessageLayer) (Fault, error) {
	if w.N < c.In {
		return FaultRepeat, nil
	}
	if w.N > c.In {
		return c.arrangeBehindHole(e, w, layer)
	}
	fault, err := c.process(e, w, layer)
	if err != nil || !c.live() {
		return fault, err
	}
	if later, err := c.drain(e); err != nil || later != "" {
		return later, err
	}
	return fault, nil
}

func (c *chat) arrangeBehindHole(e env, w waiting, layer *e2e.DecryptedMessageLayer) (Fault, error) {
	at, known := slices.BinarySearchFunc(c.Waiting, w.N, func(w waiting, n int) int { return cmp.Compare(w.N, n) })
	if known {
		return FaultRepeat, nil
	}
	if w.N-c.In > maxHole {
		return c.fault(e, FaultGap), nil
	}
	// A resend request is carried out at once: two sides that wait for each other's
	// missing messages would otherwise wait for ever.
	if action, ok := resendOf(layer); ok {
		if fault := c.resend(e, action); fault != "" {
			return fault, nil
		}
		w.Resent = true
	}
	if c.held()+len(w.Data) > maxHeld {
		return FaultCrowded, nil
	}
	c.Waiting = slices.Insert(c.Waiting, at, w)
	return "", c.askForHole(e)
}

// drain processes what waited, as far as the numbers are without a hole.
func (c *chat) drain(e env) (Fault, error) {
	for len(c.Waiting) > 0 && c.Waiting[0].N == c.In {
		w := c.Waiting[0]
		c.Waiting = slices.Delete(c.Waiting, 0, 1)
		layer, fault := decodeLayer(w.Data)
		if fault != "" {
			return c.fault(e, fault), nil
		}
		if fault, err := c.process(e, w, layer); err != nil || !c.live() {
			return fault, err
		}
	}
	return "", c.askForHole(e)
}

// askForHole asks for what is missing before the first message that waits: once
// for each hole, and again when it stayed open for a minute.
func (c *chat) askForHole(e env) error {
	if len(c.Waiting) == 0 {
		return nil
	}
	first, end := max(c.In, c.AskedTo), c.Waiting[0].N
	if first >= end {
		if e.now.Unix()-c.AskedAt < int64(askAgain/time.Second) {
			return nil
		}
		first = c.In
	}
	c.AskedTo, c.AskedAt = end, e.now.Unix()
	return c.act(e, &e2e.DecryptedMessageActionResend{
		StartSeqNo: c.wirePeer(first), EndSeqNo: c.wirePeer(end - 1),
	})
}

// process takes the next message of the peer in order.
func (c *chat) process(e env, w waiting, layer *e2e.DecryptedMessageLayer) (Fault, error) {
	if w.Acks < c.Acked {
		return c.fault(e, FaultAcknowledge), nil
	}
	c.acknowledge(w.Acks)
	c.In++
	c.Owed++
	if key := c.keyOf(w.Fingerprint); key != nil {
		key.Used++
	}
	c.PeerLayer = max(c.PeerLayer, layer.Layer)
	if len(layer.RandomBytes) < minRandomBytes {
		return FaultRandomness, c.afterwards(e, w)
	}
	fault, err := c.read(e, w, layer.Message)
	if err != nil || !c.live() {
		return fault, err
	}
	if fault == "" {
		fault = c.overlooked(layer)
	}
	return fault, c.afterwards(e, w)
}

// overlooked names what a phone would not notice about a message that was read.
func (c *chat) overlooked(layer *e2e.DecryptedMessageLayer) Fault {
	switch {
	case layer.Layer < minLayer:
		return FaultLayer
	case !c.Announced:
		return FaultUnannounced
	}
	return ""
}

// afterwards does what any processed message may be the occasion for.
func (c *chat) afterwards(e env, w waiting) error {
	if err := c.turnKeys(e, w.Fingerprint); err != nil {
		return err
	}
	if err := c.renewKey(e); err != nil {
		return err
	}
	if c.Owed >= owedAcknowledge {
		return c.act(e, &e2e.DecryptedMessageActionNoop{})
	}
	return nil
}

func (c *chat) keyOf(fingerprint int64) *chatKey {
	if c.Key != nil && c.Key.Fingerprint == fingerprint {
		return c.Key
	}
	return nil
}
