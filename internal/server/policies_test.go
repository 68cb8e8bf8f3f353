package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/enginetest"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// withPolicies is a server on a clock that is moved by hand, and a client of it.
func withPolicies(t *testing.T, pairs ...string) (*caller, *enginetest.Clock, *server.Server) {
	clock := enginetest.NewClock(enginetest.Start)
	srv := servertest.Start(t, onClock(clock, nil))
	c := newCaller(t, srv)
	for i := 0; i < len(pairs); i += 2 {
		c.says(`+OK`, "CONFIG", "SET", pairs[i], pairs[i+1])
	}
	return c, clock, srv
}

const aliceJSON = `{"cookie":{"originalMaxAge":900000},"passport":{"user":"alice"}}`

// The id of a session that was deleted is not written again, by whichever command, and
// the client is told null.
func TestLateWritesAreRefused(t *testing.T) {
	c, clock, _ := withPolicies(t, "session-tombstone-ttl", "30", "session-events", "100")
	c.says("+OK", "SET", "myapp:a", aliceJSON, "EX", "900")
	c.says("+OK", "SET", "other:a", "x")
	c.says(":1", "DEL", "myapp:a")
	c.says(":1", "DEL", "other:a")
	late := [][]string{
		{"SET", "myapp:a", aliceJSON, "EX", "900"}, {"set", "myapp:a", "x", "get"}, {"SETEX", "myapp:a", "9", "x"}, {"SETNX", "myapp:a", "x"},
		{"GETSET", "myapp:a", "x"}, {"APPEND", "myapp:a", "x"}, {"INCR", "myapp:a"}, {"SETRANGE", "myapp:a", "1", "x"}, {"SETBIT", "myapp:a", "1", "1"},
		{"HSET", "myapp:a", "f", "v"}, {"LPUSH", "myapp:a", "x"}, {"SADD", "myapp:a", "x"}, {"ZADD", "myapp:a", "1", "x"}, {"XADD", "myapp:a", "*", "f", "v"},
		{"MSET", "myapp:b", "1", "myapp:a", "2"}, {"MSETNX", "myapp:b", "1", "myapp:a", "2"}, {"PFADD", "myapp:a", "x"}, {"SETRANGE", "myapp:a", "20000", "x"},
	}
	for _, words := range late {
		c.says("$-1", words...)
	}
	c.says("+OK", "SET", "src", "x")
	c.says(":1", "SADD", "set", "x")
	c.says(":1", "RPUSH", "list", "x")
	for _, words := range [][]string{
		{"RENAME", "src", "myapp:a"}, {"RENAMENX", "src", "myapp:a"}, {"COPY", "src", "myapp:a"}, {"SMOVE", "set", "myapp:a", "x"},
		{"LMOVE", "list", "myapp:a", "LEFT", "LEFT"}, {"SUNIONSTORE", "myapp:a", "set"}, {"BITOP", "NOT", "myapp:a", "src"},
	} {
		c.says("$-1", words...)
		late = append(late, words)
	}
	c.says(":1", "SCARD", "set") // what was to be moved is where it was
	c.says(":1", "LLEN", "list")
	c.says(`$"x"`, "GET", "src")
	c.says(":0", "EXPIRE", "myapp:a", "900")
	c.says(":0", "EXISTS", "myapp:a", "myapp:b")
	c.says("+OK", "MULTI")
	c.says("+QUEUED", "SET", "myapp:a", "x")
	c.says("+QUEUED", "SET", "myapp:c", "x")
	c.says("*[$-1 +OK]", "EXEC")
	c.says("+OK", "SET", "other:a", "x")
	require.Contains(t, c.call("INFO", "sessions").String(), fmt.Sprintf("late_writes_refused=%d", len(late)+1))
	info := c.call("SESSION.INFO", "a").String()
	for _, part := range []string{`$"state" $"ended"`, `$"reason" $"deleted"`, `$"by" $"default@`, `$"tombstone" :1`} {
		require.Contains(t, info, part)
	}
	c.call("HELLO", "3")
	c.says("_", "SET", "myapp:a", "x")

	advance(clock, c.srv, 29_999*time.Millisecond)
	c.says("_", "SET", "myapp:a", "x")
	advance(clock, c.srv, time.Millisecond)
	c.says("+OK", "SET", "myapp:a", "x")
	c.says("+OK", "CONFIG", "SET", "session-tombstone-for", "deleted expired")
	c.says("+OK", "SET", "myapp:e", "x", "PX", "10")
	advance(clock, c.srv, 11*time.Millisecond)
	c.says("_", "SET", "myapp:e", "x")
	c.says("+OK", "FLUSHALL")
	c.says("_", "SET", "myapp:a", "x")
	c.says("+OK", "CONFIG", "SET", "session-tombstone-ttl", "0")
	c.says("+OK", "SET", "myapp:a", "x")
}

