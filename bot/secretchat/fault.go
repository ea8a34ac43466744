package secretchat

// Fault says what was wrong with something that arrived. The empty fault means
// that nothing was. Faults are for logs and counters; they carry no content.
type Fault string

// Faults that drop the message and leave the chat alone.
const (
	FaultShape      Fault = "shape"       // not a whole number of blocks, or too short
	FaultUnknownKey Fault = "unknown-key" // no key of ours has that fingerprint
	FaultMessageKey Fault = "message-key" // altered, or never written by the peer
	FaultReflected  Fault = "reflected"   // our own message, thrown back at us
	FaultOldKey     Fault = "old-key"     // under a key that was given up
	FaultRepeat     Fault = "repeat"      // its number was processed before
	FaultNotOpen    Fault = "not-open"    // the chat is over
	FaultEarly      Fault = "early"       // too many before the chat was ready
	FaultCrowded    Fault = "crowded"     // too much waits behind a hole; it will be asked for again
	FaultRandomness Fault = "random-bytes"
)

// Faults that a phone would not notice. The message is read all the same.
const (
	FaultLayer       Fault = "layer"       // written in a layer below MTProto 2.0
	FaultUnannounced Fault = "unannounced" // the peer has never told its layer
)

// Faults of files. The message is counted and its caption read, the file is not.
const (
	FaultFileKey         Fault = "file-key"         // key or IV have the wrong length
	FaultFileSize        Fault = "file-size"        // it does not fit what the server has
	FaultFileFingerprint Fault = "file-fingerprint" // of another key than the message's
	FaultMediaKey        Fault = "media-key"        // what it opens is no picture
)

// Faults that close the chat. FaultUnknownKey and FaultMessageKey do so too when
// nothing else arrives any more: the two sides have lost each other.
const (
	FaultPadding     Fault = "padding"
	FaultMalformed   Fault = "malformed" // an envelope or a body that cannot be read
	FaultParity      Fault = "parity"
	FaultAcknowledge Fault = "acknowledge" // in_seq_no goes back, or ahead of us
	FaultGap         Fault = "gap"         // a hole too wide to be repaired
	FaultSize        Fault = "size"        // a message larger than any phone writes
	FaultResend      Fault = "resend"      // asks for what cannot be sent again
	FaultExchange    Fault = "exchange"    // a re-key that breaks the rules
	FaultFingerprint Fault = "fingerprint" // the two sides have different keys
	FaultNewKey      Fault = "new-key"     // a re-key after which they would have
	FaultWeak        Fault = "weak"        // a Diffie-Hellman value out of range
	FaultBacklog     Fault = "backlog"     // the other side never acknowledges
)

// Reason says why a chat ended. Every closing Fault is a reason too.
type Reason string

// Reasons that are no fault of anybody's.
const (
	ReasonPeer      Reason = "peer"     // the other side closed it, or its device is gone
	ReasonBlocked   Reason = "blocked"  // the other side blocked us, or was deleted
	ReasonOurs      Reason = "ours"     // Close was called
	ReasonReplaced  Reason = "replaced" // the same user started a newer one
	ReasonUninvited Reason = "uninvited"
	ReasonElsewhere Reason = "elsewhere" // another login of this account accepted it
	ReasonRefused   Reason = "refused"   // the server would not have it
	ReasonSession   Reason = "session"   // the login of this account is gone
	ReasonStale     Reason = "stale"     // the store has lost or forgotten a part of it
	ReasonFlood     Reason = "flood"     // the account may not start chats for now
	ReasonPrivacy   Reason = "privacy"   // the user does not let this account start one
	ReasonPatience  Reason = "patience"  // the user's phone has not answered in time
)
