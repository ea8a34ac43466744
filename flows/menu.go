package flows

import (
	"fmt"

	"github.com/usherbot/usher/flows/words"
)

// MenuEntry is a command in the bot's menu, with a few words on it.
type MenuEntry struct{ Command, About string }

// commandsOfMenu lists the commands of the private chat, the most used first.
func commandsOfMenu() []string {
	return []string{"shows", "tickets", "refund", "wallet", "cancel", "verify", "language", "help", "support", "forget"}
}

// Menu gives the commands of the private chat in a language. Errors: a word file that cannot be read.
func Menu(language string) ([]MenuEntry, error) {
	w, err := words.New()
	if err != nil {
		return nil, fmt.Errorf("menu: %w", err)
	}
	f := &Flows{words: w}
	v := f.voice(language)
	var entries []MenuEntry
	for _, command := range commandsOfMenu() {
		entries = append(entries, MenuEntry{command, v.plain("command.about."+command, nil)})
	}
	return entries, nil
}

// Sorry is what a customer hears when an event could not be answered.
func (f *Flows) Sorry(language string) string { return f.voice(language).plain("command.sorry", nil) }
