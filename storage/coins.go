package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The coins of all our addresses are a hash, one field for each address. A coin is stored with the height of its block
// instead of its confirmations, so that a new block changes nothing about coins that nothing happened to. Whoever
// posts keeps a copy and writes only differences; the mark, a new name after every change, tells whether the copy is
// still true.

// postCoins changes coins, and notes which orders they touched until the poster says that it was told.
// KEYS: 1 coins, 2 mark, 3 touched orders, 4 where the time of it is kept; all of one slot. ARGV: 1 mark of the poster's copy,
// 2 new mark, 3 number of addresses to set, 4 to delete, 5 of orders told before, 6 of orders touched, 7 now in ms; then
// address and coins each, addresses, orders, orders. Result: {"stale"} | {"posted", order…}, the orders touched and not yet told.
var postCoins = redis.NewScript(`
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return {'stale'} end
local at = 7
local function each(count, act)
  for _ = 1, tonumber(count) do act(ARGV[at + 1], ARGV[at + 2]); at = at + 1 end
end
each(ARGV[3], function(address, coins) redis.call('HSET', KEYS[1], address, coins); at = at + 1 end)
each(ARGV[4], function(address) redis.call('HDEL', KEYS[1], address) end)
each(ARGV[5], function(id) redis.call('SREM', KEYS[3], id) end)
each(ARGV[6], function(id) redis.call('SADD', KEYS[3], id) end)
if tonumber(ARGV[3]) + tonumber(ARGV[4]) > 0 then redis.call('SET', KEYS[2], ARGV[2]) end
redis.call('HSET', KEYS[4], 'coins', ARGV[7])
local touched = redis.call('SMEMBERS', KEYS[3])
table.insert(touched, 1, 'posted')
return touched
`)

// postTries is how often a copy that another replica outdated is read anew before giving up.
const postTries = 3

// coinCache is the copy of the coins as last posted.
type coinCache struct {
	mu     sync.Mutex
	loaded bool
	mark   string
	at     map[cirrus.Address]string
	told   []order.ID // given by the last PostCoins
}

// placed is a coin as it is stored.
type placed struct {
	TxID   cirrus.TxID   `json:"t"`
	Index  uint32        `json:"i"`
	Amount cirrus.Strats `json:"a"`
	Height int64         `json:"h,omitempty"` // of its block
	Mined  bool          `json:"m,omitempty"`
}

func (db *DB) coinsKeys() []string {
	return []string{db.key("{board}", "coins"), db.key("{board}", "mark"), db.key("{board}", "touched")}
}

// Coins implements order.View.
func (db *DB) Coins(ctx context.Context, addresses ...cirrus.Address) ([]cirrus.Coin, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	var tip *redis.StringCmd
	var fields *redis.SliceCmd
	err := db.do(ctx, "redis.board.coins", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			tip = pipe.Get(ctx, db.tipKey())
			fields = pipe.HMGet(ctx, db.coinsKeys()[0], texts(addresses)...)
			return nil
		})
		return exceptNil(err)
	})
	if err != nil {
		return nil, fmt.Errorf("read coins: %w", err)
	}
	if errors.Is(tip.Err(), redis.Nil) {
		return nil, nil
	}
	var now order.Tip
	if err := unwrap(tip.Val(), &now); err != nil {
		return nil, fmt.Errorf("read coins: tip: %w", err)
	}
	var coins []cirrus.Coin
	for i, field := range fields.Val() {
		list, err := readCoins(addresses[i], text(field), int64(now.Height))
		if err != nil {
			return nil, fmt.Errorf("read coins: %w", err)
		}
		coins = append(coins, list...)
	}
	return coins, nil
}

func readCoins(address cirrus.Address, raw string, tip int64) ([]cirrus.Coin, error) {
	if raw == "" {
		return nil, nil
	}
	var list []placed
	if err := unwrap(raw, &list); err != nil {
		return nil, err
	}
	coins := make([]cirrus.Coin, len(list))
	for i, p := range list {
		coins[i] = cirrus.Coin{
			Outpoint: cirrus.Outpoint{TxID: p.TxID, Index: p.Index}, Address: address, Amount: p.Amount,
		}
		if p.Mined {
			coins[i].Confirmations = uint64(max(1, tip+1-p.Height))
		}
	}
	return coins, nil
}

// PostCoins implements order.Board. It must follow the PostTip of the block that the coins were read at. An order
// counts as touched when a coin of one of its addresses came, went, was mined or left its block again. It is given
// again by later calls until one of the same process shows that the orders were taken, so a crash forgets none.
func (db *DB) PostCoins(ctx context.Context, coins []cirrus.Coin) ([]order.ID, error) {
	db.coins.mu.Lock()
	defer db.coins.mu.Unlock()
	tip, err := db.Tip(ctx)
	if err != nil {
		return nil, fmt.Errorf("post coins: %w", err)
	}
	now, err := placeCoins(coins, int64(tip.Height))
	if err != nil {
		return nil, fmt.Errorf("post coins: %w", err)
	}
	for range postTries {
		touched, posted, err := db.postOnce(ctx, now)
		if err != nil {
			return nil, fmt.Errorf("post coins: %w", err)
		}
		if posted {
			return touched, nil
		}
	}
	return nil, fmt.Errorf("post coins: %w", order.ErrConflict)
}

