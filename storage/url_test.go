package storage

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRedisURLs(t *testing.T) {
	for text, want := range map[string]struct {
		addrs                  []string
		user, password, master string
		db                     int
		cluster, tls           bool
	}{
		"redis://localhost":                    {addrs: []string{"localhost:6379"}},
		"redis://:p%40ss@localhost:7000/3":     {addrs: []string{"localhost:7000"}, password: "p@ss", db: 3},
		"rediss://u:p@example.org/":            {addrs: []string{"example.org:6379"}, user: "u", password: "p", tls: true},
		"redis://[::1]:7000":                   {addrs: []string{"[::1]:7000"}},
		"redis://[::1]":                        {addrs: []string{"[::1]:6379"}},
		"redis+sentinel://a,b:1/main/2":        {addrs: []string{"a:26379", "b:1"}, master: "main", db: 2},
		"redis+sentinel://u:p@a/main":          {addrs: []string{"a:26379"}, master: "main", user: "u", password: "p"},
		"redis+cluster://a,b:7000,c":           {addrs: []string{"a:6379", "b:7000", "c:6379"}, cluster: true},
		"rediss+cluster://a":                   {addrs: []string{"a:6379"}, cluster: true, tls: true},
		"redis+cluster://:p@ss@127.0.0.1:7000": {addrs: []string{"127.0.0.1:7000"}, cluster: true, password: "p@ss"},
	} {
		opts, err := parseURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !slices.Equal(opts.Addrs, want.addrs) || opts.Username != want.user || opts.Password != want.password ||
			opts.MasterName != want.master || opts.DB != want.db || opts.IsClusterMode != want.cluster ||
			(opts.TLSConfig != nil) != want.tls {
			t.Errorf("%s: got %+v", text, opts)
		}
	}
}

func TestBadRedisURLsAreRefusedWithoutShowingThem(t *testing.T) {
	for _, text := range []string{
		"", "localhost:6379", "http://hidden@h", "redis://", "redis://hidden@", "redis://:hidden@a,b",
		"redis://:hidden@a/x", "redis://:hidden@a/-1", "redis+sentinel://:hidden@a", "redis+cluster://:hidden@a/1",
		"redis+other://:hidden@a", "redis://:hidden%zz@a", "redis://hidden a", "redis://a?hidden",
	} {
		_, err := parseURL(text)
		if !errors.Is(err, ErrURL) {
			t.Errorf("%s: got %v", text, err)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error shows it: %v", text, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, text := range []string{"redis://u:p@h:1/2", "redis+sentinel://a,b/m/1", "redis+cluster://[::1],b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		opts, err := parseURL(text)
		if err != nil && !errors.Is(err, ErrURL) {
			t.Fatalf("got %v", err)
		}
		if err == nil && len(opts.Addrs) == 0 {
			t.Fatal("no host and no error")
		}
	})
}

func FuzzReadHold(f *testing.F) {
	f.Add("1/65", `{"format":1,"order":"a","customer":7,"until":1}`)
	f.Add("-1/65536", `{"format":9}`)
	f.Fuzz(func(t *testing.T, field, raw string) {
		seat, _, err := readHold(field, raw)
		if err != nil {
			return
		}
		if again, err := seatOf(seatField(seat)); err != nil || again != seat {
			t.Fatalf("%v came back as %v, %v", seat, again, err)
		}
	})
}
