//go:build usherbugs

package bug

import "os"

// Is tells whether this program makes a mistake on purpose.
func Is(mistake string) bool { return os.Getenv("USHER_BUG") == mistake }
