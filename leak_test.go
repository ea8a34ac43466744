package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
	"github.com/usherbot/usher/ticketgen"
)

// hunt looks for what must not be found.
type hunt struct{ secrets map[string][]byte }

// forms gives the ways in which bytes may be written down, in lower case.
func forms(secret []byte) [][]byte {
	texts := []string{string(secret), hex.EncodeToString(secret), url.QueryEscape(string(secret)), strings.ToUpper(hex.EncodeToString(secret))}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for shift := range 3 { // wherever in a longer text it begins
			padded := append(bytes.Repeat([]byte{0}, shift), secret...)
			text := encoding.EncodeToString(padded)
			from := (shift*8 + 5) / 6
			to := len(padded) / 3 * 4
			if to > from+8 {
				texts = append(texts, text[from:to])
			}
		}
	}
	var list [][]byte
	for _, text := range texts {
		list = append(list, bytes.ToLower([]byte(text)))
	}
	return list
}

// in names the secrets that a text holds, in any case and any form.
func (h hunt) in(text []byte) (found []string) {
	text = bytes.ToLower(text)
	for name, secret := range h.secrets {
		if slices.ContainsFunc(forms(secret), func(form []byte) bool { return bytes.Contains(text, form) }) {
			found = append(found, name)
		}
	}
	return found
}

// story is a played story with everything that it left behind.
type story struct {
	log     bytes.Buffer
	traffic []byte
	files   [][]byte // pictures sent over the Bot API
	redis   []byte
	hunt    hunt
}

// playStory plays stories against a real Redis and gathers what could leak.
func playStory(t *testing.T, f demoFlags, tales []tale) *story {
	t.Helper()
	s := &story{hunt: hunt{secrets: map[string][]byte{}}}
	server := redistest.Start(t)
	f.play, f.node, f.block, f.redis, f.verbose = true, "today", "manual", server.URL, true
	d, err := startDemo(t.Context(), f, streams{strings.NewReader(""), io.Discard, &s.log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return d.serve(serving) })
	d.app.waitReady(serving)
	var printed strings.Builder
	if err := d.play(serving, &printed, tales); err != nil {
		t.Errorf("%v\n%s", err, printed.String())
	}
	s.gather(t, d, server.URL)
	stop()
	_ = group.Wait()
	if err := d.close(); err != nil {
		t.Error(err)
	}
	return s
}

// gather reads the traffic, Redis, and the secrets to look for.
func (s *story) gather(t *testing.T, d *demo, redisURL string) {
	t.Helper()
	answer := httptest.NewRecorder()
	d.telegram.Control().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/telegram/traffic", nil))
	s.traffic = answer.Body.Bytes()
	var records []struct {
		Files []struct {
			Content []byte `json:"content"`
		} `json:"files"`
	}
	if err := json.Unmarshal(s.traffic, &records); err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		for _, file := range record.Files {
			s.files = append(s.files, file.Content)
		}
	}
	s.redis = dumpRedis(t, redisURL)
	s.secrets(t, d)
}

// secrets collects what the story's tickets and the courier must keep to themselves.
func (s *story) secrets(t *testing.T, d *demo) {
	t.Helper()
	ids, err := d.app.db.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		o, err := d.app.db.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		s.ofOrder(o, elsewhere(d.chain.Network()))
	}
	for _, kind := range []string{"secret 0 of ", "name ", "address "} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(s.hunt.secrets)), func(name string) bool { return strings.HasPrefix(name, kind) }) {
			t.Fatalf("the story has no %s…", kind)
		}
	}
	for wallet, password := range d.app.settings.passwords {
		s.hunt.secrets["password of "+wallet] = []byte(password)
	}
	s.hunt.secrets["bot token"] = []byte(d.app.settings.token)
	s.hunt.secrets["api hash"] = []byte(d.app.settings.courier.hash)
	s.courierSession(t, d)
}

// ofOrder collects what is private in an order; redirected is the refund address that was given in the secret chat.
func (s *story) ofOrder(o order.Order, redirected cirrus.Address) {
	for _, name := range o.Private.Names {
		s.hunt.secrets["name "+name] = []byte(name)
	}
	if o.Private.Refund == redirected {
		s.hunt.secrets["address given in the secret chat"] = []byte(redirected)
	}
	for _, list := range o.Private.Secrets {
		for i, secret := range list {
			for what, part := range map[string][]byte{
				"secret": []byte(secret.Plaintext), "key": secret.Key, "iv": secret.IV, "key of the name": secret.NameKey, "iv of the name": secret.NameIV,
			} {
				if len(part) > 0 { // the hashed form has no key
					s.hunt.secrets[fmt.Sprintf("%s %d of %s", what, i, o.ID)] = part
				}
			}
		}
	}
}

