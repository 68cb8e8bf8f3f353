package clienttest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// sessionJSON is what connect-redis stores, for the guide's cookie.
const sessionJSON = `{"cookie":{"originalMaxAge":900000,"expires":"2026-01-02T03:04:05.678Z","secure":true,"httpOnly":true,"domain":".local.com","path":"/"},"user":{"id":42,"name":"Zoë"}}`

// goRedisWays are the ways go-redis connects: protocol, transport and user.
func goRedisWays(t *testing.T, s *server) map[string]*redis.Options {
	certs := s.Certs.TLS(t)
	return map[string]*redis.Options{
		"resp3":           {Addr: s.Addr(), Password: password},
		"resp2":           {Addr: s.Addr(), Password: password, Protocol: 2},
		"resp3 user":      {Addr: s.Addr(), Username: "default", Password: password, ClientName: "bff", DB: 3},
		"resp2 user":      {Addr: s.Addr(), Username: "default", Password: password, ClientName: "bff", DB: 3, Protocol: 2},
		"resp3 tls":       {Addr: s.TLSAddr(), Password: password, TLSConfig: certs},
		"resp2 tls":       {Addr: s.TLSAddr(), Password: password, TLSConfig: certs, Protocol: 2},
		"resp3 unix":      {Network: "unix", Addr: s.Socket, Password: password},
		"resp2 unix":      {Network: "unix", Addr: s.Socket, Password: password, Protocol: 2},
		"resp3 anonymous": {Addr: s.Addr(), Password: password, DisableIdentity: true},
	}
}

func TestGoRedis(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	for name, opt := range goRedisWays(t, s) {
		t.Run(name, func(t *testing.T) {
			c := redis.NewClient(opt)
			defer c.Close()
			prefix := fmt.Sprintf("myapp:%p:", opt)
			goRedisSession(t, c, prefix)
			goRedisIntrospection(t, c, opt, prefix)
		})
	}
}

// goRedisSession is a session's life, with every way to set a time limit.
func goRedisSession(t *testing.T, c *redis.Client, prefix string) {
	ctx := t.Context()
	key := prefix + "s1"
	require.NoError(t, c.Ping(ctx).Err())
	require.NoError(t, c.Set(ctx, key, sessionJSON, 900*time.Second).Err())
	require.Equal(t, sessionJSON, c.Get(ctx, key).Val())
	requireTTL(t, c, key, 900*time.Second)

	_, err := c.Get(ctx, prefix+"none").Result()
	require.ErrorIs(t, err, redis.Nil)
	require.False(t, c.SetNX(ctx, key, "other", 0).Val())
	require.Equal(t, sessionJSON, c.GetEx(ctx, key, time.Hour).Val())
	requireTTL(t, c, key, time.Hour)
	require.True(t, c.Expire(ctx, key, 900*time.Second).Val())
	require.True(t, c.ExpireGT(ctx, key, 950*time.Second).Val())
	require.False(t, c.ExpireGT(ctx, key, 10*time.Second).Val())
	require.NoError(t, c.Set(ctx, key, sessionJSON, redis.KeepTTL).Err())
	requireTTL(t, c, key, 950*time.Second)
	old, err := c.SetArgs(ctx, key, "new", redis.SetArgs{Get: true, KeepTTL: true}).Result()
	require.NoError(t, err)
	require.Equal(t, sessionJSON, old)
	at := time.Now().Add(2 * time.Hour).Truncate(time.Millisecond)
	require.True(t, c.PExpireAt(ctx, key, at).Val())
	require.Equal(t, time.Duration(at.UnixMilli())*time.Millisecond, c.PExpireTime(ctx, key).Val())
	require.True(t, c.Persist(ctx, key).Val())
	require.Equal(t, time.Duration(-1), c.TTL(ctx, key).Val())
	require.Equal(t, time.Duration(-2), c.PTTL(ctx, prefix+"none").Val())

	binary := string([]byte{0, '\r', '\n', 0xff, '$', '-', '1', '\r', '\n'})
	require.NoError(t, c.MSet(ctx, prefix+"a", binary, prefix+"b", "").Err())
	require.Equal(t, []any{binary, "", nil}, c.MGet(ctx, prefix+"a", prefix+"b", prefix+"none").Val())
	require.Equal(t, int64(7), c.IncrBy(ctx, prefix+"n", 7).Val())
	require.Equal(t, 7.5, c.IncrByFloat(ctx, prefix+"n", 0.5).Val())
	require.ErrorContains(t, c.Incr(ctx, prefix+"n").Err(), "ERR value is not an integer or out of range")
	require.Equal(t, "new", c.GetDel(ctx, key).Val())

	require.ElementsMatch(t, []string{prefix + "a", prefix + "b", prefix + "n"}, scanAll(t, c, prefix+"*"))
	require.Equal(t, int64(3), c.Del(ctx, prefix+"a", prefix+"b", prefix+"n", prefix+"none").Val())

	cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 200 {
			p.Set(ctx, fmt.Sprintf("%sp%d", prefix, i), i, time.Minute)
		}
		p.Do(ctx, "set", prefix+"p0") // an error in the middle
		p.Get(ctx, prefix+"p199")
		return nil
	})
	require.ErrorContains(t, err, "ERR wrong number of arguments for 'set' command")
	require.Equal(t, "199", cmds[len(cmds)-1].(*redis.StringCmd).Val())
	keys := scanAll(t, c, prefix+"p*")
	require.Len(t, keys, 200)
	require.Equal(t, int64(200), c.Unlink(ctx, keys...).Val())
}

