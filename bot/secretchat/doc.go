// Package secretchat is the client side of Telegram's end-to-end encrypted
// secret chats, on top of the schema and the cryptographic parts of gotd/td.
//
// A secret chat is bound to two devices. This package keeps one side of any
// number of them for one logged-in user account: it accepts chats that others
// start, starts chats itself, writes texts and pictures, receives, repairs gaps,
// changes keys, and closes what violates the protocol.
//
// # Two layers
//
// The state machine (type chat and its methods) is pure: it knows no network,
// no clock of its own and no store. It takes what arrived and leaves what must be
// sent and told in the chat's own record. Client is the thin shell around it: it
// loads a record, lets the machine work, saves the record, and only then lets
// anything leave. Whatever is in a record survives a kill at any moment; whatever
// left was in a record before.
//
// # Rules for what cannot be read
//
//   - A message whose key is unknown, or whose message key is wrong, is dropped;
//     if it was genuine, the next one shows the gap and it is asked for again.
//   - A message that decrypts but breaks a rule (padding, parity, numbers, a
//     re-key with a wrong fingerprint) closes the chat.
//   - A message whose envelope or body has a constructor that the schema does not
//     know cannot be counted, so it closes the chat; a new one may be started.
//   - A message with fewer than 15 random bytes is counted, its content ignored.
//   - Media, entities and actions that are known but of no use here are counted
//     and ignored.
package secretchat
