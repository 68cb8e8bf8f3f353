package clienttest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"
)

// Subscriptions of go-redis, in both protocols and over every transport.
func TestGoRedisPubSub(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t, "notify-keyspace-events KEA")
	for name, opt := range goRedisWays(t, s) {
		t.Run(name, func(t *testing.T) {
			c := goredis.NewClient(opt)
			defer c.Close()
			ctx := t.Context()
			prefix := fmt.Sprintf("%p:", opt)

			sub := c.Subscribe(ctx, prefix+"a", prefix+"b")
			defer sub.Close()
			requireAcks(t, sub, 2)
			require.NoError(t, sub.PSubscribe(ctx, prefix+"p*"))
			requireAcks(t, sub, 1)
			require.Equal(t, map[string]int64{prefix + "a": 1, prefix + "none": 0}, c.PubSubNumSub(ctx, prefix+"a", prefix+"none").Val())
			require.ElementsMatch(t, []string{prefix + "a", prefix + "b"}, c.PubSubChannels(ctx, prefix+"*").Val())
			require.Equal(t, int64(1), c.Publish(ctx, prefix+"a", "hello").Val())
			require.Equal(t, int64(1), c.Publish(ctx, prefix+"px", "by pattern").Val())
			require.Equal(t, int64(0), c.Publish(ctx, prefix+"none", "x").Val())
			require.Equal(t, "hello", message(t, sub).Payload)
			got := message(t, sub)
			require.Equal(t, []string{prefix + "px", prefix + "p*", "by pattern"}, []string{got.Channel, got.Pattern, got.Payload})
			require.NoError(t, sub.Ping(ctx, "still"))
			require.NoError(t, sub.Unsubscribe(ctx, prefix+"a"))

			shard := c.SSubscribe(ctx, prefix+"s")
			defer shard.Close()
			requireAcks(t, shard, 1)
			require.Equal(t, int64(1), c.SPublish(ctx, prefix+"s", "to a shard").Val())
			require.Equal(t, "to a shard", message(t, shard).Payload)

			events := c.PSubscribe(ctx, fmt.Sprintf("__keyspace@%d__:%s*", opt.DB, prefix))
			defer events.Close()
			requireAcks(t, events, 1)
			require.NoError(t, c.Set(ctx, prefix+"session", "v", 30*time.Millisecond).Err())
			for _, want := range []string{"set", "expire", "expired"} {
				require.Equal(t, want, message(t, events).Payload)
			}
		})
	}
}

func requireAcks(t *testing.T, sub *goredis.PubSub, n int) {
	t.Helper()
	for range n {
		got, err := sub.ReceiveTimeout(t.Context(), patience)
		require.NoError(t, err)
		require.IsType(t, &goredis.Subscription{}, got)
	}
}

// message is the next message, acks and pongs left out.
func message(t *testing.T, sub *goredis.PubSub) *goredis.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := sub.ReceiveMessage(ctx)
	require.NoError(t, err)
	return m
}

// A subscription of go-redis goes on when the server comes back.
func TestGoRedisSubscriberServerRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr(), Password: password})
	defer c.Close()
	sub := c.Subscribe(t.Context(), "a")
	defer sub.Close()
	requireAcks(t, sub, 1)
	messages := sub.Channel()
	require.NoError(t, s.Restart())
	eventually(t, func() bool { return c.Publish(t.Context(), "a", "again").Val() == 1 }, "the subscriber did not come back")
	select {
	case m := <-messages:
		require.Equal(t, "again", m.Payload)
	case <-time.After(patience):
		t.Fatal("no message after the restart")
	}
}

// The local cache of go-redis never gives what another client has changed.
func TestGoRedisCache(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	local := goredis.NewLocalCache(goredis.CacheConfig{MaxEntries: 128})
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr(), Password: password, Protocol: 3, ClientSideCache: local})
	defer c.Close()
	other := goredis.NewClient(&goredis.Options{Addr: s.Addr(), Password: password})
	defer other.Close()
	ctx := t.Context()
	require.NoError(t, other.Set(ctx, "myapp:1", "0", 0).Err())
	for i := range 50 {
		want := strconv.Itoa(i)
		eventually(t, func() bool { return c.Get(ctx, "myapp:1").Val() == want }, "a stale value")
		require.Equal(t, want, c.Get(ctx, "myapp:1").Val())
		require.NoError(t, other.Set(ctx, "myapp:1", strconv.Itoa(i+1), 0).Err())
	}
	require.Positive(t, local.Stats().Hits, "nothing came from the cache")
	require.NoError(t, other.FlushAll(ctx).Err())
	eventually(t, func() bool { return c.Get(ctx, "myapp:1").Err() == goredis.Nil }, "a flushed value") //nolint:errorlint // as the client gives it
}

