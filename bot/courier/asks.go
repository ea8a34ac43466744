package courier

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/usherbot/usher/bot/secretchat"
)

const (
	askingPrefix = "asking/" // of a customer: the last code that was used, and what came of it

	// askDelay is when a chat is looked at again of which the server has not said yet
	// that it was taken, or a handler that did not take news is told again.
	askDelay = time.Second
	// restDelay is how often all asks are looked at when nothing has happened.
	restDelay = time.Minute
	// defaultPatience is how long a customer's phone has to answer.
	defaultPatience = 24 * time.Hour
)

// asks is what the process whose courier runs keeps of the chats to be asked for.
type asks struct {
	// taking guards the records between the taking of a code and the carrying out.
	taking  sync.Mutex
	guesses guesses
	wakes   chan struct{}
	// calling lets one request leave at a time, so that none follows a refusal.
	calling chan struct{}
	// telling keeps what is told of one customer's chat in order.
	telling [16]sync.Mutex
}

func newAsks() *asks { return &asks{wakes: make(chan struct{}, 1), calling: make(chan struct{}, 1)} }

// tellingOf is the lock for what is told of a customer's chat.
func (a *asks) tellingOf(customer int64) *sync.Mutex {
	return &a.telling[uint64(customer)%uint64(len(a.telling))]
}

// wake makes the asks be looked at soon.
func (a *asks) wake() {
	select {
	case a.wakes <- struct{}{}:
	default:
	}
}

// ask is a code that was used, until the chat is open or refused and the code could not
// be taken any more. That the record is there is what makes a code work once.
type ask struct {
	Version  int    `json:"v"`
	Customer int64  `json:"customer"`
	Hash     int64  `json:"hash"`              // the customer's access hash for this account
	Code     []byte `json:"code"`              // the hash of the code that was used last
	Made     int64  `json:"made"`              // Unix seconds of the first code
	Until    int64  `json:"until"`             // Unix seconds of the last code's end
	At       int64  `json:"at"`                // Unix seconds of the first code's use
	ID       string `json:"id"`                // names it in the budget
	Earlier  []int  `json:"earlier,omitempty"` // chats that were asked for before
	Chat     int    `json:"chat,omitempty"`    // the one that was asked for
	Told     bool   `json:"told,omitempty"`    // that the phone is asked
	Refused  Why    `json:"refused,omitempty"` // why there will be no chat
	Over     bool   `json:"over,omitempty"`    // nothing is left to do
}

func askingName(customer int64) string { return askingPrefix + strconv.FormatInt(customer, 10) }

// takeCode takes what could be a code from a sender, written at that time. One write
// makes the code used and the chat asked for; until it is done nothing has happened.
func (c *Courier) takeCode(ctx context.Context, sender, hash int64, codes []string, written time.Time) error {
	now := c.cfg.Clock.Now()
	if !c.asks.guesses.may(sender, now) {
		return nil
	}
	kept, err := c.code(ctx, sender)
	if err != nil {
		return err
	}
	if kept == nil || !kept.fits(codes) {
		if used, err := c.used(ctx, sender, codes); err != nil || used {
			return err
		}
		c.asks.guesses.wrong(sender, now)
		c.cfg.Log.InfoContext(ctx, "wrong code for a secret chat", "sender", sender)
		return nil
	}
	self, err := c.account(ctx)
	if err != nil {
		return err
	}
	if self == nil || self.ID != kept.Account || !kept.worksAt(written, now) {
		return nil
	}
	return c.use(ctx, sender, hash, kept)
}

// used says whether one of the texts is the code that the sender has used last: written
// again once there is a newer link, it is no guess.
func (c *Courier) used(ctx context.Context, sender int64, codes []string) (bool, error) {
	var a ask
	found, err := c.read(ctx, askingName(sender), &a)
	if err != nil || !found {
		return false, err
	}
	last := code{Hash: a.Code}
	return last.fits(codes), nil
}

// use makes a code used. While the phone is being asked because of an earlier code, it
// is not asked once more.
func (c *Courier) use(ctx context.Context, customer, hash int64, kept *code) error {
	c.asks.taking.Lock()
	defer c.asks.taking.Unlock()
	var a ask
	found, err := c.read(ctx, askingName(customer), &a)
	if err != nil || found && subtle.ConstantTimeCompare(a.Code, kept.Hash) == 1 {
		return err
	}
	chats, err := c.chatsOf(ctx, c.current(), customer)
	if err != nil {
		return err
	}
	if found && a.underWay(chats) {
		a.Code, a.Until, a.Hash, a.Told = kept.Hash, kept.Until, hash, false
	} else {
		a = ask{
			Version: recordVersion, Customer: customer, Hash: hash, Code: kept.Hash, Made: kept.Made, Until: kept.Until,
			At: c.cfg.Clock.Now().Unix(), ID: hex.EncodeToString(kept.Hash[:8]), Earlier: asked(chats),
		}
	}
	if err := c.write(ctx, askingName(customer), a); err != nil {
		return err
	}
	c.cfg.Log.InfoContext(ctx, "code taken, a secret chat is to be asked for", "customer", customer)
	c.asks.wake()
	return nil
}

// underWay says that the phone is being asked, or will be. Where it has answered, a newer
// code means another chat.
func (a ask) underWay(chats []secretchat.Chat) bool {
	chat, found := a.chat(chats)
	return !a.Over && a.Refused == "" && (!found || ongoing(chat) && chat.Phase != secretchat.PhaseOpen)
}

func asked(chats []secretchat.Chat) []int {
	var ids []int
	for _, chat := range chats {
		if chat.Creator {
			ids = append(ids, chat.ID)
		}
	}
	return ids
}

// chat finds the chat that this ask has led to, if it has.
func (a ask) chat(chats []secretchat.Chat) (secretchat.Chat, bool) {
	for _, chat := range chats {
		if chat.Creator && !slices.Contains(a.Earlier, chat.ID) {
			return chat, true
		}
	}
	return secretchat.Chat{}, false
}

// means says whether a chat is the one that this ask has led to.
func (a ask) means(chat secretchat.Chat) bool {
	_, found := a.chat([]secretchat.Chat{chat})
	return found && (a.Chat == 0 || a.Chat == chat.ID)
}

// theirs says whether the customer has started a chat since they got the code.
func (a ask) theirs(chats []secretchat.Chat) bool {
	return slices.ContainsFunc(chats, func(chat secretchat.Chat) bool {
		return !chat.Creator && ongoing(chat) && chat.Created.Unix() >= a.Made
	})
}

func ongoing(chat secretchat.Chat) bool {
	return chat.Phase != secretchat.PhaseClosing && chat.Phase != secretchat.PhaseClosed
}