// goRedisIntrospection runs what go-redis decodes into types of its own.
func goRedisIntrospection(t *testing.T, c *redis.Client, opt *redis.Options, prefix string) {
	ctx := t.Context()
	key := prefix + "i"
	require.NoError(t, c.Set(ctx, key, "12", 0).Err())
	require.Equal(t, "int", c.ObjectEncoding(ctx, key).Val())
	require.Equal(t, "string", c.Type(ctx, key).Val())
	require.Positive(t, c.MemoryUsage(ctx, key).Val())
	require.WithinDuration(t, time.Now(), c.Time(ctx).Val(), time.Minute)
	require.Contains(t, c.Info(ctx, "server").Val(), "redis_version:")
	require.Equal(t, map[string]string{"maxmemory": "0"}, c.ConfigGet(ctx, "maxmemory").Val())
	require.Positive(t, c.ClientID(ctx).Val())
	require.Equal(t, opt.ClientName, c.ClientGetName(ctx).Val())
	require.Contains(t, c.ClientList(ctx).Val(), "cmd=client|list")
	_, err := c.SlowLogGet(ctx, 10).Result()
	require.NoError(t, err)

	cmds, err := c.Command(ctx).Result()
	require.NoError(t, err)
	require.Equal(t, int8(2), cmds["get"].Arity)
	require.True(t, cmds["get"].ReadOnly)
	require.Equal(t, int8(1), cmds["get"].FirstKeyPos)
	require.Contains(t, cmds["get"].Flags, "fast")
	got, err := c.CommandGetKeys(ctx, "mset", "a", "1", "b", "2").Result()
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, got)
	require.NoError(t, c.Del(ctx, key).Err())

	info, err := c.ClientInfo(ctx).Result()
	require.NoError(t, err)
	require.Equal(t, opt.ClientName, info.Name)
	require.Equal(t, opt.DB, info.DB)
	if !target.isRedis { // CLIENT SETINFO came with 7.2
		if opt.DisableIdentity {
			require.Empty(t, info.LibName)
		} else {
			require.Contains(t, info.LibName, "go-redis")
		}
	}
}

func TestGoRedisWrongPassword(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, protocol := range []int{2, 3} {
		c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: "wrong", Protocol: protocol})
		err := c.Ping(t.Context()).Err()
		require.ErrorContains(t, err, "WRONGPASS invalid username-password pair or user is disabled.")
		require.NoError(t, c.Close())

		c = redis.NewClient(&redis.Options{Addr: s.Addr(), Protocol: protocol})
		require.ErrorContains(t, c.Ping(t.Context()).Err(), "NOAUTH")
		require.NoError(t, c.Close())
	}
}

