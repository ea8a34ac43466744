// Package door is the known door scanner of Ticketbooth, as it is: what it reads out of a QR, how it checks a ticket
// against the chain, and where it stays silent. Both generations, defects included, because a ticket is worth what the
// scanner at the door makes of it.
//
// Where the behaviour comes from: the scanner's published source (revisions 248d87d, "hashed", and its parent
// 4ed9c0e, "ciphered"), the JSON library it uses (Newtonsoft.Json 12), and recorded scans. It does no I/O.
package door
