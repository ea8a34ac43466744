package storage

import (
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/storage/redistest"
)

// TestNamesAreSealedWithTheirCustomer: a name that was given in the secret chat is read back by its session alone, lies
// nowhere in plain text, and does not open for anybody else.
func TestNamesAreSealedWithTheirCustomer(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	names := []string{"Zoë van Dam", "Bo"}
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	s.Screen, s.Names = "names", names
	must(t, db.End(t.Context(), 7, 1, s))
	got, _, err := db.Begin(t.Context(), 7, 2)
	must(t, err)
	peeked, err := db.Peek(t.Context(), 7)
	must(t, err)
	if !slices.Equal(got.Names, names) || !slices.Equal(peeked.Names, names) {
		t.Fatal("the names are not those that were saved")
	}

	key := db.sessionKey(7)
	stored, err := db.client.HGetAll(t.Context(), key).Result()
	must(t, err)
	for field, value := range stored {
		if strings.Contains(value, "Dam") || strings.Contains(value, "Bo\"") {
			t.Errorf("%s holds a name in plain text", field)
		}
	}
	if stored["names"] == "" {
		t.Fatal("no names stored")
	}
	must(t, db.client.HSet(t.Context(), db.sessionKey(8), stored).Err())
	if _, err := db.Peek(t.Context(), 8); err == nil {
		t.Error("names open for another customer")
	}
	must(t, db.client.HSet(t.Context(), key, "refund", stored["names"]).Err())
	if _, err := db.Peek(t.Context(), 7); err == nil {
		t.Error("names open as a refund address")
	}
}

// TestNamesAreGoneOnceTheyAreNotNeeded: a session saved without names leaves none behind.
func TestNamesAreGoneOnceTheyAreNotNeeded(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	for i, names := range [][]string{{"Bo"}, nil} {
		s, _, err := db.Begin(t.Context(), 7, int64(i+1))
		must(t, err)
		s.Names = names
		must(t, db.End(t.Context(), 7, int64(i+1), s))
	}
	s, err := db.Peek(t.Context(), 7)
	must(t, err)
	left, err := db.client.HGet(t.Context(), db.sessionKey(7), "names").Result()
	must(t, err)
	if s.Names != nil || left != "" {
		t.Error("names stayed")
	}
}

// TestOwnRefundAddressIsSealedWithItsCustomer: an address for one order alone lies nowhere in plain text, opens neither for
// anybody else nor as the remembered one, and leaves nothing behind.
func TestOwnRefundAddressIsSealedWithItsCustomer(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	s.Refund, s.Own = "address-for-all", "address-for-one"
	must(t, db.End(t.Context(), 7, 1, s))
	s, _, err = db.Begin(t.Context(), 7, 2)
	must(t, err)
	if s.Refund != "address-for-all" || s.Own != "address-for-one" {
		t.Fatal("the addresses are not those that were saved")
	}
	key := db.sessionKey(7)
	stored, err := db.client.HGetAll(t.Context(), key).Result()
	must(t, err)
	for field, value := range stored {
		if strings.Contains(value, "address-for") {
			t.Errorf("%s holds an address in plain text", field)
		}
	}
	must(t, db.client.HSet(t.Context(), key, "refund", stored["own"]).Err())
	if _, err := db.Peek(t.Context(), 7); err == nil {
		t.Error("the one opens as the other")
	}
	s.Own = ""
	must(t, db.End(t.Context(), 7, 2, s))
	if left, err := db.client.HGet(t.Context(), key, "own").Result(); err != nil || left != "" {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
