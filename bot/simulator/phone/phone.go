// Package phone is the customer's simulated phone: a Telegram application that
// has secret chats, reduced to what a test or the demonstration can look at.
//
// Its end-to-end protocol is written from Telegram's description alone and
// shares no code with the courier's side, so that a mistake made there cannot
// hide behind the same mistake made here. It only knows Telegram's schema (tg
// and tg/e2e) and talks to a server through any tg.Invoker: the local
// Telegram's hub in process, or a real connection.
//
// It is as strict as a real application where that one closes the chat, and
// notes in Complaints what a real one would not notice.
package phone

import (
	"context"
	"errors"
	"time"
)

// Phone is what a person does with a telephone.
type Phone interface {
	// StartSecretChat asks the account with this id for a secret chat and
	// returns the chat's id. The chat is pending until the other accepts.
	StartSecretChat(ctx context.Context, with int64) (chat string, err error)
	// Send writes text into an open chat and returns the message's id.
	Send(ctx context.Context, chat, text string) (message int64, err error)
	// Chats lists the secret chats of this phone, oldest first.
	Chats() []Chat
	// Do carries out one of the Action constants. ActionDeleteChat,
	// ActionBlock and ActionUnblock need a chat, ActionDecline takes one or
	// none, the others ignore it.
	Do(ctx context.Context, action, chat string) error
	// Complaints lists the faults of the other side that a real phone would
	// not notice, oldest first.
	Complaints() []string
}

// Actions of Phone.Do.
const (
	// ActionOff takes the phone off the network: what arrives waits at the
	// server, and nothing can be sent.
	ActionOff = "phone-off"
	// ActionOn brings it back; everything that waited is fetched.
	ActionOn = "phone-on"
	// ActionDecline closes the named chat, or without one refuses the next
	// chat that somebody asks for.
	ActionDecline = "decline"
	// ActionDeleteChat closes the chat for both and removes it here.
	ActionDeleteChat = "delete-chat"
	// ActionNewPhone moves the person to a new device without any secret
	// chat. The old one is lost, not logged out: nobody is told.
	ActionNewPhone = "new-phone"
	// ActionBlock blocks the other side of the named chat, ActionUnblock
	// takes that back.
	ActionBlock   = "block"
	ActionUnblock = "unblock"
)

// States of a Chat.
const (
	StatePending = "pending"
	StateOpen    = "open"
	StateClosed  = "closed"
)

// Errors of Phone's methods.
var (
	// ErrOff is returned for anything that needs the network while it is off.
	ErrOff = errors.New("the phone is off")
	// ErrNoChat is returned for a chat that this phone does not have.
	ErrNoChat = errors.New("no such secret chat on this phone")
	// ErrNotOpen is returned for sending into a chat that is not open.
	ErrNotOpen = errors.New("the secret chat is not open")
	// ErrUnknownPerson is returned for somebody whose profile this phone
	// cannot open.
	ErrUnknownPerson = errors.New("no contact with this id")
	// ErrAction is returned for an action that is none of the constants.
	ErrAction = errors.New("unknown action")
)

// Chat is a secret chat as the phone's screen shows it.
type Chat struct {
	// ID is the chat's number at the server, in decimal.
	ID string
	// With is the Telegram id of the other side.
	With int64
	// State is one of the State constants.
	State string
	// Why says for a closed chat who or what closed it.
	Why string
	// Messages are what the screen shows, oldest first; service messages and
	// deleted ones are not among them.
	Messages []Message
	// KeyHex is the "Encryption key" screen's 64 hex digits; empty while
	// pending.
	KeyHex string
}

// Message is one message of a secret chat, decrypted.
type Message struct {
	// ID counts the messages of this phone from 1.
	ID int64
	// Mine tells whether this phone sent it.
	Mine bool
	// Read tells whether the other side has read what this phone sent.
	Read bool
	// From is the sender's first name.
	From string
	// Text is the message's text or the picture's caption.
	Text string
	// Picture is the decrypted file of a photo or document, nil without one.
	Picture []byte
	// Date is when the server took the message.
	Date time.Time
}
