package simulator

import (
	"context"
	"time"
)

// Phones gives each person a simulated phone that runs secret chats. Without
// one (Options.Phones nil) people have the bot chat and groups only.
type Phones interface {
	// AddUser hands a phone to the person with this Telegram id.
	AddUser(id int64, name string)
	// Add hands one more phone to somebody who has one.
	Add(id int64) error
	// All are the phones of a person, the first one first.
	All(id int64) []Phone
	// OnChange asks to be told when something on a person's phone changed. The
	// function is called from any goroutine and must not block.
	OnChange(func(userID int64))
}

// Phone is what a person does with secret chats.
type Phone interface {
	// StartSecretChat asks the person with the id for a secret chat; it is
	// pending until accepted.
	StartSecretChat(ctx context.Context, with int64) (chat string, err error)
	// Send writes into an open secret chat.
	Send(ctx context.Context, chat, text string) (message int64, err error)
	// SecretChats lists what the phone shows, decrypted.
	SecretChats() []SecretChat
	// Do carries out phone-off, phone-on, decline, delete-chat or new-phone.
	Do(ctx context.Context, action, chat string) error
	// Complaints lists what the other side did wrong in the protocol.
	Complaints() []string
}

// SecretChat is one secret chat as a phone shows it.
type SecretChat struct {
	ID       string
	With     int64  // the Telegram id of the other side
	State    string // pending, open or closed
	Key      string // what a phone shows for comparing the key, hex
	Messages []SecretMessage
}

// SecretMessage is one decrypted message.
type SecretMessage struct {
	ID      int64
	Mine    bool
	Read    bool   // by the other side
	From    string // the sender's first name
	Text    string
	Picture []byte
	Date    time.Time
}
