package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff"
)

// Options configure a Store. The zero value works.
type Options struct {
	// Index stands before the keys of the index; "": "bff-index:". It must not
	// begin with a prefix of sessions.
	Index string
}

// Store is a bff.Store, Lister, Indexer and Forgetter.
type Store struct {
	rdb   redis.UniversalClient
	index string
	// oneServer says that a script may have keys of any slots.
	oneServer bool
}

// New makes a store on a client, which stays the caller's to close. It fails when
// the client does not heed contexts: without ContextTimeoutEnabled a server that is
// gone would hold requests for seconds.
func New(rdb redis.UniversalClient, opts Options) (*Store, error) {
	s := &Store{rdb: rdb, index: opts.Index}
	if s.index == "" {
		s.index = "bff-index:"
	}
	heeds := true
	switch c := rdb.(type) {
	case *redis.Client:
		heeds, s.oneServer = c.Options().ContextTimeoutEnabled, true
	case *redis.ClusterClient:
		heeds = c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		heeds = c.Options().ContextTimeoutEnabled
	}
	if !heeds {
		return nil, errors.New("redisstore: the client must have ContextTimeoutEnabled")
	}
	return s, nil
}

// fails is an error in the words of bff: a key of another type is no session.
func fails(err error) error {
	if err != nil && strings.Contains(err.Error(), "WRONGTYPE") {
		return bff.ErrNoSession
	}
	return err
}

// Find implements bff.Store.
func (s *Store) Find(ctx context.Context, key string) (bff.Record, error) {
	pipe := s.rdb.Pipeline()
	r := ask(ctx, pipe, key)
	_, err := pipe.Exec(ctx)
	if err != nil && !errors.Is(err, redis.Nil) {
		return bff.Record{}, fails(err)
	}
	return r.record()
}

// asked is a session that is being read.
type asked struct {
	value *redis.StringCmd
	ttl   *redis.DurationCmd
}

func ask(ctx context.Context, pipe redis.Pipeliner, key string) asked {
	return asked{pipe.Get(ctx, key), pipe.PTTL(ctx, key)}
}

// record is what came. It fails with bff.ErrNoSession.
func (a asked) record() (bff.Record, error) {
	value, err := a.value.Bytes()
	if errors.Is(err, redis.Nil) {
		return bff.Record{}, bff.ErrNoSession
	}
	if err != nil {
		return bff.Record{}, fails(err)
	}
	ttl, err := a.ttl.Result()
	switch {
	case err != nil:
		return bff.Record{}, err
	case ttl == -2: // expired between the two
		return bff.Record{}, bff.ErrNoSession
	case ttl == 0: // in its last millisecond; 0 would be for ever
		ttl = 1
	case ttl < 0:
		ttl = 0
	}
	return bff.Record{Value: value, TTL: ttl}, nil
}

// millis is a time to live for PX, 0 for none.
func millis(ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	return max(ttl.Milliseconds(), 1)
}

// Create implements bff.Store.
func (s *Store) Create(ctx context.Context, key string, r bff.Record) error {
	if r.TTL < 0 {
		return nil
	}
	if err := s.list(ctx, key, r); err != nil {
		return err
	}
	return s.set(ctx, key, r)
}

// set is SET NX. A server that keeps deleted ids from coming back answers null, as
// it does when there is the key.
func (s *Store) set(ctx context.Context, key string, r bff.Record) error {
	args := redis.SetArgs{Mode: "NX", TTL: time.Duration(millis(r.TTL)) * time.Millisecond}
	err := s.rdb.SetArgs(ctx, key, r.Value, args).Err()
	if errors.Is(err, redis.Nil) {
		return bff.ErrConflict
	}
	return err
}

// What the scripts below answer.
const (
	scriptNone     = -1 // there is no such session
	scriptConflict = 0
	scriptDone     = 1
)

func scriptAnswer(n int, err error) error {
	switch {
	case err != nil:
		return fails(err)
	case n == scriptNone:
		return bff.ErrNoSession
	case n == scriptConflict:
		return bff.ErrConflict
	}
	return nil
}

