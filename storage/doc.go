// Package storage keeps everything that Usher must not forget in Redis: orders, sessions, holds, addresses, what the
// watcher saw, locks and jobs; secrets, names and refund addresses only sealed.
//
// Keys are usher:<network>:…; keys that one script uses share a hash tag, so all of it runs on a Redis Cluster. Each
// script has a comment with its keys, arguments and result. The names of keys are stored data too: a sealed value
// opens only under the key that it was sealed for.
//
// No expiry of Redis decides anything about money: expiring keys are leases only (locks, turns), and old update ids.
package storage
