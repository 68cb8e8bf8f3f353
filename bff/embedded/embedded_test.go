package embedded_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"coatcheck"
	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/storetest"
	"coatcheck/bff/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opts embedded.Options) *embedded.Store {
	t.Helper()
	s, err := embedded.Start(opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// client speaks to the store's server over its pipe.
func client(t *testing.T, s *embedded.Store) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Dialer: s.Server().Dial, Password: s.Server().Password(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestConformance(t *testing.T) {
	clock := bfftest.NewClock()
	storetest.Run(t, func(t *testing.T) bff.Store {
		return start(t, embedded.Options{Server: coatcheck.Options{Clock: clock}})
	}, storetest.Options{Advance: clock.Advance})
}

// What the Manager stores, a Redis client sees, and the other way round; the index
// and the events follow from both.
func TestClientsSeeTheSameSessions(t *testing.T) {
	s := start(t, embedded.Options{Prefix: "myapp:", DB: 2})
	rdb := client(t, s)
	ctx := t.Context()
	conn := rdb.Conn()
	defer conn.Close()
	require.NoError(t, conn.Select(ctx, 2).Err())

	r := bff.Record{Value: []byte(`{"cookie":{},"bff":{"sub":"alice"}}`), TTL: time.Hour}
	require.NoError(t, s.Create(ctx, "myapp:a", r))
	require.Equal(t, string(r.Value), conn.Get(ctx, "myapp:a").Val())
	require.Greater(t, conn.TTL(ctx, "myapp:a").Val(), 59*time.Minute)

	const node = `{"cookie":{},"passport":{"user":"alice"}}`
	require.NoError(t, conn.Set(ctx, "myapp:b", node, time.Hour).Err())
	require.NoError(t, conn.Set(ctx, "other:c", node, time.Hour).Err())
	page, _, err := s.ByUser(ctx, "myapp:", "alice", "", 10)
	require.NoError(t, err)
	require.Len(t, page, 2)
	require.NoError(t, conn.Del(ctx, "myapp:b").Err())
	_, err = s.Find(ctx, "myapp:b")
	require.ErrorIs(t, err, bff.ErrNoSession)

	var last bff.StoreEvent
	for e, err := range s.Watch(ctx, "myapp:", 0) {
		require.NoError(t, err)
		if last = e; e.Type.Ended() {
			break
		}
	}
	require.Equal(t, "myapp:b", last.Key)
	require.Equal(t, bff.ReasonDeleted, last.Reason)
}

// The sessions of the process before are there, with their index.
func TestDir(t *testing.T) {
	opts := embedded.Options{Server: coatcheck.Options{Dir: t.TempDir(), Config: map[string]string{"save": "3600 1"}}}
	first, err := embedded.Start(opts)
	require.NoError(t, err)
	r := bff.Record{Value: []byte(`{"cookie":{},"bff":{"sub":"alice"}}`), TTL: time.Hour}
	require.NoError(t, first.Create(t.Context(), "myapp:a", r))
	require.NoError(t, first.Shutdown(context.Background()))

	again := start(t, opts)
	got, err := again.Find(t.Context(), "myapp:a")
	require.NoError(t, err)
	require.Equal(t, string(r.Value), string(got.Value))
	page, _, err := again.ByUser(t.Context(), "myapp:", "alice", "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
}

// Only sessions that nobody else can have do without Secrets.
func TestLocal(t *testing.T) {
	for _, c := range []struct {
		opts  coatcheck.Options
		local bool
	}{
		{coatcheck.Options{}, true},
		{coatcheck.Options{Config: map[string]string{"maxmemory-policy": "volatile-ttl"}}, true},
		{coatcheck.Options{Addr: "127.0.0.1:0"}, false},
		{coatcheck.Options{Dir: t.TempDir()}, false},
		{coatcheck.Options{Config: map[string]string{"dir": t.TempDir()}}, false},
	} {
		s := start(t, embedded.Options{Server: c.opts})
		m := bff.New()
		m.Store = s
		require.Equal(t, c.local, s.Local(), c.opts)
		require.Equal(t, c.local, m.Check() == nil, c.opts)
	}
}

func TestStartRefuses(t *testing.T) {
	for _, opts := range []embedded.Options{
		{DB: 16}, {DB: -1}, {DB: 1, Server: coatcheck.Options{Databases: 1}}, {Server: coatcheck.Options{Addr: "nowhere"}},
	} {
		_, err := embedded.Start(opts)
		require.Error(t, err)
	}
}

func TestFromEnv(t *testing.T) {
	vars := map[string]string{"SESSION_STORE": "embedded", "SESSION_SECRET": "a", "EMBEDDED_ADDR": "127.0.0.1:0", "EMBEDDED_PASSWORD": "changeit"}
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	m, err := bff.FromEnv(lookup, embedded.Opener())
	require.NoError(t, err)
	s := m.Store.(*embedded.Store)
	t.Cleanup(s.Close)
	rdb := redis.NewClient(&redis.Options{Addr: s.Server().Addr(), Password: "changeit", MaxRetries: -1})
	defer rdb.Close()
	require.NoError(t, s.Create(t.Context(), "myapp:a", bff.Record{Value: []byte("{}"), TTL: time.Hour}))
	require.Equal(t, "{}", rdb.Get(t.Context(), "myapp:a").Val())
	require.Equal(t, "volatile-ttl", rdb.ConfigGet(t.Context(), "maxmemory-policy").Val()["maxmemory-policy"])

	vars["SESSION_MAX_MEMORY"] = "much"
	_, err = bff.FromEnv(lookup, embedded.Opener())
	require.ErrorContains(t, err, "SESSION_MAX_MEMORY")
}

func ExampleStart() {
	store, err := embedded.Start(embedded.Options{Prefix: "myapp:"})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	m := bff.New()
	m.Store = store

	rdb := redis.NewClient(&redis.Options{Dialer: store.Server().Dial})
	defer rdb.Close()
	ctx := context.Background()
	rdb.Set(ctx, "myapp:a", `{"cookie":{},"passport":{"user":"alice"}}`, time.Hour)
	page, err := m.ListActiveSessions(ctx, bff.Query{User: "alice"})
	fmt.Println(len(page.Sessions), err)
	// Output: 1 <nil>
}
