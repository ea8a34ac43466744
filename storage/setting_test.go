package storage

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/usherbot/usher/storage/redistest"
)

func TestTheNetworkIsRememberedForEver(t *testing.T) {
	server := redistest.Start(t)
	keys := ring(t)
	if _, err := Open(t.Context(), Config{URL: server.URL, Keys: keys}); !errors.Is(err, ErrNoNetwork) {
		t.Fatalf("got %v, want no network", err)
	}
	db := openAt(t, server.URL)
	must(t, db.RememberNetwork(t.Context(), "CirrusTest"))
	must(t, db.RememberNetwork(t.Context(), "CirrusTest"))
	if err := db.RememberNetwork(t.Context(), "CirrusMain"); !errors.Is(err, ErrOtherNetwork) {
		t.Fatalf("got %v, want a refusal", err)
	}
	again := openAt(t, server.URL, func(c *Config) { c.Network = "" })
	if again.Network() != "CirrusTest" {
		t.Fatalf("network %q", again.Network())
	}
}

func TestSellingNeedsARedisThatForgetsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		args  []string
		sells map[string]bool
	}{
		"as it should be": {nil, map[string]bool{"": true, "everysec": true, "none": true}},
		"every second":    {[]string{"--appendfsync", "everysec"}, map[string]bool{"": false, "everysec": true, "none": true}},
		"no file":         {[]string{"--appendonly", "no"}, map[string]bool{"": false, "everysec": false, "none": true}},
		"evicting": {
			[]string{"--maxmemory-policy", "allkeys-lru"}, map[string]bool{"": false, "everysec": false, "none": true},
		},
		"not forcing while it rewrites": {
			[]string{"--no-appendfsync-on-rewrite", "yes"}, map[string]bool{"": false, "everysec": false, "none": true},
		},
		"not telling": {
			[]string{"--rename-command", "CONFIG", ""}, map[string]bool{"": false, "everysec": false, "none": true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openAt(t, redistest.Start(t, test.args...).URL)
			d, err := db.Durability(t.Context())
			must(t, err)
			for risk, want := range test.sells {
				if got, why := d.Selling(risk); got != want || why == "" {
					t.Errorf("risk %q: %t, %q", risk, got, why)
				}
			}
		})
	}
}

func TestTheRedisOfTheDemoSellsOnlyWhenTheRiskIsNamed(t *testing.T) {
	d, err := openAt(t, "redis://"+miniredis.RunT(t).Addr()).Durability(t.Context())
	must(t, err)
	refused, why := d.Selling(RiskRefused)
	accepted, _ := d.Selling(RiskNone)
	if refused || !accepted || !strings.Contains(why, "REDIS_RISK") {
		t.Fatalf("refused %t, accepted %t: %s", !refused, accepted, why)
	}
}

func TestSealedNamesAreListedByTheirBeginning(t *testing.T) {
	sealed := openAt(t, redistest.Start(t).URL).Sealed()
	for _, name := range []string{"chat/2", "chat/1", "chats", "session", "chat/3"} {
		must(t, sealed.Put(t.Context(), name, []byte(name)))
	}
	must(t, errors.Join(sealed.Delete(t.Context(), "chat/3"), sealed.Delete(t.Context(), "nothing")))
	must(t, sealed.Put(t.Context(), "chat/1", nil))
	names, err := sealed.Keys(t.Context(), "chat/")
	must(t, err)
	if want := []string{"chat/1", "chat/2"}; !reflect.DeepEqual(names, want) {
		t.Fatalf("got %v, want %v", names, want)
	}
	if value, err := sealed.Get(t.Context(), "chat/3"); value != nil || err != nil {
		t.Fatalf("got %q, %v for a deleted value", value, err)
	}
	if value, err := sealed.Get(t.Context(), "chat/1"); value == nil || len(value) != 0 || err != nil {
		t.Fatalf("got %q, %v for an empty value", value, err)
	}
	all, err := sealed.Keys(t.Context(), "")
	must(t, err)
	if len(all) != 4 {
		t.Fatalf("got %v", all)
	}
}
