package storage

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

func TestWhatWasSavedSurvivesKillingRedis(t *testing.T) {
	server := redistest.Start(t)
	db := openAt(t, server.URL)
	var saved []order.Order
	for i := range 5 {
		o := sample(order.ID(fmt.Sprint("o", i)), start)
		must(t, db.Save(t.Context(), &o))
		saved = append(saved, o)
		must(t, db.Claim(t.Context(), o.Address, o.ID))
		must(t, db.Sealed().Put(t.Context(), string(o.ID), []byte("state")))
		server.Kill()
		server.Restart()
	}
	seat := cirrus.Seat{Number: 1}
	must(t, db.Hold(t.Context(), tx(1), seat, order.Hold{Order: "o0", Until: start}, start))
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	must(t, db.End(t.Context(), 7, 1, s))
	server.Kill()
	server.Restart()
	for _, want := range saved {
		got, err := db.Load(t.Context(), want.ID)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
		owner, err := db.Owner(t.Context(), want.Address)
		must(t, err)
		state, err := db.Sealed().Get(t.Context(), string(want.ID))
		must(t, err)
		if owner != want.ID || string(state) != "state" {
			t.Fatalf("owner %s, state %q", owner, state)
		}
	}
	due, errDue := db.Due(t.Context(), start, 10)
	held, errHeld := db.Held(t.Context(), tx(1))
	_, fresh, errBegin := db.Begin(t.Context(), 7, 1)
	must(t, errors.Join(errDue, errHeld, errBegin))
	if len(due) != 5 || len(held) != 1 || fresh {
		t.Fatalf("due %v, held %v, update fresh %t", due, held, fresh)
	}
}

func TestRedisGoneIsAnErrorInTimeAndNothingElse(t *testing.T) {
	server := redistest.Start(t)
	db := openAt(t, server.URL)
	o := sample("a", start)
	must(t, db.Save(t.Context(), &o))
	server.Kill()
	if err := db.Save(t.Context(), &o); err == nil || o.Version != 1 {
		t.Fatalf("saved without Redis: %v, version %d", err, o.Version)
	}
	server.Restart()
	must(t, db.Save(t.Context(), &o))
}

// privates are the secrets of a sample order and its neighbours, as they must not be found anywhere.
var privates = []string{
	"the-plaintext-of-the-secret", "key-key-key-key-key-key-key-key-", "iv-iv-iv-iv-iv-i", "Ada Lovelace",
	"tQgfREFUNDxADDRESSxOFxTHExCUSTOMERx", "courier-session-bytes",
}

