package secretchat

import (
	"cmp"
	"slices"
	"time"

	"github.com/gotd/td/bin"
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
	// maxWire is more than any phone writes in one message, bytes.
	maxWire = 256 << 10
	// maxHeld bounds what is kept of messages that cannot be read yet, bytes.
	maxHeld = 1 << 20
	// maxStrange messages in a row that no key opens mean that the two sides have
	// lost each other. A peer may send again, under a key that is gone, what it did
	// not know to have arrived; that is fewer.
	maxStrange = 100
)

// waiting is a message that arrived behind a hole: decrypted, but not processed.
type waiting struct {
	N           int         `json:"n"`
	Acks        int         `json:"acks"`
	Data        []byte      `json:"data"` // serialised decryptedMessageLayer
	Fingerprint int64       `json:"fingerprint"`
	File        *remoteFile `json:"file,omitempty"`
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

// arrival is a message as the server gave it.
type arrival struct {
	Wire []byte      `json:"wire"`
	File *remoteFile `json:"file,omitempty"`
}

// receive takes one encrypted message without a file from the wire.
func (c *chat) receive(e env, wire []byte) (Fault, error) { return c.take(e, arrival{Wire: wire}) }

// take takes one encrypted message from the wire. The fault tells what was wrong, if
// anything; an error means that the record must not be saved.
func (c *chat) take(e env, a arrival) (Fault, error) {
	wire := a.Wire
	switch c.Phase {
	case PhaseOpen:
	case PhaseClosing, PhaseClosed:
		return FaultNotOpen, nil
	default:
		return c.early(a), nil
	}
	if len(wire) > maxWire {
		return c.fault(e, FaultSize), nil
	}
	data, fingerprint, fault := c.decrypt(wire)
	switch fault {
	case "":
		c.Strange = 0
	case FaultPadding:
		return c.fault(e, fault), nil
	case FaultOldKey:
		return fault, nil
	default:
		return c.estranged(e, fault), nil
	}
	layer, fault := decodeLayer(data)
	if fault != "" {
		return c.fault(e, fault), nil
	}
	if !c.rightParity(layer.InSeqNo, layer.OutSeqNo) {
		return c.fault(e, FaultParity), nil
	}
	w := waiting{N: layer.OutSeqNo / 2, Acks: layer.InSeqNo / 2, Data: data, Fingerprint: fingerprint, File: a.File}
	if w.Acks > c.Out {
		return c.fault(e, FaultAcknowledge), nil
	}
	return c.arrange(e, w, layer)
}

// estranged counts a message that no key opens, or ever opened; one may be anybody's,
// a hundred in a row are a peer that writes under a key which this side does not have.
func (c *chat) estranged(e env, f Fault) Fault {
	if c.Strange++; c.Strange >= maxStrange {
		return c.fault(e, f)
	}
	return f
}

// held is how many bytes are kept of messages that cannot be read yet.
func (c *chat) held() int {
	n := 0
	for _, w := range c.Waiting {
		n += len(w.Data)
	}
	for _, a := range c.Early {
		n += len(a.Wire)
	}
	return n
}

// decrypt finds the key that a message names among those we hold.
func (c *chat) decrypt(wire []byte) (data []byte, fingerprint int64, fault Fault) {
	fingerprint, ok := wireFingerprint(wire)
	if !ok {
		return nil, 0, FaultShape
	}
	for _, key := range []*chatKey{c.Key, c.Old, c.Exchange.negotiated()} {
		if key != nil && key.Fingerprint == fingerprint {
			data, fault = unseal(key.Bytes, !c.Creator, wire)
			if fault == FaultMessageKey && c.reflected(key, wire) {
				fault = FaultReflected
			}
			return data, fingerprint, fault
		}
	}
	if slices.Contains(c.Gone, fingerprint) {
		return nil, 0, FaultOldKey
	}
	return nil, 0, FaultUnknownKey
}

// reflected says that a message opens as one of ours.
func (c *chat) reflected(key *chatKey, wire []byte) bool {
	_, fault := unseal(key.Bytes, c.Creator, wire)
	return fault == ""
}

// decodeLayer reads the envelope with all that is in it.
func decodeLayer(data []byte) (*e2e.DecryptedMessageLayer, Fault) {
	layer := new(e2e.DecryptedMessageLayer)
	buf := &bin.Buffer{Buf: data}
	if err := layer.Decode(buf); err != nil || buf.Len() != 0 || layer.Message == nil {
		return nil, FaultMalformed
	}
	return layer, ""
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
