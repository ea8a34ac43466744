package secretchat

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/gotd/td/tg"
)

// dhCache holds the last group the server named, by version, and which primes
// were checked: checking one takes the better part of a second.
type dhCache struct {
	mu      sync.Mutex
	version int
	group   group
	good    map[[sha256.Size]byte]bool
}

// parameters fetches the group for a new key, and fresh randomness of the server's.
func (c *Client) parameters(ctx context.Context, w *worker) (group, []byte, answer, error) {
	var (
		g      group
		random []byte
	)
	a, err := c.call(ctx, w, "parameters", callTimeout, func(ctx context.Context) error {
		result, err := c.cfg.API.MessagesGetDhConfig(ctx, &tg.MessagesGetDhConfigRequest{
			Version: c.dh.known(), RandomLength: keyLen,
		})
		if err != nil {
			return err
		}
		g, random, err = c.dh.take(result)
		return err
	})
	return g, random, a, err
}

func (d *dhCache) known() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version
}

func (d *dhCache) take(result tg.MessagesDhConfigClass) (group, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	config, ok := result.(*tg.MessagesDhConfig)
	if !ok {
		if d.version == 0 {
			return group{}, nil, fmt.Errorf("server says %T before it named a group", result)
		}
		return d.group, result.GetRandom(), nil
	}
	sum := groupSum(config.G, config.P)
	if !d.good[sum] {
		if err := checkGroup(config.G, config.P); err != nil {
			return group{}, nil, err
		}
		if d.good == nil {
			d.good = make(map[[sha256.Size]byte]bool)
		}
		d.good[sum] = true
	}
	d.version, d.group = config.Version, group{G: config.G, P: config.P}
	return d.group, config.Random, nil
}

// groupSum names a group that was checked.
func groupSum(g int, p []byte) [sha256.Size]byte {
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(g)), p...))
}
