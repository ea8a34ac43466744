package simulator

import "strings"

// Mail carries ordinary messages between people and the couriers, who are user
// accounts and no bots. Without it (Options.Mail nil) nobody writes to a
// courier.
type Mail interface {
	// Write sends a text from one account to another and answers the
	// message's id for who wrote.
	Write(from, to int64, text string) (message int64, err error)
	// Dialogs lists whom a person has exchanged messages with.
	Dialogs(user int64) []Dialog
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

// account finds a courier by name, "@courier" or the username, with or without
// @.
func (t *Telegram) account(name string) (int64, bool) {
	name = strings.TrimPrefix(name, "@")
	if strings.EqualFold(name, "courier") || strings.EqualFold(name, t.opts.CourierUsername) {
		return t.opts.CourierID, true
	}
	return 0, false
}

// writeTo sends an ordinary message to a courier.
func (t *Telegram) writeTo(user, to int64, text string) (int64, error) {
	t.mu.Lock()
	known := t.people[user] != nil
	t.mu.Unlock()
	switch {
	case !known:
		return 0, ErrUnknownUser
	case t.opts.Mail == nil:
		return 0, badInput("nobody can write to @%s here", t.opts.CourierUsername)
	}
	id, err := t.opts.Mail.Write(user, to, text)
	if err != nil {
		return 0, badInput("writing to @%s: %v", t.opts.CourierUsername, err)
	}
	t.stir()
	return id, nil
}

// dialogViews shows a person's chats with couriers.
func (t *Telegram) dialogViews(user int64) []ChatView {
	if t.opts.Mail == nil {
		return nil
	}
	var views []ChatView
	for _, d := range t.opts.Mail.Dialogs(user) {
		if d.With != t.opts.CourierID {
			continue
		}
		v := ChatView{
			Chat: "@" + t.opts.CourierUsername, Title: t.opts.CourierName, Kind: "user",
			Blocked: d.Blocked, Messages: []MessageView{},
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
