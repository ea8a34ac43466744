package local

import (
	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// phones are the MTProto server's phones, as the Bot API's side knows them.
type phones struct{ server *mtproto.Server }

func (p phones) AddUser(id int64, name string) { p.server.AddUser(id, name) }

func (p phones) OnChange(f func(int64)) { p.server.OnChange(f) }

func (p phones) Phone(id int64) (simulator.Phone, bool) {
	found, ok := p.server.Phone(id)
	return handset{found}, ok
}

// mail is the ordinary messages between people and the couriers.
type mail struct{ server *mtproto.Server }

func (m mail) Write(from, to int64, text string) (int64, error) {
	id, err := m.server.Write(from, to, text)
	return int64(id), err
}

func (m mail) Dialogs(user int64) []simulator.Dialog {
	var out []simulator.Dialog
	for _, d := range m.server.Dialogs(user) {
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
				ID: m.ID, Mine: m.Mine, From: m.From, Text: m.Text, Picture: m.Picture, Date: m.Date,
			})
		}
		out = append(out, view)
	}
	return out
}
