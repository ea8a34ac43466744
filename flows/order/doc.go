// Package order knows what happens to money and tickets: the three state tables (order, ticket, payout) and the
// steps that move them. An order is about money in, a ticket about one seat, a payout about money back.
//
// A step is pure where it can be: it takes what is known (the order, a view of the chain, the time) and returns a
// decision; Engine carries the decision out, saving the intent before each call that cannot be undone.
package order