func TestNothingPrivateLiesOpenInRedisOrInTheLog(t *testing.T) {
	server := redistest.Start(t)
	var log bytes.Buffer
	db := openAt(t, server.URL, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	o := sample("a", start)
	o.Private = order.Private{
		Refund: cirrus.Address(privates[4]),
		Names:  map[string]string{"t1": privates[3]},
		Secrets: map[string][]order.Secret{"t1": {{
			TxID: tx(1), Plaintext: privates[0], Key: []byte(privates[1]), IV: []byte(privates[2]),
		}}},
	}
	must(t, db.Save(t.Context(), &o))
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	s.Refund = cirrus.Address(privates[4])
	must(t, db.End(t.Context(), 7, 1, s))
	must(t, db.Sealed().Put(t.Context(), "courier", []byte(privates[5])))
	stale := o
	stale.Version = 9
	log.WriteString(fmt.Sprint(db.Save(t.Context(), &stale)))
	log.WriteString(fmt.Sprintf("%v %+v %#v", db.cfg.Keys, db.cfg.Keys, db.cfg.Keys))
	if found := leaks(dump(t, db) + log.String()); len(found) > 0 {
		t.Fatalf("found %v", found)
	}
	if found := leaks(appendOnly(t, server.Dir)); len(found) > 0 {
		t.Fatalf("found on disk: %v", found)
	}
	must(t, db.client.Set(t.Context(), "leak", hex.EncodeToString([]byte(privates[1])), 0).Err())
	if found := leaks(dump(t, db)); len(found) != 1 {
		t.Fatalf("a leak put in on purpose was not found: %v", found)
	}
}

// leaks finds private things in any usual clothing.
func leaks(text string) []string {
	lower := strings.ToLower(text)
	var found []string
	for _, private := range privates {
		for _, form := range []string{
			private, hex.EncodeToString([]byte(private)), base64.StdEncoding.EncodeToString([]byte(private)),
			base64.RawURLEncoding.EncodeToString([]byte(private)),
		} {
			if strings.Contains(lower, strings.ToLower(form)) {
				found = append(found, form)
				break
			}
		}
	}
	return found
}

// dump gives every key with everything in it.
func dump(t *testing.T, db *DB) string {
	t.Helper()
	var all strings.Builder
	for _, content := range contents(t, db) {
		all.WriteString(content + "\n")
	}
	return all.String()
}

// contents are all keys with what is in them.
func contents(t *testing.T, db *DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := db.eachKey(t.Context(), "*", func(ctx context.Context, keys []string) error {
		for _, key := range keys {
			kind, err := db.client.Type(ctx, key).Result()
			if err != nil {
				return err
			}
			read := map[string]func() redis.Cmder{
				"string": func() redis.Cmder { return db.client.Get(ctx, key) },
				"hash":   func() redis.Cmder { return db.client.HGetAll(ctx, key) },
				"zset":   func() redis.Cmder { return db.client.ZRangeWithScores(ctx, key, 0, -1) },
				"set":    func() redis.Cmder { return db.client.SMembers(ctx, key) },
				"list":   func() redis.Cmder { return db.client.LRange(ctx, key, 0, -1) },
			}[kind]
			if read == nil {
				return errors.New("no way to read a " + kind)
			}
			all[key] = read().String()
		}
		return nil
	})
	must(t, err)
	return all
}

func appendOnly(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	}))
	if !strings.Contains(all.String(), "usher:CirrusTest:order:a") {
		t.Fatal("the append-only file does not hold the order")
	}
	return all.String()
}

func TestSealedPartsOpenOnlyWhereTheyBelong(t *testing.T) {
	url := redistest.Start(t).URL
	db := openAt(t, url)
	a, b := sample("a", start), sample("b", start)
	must(t, errors.Join(db.Save(t.Context(), &a), db.Save(t.Context(), &b)))
	private, err := db.client.HGet(t.Context(), db.orderKey("a"), "private").Result()
	must(t, err)
	must(t, db.client.HSet(t.Context(), db.orderKey("b"), "private", private).Err())
	if _, err := db.Load(t.Context(), "b"); !errors.Is(err, ErrSealed) {
		t.Fatalf("got %v for the private part of another order", err)
	}
	other := openAt(t, url) // with a key ring of its own
	if _, err := other.Load(t.Context(), "a"); !errors.Is(err, ErrSealed) {
		t.Fatalf("got %v with another key ring", err)
	}
}

func TestWhatANewerVersionStoredIsRefused(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	o := sample("a", start)
	must(t, db.Save(t.Context(), &o))
	must(t, db.PostTip(t.Context(), order.Tip{Height: 1}))
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	must(t, db.End(t.Context(), 7, 1, s))
	must(t, db.Hold(t.Context(), tx(1), cirrus.Seat{Number: 1}, order.Hold{Order: "a"}, start))

	newer := db.client.TxPipeline()
	newer.HSet(t.Context(), db.orderKey("a"), "format", 99)
	newer.HSet(t.Context(), db.sessionKey(7), "format", 99)
	newer.Set(t.Context(), db.tipKey(), `{"format":99,"value":{}}`, 0)
	newer.HSet(t.Context(), db.holdsKey(tx(1)), "1/0", `{"format":99,"order":"a","until":0}`)
	_, err = newer.Exec(t.Context())
	must(t, err)

	_, errLoad := db.Load(t.Context(), "a")
	_, _, errBegin := db.Begin(t.Context(), 7, 2)
	_, errPeek := db.Peek(t.Context(), 7)
	_, errTip := db.Tip(t.Context())
	_, errHeld := db.Held(t.Context(), tx(1))
	for what, err := range map[string]error{
		"load": errLoad, "save": db.Save(t.Context(), &o), "begin": errBegin, "peek": errPeek, "tip": errTip, "held": errHeld,
	} {
		if !errors.Is(err, order.ErrNewFormat) || !strings.Contains(err.Error(), "99") {
			t.Errorf("%s: got %v, want a refusal that names the format", what, err)
		}
	}
}
