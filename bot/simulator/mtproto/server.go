// Package mtproto is the local Telegram's MTProto server: on loopback, with
// everything in memory, for one account that logs in over the network (the
// courier) and any number of people with simulated phones. Secret chats
// between them are real: the server only ever sees ciphertext.
package mtproto

import (
	"context"
	"errors"

	"github.com/usherbot/usher/bot/simulator/phone"
)

// Server is a running local Telegram; Close ends it.
type Server struct{}

// Start listens and serves until ctx ends or Close is called.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	return nil, errors.New("not written yet")
}

// Addr is the address (host:port) that the server listens on.
func (s *Server) Addr() string { return "" }

// DC is the number of the only data centre.
func (s *Server) DC() int { return 2 }

// PublicKeyPEM is the server's RSA public key, PKCS #1 in PEM.
func (s *Server) PublicKeyPEM() []byte { return nil }

// AddUser adds a person with a phone that is on. Adding an id again is
// ignored.
func (s *Server) AddUser(id int64, name string) {}

// Phone is the phone of a person that AddUser added.
func (s *Server) Phone(id int64) (phone.Phone, bool) { return nil, false }

// Environment is what a courier needs to log in here, as NAME=value lines.
func (s *Server) Environment() []string { return nil }

// OnChange sets the function that is told whose phone's secret chats changed.
// It is called from the phones' goroutines, must not block, and may be called
// more often than something changed.
func (s *Server) OnChange(f func(userID int64)) {}

// Close ends the server and waits for its goroutines.
func (s *Server) Close() error { return nil }
