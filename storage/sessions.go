package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// Telegram keeps an update that was not fetched for 24 hours, so an update id must be known for longer than that.
const (
	updatesKept = 26 * time.Hour
	// updatesMost bounds the ids kept of one customer.
	updatesMost = 1000
)

// beginTurn takes a customer's turn and reads the session.
// KEYS: 1 session, 2 turn, 3 handled updates; all of one customer. ARGV: 1 update, 2 name of this turn, 3 its length in
// ms, 4 format. Result: {"fresh" | "handled" | "busy" | "format", format, version, body, refund, names, own}. A call that is
// sent again because its answer was lost finds its own turn.
var beginTurn = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'format', 'version', 'body', 'refund', 'names', 'own')
local function answer(what) return {what, s[1], s[2], s[3], s[4], s[5], s[6]} end
if s[1] and tonumber(s[1]) > tonumber(ARGV[4]) then return answer('format') end
if ARGV[1] ~= '0' and redis.call('ZSCORE', KEYS[3], ARGV[1]) then return answer('handled') end
local turn = redis.call('GET', KEYS[2])
if turn and turn ~= ARGV[2] then return answer('busy') end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return answer('fresh')
`)

// endTurn writes the session, notes the update and gives the turn back.
// KEYS: 1 session, 2 turn, 3 handled updates. ARGV: 1 update, 2 start of the turn's name, 3 expected version, 4 new
// version, 5 token of this write, 6 format, 7 body, 8 refund, 9 now in ms, 10 oldest update to keep in ms, 11 how many
// updates to keep, 12 how long to keep them in ms, 13 names, 14 the draft's own refund address. Result: "ended" | "lost" | "conflict".
var endTurn = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'version', 'token')
if s[1] == ARGV[4] and s[2] == ARGV[5] then return 'ended' end
local turn = redis.call('GET', KEYS[2])
if not turn or string.sub(turn, 1, #ARGV[2]) ~= ARGV[2] then return 'lost' end
if (s[1] or '0') ~= ARGV[3] then return 'conflict' end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'token', ARGV[5], 'format', ARGV[6], 'body', ARGV[7], 'refund', ARGV[8], 'names', ARGV[13], 'own', ARGV[14])
if ARGV[1] ~= '0' then
  redis.call('ZADD', KEYS[3], ARGV[9], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[10])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -tonumber(ARGV[11]) - 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[12])
end
redis.call('DEL', KEYS[2])
return 'ended'
`)