// courierSession adds the authorization key of the courier, as its library stores it.
func (s *story) courierSession(t *testing.T, d *demo) {
	t.Helper()
	raw, err := d.app.chats.Get(t.Context(), "accounts/1/session")
	if err != nil || len(raw) == 0 {
		t.Fatalf("no courier session: %v", err)
	}
	var session struct{ Data struct{ AuthKey []byte } }
	if err := json.Unmarshal(raw, &session); err != nil || len(session.Data.AuthKey) == 0 {
		t.Fatalf("the courier's session has another form: %v", err)
	}
	s.hunt.secrets["courier session"] = session.Data.AuthKey
}

// dumpRedis reads every value of every type.
func dumpRedis(t *testing.T, url string) []byte {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close() //nolint:errcheck // a test's connection
	var all bytes.Buffer
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		var value any
		switch kind := client.Type(t.Context(), key).Val(); kind {
		case "string":
			value = client.Get(t.Context(), key).Val()
		case "hash":
			value = client.HGetAll(t.Context(), key).Val()
		case "list":
			value = client.LRange(t.Context(), key, 0, -1).Val()
		case "set":
			value = client.SMembers(t.Context(), key).Val()
		case "none": // a job that was done in the meantime
			continue
		case "zset":
			value = client.ZRangeWithScores(t.Context(), key, 0, -1).Val()
		default:
			t.Errorf("key %s is of type %s, which is not looked into", key, kind)
		}
		fmt.Fprintf(&all, "%s = %v\n", key, value)
	}
	return all.Bytes()
}

// tickets counts the pictures that hold a ticket.
func tickets(pictures [][]byte) (found int) {
	for _, picture := range pictures {
		text, err := readQR(picture)
		if err != nil {
			continue
		}
		if _, err := ticketgen.Decode([]byte(text)); err == nil || strings.Contains(text, "secret") {
			found++
		}
	}
	return found
}

func TestNothingSecretLeavesByTheBotOrLiesInTheOpen(t *testing.T) {
	t.Parallel()
	s := playStory(t, demoFlags{generation: "ciphered"}, everyday())
	s.leaksNothing(t)
	s.findsLeaks(t)
}

// leaksNothing looks everywhere where a secret must not be.
func (s *story) leaksNothing(t *testing.T) {
	t.Helper()
	for place, text := range map[string][]byte{"the Bot API": s.traffic, "Redis": s.redis, "the log": s.log.Bytes()} {
		if len(text) == 0 {
			t.Errorf("%s is empty: nothing was looked at", place)
		}
		if found := s.hunt.in(text); len(found) > 0 {
			t.Errorf("%s holds %v", place, found)
		}
	}
	for _, picture := range s.files {
		if found := s.hunt.in(picture); len(found) > 0 {
			t.Errorf("a picture holds %v", found)
		}
	}
	if found := tickets(s.files); found > 0 {
		t.Errorf("%d pictures sent over the Bot API are tickets", found)
	}
}

// some is enough of a text to put a leak into.
func some(text []byte) []byte { return text[:min(len(text), 4096)] }

// findsLeaks puts leaks in on purpose: each must be found.
func (s *story) findsLeaks(t *testing.T) {
	t.Helper()
	for name, secret := range s.hunt.secrets {
		for i, form := range forms(secret) {
			leak := slices.Concat(some(s.traffic), form, some(s.redis))
			if !slices.Contains(s.hunt.in(leak), name) {
				t.Errorf("%s put in on purpose in form %d was not found", name, i)
			}
		}
	}
	ticket := ticketgen.Ticket{Secret: ticketgen.Secret{Plaintext: "h8pqqc2_r90je7v"}}
	ticket.Seat.Number = 1
	payload, err := ticketgen.Encode(ticket)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := ticketgen.Picture(payload, ticketgen.Frame{Show: "Night Trains", Seat: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if tickets([][]byte{picture}) != 1 {
		t.Error("a ticket put in on purpose was not found")
	}
}