// No command lets a session live longer than it may.
func TestMaxLifetime(t *testing.T) {
	c, clock, _ := withPolicies(t, "session-max-lifetime", "100")
	c.says("+OK", "SET", "myapp:a", "x")
	c.says(":100", "TTL", "myapp:a")
	c.says("+OK", "SET", "myapp:a", "x", "EX", "30")
	c.says(":30", "TTL", "myapp:a")
	advance(clock, c.srv, 20*time.Second)
	for _, words := range [][]string{
		{"SET", "myapp:a", "y"}, {"SET", "myapp:a", "y", "EX", "900"}, {"EXPIRE", "myapp:a", "900"}, {"GETEX", "myapp:a", "EX", "1000"}, {"PEXPIREAT", "myapp:a", "9999999999999"},
		{"MSET", "myapp:a", "z"}, {"APPEND", "myapp:a", "z"}, {"GETSET", "myapp:a", "z"},
	} {
		c.call(words...)
		c.says(":80", "TTL", "myapp:a")
	}
	c.says(":1", "EXPIRE", "myapp:a", "10")
	c.says(":1", "PERSIST", "myapp:a")
	c.says(":80", "TTL", "myapp:a")
	c.says(":0", "PERSIST", "myapp:a")
	c.says("+OK", "RENAME", "myapp:a", "myapp:b")
	c.says(":80", "TTL", "myapp:b")
	c.says(":1", "COPY", "myapp:b", "myapp:c")
	c.says(":1", "EXPIRE", "myapp:c", "900")
	c.says(":80", "TTL", "myapp:c")
	c.says("+OK", "RENAME", "myapp:b", "tmp")
	c.says(":1", "PERSIST", "tmp")
	c.says("+OK", "RENAME", "tmp", "myapp:d") // a new one
	c.says(":100", "TTL", "myapp:d")
	c.says(":1", "HSET", "myapp:h", "f", "v")
	c.says(":100", "TTL", "myapp:h")
	c.says(":1", "MOVE", "myapp:h", "1")
	c.says("+OK", "SELECT", "1")
	c.says(":100", "TTL", "myapp:h")
	advance(clock, c.srv, 80*time.Second)
	c.says(":20", "TTL", "myapp:h")
	c.says("+OK", "SELECT", "0")
	c.says(":0", "EXISTS", "myapp:c")
}

// Lists, users, the end of sessions and the log.
func TestSessionCommands(t *testing.T) {
	c, clock, _ := withPolicies(t, "session-user-path", "passport.user passport.user.id", "session-events", "100")
	for i := range 5 {
		c.says("+OK", "SET", fmt.Sprint("myapp:", i), aliceJSON, "EX", "900")
	}
	c.says("+OK", "SET", "myapp:b", `{"passport":{"user":{"id":7}}}`)
	c.says(":1", "HSET", "myapp:h", "passport.user", "alice")
	c.says(`*[$"0" *[*[$"alice" :6] *[$"7" :1]]]`, "SESSION.USERS")
	c.says(`*[$"1" *[*[$"alice" :6]]]`, "SESSION.USERS", "COUNT", "1")
	first := c.call("SESSION.LIST", "USER", "alice", "COUNT", "4")
	require.Contains(t, first.String(), `$"id" $"0" $"key" $"myapp:0" $"state" $"active" $"db" :0 $"type" $"string" $"user" $"alice" $"created" :1700000000000 $"deadline" $-1 $"ttl" :900000`)
	require.Equal(t, 4, strings.Count(first.String(), `$"alice"`))
	next := c.call("SESSION.LIST", "CURSOR", "4", "USER", "alice").String()
	require.True(t, strings.HasPrefix(next, `*[$"0"`), next)
	require.Equal(t, 2, strings.Count(next, `$"alice"`))
	all := c.call("SESSION.LIST").String()
	require.Equal(t, 7, strings.Count(all, `$"id"`))
	require.Contains(t, c.call("SESSION.INFO", "myapp:h").String(), `$"type" $"hash" $"user" $"alice"`)
	c.says("$-1", "SESSION.INFO", "nobody")

	c.says(":1", "SESSION.REVOKE", "0")
	c.says(":0", "SESSION.REVOKE", "0")
	c.says(":5", "SESSION.REVOKE", "USER", "alice")
	c.says(`*[$"0" *[*[$"7" :1]]]`, "SESSION.USERS")
	advance(clock, c.srv, time.Second)
	c.says("+OK", "CONFIG", "SET", "session-max-per-user", "2")
	for i := range 4 {
		c.says("+OK", "SET", fmt.Sprint("myapp:n", i), aliceJSON)
	}
	c.says(":2", "EXISTS", "myapp:n0", "myapp:n1", "myapp:n2", "myapp:n3")
	c.says(":2", "EXISTS", "myapp:n2", "myapp:n3")
	c.says("+OK", "CONFIG", "SET", "session-max-per-user-policy", "refuse")
	c.says("$-1", "SET", "myapp:n4", aliceJSON)
	c.says("+OK", "SET", "myapp:n2", aliceJSON, "EX", "5")
	advance(clock, c.srv, 5*time.Second)
	c.says("+OK", "SET", "myapp:n4", aliceJSON)

	stats := c.call("SESSION.STATS").String()
	for _, part := range []string{`$"active" :3`, `$"users" :2`, `$"revoked" :6`, `$"limit" :2`, `$"expired" :1`, `$"over-limit-refused" :1`} {
		require.Contains(t, stats, part)
	}
	events := c.call("SESSION.EVENTS", "AFTER", "7", "COUNT", "1").String()
	require.Contains(t, events, `$"first" :1 $"last" :21 $"events" *[*[$"seq" :8 $"at" :1700000000000 $"type" $"ended" $"reason" $"revoked" $"db" :0 $"key" $"myapp:0" $"user" $"alice" $"created" :1700000000000 $"by" $"default@`)
	for _, words := range [][]string{
		{"SESSION.LIST", "COUNT", "0"}, {"SESSION.LIST", "COUNT"}, {"SESSION.USERS", "USER", "x"}, {"SESSION.REVOKE", "a", "b"}, {"SESSION.EVENTS", "AFTER", "-1"},
	} {
		c.says("-ERR syntax error", words...)
	}
	c.says("-ERR value is not an integer or out of range", "SESSION.LIST", "CURSOR", "x")
	require.Contains(t, c.call("CONFIG", "SET", "session-user-path", "a..b").String(), "-ERR CONFIG SET failed")
	c.says("+OK", "ACL", "SETUSER", "ops", "on", "nopass", "~myapp:*", "+@session")
	c.says("+OK", "AUTH", "ops", "")
	c.says("-NOPERM Commands about sessions are for users who may read all keys", "SESSION.USERS")
	require.Contains(t, c.call("GET", "myapp:n4").String(), "-NOPERM")
}

