package local

import (
	"fmt"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// phones are the MTProto server's phones, as the Bot API's side knows them.
type phones struct{ server *mtproto.Server }

func (p phones) AddUser(id int64, name string) { p.server.AddUser(id, name) }

func (p phones) OnChange(f func(int64)) { p.server.OnChange(f) }

func (p phones) Add(id int64) error { return p.server.AddPhone(id) }

func (p phones) All(id int64) []simulator.Phone {
	var out []simulator.Phone
	for _, one := range p.server.Phones(id) {
		out = append(out, handset{one})
	}
	return out
}

// accounts are the MTProto server's accounts.
type accounts struct{ server *mtproto.Server }

func (a accounts) Write(from, to int64, text string) (int64, error) {
	id, err := a.server.Write(from, to, text)
	return int64(id), err
}

func (a accounts) Dialogs(user int64) []simulator.Dialog {
	var out []simulator.Dialog
	for _, d := range a.server.Dialogs(user) {
		view := simulator.Dialog{With: d.With.ID, Blocked: d.Blocked}
		for _, l := range d.Messages {
			view.Messages = append(view.Messages, simulator.Letter{
				ID: int64(l.ID), Mine: l.Out, Read: l.Read, Text: l.Text, Date: int64(l.Date),
			})
		}
		out = append(out, view)
	}
	return out
}

func (a accounts) Block(user, other int64, block bool) error {
	return a.server.Hub().Block(user, other, block)
}

func (a accounts) Hide(user int64, hide bool) error { return a.server.Hub().Hide(user, hide) }

func (a accounts) Trouble(user int64, what string, within time.Duration) error {
	h := a.server.Hub()
	switch what {
	case simulator.TroubleFlood:
		return h.Flood(user, within)
	case simulator.TroubleCalm:
		return h.Calm(user)
	case simulator.TroubleBan:
		return h.Ban(user)
	case simulator.TroubleUnban:
		return h.Unban(user)
	case simulator.TroubleEndSession:
		return h.EndSessions(user)
	case simulator.TroubleOtherSession:
		return a.server.AddPhone(user)
	}
	return fmt.Errorf("no account can have the trouble %q", what)
}

// spoil makes calls over MTProto fail.
func spoil(server *mtproto.Server) func(method, kind string, times int) error {
	return func(method, kind string, times int) error {
		return server.AddFault(mtproto.Fault{Method: method, Kind: kind, Times: times})
	}
}

// handset is one phone.
type handset struct{ phone.Phone }

// SecretChats lists what the phone shows.
func (h handset) SecretChats() []simulator.SecretChat {
	chats := h.Chats()
	out := make([]simulator.SecretChat, 0, len(chats))
	for _, c := range chats {
		view := simulator.SecretChat{ID: c.ID, With: c.With, State: c.State, Key: c.KeyHex}
		for _, m := range c.Messages {
			view.Messages = append(view.Messages, simulator.SecretMessage{
				ID: m.ID, Mine: m.Mine, Read: m.Read, From: m.From, Text: m.Text, Picture: m.Picture, Date: m.Date,
			})
		}
		out = append(out, view)
	}
	return out
}
