package flows_test

import (
	"os"
	"testing"
)

// TestBothGenerationsLookTheSame: whether the contract hashes or ciphers what is secret is nobody's concern but the
// door's.
func TestBothGenerationsLookTheSame(t *testing.T) {
	for _, file := range []string{"one_seat_there_and_back.txt", "three_seats_there_and_one_back.txt", "names.txt", "chat_lost.txt"} {
		t.Run(file, func(t *testing.T) {
			told, err := os.ReadFile("testdata/" + file)
			if err != nil {
				t.Fatal(err)
			}
			if got := play(t, string(told), func(w *world) { w.chain.ciphered = true }); got != string(told) {
				t.Error(firstDifference(string(told), got))
			}
		})
	}
}
