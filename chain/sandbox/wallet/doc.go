// Package wallet holds the wallets of the sandbox's node: which addresses they have, which coins they believe they
// own, and the rules by which a Cirrus node builds transactions, both generations.
//
// Like the ledger it is not safe for use by several goroutines at once: its owner holds a lock.
package wallet
