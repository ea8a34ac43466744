package courier

import "time"

// ChatNews is what became of the secret chat with a customer.
type ChatNews struct {
	Kind ChatNewsKind
	Why  Why // of NewsClosed and NewsRefused
}

// ChatNewsKind says what a ChatNews is about.
type ChatNewsKind string

// What is told of a chat.
const (
	NewsOpened  ChatNewsKind = "opened"  // it can be written into
	NewsClosed  ChatNewsKind = "closed"  // an open chat is over, and there is no other one
	NewsAsked   ChatNewsKind = "asked"   // the courier has asked the customer's phone for a chat
	NewsTurned  ChatNewsKind = "turned"  // somebody who was not invited has started a chat, and it was discarded
	NewsRefused ChatNewsKind = "refused" // the courier was to ask for a chat, and there will be none: the customer must start it
)

// Why is the reason of a ChatNews.
type Why string

// Why a chat is over, or why the courier could not start one.
const (
	WhyPeer    Why = "peer"    // the customer closed, deleted or declined it, or logged that phone out
	WhyBlocked Why = "blocked" // the customer has blocked the courier's account, or left Telegram
	WhyAccount Why = "account" // the courier's account is gone: another one takes its place, or none
	WhyFault   Why = "fault"   // it broke the protocol, or was lost here; a new one helps
	WhyBudget  Why = "budget"  // the account has started as many chats as it may today
	WhyFlood   Why = "flood"   // Telegram lets the account start no chats for now
	WhyPrivacy Why = "privacy" // the customer's privacy settings forbid it
	WhySilence Why = "silence" // the customer's phone has not answered in time
)

// AccountNews is how an account stands.
type AccountNews struct {
	Account   Contact
	Health    Health
	Reason    string    // in words for the operator; empty while HealthReady
	Until     time.Time // of HealthLimited: when it is over; zero where that is not known
	Customers int       // who had an open chat with it; a Pool tells
}

// Health says what an account can do.
type Health string

// The health of an account.
const (
	HealthReady   Health = "ready"   // it hands over
	HealthAway    Health = "away"    // not connected, or its login was refused; it tries again by itself
	HealthLimited Health = "limited" // it hands over, but Telegram lets it start no chats for now
	HealthEnded   Health = "ended"   // Telegram has ended the session: a person must log it in again
	HealthBanned  Health = "banned"  // Telegram has taken the account away
	// HealthRefused is of no account: the configured one cannot be logged in, and Reason says
	// what to do.
	HealthRefused Health = "refused"
	// HealthCrowded is beside the account's health: another session of it accepts secret
	// chats, which are lost there. Reason names it.
	HealthCrowded Health = "crowded"
)
