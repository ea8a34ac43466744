package secretchat

import (
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg/e2e"
)

const (
	// maxWire is more than any phone writes in one message, bytes.
	maxWire = 256 << 10
	// maxHeld bounds what is kept of messages that cannot be read yet, bytes.
	maxHeld = 1 << 20
	// maxStrange messages in a row that no key opens mean that the two sides have
	// lost each other. A peer may send again, under a key that is gone, what it did
	// not know to have arrived; that is fewer.
	maxStrange = 100
)

// arrival is a message as the server gave it.
type arrival struct {
	Wire []byte      `json:"wire"`
	File *remoteFile `json:"file,omitempty"`
	Date int         `json:"date,omitempty"` // when the server took it, Unix seconds
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
	w := waiting{
		N: layer.OutSeqNo / 2, Acks: layer.InSeqNo / 2,
		Data: data, Fingerprint: fingerprint, File: a.File, Date: a.Date,
	}
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
