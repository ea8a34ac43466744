// Package bug names mistakes that Usher must never make. A build with the tag usherbugs can be told by USHER_BUG to make
// one of them, so that `make torture-proof` shows that the torture finds it. Any other build, and so every release, has
// none of them: Is is false there before anything is compiled from it.
package bug

// The mistakes.
const (
	SaveAfterCall = "save-after-call" // a payout is sent before it is saved
	DropUpdate    = "drop-update"     // an update that comes while the customer is busy counts as handled
	AckEarly      = "ack-early"       // an update counts as handled before its effect is there
	PayTwice      = "pay-twice"       // a payout whose sending was not answered well is owed anew
	ForgetLate    = "forget-late"     // what comes after the time to pay is not looked at
)
