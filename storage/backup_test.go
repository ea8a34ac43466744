package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// full has something of every kind of record, one of them in several parts.
func full(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []order.ID{"a", "b"} {
		o := sample(id, start)
		must(t, errors.Join(db.Save(ctx, &o), db.Save(ctx, &o)))
	}
	must(t, db.Hold(ctx, tx(1), cirrus.Seat{Number: 1}, order.Hold{Order: "a", Until: start}, start))
	for n := range 2*partMembers + 500 {
		must(t, db.client.HSet(ctx, db.ownersKey(), fmt.Sprint("address ", n), "a").Err())
	}
	s, _, err := db.Begin(ctx, 7, 1)
	must(t, err)
	s.Refund = cirrus.Address(privates[4])
	must(t, db.End(ctx, 7, 1, s)) // its updates are known for a day only
	must(t, errors.Join(
		db.PostTip(ctx, order.Tip{Height: 7}), db.Look(ctx, 7, start), db.RememberNetwork(ctx, db.Network()),
		db.Sealed().Put(ctx, "operator:paused", []byte("no")), db.Sealed().Put(ctx, "empty", nil),
	))
	chats := db.Owned("courier")
	must(t, chats.TryLead(ctx, func(ctx context.Context) error { return chats.Put(ctx, "chat/1", []byte(privates[5])) }))
}

// records are all keys with all in them, and when they are forgotten.
func records(t *testing.T, db *DB) map[string]string {
	t.Helper()
	all := contents(t, db)
	for key := range all {
		lasts, err := db.client.PTTL(t.Context(), key).Result()
		must(t, err)
		all[key] += fmt.Sprint(" ", lasts.Round(10*time.Minute))
	}
	return all
}

func backedUp(t *testing.T, db *DB) []byte {
	t.Helper()
	var file bytes.Buffer
	about, err := db.Backup(t.Context(), &file)
	must(t, err)
	if found, err := CheckBackup(bytes.NewReader(file.Bytes()), db.cfg.Keys); err != nil || found != about {
		t.Fatalf("wrote %+v, read %+v, %v", about, found, err)
	}
	return file.Bytes()
}

// sameRing opens the records with one key ring, also while they are put back.
func sameRing(db *DB) func(*Config) {
	return func(c *Config) { c.Keys, c.Restoring = db.cfg.Keys, true }
}

func TestABackupPutBackIsAsItWas(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"redis":     redistest.Start(t).URL,
		"cluster":   redistest.StartCluster(t).URL,
		"sentinel":  redistest.StartSentinel(t).URL,
		"miniredis": "redis://" + miniredis.RunT(t).Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openAt(t, url)
			full(t, db)
			want := records(t, db)
			file := backedUp(t, db)
			must(t, db.client.FlushAll(t.Context()).Err())
			about, err := db.Restore(t.Context(), bytes.NewReader(file), false)
			must(t, errors.Join(err, db.Restored(t.Context())))
			if about.Keys != len(want)-1 { // the network's name is written by itself
				t.Errorf("%d keys, want %d", about.Keys, len(want)-1)
			}
			if got := records(t, db); !maps.Equal(got, want) {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			must(t, openAt(t, url, sameRing(db)).Repair(t.Context()))
		})
	}
}

// refusedFile is what is said of a file that is not as it was made.
func refusedFile(err error) bool {
	return errors.Is(err, ErrNoBackup) || errors.Is(err, ErrBackupDamaged) || errors.Is(err, ErrSealed)
}

// TestABackupThatIsNotWholeChangesNothing alters each part of a file, cuts it at each, mixes it with another backup of the
// same records: it is refused before anything is written.
func TestABackupThatIsNotWholeChangesNothing(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL)
	full(t, db)
	file, other := backedUp(t, db), backedUp(t, db)
	must(t, db.client.FlushAll(t.Context()).Err())
	broken := map[string][]byte{
		"empty": nil, "longer": append(slices.Clone(file), 0), "twice": append(slices.Clone(file), file...),
		"mixed":       mixed(file, other),
		"other's end": append(slices.Clone(file[:len(file)/2]), other[len(other)/2:]...),
	}
	for at := 0; at < len(file); at += 1 + len(file)/300 {
		flipped := slices.Clone(file)
		flipped[at] ^= 1
		broken[fmt.Sprint("altered at ", at)], broken[fmt.Sprint("cut at ", at)] = flipped, file[:at]
	}
	for at := range frames(file) {
		broken[fmt.Sprint("without frame ", at)] = without(file, at)
	}
	for what, broken := range broken {
		if _, err := db.Restore(t.Context(), bytes.NewReader(broken), false); !refusedFile(err) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if n, err := db.client.DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("%d keys, %v", n, err)
	}
}

