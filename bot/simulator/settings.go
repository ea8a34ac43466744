package simulator

import (
	"encoding/json"
	"regexp"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// Command is one line of the bot's menu.
type Command struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

const maxCommands = 100

var commandShape = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// settingKey is the place of a setting: what it is, for whom, in what language.
func settingKey(what string, p params) string {
	return what + " " + scopeOf(p) + " " + p.str("language_code")
}

func scopeOf(p params) string {
	var scope struct {
		Type   string          `json:"type"`
		ChatID json.RawMessage `json:"chat_id"`
		UserID json.RawMessage `json:"user_id"`
	}
	if p.object("scope", &scope) != nil || scope.Type == "" {
		return "default"
	}
	return scope.Type + string(scope.ChatID) + string(scope.UserID)
}

func (t *Telegram) setMyCommands(p params) (any, error) {
	var commands []Command
	if err := p.object("commands", &commands); err != nil {
		return nil, err
	}
	if len(commands) > maxCommands {
		return nil, badRequest("BOT_COMMANDS_TOO_MUCH")
	}
	for _, c := range commands {
		switch n := markup.Length(c.Description); {
		case !commandShape.MatchString(c.Command):
			return nil, badRequest("BOT_COMMAND_INVALID")
		case n < 1 || n > 256:
			return nil, badRequest("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	t.settings[settingKey("commands", p)] = p.str("commands")
	return true, nil
}

func (t *Telegram) getMyCommands(p params) (any, error) {
	if raw := t.settings[settingKey("commands", p)]; raw != "" {
		return json.RawMessage(raw), nil
	}
	return []Command{}, nil
}

func (t *Telegram) deleteMyCommands(p params) (any, error) {
	delete(t.settings, settingKey("commands", p))
	return true, nil
}

// setting makes a method that keeps one text in each language.
func setting(what string, limit int) method {
	return func(t *Telegram, p params) (any, error) {
		text := p.str(what)
		if markup.Length(text) > limit {
			return nil, badRequest("%s is too long", what)
		}
		t.settings[settingKey(what, p)] = text
		return true, nil
	}
}

func settingOf(what string) method {
	return func(t *Telegram, p params) (any, error) {
		return map[string]string{what: t.settings[settingKey(what, p)]}, nil
	}
}

// commandsFor is the menu as a person sees it in private.
func (t *Telegram) commandsFor(language string) []Command {
	for _, key := range []string{
		"commands all_private_chats " + language, "commands all_private_chats ",
		"commands default " + language, "commands default ",
	} {
		var commands []Command
		if json.Unmarshal([]byte(t.settings[key]), &commands) == nil && len(commands) > 0 {
			return commands
		}
	}
	return nil
}

// textFor is a setting in the person's language, or without one.
func (t *Telegram) textFor(what, language string) string {
	if text := t.settings[what+" default "+language]; text != "" {
		return text
	}
	return t.settings[what+" default "]
}
