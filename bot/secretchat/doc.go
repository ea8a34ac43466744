// Package secretchat is the client side of Telegram's end-to-end encrypted
// secret chats, on top of the schema and the cryptographic parts of gotd/td.
//
// A secret chat is bound to two devices. This package keeps one side of any
// number of them for one logged-in user account: it accepts chats that others
// start, starts chats itself, writes texts, pictures and files, receives them,
// repairs gaps, changes keys, and closes what violates the protocol.
//
// # How to use it
//
// Make a Client with New, giving it Telegram's API (*tg.Client has all of it), a
// Store, and a Handler. Let Run run. Pass every updateEncryption,
// updateNewEncryptedMessage and updateEncryptedMessagesRead of the account to
// HandleChat, HandleMessage and HandleRead, in order; note how far the account's
// updates are only after they have returned nil. Then:
//
//   - Ask starts a chat; Handler.OnRequest decides on those that others start.
//   - SendText, SendPhoto and SendDocument queue messages under keys of the
//     caller's; State says how far one is, EventProgress tells when that changes.
//   - SetTimer, Delete, Flush and Viewed are what else one does in a chat. What the
//     Handler has taken is marked as read, where the API is a ReadMarker.
//   - Download fetches the file that an EventFile brought.
//   - Close and Erase end a chat. KeyPicture is what two people compare.
//   - DiscardAll ends all of them: when the Store has gone back in time. Abandon does
//     where the login is gone.
//
// One account, one login, one Client that runs: a Store has one writer. A Client
// notices another one, and a Store that has gone back in time, and halts or closes
// what is concerned; but it can only notice afterwards, so whoever may run a second
// one needs a lease, and a Store that refuses writes without it. Retire a Client
// before another one takes over its Store in the same process.
//
// # What survives
//
// The state machine (type chat and its methods) is pure: it knows no network, no
// clock of its own and no store. It takes what arrived and leaves what must be sent
// and told in the chat's own record. Client is the thin shell around it: it loads a
// record, lets the machine work, saves the record, and only then lets anything
// leave. Whatever is in a record survives a kill at any moment; whatever left was in
// a record before. A message is sent again as the very same bytes, so that the other
// side sees a repeat. When a save fails the Client halts: memory and store may
// disagree. Make a new one then.
//
// # Two chats at once
//
// Of the chats with one user the one that the user has started last is kept, whatever
// was asked for at the same time: it closes the others when it comes, and a user who
// has just asked is not asked by Ask. A chat that Ask has made closes the ones that were
// there before when it is open.
//
// # What is bounded
//
// For each chat: messages that the other side has not acknowledged (500 of the
// caller's, then ErrBacklog; 2000 in all, then the chat ends), what waits behind a
// hole (1000 messages, 1 MiB), events that the Handler does not take (200 of the
// other side's making). For each user: accepted chats (10 an hour), remembered ones
// (30). Uninvited chats not yet discarded: 256.
//
// # Rules for what cannot be read
//
//   - A message whose key is unknown, or whose message key is wrong, is dropped;
//     if it was genuine, the next one shows the gap and it is asked for again. A
//     hundred of them in a row close the chat.
//   - A message that decrypts but breaks a rule (padding, parity, numbers, a
//     re-key with a wrong fingerprint) closes the chat.
//   - A message whose envelope or body has a constructor that the schema does not
//     know cannot be counted, so it closes the chat; a new one may be started.
//   - A message with fewer than 15 random bytes is counted, its content ignored.
//   - A file that does not fit what its message says of it is not told of, its
//     caption is.
//   - Entities, and media and actions that are known but of no use here, are
//     counted and ignored. Typing is not told of.
//   - A message for a chat that the Store does not know makes the server discard
//     that chat: the Store has lost it.
package secretchat
