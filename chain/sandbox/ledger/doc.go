// Package ledger is the chain of the sandbox: transactions, mempool, blocks, coins, contracts and receipts, with the
// rules of a Cirrus node for what enters the mempool, what fits into a block, and what a contract call leaves behind.
//
// It does no I/O and is not safe for use by several goroutines at once: its owner holds a lock.
package ledger