// Without policies nothing is kept, and nothing refused.
func TestWithoutPolicies(t *testing.T) {
	c, _, srv := withPolicies(t)
	c.says("+OK", "SET", "myapp:a", aliceJSON)
	h := srv.Engine().Lock()
	before := h.Memory().Elsewhere
	h.Unlock()
	c.says(":1", "DEL", "myapp:a")
	c.says("+OK", "SET", "myapp:a", aliceJSON)
	c.says(`*[$"0" *[]]`, "SESSION.USERS")
	c.says(`*[$"first" :0 $"last" :0 $"events" *[]]`, "SESSION.EVENTS")
	require.Contains(t, c.call("SESSION.LIST").String(), `$"key" $"myapp:a" $"state" $"active" $"db" :0 $"type" $"string" $"user" $-1 $"created" $-1`)
	require.Contains(t, c.call("SESSION.STATS").String(), `$"memory" :0`)
	h = srv.Engine().Lock()
	require.Equal(t, before, h.Memory().Elsewhere)
	h.Unlock()
}

// After a restart the index is there again, and sessions are as old as they were.
func TestPoliciesAfterARestart(t *testing.T) {
	dir := t.TempDir()
	clock := enginetest.NewClock(enginetest.Start)
	start := func() *server.Server {
		return servertest.Start(t, onClock(clock, func(o *server.Options) {
			o.FS = disk.OS{}
			o.Config.Dir = dir
			o.Config.Sessions = config.Sessions{MaxLifetime: 100, UserPath: []string{"passport.user"}, TombstoneMax: 10}
		}))
	}
	a := newCaller(t, start())
	a.says("+OK", "SET", "myapp:a", aliceJSON, "EX", "50")
	a.says("+OK", "SET", "plain", "x")
	advance(clock, a.srv, 30*time.Second)
	a.says("+OK", "SET", "myapp:b", aliceJSON, "EX", "50")
	a.says("+OK", "SAVE")

	srv := start()
	require.NoError(t, srv.Load(context.Background()))
	b := newCaller(t, srv)
	b.says(`*[$"0" *[*[$"alice" :2]]]`, "SESSION.USERS")
	b.says(":1", "EXPIRE", "myapp:a", "900")
	b.says(":70", "TTL", "myapp:a")
	b.says(":1", "EXPIRE", "myapp:b", "900")
	b.says(":100", "TTL", "myapp:b")
	require.Contains(t, b.call("INFO", "sessions").String(), "active=2")
	list := b.call("SESSION.LIST", "USER", "alice").String()
	require.Less(t, strings.Index(list, "myapp:a"), strings.Index(list, "myapp:b"))
}
