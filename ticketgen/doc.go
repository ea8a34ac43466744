// Package ticketgen makes the digital ticket: the JSON that a QR holds, the check of that against the chain, the QR,
// and the picture around it. The format is that of Ticketbooth's document on customer integration; both generations of
// the door scanner are served, the ciphered and the hashed.
//
// Everything here holds secrets or is one. Nothing is logged, errors name members and seats only, and the types print
// without what they hide.
package ticketgen
