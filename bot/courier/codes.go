package courier

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrLimited: the account starts no chats for now, so that customers must start
// theirs themselves: its budget is spent, Telegram refuses it for some time, or it has
// no username that a link could lead to.
var ErrLimited = errors.New("the courier starts no secret chats for now")

const (
	codePrefix = "code/" // of a customer: the link that counts
	// codeLife is how long a link works.
	codeLife = 15 * time.Minute
	// codeLate is how long after its end a code still works that was written in time,
	// while no courier was there to read it.
	codeLate = time.Hour
	// codeLen letters of codeLetters are 100 bits: nobody guesses one in its life.
	codeLen     = 20
	codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	// maxCodes is how much of one message is looked at that could be a code.
	maxCodes = 3
	// maxText bounds what is read of a message, in bytes: Telegram's own bound is 4096
	// characters.
	maxText = 16 << 10
)

// Link is how a customer has the courier ask their phone for a chat.
type Link struct {
	URL   string    // opens the chat with the courier's account, with the code to be sent
	Code  string    // works once, for this customer, with this account
	Until time.Time // the code expires
}

// String keeps the code out of logs.
func (l Link) String() string { return "link until " + l.Until.UTC().Format(time.RFC3339) }

// GoString keeps %#v from printing the code.
func (l Link) GoString() string { return l.String() }

func codeName(customer int64) string { return codePrefix + strconv.FormatInt(customer, 10) }

// code is what is kept of a link: enough to know its code again, not to make it.
type code struct {
	Version int    `json:"v"`
	Account int64  `json:"account"` // the one that it must be written to
	Hash    []byte `json:"hash"`
	Made    int64  `json:"made"`  // Unix seconds
	Until   int64  `json:"until"` // Unix seconds
}

// Link makes a one-time code for a customer, in place of an earlier one, and the link
// that sends it to the courier's account. Errors: ErrNoCourier, ErrLimited.
func (c *Courier) Link(ctx context.Context, customer int64) (Link, error) {
	a, err := c.account(ctx)
	switch {
	case err != nil:
		return Link{}, err
	case a == nil:
		return Link{}, ErrNoCourier
	case a.Username == "":
		return Link{}, fmt.Errorf("%w: its account has no username", ErrLimited)
	}
	if err := c.mayStart(ctx); err != nil {
		return Link{}, err
	}
	text, err := newCode(c.cfg.Rand)
	if err != nil {
		return Link{}, err
	}
	now := c.cfg.Clock.Now()
	kept := code{
		Version: recordVersion, Account: a.ID, Hash: hashOf(text), Made: now.Unix(), Until: now.Add(codeLife).Unix(),
	}
	if err := put(ctx, c.cfg.Common, codeName(customer), kept); err != nil {
		return Link{}, err
	}
	return Link{
		URL:  "https://t.me/" + url.PathEscape(a.Username) + "?text=" + url.QueryEscape(text),
		Code: text, Until: time.Unix(kept.Until, 0),
	}, nil
}

// code reads the link that counts for a customer; nil when there is none.
func (c *Courier) code(ctx context.Context, customer int64) (*code, error) {
	var kept code
	found, err := get(ctx, c.cfg.Common, codeName(customer), &kept)
	var damaged *json.SyntaxError
	if errors.As(err, &damaged) { // as good as none: the next link replaces it
		return nil, nil
	}
	if err != nil || !found {
		return nil, err
	}
	return &kept, nil
}

// fits says whether one of the texts is the code.
func (k *code) fits(texts []string) bool {
	fits := 0
	for _, text := range texts {
		fits |= subtle.ConstantTimeCompare(hashOf(text), k.Hash)
	}
	return fits == 1
}

// worksAt says whether the code counts that was written then and is read now.
func (k *code) worksAt(written, now time.Time) bool {
	until := time.Unix(k.Until, 0)
	return written.Before(until) && now.Before(until.Add(codeLate))
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func newCode(random io.Reader) (string, error) {
	raw := make([]byte, codeLen)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	for i, b := range raw {
		raw[i] = codeLetters[int(b)%len(codeLetters)]
	}
	return string(raw), nil
}

// findCodes returns what in a message could be a code, whatever else the customer has
// written around it.
func findCodes(text string) []string {
	text = strings.ToUpper(text[:min(len(text), maxText)])
	var found []string
	for _, word := range strings.FieldsFunc(text, notAlphanumeric) {
		if len(word) == codeLen && strings.Trim(word, codeLetters) == "" && len(found) < maxCodes {
			found = append(found, word)
		}
	}
	return found
}

func notAlphanumeric(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }
