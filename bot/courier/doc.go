// Package courier is the Telegram user account that hands over tickets in
// end-to-end encrypted secret chats. Bots cannot have secret chats, so the operator
// logs a second account in, once; customers start a chat with it, and it accepts
// those whom it was told to expect.
//
// It decides nothing about tickets: it is told what to deliver to whom, keeps that
// until it is done, and tells how far it is.
package courier
