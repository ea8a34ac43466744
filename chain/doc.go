// Package chain talks to the two HTTP APIs of a Ticketbooth node and follows its chain.
//
// Client makes the calls. It implements order.Booth, order.Ledger and order.Purse. Each attempt goes through a named
// call site (see the Site constants), has a deadline and a bounded answer, and comes back as an error that wraps
// exactly one of the errors of package order. Only calls that may be repeated without harm are repeated.
//
// Watcher follows the tip. It writes what it saw on an order.Board and wakes the orders that something happened to.
// How many calls it makes for a block depends on the venues and wallet accounts, never on the number of orders.
//
// Facts about the APIs come from the sources of Ticketbooth and of the Cirrus node, generations 2020 and today.
package chain
