package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Durability is how well Redis keeps what it was told; in a cluster, what its worst node does.
type Durability struct {
	Known    bool   // false: Redis does not tell
	Append   bool   // appendonly yes
	Fsync    string // appendfsync: always, everysec, no
	Pauses   bool   // no-appendfsync-on-rewrite yes: nothing is forced to the disk while the file is rewritten
	Eviction string // maxmemory-policy
	Wrong    string // what is not as selling needs it; empty: everything is
}

// The risks that an operator may accept by name (REDIS_RISK).
const (
	RiskRefused  = ""         // only a Redis that forgets nothing
	RiskEverySec = "everysec" // the last second may be lost
	RiskNone     = "none"     // nothing is kept at all; for the demo
)

// The settings of Redis that decide what it keeps (https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/).
const (
	configAppend   = "appendonly"
	configFsync    = "appendfsync"
	configPauses   = "no-appendfsync-on-rewrite"
	configEviction = "maxmemory-policy"
)

// Durability asks Redis how it keeps data.
func (db *DB) Durability(ctx context.Context) (Durability, error) {
	worst := Durability{Known: true, Append: true, Fsync: "always", Eviction: "noeviction"}
	ask := func(ctx context.Context, node redis.Cmdable) error {
		d, err := db.durability(ctx, node)
		if err == nil && d.loses() > worst.loses() {
			worst = d
		}
		return err
	}
	var err error
	if cluster, ok := db.client.(*redis.ClusterClient); ok {
		err = eachMaster(ctx, cluster, ask)
	} else {
		err = ask(ctx, db.client)
	}
	if err != nil {
		return Durability{}, fmt.Errorf("ask Redis how it keeps data: %w", err)
	}
	return worst, nil
}

func (db *DB) durability(ctx context.Context, node redis.Cmdable) (d Durability, err error) {
	settings := map[string]string{}
	for _, name := range []string{configAppend, configFsync, configPauses, configEviction} {
		var found map[string]string
		err := db.do(ctx, "redis.config", func(ctx context.Context) (err error) {
			found, err = node.ConfigGet(ctx, name).Result()
			return err
		})
		var refused redis.Error
		if errors.As(err, &refused) || (err == nil && found[name] == "") {
			return Durability{Wrong: "it does not tell its settings (CONFIG GET)"}, nil
		}
		if err != nil {
			return d, err
		}
		settings[name] = found[name]
	}
	d = Durability{
		Known: true, Append: settings[configAppend] == "yes", Fsync: settings[configFsync],
		Pauses: settings[configPauses] == "yes", Eviction: settings[configEviction],
	}
	d.Wrong = d.wrong()
	return d, nil
}

func (d Durability) wrong() string {
	var wrong []string
	if !d.Append {
		wrong = append(wrong, "appendonly is no, must be yes")
	}
	if d.Fsync != "always" {
		wrong = append(wrong, "appendfsync is "+d.Fsync+", must be always")
	}
	if d.Pauses {
		wrong = append(wrong, configPauses+" is yes, must be no")
	}
	if d.Eviction != "noeviction" {
		wrong = append(wrong, "maxmemory-policy is "+d.Eviction+", must be noeviction")
	}
	return strings.Join(wrong, "; ")
}

// How much may be lost.
const (
	losesNothing = iota
	losesLastSecond
	losesMore
)

func (d Durability) loses() int {
	switch {
	case d.Known && d.Wrong == "":
		return losesNothing
	case d.Known && d.Append && d.Fsync == "everysec" && !d.Pauses && d.Eviction == "noeviction":
		return losesLastSecond
	}
	return losesMore
}

// Selling tells whether tickets may be sold with a Redis like this, the operator having accepted risk (REDIS_RISK),
// and in a sentence for the operator why or why not.
func (d Durability) Selling(risk string) (ok bool, why string) {
	loses := d.loses()
	switch {
	case loses == losesNothing:
		return true, "Redis keeps everything it was told."
	case risk == RiskNone:
		return true, "Redis may forget orders and money with them; REDIS_RISK=none accepts that: " + d.Wrong + "."
	case risk == RiskEverySec && loses == losesLastSecond:
		return true, "Redis may forget the last second; REDIS_RISK=everysec accepts that: " + d.Wrong + "."
	}
	return false, "Selling is off, because Redis could forget money: " + d.Wrong +
		". Change the settings of Redis, or accept the risk by name with REDIS_RISK."
}
