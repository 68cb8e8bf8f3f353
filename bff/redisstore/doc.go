// Package redisstore keeps sessions in Redis 6.2 or later, Valkey, coatcheck or what
// else speaks their protocol: one server, one behind Sentinel, or a Cluster.
//
//	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
//	m.Store, err = redisstore.New(rdb, redisstore.Options{})
//
// A session is one key, the prefix and the id, with a string in it: just what
// connect-redis reads and writes. Reading one is a round trip with GET and PTTL;
// writes compare in a script, which is one key's, so that it works in a Cluster.
//
// The index by user is a sorted set a user, outside the prefix. It knows the
// sessions that signed in through this package, and finds out by itself which of
// them have ended.
//
// # In a Cluster
//
// A session under a new id is another key, mostly in another slot: it is written
// there first, and then taken from where it was, in two steps. When the process dies
// in between, a copy is left that nobody has the id of, until its idle timeout. With
// a hash tag in the prefix ("{myapp}:") all sessions are in one slot, and that is one
// step, as it is on a single server.
package redisstore
