package secretchat

import (
	"bytes"
	"crypto/rand"
	"sync/atomic"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg/e2e"
)

// forge encrypts an envelope of the attacker's choice with the keys of a side: the
// other end of a chat is the one attacker who has them.
func (p *pair) forge(from int, layer e2e.DecryptedMessageLayer) []byte {
	p.t.Helper()
	var buf bin.Buffer
	must(p.t, layer.Encode(&buf))
	c := p.sides[from]
	wire, err := seal(c.Key.Bytes, c.Creator, buf.Buf, rand.Reader)
	must(p.t, err)
	return wire
}

// honest is the envelope that a side would write next.
func (p *pair) honest(from int, body e2e.DecryptedMessageClass) e2e.DecryptedMessageLayer {
	c := p.sides[from]
	return e2e.DecryptedMessageLayer{
		RandomBytes: make([]byte, randomBytes), Layer: ourLayer,
		InSeqNo: c.wireIn(c.In), OutSeqNo: c.wireOut(c.Out), Message: body,
	}
}

func service(action e2e.DecryptedMessageActionClass) *e2e.DecryptedMessageService {
	return &e2e.DecryptedMessageService{RandomID: 1, Action: action}
}

var lastName atomic.Int64

// textMessage is a message with a name of its own.
func textMessage(text string) *e2e.DecryptedMessage {
	return &e2e.DecryptedMessage{RandomID: lastName.Add(1), Message: text}
}

func (p *pair) hit(side int, wire []byte) Fault {
	p.t.Helper()
	fault, err := p.sides[side].receive(p.env(), wire)
	must(p.t, err)
	return fault
}

func TestViolationsOfThePeerCloseTheChat(t *testing.T) {
	type layer = e2e.DecryptedMessageLayer
	noop := service(&e2e.DecryptedMessageActionNoop{})
	for name, attack := range map[string]struct {
		alter func(p *pair, l *layer)
		want  Fault
	}{
		"wrong parity out":      {func(_ *pair, l *layer) { l.OutSeqNo++ }, FaultParity},
		"wrong parity in":       {func(_ *pair, l *layer) { l.InSeqNo++ }, FaultParity},
		"negative":              {func(_ *pair, l *layer) { l.InSeqNo = -2 }, FaultParity},
		"acknowledges unsent":   {func(p *pair, l *layer) { l.InSeqNo += 2 * (p.sides[1].Out + 1) }, FaultAcknowledge},
		"acknowledgement back":  {func(_ *pair, l *layer) { l.InSeqNo = 0 }, FaultAcknowledge},
		"hole too wide":         {func(_ *pair, l *layer) { l.OutSeqNo += 2 * (maxHole + 1) }, FaultGap},
		"resend of the unsent":  resendAttack(func(c *chat) (int, int) { return c.wireOut(c.Out), c.wireOut(c.Out) }),
		"resend wrong parity":   resendAttack(func(c *chat) (int, int) { return c.wireOut(0) + 1, c.wireOut(0) + 1 }),
		"resend backwards":      resendAttack(func(c *chat) (int, int) { return c.wireOut(1), c.wireOut(0) }),
		"resend of the dropped": resendAttack(func(c *chat) (int, int) { return c.wireOut(0), c.wireOut(0) }),
		"weak new key": {func(_ *pair, l *layer) {
			l.Message = service(&e2e.DecryptedMessageActionRequestKey{ExchangeID: 1, GA: []byte{1}})
		}, FaultWeak},
		"unasked answer": {func(_ *pair, l *layer) {
			l.Message = service(&e2e.DecryptedMessageActionAcceptKey{ExchangeID: 1, GB: []byte{2}})
		}, FaultExchange},
		"unasked commitment": {func(_ *pair, l *layer) {
			l.Message = service(&e2e.DecryptedMessageActionCommitKey{ExchangeID: 1, KeyFingerprint: 2})
		}, FaultExchange},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t)
			p.say(1, "to be acknowledged")
			p.settle()
			p.say(0, "acknowledges")
			p.settle()
			l := p.honest(0, noop)
			attack.alter(p, &l)
			if got := p.hit(1, p.forge(0, l)); got != attack.want {
				t.Fatalf("fault %q, want %q", got, attack.want)
			}
			c := p.sides[1]
			if c.Phase != PhaseClosing || c.Reason != Reason(attack.want) || c.Key != nil {
				t.Errorf("afterwards: phase %s, reason %s", c.Phase, c.Reason)
			}
		})
	}
}

