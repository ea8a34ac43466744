// Package sandbox is a local Ticketbooth node with a chain behind it: the node API over http, the Ticketbooth API over
// https with a self-signed certificate, and under /sandbox/ a control API that does what the rest of the world does
// to a chain: pay, mine, buy seats, fork, lose answers. It keeps the rules, messages and statuses of the original, in
// both generations of Ticketbooth and of the node, and refuses what they refuse.
package sandbox
