// Package contract is TicketContract 1.0.0 as an engine: what the contract does when a block executes a call, to the
// byte and to the unit of gas. It knows no wallet, no mempool and no gas limit, does no I/O and starts nothing.
//
// Where the rules come from: the contract's published source and the recorded runs of it that this package's
// neighbour replay carries in its testdata.
package contract
