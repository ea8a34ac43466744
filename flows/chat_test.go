package flows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// chat is what one person sees of the bot, written down as it happens.
type chat struct {
	id       int64
	next     int
	messages map[int]flows.Screen
	seen     map[string]seenButton // every button that was ever shown, by its text
	blocked  bool
	log      strings.Builder
}

type seenButton struct {
	message int
	button  flows.Button
}

func (w *world) chat(id int64) *chat {
	c, ok := w.chats[id]
	if !ok {
		c = &chat{id: id, messages: map[int]flows.Screen{}, seen: map[string]seenButton{}}
		w.chats[id] = c
	}
	return c
}

// Show implements flows.Messenger.
func (w *world) Show(_ context.Context, out flows.Outgoing) (int, error) {
	c := w.chat(out.Chat)
	if w.showing != nil {
		if err := w.showing(); err != nil {
			return 0, err
		}
	}
	if c.blocked {
		return 0, order.ErrBlocked
	}
	if _, known := c.messages[out.Edit]; out.Edit != 0 && !known {
		return 0, order.ErrGone
	}
	return c.show(out), nil
}

// show puts a screen into the chat as Telegram would: a text message can't become a picture, nor the other way.
func (c *chat) show(out flows.Outgoing) int {
	before, known := c.messages[out.Edit]
	if out.Edit != 0 && known && (before.Picture == nil) == (out.Picture == nil) {
		c.messages[out.Edit] = out.Screen
		c.write(fmt.Sprintf("message %d becomes", out.Edit), out.Edit, out.Screen)
		return out.Edit
	}
	c.next++
	c.messages[c.next] = out.Screen
	head := fmt.Sprintf("message %d", c.next)
	if out.Edit != 0 && known {
		delete(c.messages, out.Edit)
		head += fmt.Sprintf(" instead of %d", out.Edit)
	}
	c.write(head, c.next, out.Screen)
	return c.next
}

func (c *chat) write(head string, id int, s flows.Screen) {
	who := ""
	if c.id != ann {
		who = map[int64]string{bob: " to Bob", operator: " to the operator", -5: " to the group"}[c.id]
	}
	if s.Silent {
		head += ", silent"
	}
	fmt.Fprintf(&c.log, "  %s%s:\n", head, who)
	if s.Picture != nil {
		fmt.Fprintf(&c.log, "    (picture: %s)\n", s.PictureName)
	}
	for line := range strings.SplitSeq(written(s.Text), "\n") {
		c.log.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
	for _, row := range s.Buttons {
		var names []string
		for _, button := range row {
			names = append(names, labelled(button))
			c.seen[button.Text] = seenButton{message: id, button: button}
		}
		fmt.Fprintf(&c.log, "    %s\n", strings.Join(names, " "))
	}
}

// labelled shows a button, and where it leads if not back to the bot.
func labelled(b flows.Button) string {
	switch {
	case b.URL != "":
		return "[" + b.Text + " → " + b.URL + "]"
	case b.Copy != "" && !strings.Contains(b.Text, b.Copy):
		return "[" + b.Text + " ⧉ " + b.Copy + "]"
	case b.Copy != "":
		return "[" + b.Text + " ⧉]"
	}
	return "[" + b.Text + "]"
}

// written shows a text with its styles as marks.
func written(text flows.Text) string {
	var out strings.Builder
	for _, span := range text {
		switch span.Style {
		case flows.Bold:
			out.WriteString("*" + span.Text + "*")
		case flows.Code:
			out.WriteString("`" + span.Text + "`")
		case flows.Time:
			out.WriteString("{" + span.Text + "}")
		case flows.Until:
			out.WriteString("{counting down: " + span.Text + "}")
		case flows.Plain:
			out.WriteString(span.Text)
		}
	}
	return out.String()
}

// secret writes down what arrives in the secret chat.
func (c *chat) secret(p flows.Parcel) {
	fmt.Fprintf(&c.log, "  secret chat:\n")
	picture := ""
	if p.Picture != nil {
		picture = "(picture: the ticket)"
	}
	for _, part := range []string{p.Repeated, p.Warning, picture, p.Caption} {
		for line := range strings.SplitSeq(part, "\n") {
			if part != "" {
				c.log.WriteString(strings.TrimRight("    "+line, " ") + "\n")
			}
		}
	}
}

// apply puts a reply into the chat, and gives the messages that must be noted.
func (c *chat) apply(reply flows.Reply) map[string]int {
	if reply.Answer != "" {
		kind := "a short note"
		if reply.Alert {
			kind = "a box"
		}
		fmt.Fprintf(&c.log, "  %s: %s\n", kind, reply.Answer)
	}
	cards := map[string]int{}
	for _, out := range reply.Screens {
		if message := c.show(out); out.Card != "" {
			cards[out.Card] = message
		}
	}
	return cards
}

// button finds a button by its text, in the newest message that has it.
func (c *chat) button(text string) (message int, b flows.Button, ok bool) {
	ids := make([]int, 0, len(c.messages))
	for id := range c.messages {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	for _, id := range ids {
		for _, row := range c.messages[id].Buttons {
			for _, button := range row {
				if button.Text == text {
					return id, button, true
				}
			}
		}
	}
	return 0, flows.Button{}, false
}