// frames are where the frames of a file begin, and where it ends.
func frames(file []byte) []int {
	starts := []int{len(backupMagic) + backupIDSize}
	for at := starts[0]; at < len(file); {
		at += 4 + int(file[at])<<24 + int(file[at+1])<<16 + int(file[at+2])<<8 + int(file[at+3])
		starts = append(starts, at)
	}
	return starts[:len(starts)-1]
}

func without(file []byte, frame int) []byte {
	starts := append(frames(file), len(file))
	return append(slices.Clone(file[:starts[frame]]), file[starts[frame+1]:]...)
}

// mixed is the beginning of one file and the rest of another.
func mixed(one, two []byte) []byte {
	return append(slices.Clone(one[:frames(one)[1]]), two[frames(two)[1]:]...)
}

func TestOnlyItsKeyRingOpensABackup(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	db := openAt(t, url)
	full(t, db)
	file := backedUp(t, db)
	if found := leaks(string(file)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	for _, part := range []string{"usher:CirrusTest", "customer", "address 1", db.Network()} {
		if bytes.Contains(file, []byte(part)) {
			t.Errorf("%q can be read in it", part)
		}
	}
	must(t, db.client.FlushAll(t.Context()).Err())
	stranger := openAt(t, url)
	if _, err := stranger.Restore(t.Context(), bytes.NewReader(file), false); !errors.Is(err, ErrSealed) {
		t.Errorf("another ring: %v", err)
	}
	var rotated bytes.Buffer
	newer, err := db.cfg.Keys.Rotate(&rotated)
	must(t, err)
	later := openAt(t, url, func(c *Config) { c.Keys = newer })
	_, err = later.Restore(t.Context(), bytes.NewReader(file), false)
	must(t, err)
	_, err = later.Load(t.Context(), "a")
	must(t, err)
}

func TestARestoreReplacesOnlyWhatItIsToldToAndNothingOfOthers(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL)
	ctx := t.Context()
	full(t, db)
	file := backedUp(t, db)
	late := sample("late", start)
	must(t, errors.Join(
		db.Save(ctx, &late), db.client.Set(ctx, "somebody-elses", "1", 0).Err(),
		db.client.Set(ctx, "usher:CirrusMain:tip", "1", 0).Err(),
	))
	if _, err := db.Restore(ctx, bytes.NewReader(file), false); !errors.Is(err, ErrNotEmpty) {
		t.Fatalf("got %v", err)
	}
	_, err := db.Load(ctx, "late")
	must(t, err)
	_, err = db.Restore(ctx, bytes.NewReader(file), true)
	must(t, errors.Join(err, db.Restored(ctx)))
	if _, err := db.Load(ctx, "late"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("an order that the backup does not hold: %v", err)
	}
	if n, err := db.client.Exists(ctx, "somebody-elses", "usher:CirrusMain:tip").Result(); n != 2 || err != nil {
		t.Errorf("%d of the others' keys are left, %v", n, err)
	}
}

func TestWhatIsOfAnotherNetworkIsNotPutBack(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	db := openAt(t, url)
	full(t, db)
	file := backedUp(t, db)
	must(t, db.client.FlushAll(t.Context()).Err())
	main := openAt(t, url, func(c *Config) { c.Network, c.Keys = "CirrusMain", db.cfg.Keys })
	if _, err := main.Restore(t.Context(), bytes.NewReader(file), false); !errors.Is(err, ErrOtherNetwork) {
		t.Fatalf("got %v", err)
	}
}