// replaceScript: KEYS[1] the session; ARGV old value, new value, milliseconds to live
// (0: for ever, below: none).
var replaceScript = redis.NewScript(`
local have = redis.call('GET', KEYS[1])
if not have then return -1 end
if have ~= ARGV[1] then return 0 end
local ttl = tonumber(ARGV[3])
if ttl < 0 then redis.call('DEL', KEYS[1])
elseif ttl == 0 then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`)

// Replace implements bff.Store.
func (s *Store) Replace(ctx context.Context, key string, old []byte, r bff.Record) error {
	if err := s.list(ctx, key, r); err != nil {
		return err
	}
	ttl := millis(r.TTL)
	if r.TTL < 0 {
		ttl = -1
	}
	return scriptAnswer(replaceScript.Run(ctx, s.rdb, []string{key}, old, r.Value, ttl).Int())
}

// renameScript: KEYS the session, its new name; ARGV as replaceScript's.
var renameScript = redis.NewScript(`
local have = redis.call('GET', KEYS[1])
if not have then return -1 end
if have ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local ttl = tonumber(ARGV[3])
if ttl == 0 then redis.call('SET', KEYS[2], ARGV[2])
elseif ttl > 0 then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[1])
return 1`)

// takeScript: KEYS[1] the session; ARGV[1] the value that it must have to go.
var takeScript = redis.NewScript(`
local have = redis.call('GET', KEYS[1])
if not have then return -1 end
if have ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`)

// Rename implements bff.Store. In a Cluster both keys are there for a moment.
func (s *Store) Rename(ctx context.Context, key string, old []byte, to string, r bff.Record) error {
	if err := s.list(ctx, to, r); err != nil {
		return err
	}
	var err error
	if s.oneServer || sameSlot(key, to) {
		ttl := millis(r.TTL)
		if r.TTL < 0 {
			ttl = -1
		}
		err = scriptAnswer(renameScript.Run(ctx, s.rdb, []string{key, to}, old, r.Value, ttl).Int())
	} else {
		err = s.renameInSteps(ctx, key, old, to, r)
	}
	if err != nil {
		return err
	}
	return s.unlist(ctx, r, key)
}

// renameInSteps is Rename where no script can have both keys.
func (s *Store) renameInSteps(ctx context.Context, key string, old []byte, to string, r bff.Record) error {
	if r.TTL >= 0 {
		if err := s.set(ctx, to, r); err != nil {
			return err
		}
	}
	err := scriptAnswer(takeScript.Run(ctx, s.rdb, []string{key}, old).Int())
	if err == nil || r.TTL < 0 {
		return err
	}
	// Also when it is not known whether key is gone: a session less is better
	// than one that nobody can end.
	if undo := s.rdb.Del(context.WithoutCancel(ctx), to).Err(); undo != nil {
		return fmt.Errorf("%w, and then: %w", err, undo)
	}
	return err
}

// sameSlot says that two keys are in one slot for sure: by their hash tags.
func sameSlot(a, b string) bool {
	tag := hashTag(a)
	return tag != "" && tag == hashTag(b)
}

// hashTag is what a Cluster hashes of a key with braces; "" for the whole key.
func hashTag(key string) string {
	_, after, ok := strings.Cut(key, "{")
	if !ok {
		return ""
	}
	tag, _, ok := strings.Cut(after, "}")
	if !ok {
		return ""
	}
	return tag
}

// Touch implements bff.Store.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if ttl != 0 {
		ms := ttl.Milliseconds()
		if ttl > 0 {
			ms = max(ms, 1)
		}
		ok, err := s.rdb.PExpire(ctx, key, time.Duration(ms)*time.Millisecond).Result()
		if err == nil && !ok {
			err = bff.ErrNoSession
		}
		return err
	}
	pipe := s.rdb.Pipeline()
	pipe.Persist(ctx, key)
	exists := pipe.Exists(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	if exists.Val() == 0 {
		return bff.ErrNoSession
	}
	return nil
}

// Delete implements bff.Store.
func (s *Store) Delete(ctx context.Context, _ bff.Reason, keys ...string) (int, error) {
	if len(keys) == 0 {
		return 0, nil
	}
	// A DEL each: in a Cluster they go to different servers.
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.IntCmd, len(keys))
	for i, key := range keys {
		cmds[i] = pipe.Del(ctx, key)
	}
	_, err := pipe.Exec(ctx)
	n := 0
	for _, cmd := range cmds {
		n += int(cmd.Val())
	}
	return n, err
}
