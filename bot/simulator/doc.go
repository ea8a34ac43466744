// Package simulator is a local Telegram for the demo and for tests: the Bot
// API as a bot sees it, the people who write to that bot, a control API to
// drive these people, and a web page to be one of them.
//
// It keeps what Telegram keeps (limits, error texts, flood control, one way of
// receiving updates at a time) and knows nothing of tickets. Secret chats are
// run by simulated phones behind the Phones interface.
package simulator
