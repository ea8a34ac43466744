// Package cirrus holds the nouns of the Cirrus chain and of Ticketbooth: amounts, addresses, seats, coins, shows.
// It does no I/O and imports the standard library and a base58 library only, so everybody may import it.
package cirrus
