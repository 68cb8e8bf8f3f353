package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Notes are small texts under keys that all instances of an application see: locks,
// and what was seen before. They are oidc.Notes.
type Notes struct {
	rdb    redis.UniversalClient
	prefix string
}

// NewNotes makes Notes whose keys begin with a prefix, "bff-note:" when it is "",
// which must not begin with that of sessions. The client heeds contexts, as New
// demands.
func NewNotes(rdb redis.UniversalClient, prefix string) *Notes {
	if prefix == "" {
		prefix = "bff-note:"
	}
	return &Notes{rdb, prefix}
}

// Notes are on the store's client.
func (s *Store) Notes() *Notes { return NewNotes(s.rdb, "") }

// Ping says whether the server answers.
func (s *Store) Ping(ctx context.Context) error { return s.rdb.Ping(ctx).Err() }

// Claim writes a note unless there is one, and says whether it did.
func (n *Notes) Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	args := redis.SetArgs{Mode: "NX", TTL: time.Duration(millis(ttl)) * time.Millisecond}
	err := n.rdb.SetArgs(ctx, n.prefix+key, text, args).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
}

// extendScript: KEYS[1] the note; ARGV its text, milliseconds.
var extendScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// Extend gives the note ttl from now if it has that text, and says so.
func (n *Notes) Extend(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	did, err := extendScript.Run(ctx, n.rdb, []string{n.prefix + key}, text, millis(ttl)).Int()
	return did == 1, err
}

// releaseScript: KEYS[1] the note; ARGV[1] its text.
var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

// Release takes the note away if it has that text.
func (n *Notes) Release(ctx context.Context, key, text string) error {
	return releaseScript.Run(ctx, n.rdb, []string{n.prefix + key}, text).Err()
}

// Put writes a note over any other.
func (n *Notes) Put(ctx context.Context, key, text string, ttl time.Duration) error {
	return n.rdb.Set(ctx, n.prefix+key, text, time.Duration(millis(ttl))*time.Millisecond).Err()
}

// Get is a note, "" for none.
func (n *Notes) Get(ctx context.Context, key string) (string, error) {
	text, err := n.rdb.Get(ctx, n.prefix+key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, err
}
