// Package memory keeps orders, sessions, holds and the view of the chain in the process, for tests of everything that
// needs a store. It behaves as the storage package does over Redis (one suite in storage runs against both): values
// are copied on the way in and out, so nobody shares one by accident, and saves compare versions.
package memory