// TestNothingIsPutBackUnderARunningUsher: also one that only stands by keeps a lease in force.
func TestNothingIsPutBackUnderARunningUsher(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	db := openAt(t, url)
	full(t, db)
	file, want := backedUp(t, db), records(t, db)
	for _, lead := range []func(context.Context, func(context.Context) error) error{
		db.Owned("courier").Lead,
		func(ctx context.Context, work func(context.Context) error) error {
			return db.Leader(ctx, "watcher", work)
		},
	} {
		err := lead(t.Context(), func(ctx context.Context) error {
			_, err := db.Restore(ctx, bytes.NewReader(file), true)
			return err
		})
		if !errors.Is(err, ErrRunning) {
			t.Errorf("got %v", err)
		}
	}
	if got := records(t, db); !maps.Equal(got, want) {
		t.Error("something was changed")
	}
}

// dying fails every call of one site from the nth on.
type dying struct {
	site string
	left int
}

var errDied = errors.New("died")

func (d *dying) Do(ctx context.Context, site string, call func(context.Context) error) error {
	if site == d.site {
		if d.left--; d.left < 0 {
			return errDied
		}
	}
	return call(ctx)
}

// TestUsherDoesNotStartOnAHalfRestoredRedis wherever the restore died; restoring again ends it.
func TestUsherDoesNotStartOnAHalfRestoredRedis(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	db := openAt(t, url)
	full(t, db)
	file, want := backedUp(t, db), records(t, db)
	for _, die := range []*dying{
		{"redis.restore.clear", 0}, {"redis.restore.write", 0}, {"redis.network.remember", 0}, {"redis.restore.end", 0},
	} {
		dead := openAt(t, url, sameRing(db), func(c *Config) { c.Sites = die })
		_, err := dead.Restore(t.Context(), bytes.NewReader(file), true)
		if err == nil {
			err = dead.Restored(t.Context())
		}
		if !errors.Is(err, errDied) {
			t.Fatalf("%s: %v", die.site, err)
		}
		if _, err := Open(t.Context(), Config{URL: url, Network: db.Network(), Keys: db.cfg.Keys}); !errors.Is(err, ErrRestoring) {
			t.Errorf("%s: Usher starts: %v", die.site, err)
		}
		led := func(context.Context) error { return errors.New("leads") }
		if err := db.Owned("courier").TryLead(t.Context(), led); !errors.Is(err, ErrRestoring) {
			t.Errorf("%s: one that was started before: %v", die.site, err)
		}
		_, err = openAt(t, url, sameRing(db)).Restore(t.Context(), bytes.NewReader(file), false)
		must(t, errors.Join(err, db.Restored(t.Context())))
		if got := records(t, db); !maps.Equal(got, want) {
			t.Errorf("%s: not as it was", die.site)
		}
	}
}

// TestABackupBesideARunningUsherFindsEveryAddressClaimed: orders are opened while it is written.
func TestABackupBesideARunningUsherFindsEveryAddressClaimed(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	db := openAt(t, url)
	ctx, stop := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			o := sample(order.ID(fmt.Sprint("o", n)), start)
			err := errors.Join(db.Claim(ctx, o.Address, o.ID), db.Save(ctx, &o))
			if ctx.Err() != nil {
				opened <- nil
				return
			}
			if err != nil {
				opened <- err
				return
			}
		}
	}()
	eventually(t, "orders", func() bool {
		_, err := db.Load(t.Context(), "o300")
		return err == nil
	})
	file := backedUp(t, db)
	stop()
	must(t, <-opened)
	must(t, db.client.FlushAll(t.Context()).Err())
	_, err := db.Restore(t.Context(), bytes.NewReader(file), false)
	must(t, errors.Join(err, db.Restored(t.Context()), db.Repair(t.Context())))
	ids, err := db.All(t.Context())
	must(t, err)
	for _, id := range ids {
		o, err := db.Load(t.Context(), id)
		must(t, err)
		if owner, err := db.Owner(t.Context(), o.Address); owner != id || err != nil {
			t.Errorf("the address of %s belongs to %q, %v", id, owner, err)
		}
	}
	if len(ids) < 300 {
		t.Errorf("%d orders", len(ids))
	}
}