// rueidis as it comes: with its cache.
func TestRueidisCache(t *testing.T) {
	t.Parallel()
	s := startServer(t, "notify-keyspace-events KEA")
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, Password: password})
	require.NoError(t, err)
	defer c.Close()
	other, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, Password: password,
		ClientTrackingOptions: []string{"PREFIX", "myapp:", "BCAST"}})
	require.NoError(t, err)
	defer other.Close()
	rueidisSession(t, c, "myapp:cached:")
	ctx := t.Context()
	cached := func(c rueidis.Client) (string, bool) {
		r := c.DoCache(ctx, c.B().Get().Key("myapp:1").Cache(), time.Minute)
		val, err := r.ToString()
		require.NoError(t, err)
		return val, r.IsCacheHit()
	}
	hits := 0
	for i := range 50 {
		want := strconv.Itoa(i)
		require.NoError(t, other.Do(ctx, other.B().Set().Key("myapp:1").Value(want).Build()).Error())
		for _, c := range []rueidis.Client{c, other} {
			eventually(t, func() bool { val, _ := cached(c); return val == want }, "a stale value")
			if _, hit := cached(c); hit {
				hits++
			}
		}
	}
	require.Positive(t, hits)

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	heard, stop := make(chan string, 10), make(chan struct{})
	go func() {
		defer close(stop)
		_ = c.Receive(ctx, c.B().Psubscribe().Pattern("__keyevent@0__:*").Build(), func(m rueidis.PubSubMessage) { heard <- m.Channel + " " + m.Message })
	}()
	eventually(t, func() bool {
		n, err := other.Do(ctx, other.B().PubsubNumpat().Build()).AsInt64()
		return err == nil && n == 1
	}, "rueidis did not subscribe")
	require.NoError(t, other.Do(ctx, other.B().Set().Key("myapp:2").Value("v").Build()).Error())
	require.Equal(t, "__keyevent@0__:set myapp:2", <-heard)
	cancel()
	<-stop
}

// valkey-go as it comes: with its cache.
func TestValkeyGo(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{s.Addr()}, Password: password})
	require.NoError(t, err)
	defer c.Close()
	ctx := t.Context()
	hits := 0
	for i := range 50 {
		want := strconv.Itoa(i)
		require.NoError(t, c.Do(ctx, c.B().Set().Key("myapp:1").Value(want).ExSeconds(900).Build()).Error())
		eventually(t, func() bool {
			r := c.DoCache(ctx, c.B().Get().Key("myapp:1").Cache(), time.Minute)
			val, err := r.ToString()
			require.NoError(t, err)
			if r.IsCacheHit() {
				hits++
			}
			return val == want
		}, "a stale value")
		val, err := c.DoCache(ctx, c.B().Get().Key("myapp:1").Cache(), time.Minute).ToString()
		require.NoError(t, err)
		require.Equal(t, want, val)
		if c.DoCache(ctx, c.B().Get().Key("myapp:1").Cache(), time.Minute).IsCacheHit() {
			hits++
		}
	}
	require.Positive(t, hits)
}

// redigo subscribes on one connection and pings in between.
func TestRedigoPubSub(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial := func() redis.Conn {
		c, err := redis.Dial("tcp", s.Addr(), redis.DialPassword(password), redis.DialReadTimeout(patience))
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	sub, pub := redis.PubSubConn{Conn: dial()}, dial()
	require.NoError(t, sub.Subscribe("a", "b"))
	require.NoError(t, sub.PSubscribe("p*"))
	for i, name := range []string{"a", "b", "p*"} {
		got, ok := sub.Receive().(redis.Subscription)
		require.True(t, ok)
		require.Equal(t, []any{name, i + 1}, []any{got.Channel, got.Count})
	}
	require.NoError(t, sub.Ping("there?"))
	require.Equal(t, redis.Pong{Data: "there?"}, sub.Receive())
	n, err := redis.Int(pub.Do("PUBLISH", "pa", "x"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, redis.Message{Channel: "pa", Pattern: "p*", Data: []byte("x")}, sub.Receive())
	require.NoError(t, sub.Unsubscribe())
	require.NoError(t, sub.PUnsubscribe())
	for range 3 {
		_, ok := sub.Receive().(redis.Subscription)
		require.True(t, ok)
	}
}