func resendAttack(limits func(victim *chat) (start, end int)) struct {
	alter func(p *pair, l *e2e.DecryptedMessageLayer)
	want  Fault
} {
	return struct {
		alter func(p *pair, l *e2e.DecryptedMessageLayer)
		want  Fault
	}{func(p *pair, l *e2e.DecryptedMessageLayer) {
		start, end := limits(p.sides[1])
		l.Message = service(&e2e.DecryptedMessageActionResend{StartSeqNo: start, EndSeqNo: end})
	}, FaultResend}
}

func TestPlaintextRulesCloseTheChat(t *testing.T) {
	body := bytes.Repeat([]byte{1}, 16)
	for name, attack := range map[string]struct {
		plain []byte
		want  Fault
	}{
		"length not of four": {append([]byte{15, 0, 0, 0}, append(body, make([]byte, 28)...)...), FaultPadding},
		"too little padding": {append([]byte{24, 0, 0, 0}, append(body, make([]byte, 12)...)...), FaultPadding},
		"too much padding":   {append([]byte{4, 0, 0, 0}, make([]byte, 1036)...), FaultPadding},
		"length beyond":      {append([]byte{0xfc, 0xff, 0xff, 0xff}, make([]byte, 28)...), FaultPadding},
		"unknown envelope":   {append([]byte{16, 0, 0, 0}, append(body, make([]byte, 28)...)...), FaultMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t)
			wire := sealIndependently(p.sides[0].Key.Bytes, 0, attack.plain)
			if got := p.hit(1, wire); got != attack.want || p.sides[1].Phase != PhaseClosing {
				t.Fatalf("fault %q, want %q; phase %s", got, attack.want, p.sides[1].Phase)
			}
		})
	}
}

func TestUnknownBodyClosesTheChat(t *testing.T) {
	p := openPair(t)
	var buf bin.Buffer
	l := p.honest(0, service(&e2e.DecryptedMessageActionNoop{}))
	must(t, l.Encode(&buf))
	copy(buf.Buf[len(buf.Buf)-4:], []byte{1, 2, 3, 4}) // the action's constructor
	wire, err := seal(p.sides[0].Key.Bytes, true, buf.Buf, rand.Reader)
	must(t, err)
	if got := p.hit(1, wire); got != FaultMalformed || p.sides[1].Phase != PhaseClosing {
		t.Fatalf("fault %q, phase %s", got, p.sides[1].Phase)
	}
}

func TestTooFewRandomBytesAreCountedButNotRead(t *testing.T) {
	p := openPair(t)
	l := p.honest(0, &e2e.DecryptedMessage{RandomID: 1, Message: "ignored"})
	l.RandomBytes = make([]byte, minRandomBytes-1)
	before := p.sides[1].In
	if got := p.hit(1, p.forge(0, l)); got != FaultRandomness {
		t.Fatalf("fault %q", got)
	}
	p.collect(1)
	if p.sides[1].In != before+1 || len(p.texts[1]) != 0 || !p.sides[1].live() {
		t.Errorf("in %d, told %v", p.sides[1].In, p.texts[1])
	}
}

func TestAbortForgetsOurRequest(t *testing.T) {
	p := openPair(t)
	p.sides[1].Key.Used = keyMessages + 1
	must(t, p.sides[1].renewKey(p.env()))
	l := p.honest(0, service(&e2e.DecryptedMessageActionAbortKey{ExchangeID: p.sides[1].Exchange.ID}))
	if got := p.hit(1, p.forge(0, l)); got != "" || p.sides[1].Exchange != nil || !p.sides[1].live() {
		t.Fatalf("fault %q", got)
	}
}

func TestAbortForgetsAnAnswerThatIsNotUsedYet(t *testing.T) {
	p := openPair(t)
	p.sides[0].Key.Used = keyMessages + 1
	must(t, p.sides[0].renewKey(p.env()))
	id := p.sides[0].Exchange.ID
	for p.transmit(0, true) {
	}
	for len(p.wire[1]) > 0 {
		p.deliver(1, 0, false)
	}
	if p.sides[1].Exchange.negotiated() == nil {
		t.Fatal("no answer is held")
	}
	p.sides[0].forgetExchange()
	must(t, p.sides[0].act(p.env(), &e2e.DecryptedMessageActionAbortKey{ExchangeID: id}))
	for p.transmit(0, true) {
	}
	for len(p.wire[1]) > 0 {
		p.deliver(1, 0, false)
	}
	if p.sides[1].Exchange != nil || !p.sides[1].live() {
		t.Fatalf("%v still holds an answer", p.sides[1])
	}
}
