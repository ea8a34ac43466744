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

// Downloader is the part that fetches files.
type Downloader interface {
	UploadGetFile(context.Context, *tg.UploadGetFileRequest) (tg.UploadFileClass, error)
}

// ReadMarker is a part that an API may have besides: it shows the other side which of
// its messages were taken. *tg.Client has it.
type ReadMarker interface {
	MessagesReadEncryptedHistory(context.Context, *tg.MessagesReadEncryptedHistoryRequest) (bool, error)
}

// API is what of Telegram the library calls. *tg.Client has it.
type API interface {
	Handshaker
	Sender
	uploader.Client
	Downloader
}

// Chat is what callers may know of a chat.
type Chat struct {
	ID      int   // as Telegram numbers it for this account
	User    int64 // the other side
	Creator bool  // we asked for it
	Phase   Phase
	Reason  Reason // why it is over, if it is
	Created time.Time
	Timer   time.Duration // after which what is sent vanishes once it was looked at; 0 for never
}

// Handler is told what happens.
type Handler interface {
	// OnRequest decides whether a chat that a user asks for is accepted. It runs while
	// an update is handled: it must not call Telegram. An error halts the client.
	OnRequest(ctx context.Context, user int64) (accept bool, err error)
	// Event tells of one event, in order within each chat. It may do what it likes
	// within a minute. Until it returns nil the same event is told again, and the ones
	// after it wait.
	Event(ctx context.Context, c Chat, e Event) error
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
	// parameters and download, which only read, and read, which may fail at will.
	Do  func(ctx context.Context, site string, call func(context.Context) error) error
	Log *slog.Logger
	// Patience is how long a chat of ours waits for the other phone's answer before
	// it is closed; 0 for ever.
	Patience time.Duration
}