// releaseTurn gives a turn of this process back.
// KEYS: 1 turn. ARGV: 1 start of its name. Result: 1 given back, 0 not ours.
var releaseTurn = redis.NewScript(`
local turn = redis.call('GET', KEYS[1])
if not turn or string.sub(turn, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

func (db *DB) sessionKey(customer int64) string { return db.customerKey(customer, "session") }

func (db *DB) turnKeys(customer int64) []string {
	return []string{db.sessionKey(customer), db.customerKey(customer, "turn"), db.customerKey(customer, "updates")}
}

// turn names a turn: the process, then the update, then a name of its own. Whoever ends it knows the first two.
func (db *DB) turn(update int64) string {
	return db.instance + "/" + strconv.FormatInt(update, 10) + "/"
}

// Begin implements flows.Sessions. Where fresh is false no turn was taken: there is nothing to End or Release.
func (db *DB) Begin(ctx context.Context, customer, update int64) (flows.Session, bool, error) {
	s, fresh, err := db.begin(ctx, customer, update)
	if err != nil {
		return flows.Session{}, false, fmt.Errorf("begin turn: %w", err)
	}
	return s, fresh, nil
}

func (db *DB) begin(ctx context.Context, customer, update int64) (s flows.Session, fresh bool, err error) {
	token, err := db.token()
	if err != nil {
		return s, false, err
	}
	result, err := db.run(ctx, "redis.session.begin", beginTurn, db.turnKeys(customer),
		update, db.turn(update)+token, db.cfg.Turn.Milliseconds(), flows.SessionFormat)
	if err != nil {
		return s, false, err
	}
	fields, _ := result.([]any)
	if len(fields) == 0 {
		return s, false, errors.New("unexpected answer")
	}
	what := text(fields[0])
	if what == "busy" {
		return s, false, order.ErrBusy
	}
	if s, err = db.openSession(customer, fields[1:]); err != nil && what == "fresh" {
		// Nobody can go on with this session; whoever mends it need not wait for the turn to lapse.
		return s, false, errors.Join(err, db.Release(ctx, customer))
	}
	return s, what == "fresh", err
}

// openSession reads format, version, body, refund, names and own refund address, which may end early where there is no session.
func (db *DB) openSession(customer int64, fields []any) (s flows.Session, err error) {
	if len(fields) < 6 || text(fields[0]) == "" {
		return s, nil
	}
	number, err := strconv.Atoi(text(fields[0]))
	if err != nil {
		return s, fmt.Errorf("read its format: %w", err)
	}
	if err := checkFormat(number, flows.SessionFormat); err != nil {
		return s, err
	}
	if err := decode(text(fields[2]), &s); err != nil {
		return flows.Session{}, err
	}
	if s.Refund, err = db.openAddress(text(fields[3]), db.sessionKey(customer)); err != nil {
		return flows.Session{}, err
	}
	if s.Own, err = db.openAddress(text(fields[5]), db.ownPlace(customer)); err != nil {
		return flows.Session{}, err
	}
	if s.Names, err = db.openNames(customer, text(fields[4])); err != nil {
		return flows.Session{}, err
	}
	return s, nil
}

// ownPlace binds a sealed address to its customer and to being that of a draft.
func (db *DB) ownPlace(customer int64) string { return db.sessionKey(customer) + "/own" }

// sealAddress seals an address for the place where it is stored; none gives nothing.
func (db *DB) sealAddress(a cirrus.Address, place string) ([]byte, error) {
	if a == "" {
		return nil, nil
	}
	return db.cfg.Keys.Seal([]byte(a), place)
}

func (db *DB) openAddress(sealed, place string) (cirrus.Address, error) {
	if sealed == "" {
		return "", nil
	}
	raw, err := db.cfg.Keys.Open([]byte(sealed), place)
	return cirrus.Address(raw), err
}

// namesPlace binds sealed names to their customer and to being names.
func (db *DB) namesPlace(customer int64) string { return db.sessionKey(customer) + "/names" }

func (db *DB) sealNames(customer int64, names []string) ([]byte, error) {
	if len(names) == 0 {
		return nil, nil
	}
	raw, err := encode(names)
	if err != nil {
		return nil, err
	}
	return db.cfg.Keys.Seal([]byte(raw), db.namesPlace(customer))
}

func (db *DB) openNames(customer int64, sealed string) (names []string, err error) {
	if sealed == "" {
		return nil, nil
	}
	raw, err := db.cfg.Keys.Open([]byte(sealed), db.namesPlace(customer))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &names); err != nil {
		return nil, errors.New("names cannot be read") // what json says could quote them
	}
	return names, nil
}

// End implements flows.Sessions. After Erase the session to write is one of Version 0.
func (db *DB) End(ctx context.Context, customer, update int64, s flows.Session) error {
	if err := db.end(ctx, customer, update, s); err != nil {
		return fmt.Errorf("end turn: %w", err)
	}
	return nil
}

func (db *DB) end(ctx context.Context, customer, update int64, s flows.Session) error {
	expected := s.Version
	s.Format = flows.SessionFormat
	s.Version++
	body, err := encode(s)
	if err != nil {
		return err
	}
	refund, err := db.sealAddress(s.Refund, db.sessionKey(customer))
	if err != nil {
		return err
	}
	own, err := db.sealAddress(s.Own, db.ownPlace(customer))
	if err != nil {
		return err
	}
	names, err := db.sealNames(customer, s.Names)
	if err != nil {
		return err
	}
	token, err := db.token()
	if err != nil {
		return err
	}
	now := db.cfg.Clock()
	result, err := db.run(ctx, "redis.session.end", endTurn, db.turnKeys(customer),
		update, db.turn(update), expected, s.Version, token, s.Format, body, refund,
		now.UnixMilli(), now.Add(-updatesKept).UnixMilli(), updatesMost, updatesKept.Milliseconds(), names, own)
	if err != nil {
		return err
	}
	if result != "ended" {
		return fmt.Errorf("%v: %w", result, order.ErrConflict)
	}
	return nil
}

// Release implements flows.Sessions.
func (db *DB) Release(ctx context.Context, customer int64) error {
	_, err := db.run(ctx, "redis.session.release", releaseTurn, db.turnKeys(customer)[1:2], db.instance+"/")
	if err != nil {
		return fmt.Errorf("release turn: %w", err)
	}
	return nil
}

// Peek implements flows.Sessions. A customer never seen has an empty session.
func (db *DB) Peek(ctx context.Context, customer int64) (s flows.Session, err error) {
	var fields []any
	err = db.do(ctx, "redis.session.read", func(ctx context.Context) (err error) {
		fields, err = db.client.HMGet(ctx, db.sessionKey(customer), "format", "version", "body", "refund", "names", "own").Result()
		return err
	})
	if err == nil {
		s, err = db.openSession(customer, fields)
	}
	if err != nil {
		return flows.Session{}, fmt.Errorf("read session: %w", err)
	}
	return s, nil
}

// Erase implements flows.Sessions. Which updates were handled is kept, so that none counts twice.
func (db *DB) Erase(ctx context.Context, customer int64) error {
	err := db.do(ctx, "redis.session.erase", func(ctx context.Context) error {
		return db.client.Del(ctx, db.sessionKey(customer)).Err()
	})
	if err != nil {
		return fmt.Errorf("erase session: %w", err)
	}
	return nil
}

func encode(value any) (string, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return string(raw), nil
}

func decode(raw string, value any) error {
	if err := json.Unmarshal([]byte(raw), value); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}
