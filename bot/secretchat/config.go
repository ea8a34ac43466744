package secretchat

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/gotd/td/telegram/uploader"
	"github.com/gotd/td/tg"
)

// Store keeps bytes under names. What it is given holds keys: it must be sealed by
// the store, and kept out of ordinary backups, since an older copy breaks chats.
// Put must be durable when it returns.
type Store interface {
	// Get returns nil and no error where there is nothing.
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	// Keys returns all names that begin with prefix.
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Handshaker is the part of Telegram's API that begins and ends chats. *tg.Client
// has it.
type Handshaker interface {
	MessagesGetDhConfig(context.Context, *tg.MessagesGetDhConfigRequest) (tg.MessagesDhConfigClass, error)
	MessagesRequestEncryption(context.Context, *tg.MessagesRequestEncryptionRequest) (tg.EncryptedChatClass, error)
	MessagesAcceptEncryption(context.Context, *tg.MessagesAcceptEncryptionRequest) (tg.EncryptedChatClass, error)
	MessagesDiscardEncryption(context.Context, *tg.MessagesDiscardEncryptionRequest) (bool, error)
}

// Sender is the part that carries messages.
type Sender interface {
	MessagesSendEncrypted(context.Context, *tg.MessagesSendEncryptedRequest) (tg.MessagesSentEncryptedMessageClass, error)
	MessagesSendEncryptedFile(context.Context, *tg.MessagesSendEncryptedFileRequest) (tg.MessagesSentEncryptedMessageClass, error)
	MessagesSendEncryptedService(context.Context, *tg.MessagesSendEncryptedServiceRequest) (tg.MessagesSentEncryptedMessageClass, error)
}

// API is what of Telegram the library calls.
type API interface {
	Handshaker
	Sender
	uploader.Client
}

// Chat is what callers may know of a chat.
type Chat struct {
	ID      int   // as Telegram numbers it for this account
	User    int64 // the other side
	Creator bool  // we asked for it
	Phase   Phase
	Reason  Reason // why it is over, if it is
	Created time.Time
}

// Handler is told what happens. Each of its calls may come again after a crash or
// an error, never out of order within one chat. OnRequest runs while an update is
// handled: it must not call Telegram. The others may do what they like, within
// their context.
type Handler interface {
	// OnRequest decides whether a chat that a user asks for is accepted.
	OnRequest(ctx context.Context, user int64) (accept bool, err error)
	Opened(ctx context.Context, c Chat) error
	Closed(ctx context.Context, c Chat) error
	Text(ctx context.Context, c Chat, text string) error
	// Progress tells that a message, by its caller's key, was sent, seen, or failed.
	Progress(ctx context.Context, c Chat, key string, state State) error
}

// Config is what a Client needs: API, Store and Handler. The rest may be left out.
type Config struct {
	API     API
	Store   Store
	Handler Handler
	Random  io.Reader // crypto/rand when nil
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time
	// Do is called around every call that has an effect, with the name of its site:
	// accept, ask, discard, upload, send_text, send_photo, send_service; and
	// parameters, which only reads.
	Do  func(ctx context.Context, site string, call func(context.Context) error) error
	Log *slog.Logger
	// Patience is how long a chat of ours waits for the other phone's answer before
	// it is closed; 0 for ever.
	Patience time.Duration
}
