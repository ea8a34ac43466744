package main

import (
	"fmt"
	"strings"

	"github.com/usherbot/usher/bot/simulator"
)

// read gives the messages of the chat with the bot, and prints what changed on the screen, secret chats included. Of a
// picture there is the beginning alone: a player looks fifty times a second.
func (p *player) read() ([]simulator.MessageView, error) {
	chats, err := p.telegram.Glance(p.user)
	if err != nil {
		return nil, err
	}
	var bot []simulator.MessageView
	for _, chat := range chats {
		if chat.Chat == "bot" {
			bot = chat.Messages
		}
		for _, m := range chat.Messages {
			if err := p.print(chat, m); err != nil {
				return nil, err
			}
		}
	}
	return bot, nil
}

// print writes a message that is new or was edited. What the customer did was printed when they did it.
func (p *player) print(chat simulator.ChatView, m simulator.MessageView) error {
	text := rendered(m)
	key := fmt.Sprintf("%s/%d", chat.Chat, m.ID)
	before, known := p.shown[key]
	if before == text {
		return nil
	}
	p.shown[key] = text
	if m.From == "me" {
		return nil
	}
	who := "Usher"
	if chat.Kind == "secret" {
		who = "Secret chat, courier"
	}
	if known {
		who += " (the message changes)"
	}
	_, err := fmt.Fprintf(p.out, "%s:\n%s\n", who, indent(text))
	return err
}

func rendered(m simulator.MessageView) string {
	var text strings.Builder
	if m.Picture != "" {
		text.WriteString("[picture]\n")
	}
	text.WriteString(m.Text)
	row := -1
	for _, b := range m.Buttons {
		if b.Row != row {
			text.WriteString("\n")
			row = b.Row
		}
		fmt.Fprintf(&text, "[%s] ", b.Text)
	}
	return strings.TrimRight(text.String(), " \n")
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}
