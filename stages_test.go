package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

// staged is a list of one stage with one customer, for whom scenes are played.
func staged(title string, scenes func(*player) []scene) []stage {
	flags := demoFlags{play: true, generation: "ciphered", node: "today", block: "manual"}
	return []stage{{title: title, flags: flags, tales: []tale{{title: title, name: "Ada", scenes: scenes}}}}
}

func TestStoriesSideBySideArePrintedOneAfterAnother(t *testing.T) {
	t.Parallel()
	second := make(chan struct{})
	first := func(p *player) []scene {
		return []scene{
			func(context.Context) error { return p.say("begins") },
			func(ctx context.Context) error {
				select { // both are played at the same time
				case <-second:
					return p.say("ends")
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		}
	}
	lists := [][]stage{staged("one", first), staged("two", func(p *player) []scene {
		return []scene{func(context.Context) error {
			defer close(second)
			return p.say("all of it")
		}}
	})}
	var out bytes.Buffer
	if err := playAll(t.Context(), lists, streams{strings.NewReader(""), &out, io.Discard}); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	const owners = "No coin is without an owner. Addresses of open orders with money at them: 0.\nusher audit: all is well, in 0 orders at 0 addresses.\n"
	want := "== one\n-- one\nbegins\nends\n" + owners + "== two\n-- two\nall of it\n" + owners + "demo: ok\n"
	if out.String() != want {
		t.Errorf("printed:\n%s", out.String())
	}
}

// TestMoneyMovedFromOutsideEndsThePlay: the account of a customer does not add up, and that ends everything that is
// played beside it.
func TestMoneyMovedFromOutsideEndsThePlay(t *testing.T) {
	t.Parallel()
	waiting := staged("waiting", func(*player) []scene {
		return []scene{func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
	})
	meddled := staged("meddled", func(p *player) []scene {
		return []scene{p.choose("An Evening", "2B"), p.openChat, p.orderIt, p.pay(0), func(context.Context) error {
			_, err := p.chain.Fund(p.order, cirrus.CRS)
			return err
		}, p.account}
	})
	var out bytes.Buffer
	err := playAll(t.Context(), [][]stage{waiting, meddled}, streams{strings.NewReader(""), &out, io.Discard})
	if !errors.Is(err, errSaid) {
		t.Errorf("error %v", err)
	}
	said := out.String()
	if !strings.Contains(said, "\n== meddled\n") || !strings.HasSuffix(said, "demo: FAILED: Ada paid 35.5, sent 36.5, and 36.5 is accounted for\n") {
		t.Errorf("printed:\n%s", said)
	}
}

func TestEachStageHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	none := func(string) bool { return false }
	lists, err := stages(demoFlags{redis: "redis://127.0.0.1:6379/0"}, none)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if seen[s.flags.redis] {
				t.Errorf("%s is used twice", s.flags.redis)
			}
			seen[s.flags.redis] = true
		}
	}
	if len(seen) < 5 {
		t.Errorf("%d stages", len(seen))
	}
	if _, err := stages(demoFlags{redis: "redis+cluster://127.0.0.1:6379"}, none); err == nil {
		t.Error("a cluster, which has one database, is taken")
	}
}

// TestWithAnAddressToListenOnEverydayStoriesTakeTurnsThere: each demo of both generations is served at the address.
func TestWithAnAddressToListenOnEverydayStoriesTakeTurnsThere(t *testing.T) {
	t.Parallel()
	lists, err := stages(demoFlags{}, func(flag string) bool { return flag == "listen" })
	if err != nil {
		t.Fatal(err)
	}
	if len(lists[0]) != 2 || !lists[0][0].open || !lists[0][1].open {
		t.Errorf("%d stages in turn", len(lists[0]))
	}
	for _, list := range lists[1:] {
		for _, s := range list {
			if s.open {
				t.Errorf("%s listens too", s.title)
			}
		}
	}
}
