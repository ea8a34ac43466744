// Package audit holds what Usher wrote down against what wallets and contracts hold: whose each coin and each ticket is,
// what will happen to it and when, and what fits nowhere. It looks at what it is given; it asks and changes nothing.
package audit
