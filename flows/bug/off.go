//go:build !usherbugs

package bug

// Is tells whether this program makes a mistake on purpose. It does not.
func Is(string) bool { return false }
