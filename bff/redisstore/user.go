package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff"
)

// The index by user: a sorted set a user, with the keys of sessions, by the time at
// which they were listed. A session is listed before it is written, so that none is
// missing; a key without a session is taken off by who reads it, once it is so old
// that its session cannot just be about to be written.

// young is how long a key may stand in the index before its session exists.
const young = time.Minute

// indexKey is where the sessions under a prefix of a user are listed. It fails when
// that would look like a session.
func (s *Store) indexKey(prefix, user string) (string, error) {
	if strings.HasPrefix(s.index, prefix) {
		return "", fmt.Errorf("redisstore: sessions under %q take the index %q for one of them", prefix, s.index)
	}
	return s.index + strconv.Itoa(len(prefix)) + ":" + prefix + user, nil
}

// listScript: KEYS[1] the index; ARGV[1] the session, ARGV[2] the milliseconds that
// it may live at most, 0 for no bound. Scores are microseconds, and rise: also when
// two come at one time, or the clock goes back.
var listScript = redis.NewScript(`
local now = redis.call('TIME')
local score = tonumber(now[1]) * 1000000 + tonumber(now[2])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] and tonumber(last[2]) >= score then score = tonumber(last[2]) + 1 end
local lives = redis.call('PTTL', KEYS[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', score), ARGV[1])
local most = tonumber(ARGV[2])
if most == 0 then redis.call('PERSIST', KEYS[1])
elseif lives ~= -1 and lives < most then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

// list puts a session into its user's index, if the record names one.
func (s *Store) list(ctx context.Context, key string, r bff.Record) error {
	if r.User == "" || r.TTL < 0 {
		return nil
	}
	index, err := s.indexKey(r.Prefix, r.User)
	if err != nil {
		return err
	}
	return listScript.Run(ctx, s.rdb, []string{index}, key, millis(r.Longest)).Err()
}

// unlist takes a session that got another id out of its user's index.
func (s *Store) unlist(ctx context.Context, r bff.Record, key string) error {
	if r.User == "" {
		return nil
	}
	return s.Forget(ctx, r.Prefix, r.User, key)
}

// Forget implements bff.Forgetter.
func (s *Store) Forget(ctx context.Context, prefix, user string, keys ...string) error {
	index, err := s.indexKey(prefix, user)
	if err != nil || len(keys) == 0 {
		return err
	}
	members := make([]any, len(keys))
	for i, key := range keys {
		members[i] = key
	}
	return s.rdb.ZRem(ctx, index, members...).Err()
}

// Complete implements bff.Indexer: sessions of other programs are not listed.
func (s *Store) Complete() bool { return false }

// ByUser implements bff.Indexer. Its cursor is a score.
func (s *Store) ByUser(ctx context.Context, prefix, user, cursor string, n int) (page []bff.Entry, next string, err error) {
	index, err := s.indexKey(prefix, user)
	if err != nil {
		return nil, "", err
	}
	after := "-inf"
	if cursor != "" {
		if _, err := strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", errCursor
		}
		after = "(" + cursor
	}
	for {
		listed, err := s.rdb.ZRangeByScoreWithScores(ctx, index, &redis.ZRangeBy{Min: after, Max: "+inf", Count: int64(n)}).Result()
		if err != nil || len(listed) == 0 {
			return page, "", err
		}
		if page, err = s.living(ctx, index, listed, page); err != nil {
			return nil, "", err
		}
		last := strconv.FormatFloat(listed[len(listed)-1].Score, 'f', -1, 64)
		if len(listed) < n {
			return page, "", nil
		}
		if len(page) > 0 {
			return page, last, nil
		}
		after = "(" + last
	}
}

// living reads listed sessions, and takes those off the index that have ended.
func (s *Store) living(ctx context.Context, index string, listed []redis.Z, page []bff.Entry) ([]bff.Entry, error) {
	keys := make([]string, len(listed))
	for i, z := range listed {
		keys[i], _ = z.Member.(string)
	}
	found, now, err := s.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	var gone []any
	for i, r := range found {
		if r != nil {
			page = append(page, bff.Entry{Key: keys[i], Record: *r})
		} else if now.Sub(time.UnixMicro(int64(listed[i].Score))) > young {
			gone = append(gone, keys[i])
		}
	}
	if len(gone) > 0 {
		return page, s.rdb.ZRem(ctx, index, gone...).Err()
	}
	return page, nil
}

// read reads sessions, nil for those that are none, and the server's time.
func (s *Store) read(ctx context.Context, keys []string) ([]*bff.Record, time.Time, error) {
	pipe := s.rdb.Pipeline()
	asks := make([]asked, len(keys))
	for i, key := range keys {
		asks[i] = ask(ctx, pipe, key)
	}
	clock := pipe.Time(ctx)
	// What failed is told by each command: that a session is none is no failure.
	_, _ = pipe.Exec(ctx)
	found := make([]*bff.Record, len(keys))
	for i := range asks {
		r, err := asks[i].record()
		if err == nil {
			found[i] = &r
		} else if !errors.Is(err, bff.ErrNoSession) {
			return nil, time.Time{}, err
		}
	}
	now, err := clock.Result()
	return found, now, err
}