// postOnce writes the differences to the copy. posted is false where the copy was outdated.
func (db *DB) postOnce(
	ctx context.Context, now map[cirrus.Address]string,
) (touched []order.ID, posted bool, err error) {
	cache := &db.coins
	if !cache.loaded {
		if err := db.loadCoins(ctx); err != nil {
			return nil, false, err
		}
	}
	set, gone, changed, err := differences(cache.at, now)
	if err != nil {
		return nil, false, err
	}
	if touched, err = db.owners(ctx, changed); err != nil {
		return nil, false, err
	}
	token, err := db.token()
	if err != nil {
		return nil, false, err
	}
	args := []any{cache.mark, token, len(set) / 2, len(gone), len(cache.told), len(touched), db.cfg.Clock().UnixMilli()}
	args = append(append(args, set...), gone...)
	for _, id := range append(slices.Clone(cache.told), touched...) {
		args = append(args, string(id))
	}
	cache.loaded = false // until the answer says otherwise
	result, err := db.run(ctx, "redis.board.post_coins", postCoins, append(db.coinsKeys(), db.olderKey()), args...)
	if err != nil {
		return nil, false, err
	}
	answer, _ := result.([]any)
	if len(answer) == 0 || text(answer[0]) != "posted" {
		return nil, false, nil
	}
	if len(set)+len(gone) > 0 {
		cache.mark = token
	}
	cache.loaded, cache.at, cache.told = true, now, ids(answer[1:])
	return cache.told, true, nil
}

func (db *DB) loadCoins(ctx context.Context) error {
	var mark *redis.StringCmd
	var fields *redis.MapStringStringCmd
	err := db.do(ctx, "redis.board.load_coins", func(ctx context.Context) error {
		_, err := db.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			mark = pipe.Get(ctx, db.coinsKeys()[1])
			fields = pipe.HGetAll(ctx, db.coinsKeys()[0])
			return nil
		})
		return exceptNil(err)
	})
	if err != nil {
		return fmt.Errorf("load coins: %w", err)
	}
	db.coins.mark = mark.Val()
	db.coins.at = make(map[cirrus.Address]string, len(fields.Val()))
	for address, raw := range fields.Val() {
		db.coins.at[cirrus.Address(address)] = raw
	}
	db.coins.loaded = true
	return nil
}

// owners gives the orders that addresses belong to; others' addresses are left out.
func (db *DB) owners(ctx context.Context, addresses []cirrus.Address) (list []order.ID, err error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	err = db.do(ctx, "redis.address.owners", func(ctx context.Context) error {
		owners, err := db.client.HMGet(ctx, db.ownersKey(), texts(addresses)...).Result()
		list = ids(owners)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find owners: %w", err)
	}
	return list, nil
}

// placeCoins gives the stored form of each address's coins.
func placeCoins(coins []cirrus.Coin, tip int64) (map[cirrus.Address]string, error) {
	lists := map[cirrus.Address][]placed{}
	for _, coin := range coins {
		p := placed{TxID: coin.TxID, Index: coin.Index, Amount: coin.Amount, Mined: coin.Confirmations > 0}
		if p.Mined {
			p.Height = tip + 1 - int64(coin.Confirmations)
		}
		lists[coin.Address] = append(lists[coin.Address], p)
	}
	at := make(map[cirrus.Address]string, len(lists))
	for address, list := range lists {
		slices.SortFunc(list, func(a, b placed) int {
			return cmp.Or(cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Index, b.Index))
		})
		raw, err := wrap(list)
		if err != nil {
			return nil, err
		}
		at[address] = string(raw)
	}
	return at, nil
}

// differences says what must be written: address and coins in turns, and addresses to delete; and which of these
// addresses changed in a way that an order wants to know of, which a mere move to another block is not.
func differences(old, now map[cirrus.Address]string) (set, gone []any, changed []cirrus.Address, err error) {
	for address, raw := range now {
		if old[address] == raw {
			continue
		}
		set = append(set, string(address), raw)
		same, err := alike(old[address], raw)
		if err != nil {
			return nil, nil, nil, err
		}
		if !same {
			changed = append(changed, address)
		}
	}
	for address := range old {
		if _, ok := now[address]; !ok {
			gone = append(gone, string(address))
			changed = append(changed, address)
		}
	}
	return set, gone, changed, nil
}

func alike(old, now string) (bool, error) {
	if old == "" {
		return false, nil
	}
	var lists [2][]placed
	if err := errors.Join(unwrap(old, &lists[0]), unwrap(now, &lists[1])); err != nil {
		return false, err
	}
	return slices.EqualFunc(lists[0], lists[1], func(a, b placed) bool {
		return a.TxID == b.TxID && a.Index == b.Index && a.Amount == b.Amount && a.Mined == b.Mined
	}), nil
}

// ids reads order ids of a reply, each once and sorted; absent ones are left out.
func ids(fields []any) []order.ID {
	list := make([]order.ID, 0, len(fields))
	for _, field := range fields {
		if id := text(field); id != "" {
			list = append(list, order.ID(id))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func texts(addresses []cirrus.Address) []string {
	list := make([]string, len(addresses))
	for i, address := range addresses {
		list[i] = string(address)
	}
	return list
}
