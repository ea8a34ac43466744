package secretchat

import (
	"testing"
	"time"
)

// TestAnswerOfAPhoneIsNotKeptWaiting: a pending chat waits long for the other phone, and
// goes on at once when it answers; a pause that the server asked for is kept all the same.
func TestAnswerOfAPhoneIsNotKeptWaiting(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for _, news := range []bool{true, false} {
		var s schedule
		tries := 0
		attempt := func() (step, error) {
			tries++
			return step{more: true, wait: time.Hour, news: news}, nil
		}
		for range 2 {
			if err := s.try(now, attempt); err != nil {
				t.Fatal(err)
			}
		}
		if tries != 1 {
			t.Errorf("news %t: tried %d times before the time", news, tries)
		}
		s.poked()
		if err := s.try(now, attempt); err != nil || tries == 2 != news {
			t.Errorf("news %t: tried %d times after a poke, error %v", news, tries, err)
		}
	}
}
