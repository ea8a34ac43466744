package storage

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

func older(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, ErrOlder) {
		t.Fatalf("%s: got %v, want ErrOlder", what, err)
	}
}

// shelf is a process that leads records, and those that stand by, on one Redis.
func shelf(t *testing.T, url string) func() *Owned {
	keys := ring(t)
	return func() *Owned {
		return openAt(t, url, func(c *Config) { c.Keys, c.Lease = keys, time.Hour }).Owned("courier")
	}
}

// leading leads until the test ends and gives the context of the work, which must not begin anew.
func leading(t *testing.T, records *Owned) (work context.Context, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	begun, done := make(chan context.Context, 1), make(chan struct{})
	go func() {
		defer close(done)
		_ = records.TryLead(ctx, func(ctx context.Context) error {
			begun <- ctx
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	stop = func() {
		cancel()
		within(t, "the leadership to end", done)
	}
	t.Cleanup(stop)
	select {
	case work = <-begun:
	case <-done:
		t.Fatal("somebody else leads")
	}
	return work, stop
}

// TestAWriteOnOlderRecordsIsRefused puts the data of an earlier time in the place of the newer ones, as a restored backup
// or a Redis that lost its last second does: whoever wrote what is gone writes nothing more, and its work ends.
func TestAWriteOnOlderRecordsIsRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	records := shelf(t, server.URL)()
	ctx := t.Context()
	work, _ := leading(t, records)
	must(t, records.Put(ctx, "chat/1", []byte("first")))
	back := server.Snapshot()
	must(t, records.Put(ctx, "chat/1", []byte("second")))
	back()
	older(t, "a write", records.Put(ctx, "chat/1", []byte("third")))
	within(t, "the work to end", work.Done())
	value, err := records.Get(ctx, "chat/1")
	must(t, err)
	if string(value) != "first" {
		t.Fatalf("%q was written on older data", value)
	}
}

// TestOlderRecordsAreNoticedWhileNothingIsWritten: a chat that is quiet is told of at once, not with its next message.
func TestOlderRecordsAreNoticedWhileNothingIsWritten(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	records := shelf(t, server.URL)()
	work, _ := leading(t, records)
	back := server.Snapshot()
	must(t, records.Put(t.Context(), "chat/1", nil))
	back()
	within(t, "the work to end", work.Done())
}

// TestWhoStandsByKnowsHowNewTheRecordsWere: the process that wrote is gone together with the newer data. One that stood by
// has the next to lead start over, even where that one is new itself.
func TestWhoStandsByKnowsHowNewTheRecordsWere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	open := shelf(t, server.URL)
	first, bystander, fresh := open(), open(), open()
	ctx := t.Context()
	_, stop := leading(t, first)
	must(t, first.Put(ctx, "chat/1", []byte("first")))
	back := server.Snapshot()
	must(t, first.Put(ctx, "chat/1", []byte("second")))
	begun, _, stopBystander := standing(t, bystander)
	eventually(t, "the one that stands by to look", func() bool { return bystander.tide.seen.Load() == 2 })
	stopBystander()
	select {
	case <-begun:
		t.Fatal("two lead")
	default:
	}
	stop()
	back()
	must(t, fresh.db.client.Del(ctx, fresh.leaseKey()).Err())
	_, _, err := bystander.tide.look(ctx)
	must(t, err)

	overs := 0
	_ = fresh.TryLead(ctx, func(ctx context.Context) error {
		older(t, "a removal before it has started over", fresh.Delete(ctx, "chat/1"))
		within(t, "the work to end", ctx.Done())
		return nil
	})
	must(t, fresh.TryLead(ctx, func(ctx context.Context) error {
		return fresh.Renew(ctx, func(ctx context.Context) error {
			overs++
			return fresh.Put(ctx, "chat/1", []byte("anew"))
		})
	}))
	if overs != 1 {
		t.Fatalf("started over %d times", overs)
	}
	if seen := fresh.tide.seen.Load(); seen <= 2 {
		t.Fatalf("the tide is %d after starting over", seen)
	}
}

// TestStartingOverIsRepeatedUntilItIsDone, and no more often, on every kind of Redis.
func TestStartingOverIsRepeatedUntilItIsDone(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"redis":     redistest.Start(t).URL,
		"cluster":   redistest.StartCluster(t).URL,
		"sentinel":  redistest.StartSentinel(t).URL,
		"miniredis": "redis://" + miniredis.RunT(t).Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := shelf(t, url)
			records := open()
			ctx := t.Context()
			renew := func(records *Owned, startOver func(context.Context) error) error {
				return records.TryLead(ctx, func(ctx context.Context) error { return records.Renew(ctx, startOver) })
			}
			never := func(context.Context) error { return errors.New("started over without need") }
			must(t, errors.Join(renew(records, never), open().Doubt(ctx)))
			refused(t, "one that does not lead", records.Renew(ctx, never))

			died := errors.New("died in the middle")
			for range 2 {
				err := renew(records, func(ctx context.Context) error {
					must(t, records.Put(ctx, "chat/1", []byte("discarded")))
					return died
				})
				if !errors.Is(err, died) {
					t.Fatalf("got %v", err)
				}
				records = open() // knows nothing
			}
			done := 0
			must(t, renew(records, func(context.Context) error {
				done++
				return nil
			}))
			must(t, errors.Join(renew(records, never), renew(open(), never)))
			if done != 1 {
				t.Fatalf("started over %d times", done)
			}
			must(t, records.TryLead(ctx, func(ctx context.Context) error { return records.Put(ctx, "chat/1", nil) }))
		})
	}
}

// TestAPersonsDoubtReachesTheOneThatLeads: its work ends, and the next one starts over.
func TestAPersonsDoubtReachesTheOneThatLeads(t *testing.T) {
	t.Parallel()
	open := shelf(t, redistest.Start(t).URL)
	records := open()
	work, stop := leading(t, records)
	must(t, records.Put(t.Context(), "chat/1", nil))
	must(t, open().Doubt(t.Context()))
	older(t, "a write", records.Put(t.Context(), "chat/1", nil))
	within(t, "the work to end", work.Done())
	stop()
	over := errors.New("over")
	err := records.TryLead(t.Context(), func(ctx context.Context) error {
		return records.Renew(ctx, func(context.Context) error { return over })
	})
	if !errors.Is(err, over) || errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v", err)
	}
}
