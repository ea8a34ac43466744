package secretchat

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/phone"
)

// road is one direction of a chat. A message has its fate once: what is asked for again
// gets through.
type road struct {
	mu    sync.Mutex
	seen  map[int64]bool
	order bool // it is kept
	count int
	held  func()
}

type fate int

const (
	fateLost fate = iota
	fateDoubled
	fateLate
	fateUnanswered
	fateFlood
	fates = 24 // the other ones arrive
)

// fate is drawn once for each message, from the seed and its place on its road.
func (j *journey) fate(r *road, name string, random int64) fate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil || r.seen[random] {
		return fates
	}
	r.seen[random] = true
	r.count++
	h := fnv.New64a()
	fmt.Fprint(h, name, r.count)
	return fate(rand.New(rand.NewPCG(j.seed, h.Sum64())).IntN(int(fates)))
}

// release lets go of what was held back.
func (r *road) release() {
	r.mu.Lock()
	held := r.held
	r.held = nil
	r.mu.Unlock()
	if held != nil {
		held()
	}
}

// hold keeps a message back until another one has passed; false when one is held already.
func (r *road) hold(send func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil || r.order {
		return false
	}
	r.held = send
	return true
}

// pass lets a message go its way; send brings it to the server under a random id.
func (j *journey) pass(r *road, name string, random int64, send func(random int64) error) error {
	switch f := j.fate(r, name, random); {
	case f == fateLost:
		return errLostOnTheWay
	case f == fateLate && r.hold(func() { _ = send(random) }):
		return errLostOnTheWay
	case f == fateFlood:
		return tgerr.New(420, "FLOOD_WAIT_1")
	default:
		err := send(random)
		if err == nil && f == fateDoubled {
			_ = send(^random)
		}
		if err == nil && f == fateUnanswered {
			err = errors.New("no answer")
		}
		r.release()
		return err
	}
}

// errLostOnTheWay: the server believes to have it, and says so.
var errLostOnTheWay = errors.New("lost on the way")

// roadAPI is the library's way to the server.
type roadAPI struct {
	*tg.Client
	j *journey
}

func (a *roadAPI) send(
	peer tg.InputEncryptedChat, random int64, data []byte,
	send func(ctx context.Context, random int64) (tg.MessagesSentEncryptedMessageClass, error),
) (tg.MessagesSentEncryptedMessageClass, error) {
	ctx, cancel := context.WithTimeout(a.j.t.Context(), 10*time.Second)
	defer cancel()
	a.j.mu.Lock()
	p := a.j.byChat[peer.ChatID]
	a.j.mu.Unlock()
	a.j.count(peer.ChatID, data)
	if p == nil {
		return send(ctx, random)
	}
	var result tg.MessagesSentEncryptedMessageClass
	err := a.j.pass(&p.ours, p.name+" ours", random, func(random int64) error {
		ctx, cancel := context.WithTimeout(a.j.t.Context(), 10*time.Second)
		defer cancel()
		sent, err := send(ctx, random)
		if result == nil {
			result = sent
		}
		return err
	})
	if errors.Is(err, errLostOnTheWay) {
		return &tg.MessagesSentEncryptedMessage{Date: 1}, nil
	}
	return result, err
}

// count notes which number a message has, as the cloud of other tests does. The record is
// read without the cloud's lock: a save that is under way holds the chat's and wants it.
func (j *journey) count(id int, data []byte) {
	ch, err := j.d.current().load(j.t.Context(), id)
	if err != nil || ch == nil {
		return
	}
	creator := int64(0)
	if ch.Creator {
		creator = journeyOurs
	}
	j.d.cloud.mu.Lock()
	defer j.d.cloud.mu.Unlock()
	j.d.cloud.chats[id] = &cloudChat{creator: creator}
	(&line{cloud: j.d.cloud, account: journeyOurs}).count(id, data)
}

func (a *roadAPI) MessagesSendEncrypted(_ context.Context, r *tg.MessagesSendEncryptedRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return a.send(r.Peer, r.RandomID, r.Data, func(ctx context.Context, random int64) (tg.MessagesSentEncryptedMessageClass, error) {
		twin := *r
		twin.RandomID = random
		return a.Client.MessagesSendEncrypted(ctx, &twin)
	})
}

func (a *roadAPI) MessagesSendEncryptedService(_ context.Context, r *tg.MessagesSendEncryptedServiceRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return a.send(r.Peer, r.RandomID, r.Data, func(ctx context.Context, random int64) (tg.MessagesSentEncryptedMessageClass, error) {
		twin := *r
		twin.RandomID = random
		return a.Client.MessagesSendEncryptedService(ctx, &twin)
	})
}

func (a *roadAPI) MessagesSendEncryptedFile(_ context.Context, r *tg.MessagesSendEncryptedFileRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return a.send(r.Peer, r.RandomID, r.Data, func(ctx context.Context, random int64) (tg.MessagesSentEncryptedMessageClass, error) {
		twin := *r
		twin.RandomID = random
		return a.Client.MessagesSendEncryptedFile(ctx, &twin)
	})
}

// phoneRoad is a phone's way to the server.
type phoneRoad struct {
	phone.Line
	j *journey
	p *person
}

// Invoke lets messages have their fates; everything else passes.
func (l *phoneRoad) Invoke(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
	random, again := renamed(in)
	if again == nil || strings.HasPrefix(fmt.Sprintf("%T", in), "*tg.MessagesSendEncryptedFile") {
		return l.Line.Invoke(ctx, in, out)
	}
	answered := false
	err := l.j.pass(&l.p.theirs, l.p.name+" theirs", random, func(random int64) error {
		if answered {
			return l.Line.Invoke(context.WithoutCancel(ctx), again(random), new(tg.MessagesSentEncryptedMessageBox))
		}
		answered = true
		return l.Line.Invoke(context.WithoutCancel(ctx), again(random), out)
	})
	if err != nil {
		answered = true // a flood or an answer that is lost would be for good with a phone
		var buf bin.Buffer
		if err := (&tg.MessagesSentEncryptedMessage{Date: 1}).Encode(&buf); err != nil {
			return err
		}
		return out.Decode(&buf)
	}
	return nil
}

// renamed makes a sending call under another random id; nil for other calls.
func renamed(in bin.Encoder) (int64, func(random int64) bin.Encoder) {
	switch r := in.(type) {
	case *tg.MessagesSendEncryptedRequest:
		return r.RandomID, func(random int64) bin.Encoder { twin := *r; twin.RandomID = random; return &twin }
	case *tg.MessagesSendEncryptedServiceRequest:
		return r.RandomID, func(random int64) bin.Encoder { twin := *r; twin.RandomID = random; return &twin }
	}
	return 0, nil
}
