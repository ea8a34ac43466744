package simulator

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

// Accounts are the user accounts of people and couriers, apart from their
// phones. Without them (Options.Accounts nil) nobody writes to a courier.
type Accounts interface {
	// Write sends a text from one account to another and answers the
	// message's id for who wrote.
	Write(from, to int64, text string) (message int64, err error)
	// Dialogs lists whom a person has exchanged messages with.
	Dialogs(user int64) []Dialog
	// Block keeps another account from addressing this one, or lifts that.
	Block(user, other int64, block bool) error
	// Hide makes nobody able to ask this account for a secret chat, or lifts
	// that.
	Hide(user int64, hide bool) error
	// Trouble does to an account what Telegram, or its owner, can do: one of
	// the Trouble constants. within is how long a flood lasts; 0 for until
	// it is calmed.
	Trouble(user int64, what string, within time.Duration) error
}

// What happens to couriers.
const (
	TroubleFlood      = "flood"
	TroubleCalm       = "calm"
	TroubleBan        = "ban"
	TroubleUnban      = "unban"
	TroubleEndSession = "end-session"
	// TroubleOtherSession logs the account in on a phone of its owner's, which
	// accepts the secret chats that it is told of.
	TroubleOtherSession = "other-session"
)

// Courier is a user account that a program logs in to.
type Courier struct {
	ID       int64
	Username string // without @
	Name     string
	Phone    string // with Code, what logs in
	Code     string
}

// Dialog is what a person and another account wrote to each other.
type Dialog struct {
	With     int64 // the Telegram id of the other side
	Blocked  bool  // by the person
	Messages []Letter
}

// Letter is one ordinary message.
type Letter struct {
	ID   int64
	Mine bool
	Read bool // by the other side
	Text string
	Date int64 // Unix seconds
}

// couriers lists all of them, the first one first.
func (t *Telegram) couriers() []Courier {
	first := Courier{
		ID: t.opts.CourierID, Username: t.opts.CourierUsername, Name: t.opts.CourierName,
		Phone: t.opts.CourierPhone, Code: t.opts.CourierCode,
	}
	return append([]Courier{first}, t.opts.MoreCouriers...)
}

// courier finds one by name, with or without @; "courier" is the first.
func (t *Telegram) courier(name string) (Courier, bool) {
	name = strings.TrimPrefix(name, "@")
	for i, c := range t.couriers() {
		if strings.EqualFold(name, c.Username) || i == 0 && strings.EqualFold(name, "courier") {
			return c, true
		}
	}
	return Courier{}, false
}

func (t *Telegram) courierByID(id int64) (Courier, bool) {
	for _, c := range t.couriers() {
		if c.ID == id {
			return c, true
		}
	}
	return Courier{}, false
}

// accounts are there for people that are known.
func (t *Telegram) accounts(user int64) (Accounts, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.people[user] == nil:
		return nil, ErrUnknownUser
	case t.opts.Accounts == nil:
		return nil, badInput("there are no user accounts here")
	}
	return t.opts.Accounts, nil
}

// writeTo sends an ordinary message to a courier.
func (t *Telegram) writeTo(user int64, to Courier, text string) (int64, error) {
	accounts, err := t.accounts(user)
	if err != nil {
		return 0, err
	}
	id, err := accounts.Write(user, to.ID, text)
	if err != nil {
		return 0, badInput("writing to @%s: %v", to.Username, err)
	}
	t.stir()
	return id, nil
}

// restrict is what people do against being addressed: block or unblock a
// courier, or forbid secret chats to everybody.
func (t *Telegram) restrict(user int64, a Action) error {
	accounts, err := t.accounts(user)
	if err != nil {
		return err
	}
	switch a.Action {
	case "privacy", "no-privacy":
		err = accounts.Hide(user, a.Action == "privacy")
	default:
		c, _ := t.courier(a.Chat)
		err = accounts.Block(user, c.ID, a.Action == "block")
	}
	if err != nil {
		return badInput("%s: %v", a.Action, err)
	}
	t.stir()
	return nil
}

// restricts says whether an action is for restrict.
func (t *Telegram) restricts(a Action) bool {
	switch a.Action {
	case "privacy", "no-privacy":
		return true
	case "block", "unblock":
		_, ok := t.courier(a.Chat)
		return ok
	}
	return false
}

// Trouble does something to a courier, named as in chats; the first when the
// name is empty.
func (t *Telegram) Trouble(name, what string, within time.Duration) error {
	c, ok := t.courier(cmp.Or(name, "courier"))
	switch {
	case !ok:
		return badInput("there is no courier %q", name)
	case t.opts.Accounts == nil:
		return badInput("there are no user accounts here")
	case within < 0:
		return badInput("seconds must not be negative")
	}
	switch what {
	case TroubleFlood, TroubleCalm, TroubleBan, TroubleUnban, TroubleEndSession, TroubleOtherSession:
	default:
		return badInput("a courier has trouble of kind flood, calm, ban, unban, end-session or other-session, not %q", what)
	}
	if err := t.opts.Accounts.Trouble(c.ID, what, within); err != nil {
		return badInput("%s: %v", what, err)
	}
	t.stir()
	return nil
}

// dialogViews shows a person's chats with couriers.
func (t *Telegram) dialogViews(user int64) []ChatView {
	if t.opts.Accounts == nil {
		return nil
	}
	var views []ChatView
	for _, d := range t.opts.Accounts.Dialogs(user) {
		c, ok := t.courierByID(d.With)
		if !ok {
			continue
		}
		v := ChatView{
			Chat: "@" + c.Username, Title: c.Name, Kind: "user", Blocked: d.Blocked, Messages: []MessageView{},
		}
		for _, l := range d.Messages {
			from := "courier"
			if l.Mine {
				from = "me"
			}
			v.Messages = append(v.Messages, MessageView{
				ID: l.ID, From: from, Text: l.Text, Date: l.Date, Read: l.Read && l.Mine, Buttons: []ButtonView{},
			})
		}
		views = append(views, v)
	}
	return views
}

// controlCouriers lists the accounts that a program may log in to.
func (t *Telegram) controlCouriers(*http.Request, controlBody) (any, error) {
	type courierView struct {
		Username string `json:"username"`
		Phone    string `json:"phone"`
		Code     string `json:"code"`
	}
	views := []courierView{}
	for _, c := range t.couriers() {
		views = append(views, courierView{Username: c.Username, Phone: c.Phone, Code: c.Code})
	}
	return views, nil
}

func (t *Telegram) controlCourier(_ *http.Request, b controlBody) (any, error) {
	err := t.Trouble(b.Username, b.Action, time.Duration(b.Seconds)*time.Second)
	return map[string]string{}, err
}
