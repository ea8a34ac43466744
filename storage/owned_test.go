package storage

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// standing runs a leadership over records until stop, and tells when its work has begun.
func standing(t *testing.T, records *Owned) (begun <-chan struct{}, ended <-chan struct{}, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	working, over, done := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		_ = records.Lead(ctx, func(ctx context.Context) error {
			working <- struct{}{}
			<-ctx.Done()
			select {
			case over <- struct{}{}:
			default:
			}
			return ctx.Err()
		})
	}()
	stop = func() {
		cancel()
		within(t, "the leadership to end", done)
	}
	t.Cleanup(stop)
	return working, over, stop
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, ErrFenced) {
		t.Fatalf("%s: got %v, want ErrFenced", what, err)
	}
}

// TestOnlyTheOwnerWritesItsRecords plays a process that stood still while another took over: what it wrote before stays,
// what it writes afterwards is refused, and its work ends at the first refusal, long before it would look at its lease.
func TestOnlyTheOwnerWritesItsRecords(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"redis":     redistest.Start(t).URL,
		"cluster":   redistest.StartCluster(t).URL,
		"sentinel":  redistest.StartSentinel(t).URL,
		"miniredis": "redis://" + miniredis.RunT(t).Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slow := func(c *Config) { c.Lease = time.Hour } // looked at every twenty minutes
			keys := ring(t)
			same := func(c *Config) { c.Keys = keys }
			one := openAt(t, url, slow, same).Owned("courier")
			two := openAt(t, url, slow, same).Owned("courier")
			ctx := t.Context()

			refused(t, "before anybody leads", one.Put(ctx, "chat/1", []byte("x")))
			begun, ended, _ := standing(t, one)
			within(t, "the first to lead", begun)
			must(t, one.Put(ctx, "chat/1", []byte("first")))
			must(t, one.Put(ctx, "chat/2", []byte("first")))
			must(t, one.Delete(ctx, "chat/2"))
			refused(t, "one that stands by", two.Put(ctx, "chat/1", []byte("second")))
			if err := two.TryLead(ctx, func(context.Context) error { return nil }); !errors.Is(err, order.ErrBusy) {
				t.Fatalf("a second leads at once: %v", err)
			}

			// The lease runs out while the first stands still, and the second takes over.
			must(t, one.db.client.Del(ctx, one.leaseKey()).Err())
			err := two.TryLead(ctx, func(ctx context.Context) error {
				must(t, two.Put(ctx, "chat/1", []byte("second")))
				refused(t, "a write after the take-over", one.Put(ctx, "chat/1", []byte("late")))
				within(t, "the loser's work to end", ended)
				refused(t, "a removal after the take-over", one.Delete(ctx, "chat/1"))
				return nil
			})
			must(t, err)
			value, err := two.Get(ctx, "chat/1")
			must(t, err)
			if string(value) != "second" {
				t.Fatalf("the loser wrote: %q", value)
			}
			names, err := one.Keys(ctx, "chat/")
			must(t, err)
			if want := []string{"chat/1"}; !reflect.DeepEqual(names, want) {
				t.Fatalf("got %v, want %v", names, want)
			}
		})
	}
}

// TestALapsedLeaseWritesNothing: nobody has taken over, but somebody may have in between.
func TestALapsedLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	records := openAt(t, redistest.Start(t).URL, func(c *Config) { c.Lease = time.Hour }).Owned("courier")
	begun, ended, _ := standing(t, records)
	within(t, "the leadership", begun)
	must(t, records.db.client.PExpire(t.Context(), records.leaseKey(), time.Millisecond).Err())
	eventually(t, "the lease to run out", func() bool {
		return records.db.client.Exists(t.Context(), records.leaseKey()).Val() == 0
	})
	refused(t, "a write under a lapsed lease", records.Put(t.Context(), "chat/1", []byte("late")))
	within(t, "the work to end", ended)
	within(t, "the same process to lead anew", begun)
	must(t, records.Put(t.Context(), "chat/1", []byte("anew")))
}

// TestWhatEverybodyMayWriteIsNotFenced: an invitation reaches the owner from a process that stands by.
func TestWhatEverybodyMayWriteIsNotFenced(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL)
	owner, bystander := db.Owned("courier"), db.Owned("courier")
	must(t, bystander.Shared().Put(t.Context(), "inbox/1", []byte("letter")))
	err := owner.TryLead(t.Context(), func(ctx context.Context) error {
		names, err := owner.Keys(ctx, "inbox/")
		if err == nil && len(names) == 1 {
			err = owner.Delete(ctx, names[0])
		}
		return err
	})
	must(t, err)
	if value, err := bystander.Get(t.Context(), "inbox/1"); value != nil || err != nil {
		t.Fatalf("got %q, %v for a letter that was taken", value, err)
	}
	must(t, db.Owned("another").Shared().Put(t.Context(), "inbox/1", nil))
	if names, err := owner.Keys(t.Context(), ""); len(names) != 0 || err != nil {
		t.Fatalf("another owner's records are among these: %v, %v", names, err)
	}
}