// Many goroutines on a small pool, and every connection dropped under them.
func TestGoRedisPool(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, protocol := range []int{2, 3} {
		c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: password, Protocol: protocol, PoolSize: 10, PoolTimeout: patience})
		counter := fmt.Sprintf("counter%d", protocol)
		const workers, rounds = 40, 50
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range rounds {
					key := fmt.Sprintf("myapp:%d:%d:%d", protocol, w, i)
					if err := c.Set(t.Context(), key, key, time.Minute).Err(); err != nil {
						t.Error(err)
						return
					}
					if got := c.Get(t.Context(), key).Val(); got != key {
						t.Errorf("%s holds %q", key, got)
					}
					c.Incr(t.Context(), counter)
				}
			})
		}
		wg.Wait()
		require.Equal(t, fmt.Sprint(workers*rounds), c.Get(t.Context(), counter).Val())
		require.LessOrEqual(t, c.PoolStats().TotalConns, uint32(10))

		// Fill the pool, then drop all of it: the client connects anew.
		var killed int64
		eventually(t, func() bool {
			n, err := s.Admin(t).ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Result()
			killed += n
			return err == nil && killed > 0
		}, "no connection of the pool was killed")
		require.NoError(t, c.Ping(t.Context()).Err())
		require.NoError(t, c.Close())
	}
}

func TestGoRedisServerRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: password})
	defer c.Close()
	require.NoError(t, c.Set(t.Context(), "myapp:a", "1", 0).Err())
	require.NoError(t, s.Restart())
	require.NoError(t, c.Set(t.Context(), "myapp:b", "2", 0).Err())
	require.Equal(t, "2", c.Get(t.Context(), "myapp:b").Val())
}

// A TLS listener refuses a client without trust and one that talks plain.
func TestGoRedisTLSRefusals(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	strange := redis.NewClient(&redis.Options{Addr: s.TLSAddr(), Password: password, TLSConfig: newCerts(t).TLS(t), MaxRetries: -1})
	defer strange.Close()
	require.ErrorContains(t, strange.Ping(t.Context()).Err(), "certificate")
	plain := redis.NewClient(&redis.Options{Addr: s.TLSAddr(), Password: password, MaxRetries: -1})
	defer plain.Close()
	require.Error(t, plain.Ping(t.Context()).Err())
	good := redis.NewClient(&redis.Options{Addr: s.TLSAddr(), Password: password, TLSConfig: s.Certs.TLS(t)})
	defer good.Close()
	require.NoError(t, good.Ping(t.Context()).Err())
}

// A command that takes too long for its context does not spoil the next one.
func TestGoRedisTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: password, ReadTimeout: 50 * time.Millisecond, MaxRetries: -1})
	defer c.Close()
	admin := s.Admin(t)
	require.NoError(t, c.Ping(t.Context()).Err())
	require.NoError(t, admin.Do(t.Context(), "client", "pause", 60000, "write").Err())
	err := c.Incr(t.Context(), "myapp:n").Err()
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	require.True(t, netErr.Timeout())
	require.NoError(t, admin.ClientUnpause(t.Context()).Err())
	require.NoError(t, c.Set(t.Context(), "myapp:a", "1", 0).Err())
	require.Equal(t, "1", c.Get(t.Context(), "myapp:a").Val())
}

func scanAll(t *testing.T, c *redis.Client, pattern string) []string {
	t.Helper()
	var keys []string
	it := c.Scan(t.Context(), 0, pattern, 10).Iterator()
	for it.Next(context.Background()) {
		keys = append(keys, it.Val())
	}
	require.NoError(t, it.Err())
	return keys
}

// requireTTL checks that key lives for ttl less what the test took.
func requireTTL(t *testing.T, c *redis.Client, key string, ttl time.Duration) {
	t.Helper()
	got := c.PTTL(t.Context(), key).Val()
	require.LessOrEqual(t, got, ttl)
	require.Greater(t, got, ttl-patience)
}
