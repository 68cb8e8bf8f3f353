package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/storetest"
	"coatcheck/bff/redisstore"
	"coatcheck/internal/realredis"
	"coatcheck/internal/server/servertest"
)

const prefix = "myapp:"

func open(t testing.TB, rdb redis.UniversalClient) *redisstore.Store {
	t.Helper()
	t.Cleanup(func() { _ = rdb.Close() })
	s, err := redisstore.New(rdb, redisstore.Options{})
	require.NoError(t, err)
	return s
}

func single(t testing.TB, p *realredis.Process) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: p.Addr, ContextTimeoutEnabled: true})
}

func cluster(t testing.TB, nodes []*realredis.Process) *redis.ClusterClient {
	opt := &redis.ClusterOptions{ContextTimeoutEnabled: true}
	for _, p := range nodes {
		opt.Addrs = append(opt.Addrs, p.Addr)
	}
	return redis.NewClusterClient(opt)
}

func TestConformanceSingle(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	storetest.Run(t, func(t *testing.T) bff.Store {
		p.Text("FLUSHALL")
		return open(t, single(t, p))
	}, storetest.Options{})
}

// Our own server is such a Redis.
func TestConformanceOurs(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, nil)
	storetest.Run(t, func(t *testing.T) bff.Store {
		rdb := redis.NewClient(&redis.Options{Addr: srv.Addr().String(), ContextTimeoutEnabled: true})
		require.NoError(t, rdb.FlushAll(t.Context()).Err())
		return open(t, rdb)
	}, storetest.Options{})
}

func TestConformanceCluster(t *testing.T) {
	t.Parallel()
	nodes := realredis.Cluster(t, 3)
	storetest.Run(t, func(t *testing.T) bff.Store {
		for _, p := range nodes {
			p.Text("FLUSHALL")
		}
		return open(t, cluster(t, nodes))
	}, storetest.Options{})
	used := 0
	for _, p := range nodes {
		if strings.Contains(p.Text("INFO", "commandstats"), "cmdstat_evalsha") {
			used++
		}
	}
	require.Equal(t, 3, used, "every master had its part")
}

// With a hash tag in the prefix a new id is one step in a Cluster, too.
func TestClusterWithHashTag(t *testing.T) {
	t.Parallel()
	nodes := realredis.Cluster(t, 3)
	s := open(t, cluster(t, nodes))
	ctx := t.Context()
	const tagged = "{myapp}:"
	r := bff.Record{Value: []byte(`{"cookie":{}}`), TTL: time.Hour, User: "alice", Prefix: tagged, Longest: time.Hour}
	require.NoError(t, s.Create(ctx, tagged+"a", r))
	require.NoError(t, s.Rename(ctx, tagged+"a", r.Value, tagged+"b", r))
	_, err := s.Find(ctx, tagged+"a")
	require.ErrorIs(t, err, bff.ErrNoSession)
	_, err = s.Find(ctx, tagged+"b")
	require.NoError(t, err)
	page, _, err := s.ByUser(ctx, tagged, "alice", "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, tagged+"b", page[0].Key)
}

func TestConformanceRing(t *testing.T) {
	t.Parallel()
	a, b := realredis.Listen(t), realredis.Listen(t)
	storetest.Run(t, func(t *testing.T) bff.Store {
		a.Text("FLUSHALL")
		b.Text("FLUSHALL")
		return open(t, redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": a.Addr, "b": b.Addr}, ContextTimeoutEnabled: true}))
	}, storetest.Options{})
}

// The keys are what connect-redis would have, and the index matches no prefix.
func TestKeys(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	s := open(t, single(t, p))
	r := bff.Record{Value: []byte("{}"), TTL: 1500 * time.Millisecond, User: "alice", Prefix: prefix, Longest: time.Hour}
	require.NoError(t, s.Create(t.Context(), prefix+"a", r))
	require.Equal(t, "{}", p.Text("GET", "myapp:a"))
	require.Equal(t, "string", p.Text("TYPE", "myapp:a"))
	require.Equal(t, "zset", p.Text("TYPE", "bff-index:6:myapp:alice"))
	require.Equal(t, "2", p.Text("DBSIZE"))

	// A user's index goes when the last session must have ended.
	ttl := p.Text("PTTL", "bff-index:6:myapp:alice")
	require.Regexp(t, `^(3600000|3599\d{3})$`, ttl)
	r.Longest = time.Minute
	require.NoError(t, s.Create(t.Context(), prefix+"b", r))
	require.Regexp(t, `^(3600000|3599\d{3})$`, p.Text("PTTL", "bff-index:6:myapp:alice"), "not sooner than before")
	r.Longest = 0
	require.NoError(t, s.Create(t.Context(), prefix+"c", r))
	require.Equal(t, "-1", p.Text("PTTL", "bff-index:6:myapp:alice"))

	r.Prefix = "bff"
	require.ErrorContains(t, s.Create(t.Context(), "bff:a", r), "take the index")
	r.Prefix = ""
	require.ErrorContains(t, s.Create(t.Context(), "a", r), "take the index")
	custom, err := redisstore.New(single(t, p), redisstore.Options{Index: "index:"})
	require.NoError(t, err)
	r.Prefix = "bff"
	require.NoError(t, custom.Create(t.Context(), "bff:a", r))
}

// Sessions that end without a word leave the index to who reads it, later.
func TestIndexCleansItself(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	s := open(t, single(t, p))
	r := bff.Record{Value: []byte("{}"), TTL: time.Hour, User: "alice", Prefix: prefix}
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, s.Create(t.Context(), prefix+id, r))
	}
	const index = "bff-index:6:myapp:alice"
	p.Text("DEL", "myapp:a", "myapp:b")
	list := func() (keys []string) {
		page, _, err := s.ByUser(t.Context(), prefix, "alice", "", 10)
		require.NoError(t, err)
		for _, e := range page {
			keys = append(keys, e.Key)
		}
		return keys
	}
	require.Equal(t, []string{"myapp:c"}, list())
	require.Equal(t, "3", p.Text("ZCARD", index), "they might be about to be written")
	p.Text("ZADD", index, "1000", "myapp:a")
	require.Equal(t, []string{"myapp:c"}, list())
	require.Equal(t, "2", p.Text("ZCARD", index))
	// Scores rise although the clock went back.
	p.Text("ZADD", index, "9000000000000000", "myapp:c")
	require.NoError(t, s.Create(t.Context(), prefix+"d", r))
	require.Equal(t, "9000000000000001", p.Text("ZSCORE", index, "myapp:d"))
}

// A key of another type is no session.
func TestOtherTypes(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	s := open(t, single(t, p))
	p.Text("RPUSH", "myapp:a", "x")
	_, err := s.Find(t.Context(), "myapp:a")
	require.ErrorIs(t, err, bff.ErrNoSession)
	require.ErrorIs(t, s.Replace(t.Context(), "myapp:a", nil, bff.Record{}), bff.ErrNoSession)
	page, _, err := s.List(t.Context(), prefix, "", 10)
	require.NoError(t, err)
	require.Empty(t, page)
}

func TestNewRefusesDeafClients(t *testing.T) {
	t.Parallel()
	for _, rdb := range []redis.UniversalClient{
		redis.NewClient(&redis.Options{}), redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"x:1"}}), redis.NewRing(&redis.RingOptions{}),
	} {
		_, err := redisstore.New(rdb, redisstore.Options{})
		require.ErrorContains(t, err, "ContextTimeoutEnabled")
		_ = rdb.Close()
	}
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true}))
	for _, cursor := range []string{"x", "1.2", "a.b.c", "0..x", "0..-1"} {
		_, _, err := s.List(t.Context(), prefix, cursor, 10)
		require.ErrorContains(t, err, "not of this store", cursor)
	}
	_, _, err := s.ByUser(t.Context(), prefix, "alice", "x", 10)
	require.ErrorContains(t, err, "not of this store")
}

// A walk through a Cluster sees all sessions, in pages.
func TestWalkThroughACluster(t *testing.T) {
	t.Parallel()
	nodes := realredis.Cluster(t, 3)
	rdb := cluster(t, nodes)
	s := open(t, rdb)
	want := map[string]bool{}
	_, err := rdb.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for i := range 5000 {
			key := fmt.Sprint(prefix, i)
			want[key] = true
			pipe.Set(t.Context(), key, "{}", time.Hour)
			pipe.Set(t.Context(), fmt.Sprint("other:", i), "{}", time.Hour)
		}
		return nil
	})
	require.NoError(t, err)
	got := map[string]bool{}
	pages := 0
	for cursor := ""; ; pages++ {
		page, next, err := s.List(t.Context(), prefix, cursor, 100)
		require.NoError(t, err)
		for _, e := range page {
			got[e.Key] = true
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	require.Equal(t, want, got)
	require.Greater(t, pages, 5)
	n, err := s.Count(t.Context(), prefix)
	require.NoError(t, err)
	require.Equal(t, 5000, n)
}

// site is an application that keeps its sessions in a Redis.
func site(t *testing.T, s bff.Store) (*bff.Manager, *bfftest.Browser) {
	m := bff.New()
	m.Store, m.Secrets = s, [][]byte{[]byte("a secret")}
	mux := http.NewServeMux()
	fails := func(w http.ResponseWriter, r *http.Request, err error) {
		if err != nil {
			bff.WriteError(w, r, err)
		}
	}
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		fails(w, r, m.SignIn(r.Context(), bff.Identity{User: "alice"}))
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		fails(w, r, m.Update(r.Context(), func(s *bff.Session) error {
			n := 0
			if _, err := s.Get("n", &n); err != nil {
				return err
			}
			return s.Put("n", n+1)
		}))
	})
	mux.HandleFunc("/public", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/me", m.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		_, err := m.From(r.Context()).Get("n", &n)
		require.NoError(t, err)
		_, _ = fmt.Fprint(w, m.From(r.Context()).UserID(), " ", n)
	})))
	b := bfftest.NewBrowser(t, m.Handler(mux))
	require.Equal(t, http.StatusOK, b.Post("/login").StatusCode)
	require.Equal(t, "alice 0", b.Get("/me").Text)
	return m, b
}

// An authenticated read is one round trip: two commands, sent together.
func TestReadIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	rdb := single(t, p)
	s := open(t, rdb)
	_, b := site(t, s)
	trips := &counter{}
	rdb.AddHook(trips)
	require.Equal(t, "alice 0", b.Get("/me").Text)
	require.Equal(t, []string{"get pttl"}, trips.seen)
}

// counter notes the round trips of a client.
type counter struct {
	mu   sync.Mutex
	seen []string
}

func (c *counter) add(cmds ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, cmd := range cmds {
		names = append(names, cmd.Name())
	}
	c.seen = append(c.seen, strings.Join(names, " "))
}

// DialHook implements redis.Hook.
func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.add(cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.add(cmds...)
		return next(ctx, cmds)
	}
}

// Down: 503 within 300 ms, public routes live, no cookie taken away; and it works
// again within 2 s of the server's return.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t, "--appendonly", "yes", "--appendfsync", "always")
	_, b := site(t, open(t, single(t, p)))
	require.Equal(t, http.StatusOK, b.Post("/count").StatusCode)
	cookie := b.Cookie("__Host-sid")
	p.Kill()
	for range 5 {
		start := time.Now()
		res := b.Get("/me")
		took := time.Since(start)
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
		require.NotEmpty(t, res.Header.Get("Retry-After"))
		require.Less(t, took, 300*time.Millisecond+raceSlack)
		require.Equal(t, http.StatusOK, b.Get("/public").StatusCode)
	}
	require.Equal(t, cookie, b.Cookie("__Host-sid"))
	p.Start()
	back := time.Now()
	require.Eventually(t, func() bool { return b.Get("/me").Text == "alice 1" }, 10*time.Second, 10*time.Millisecond)
	require.Less(t, time.Since(back), 2*time.Second+raceSlack)
}

// A server that takes connections and says nothing.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	_, b := site(t, open(t, single(t, p)))
	p.Text("CLIENT", "PAUSE", "2000", "ALL")
	start := time.Now()
	require.Equal(t, http.StatusServiceUnavailable, b.Get("/me").StatusCode)
	require.Less(t, time.Since(start), 300*time.Millisecond+raceSlack)
	require.Eventually(t, func() bool { return b.Get("/me").Text == "alice 0" }, 10*time.Second, 10*time.Millisecond)
}

// The sentinel makes the replica the master when that dies, and the sessions go on.
func TestSentinelFailOver(t *testing.T) {
	t.Parallel()
	master, replica, sentinel := realredis.Sentinel(t)
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "mymaster", SentinelAddrs: []string{sentinel.Addr}, ContextTimeoutEnabled: true,
	})
	m, b := site(t, open(t, rdb))
	require.Equal(t, http.StatusOK, b.Post("/count").StatusCode)
	require.Equal(t, int64(1), rdb.Wait(t.Context(), 1, 5*time.Second).Val(), "it is on the replica")
	master.Kill()
	require.Equal(t, http.StatusServiceUnavailable, b.Get("/me").StatusCode)
	replica.Until("it is the master", func() bool { return replica.Shows("role:master", "INFO", "replication") })
	promoted := time.Now()
	require.Eventually(t, func() bool { return b.Get("/me").Text == "alice 1" }, 20*time.Second, 20*time.Millisecond)
	require.Less(t, time.Since(promoted), 2*time.Second+raceSlack)
	require.Equal(t, http.StatusOK, b.Post("/count").StatusCode)
	require.Equal(t, "alice 2", b.Get("/me").Text)
	page, err := m.ListActiveSessions(t.Context(), bff.Query{User: "alice"})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 1)
}

// One master of three is gone and returns: who has sessions elsewhere notices little.
func TestClusterLosesAMaster(t *testing.T) {
	t.Parallel()
	nodes := realredis.Cluster(t, 3)
	for _, p := range nodes {
		p.Text("CONFIG", "SET", "cluster-require-full-coverage", "no")
	}
	_, b := site(t, open(t, cluster(t, nodes)))
	others := []*bfftest.Browser{b}
	for range 20 {
		tab := b.Tab()
		tab.SetCookie("__Host-sid", "")
		require.Equal(t, http.StatusOK, tab.Post("/login").StatusCode)
		others = append(others, tab)
	}
	nodes[1].Kill()
	statuses := map[int]int{}
	for _, b := range others {
		statuses[b.Get("/me").StatusCode]++
	}
	require.Positive(t, statuses[http.StatusOK], statuses)
	require.Equal(t, len(others), statuses[http.StatusOK]+statuses[http.StatusServiceUnavailable])
}

func TestMaxPerUserInACluster(t *testing.T) {
	t.Parallel()
	nodes := realredis.Cluster(t, 3)
	m, first := site(t, open(t, cluster(t, nodes)))
	for range 4 {
		b := first.Tab()
		b.SetCookie("__Host-sid", "")
		require.Equal(t, http.StatusOK, b.Post("/login").StatusCode)
	}
	page, err := m.ListActiveSessions(t.Context(), bff.Query{User: "alice"})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 5)
	require.True(t, slices.IsSortedFunc(page.Sessions, func(a, b bff.Info) int { return a.CreatedAt.Compare(b.CreatedAt) }))
	n, err := m.InvalidateUser(t.Context(), "alice", page.Sessions[4].Handle)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Equal(t, http.StatusUnauthorized, first.Get("/me").StatusCode)
}

func TestErrorsAreOfTheStore(t *testing.T) {
	t.Parallel()
	s := open(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true, DialerRetries: 1, MaxRetries: -1}))
	ctx := t.Context()
	r := bff.Record{Value: []byte("{}"), User: "alice", Prefix: prefix}
	_, find := s.Find(ctx, "myapp:a")
	_, remove := s.Delete(ctx, bff.ReasonLogout, "myapp:a")
	_, _, list := s.List(ctx, prefix, "", 10)
	_, _, byUser := s.ByUser(ctx, prefix, "alice", "", 10)
	_, count := s.Count(ctx, prefix)
	for i, err := range []error{
		find, remove, list, byUser, count,
		s.Create(ctx, "myapp:a", r), s.Replace(ctx, "myapp:a", nil, r), s.Rename(ctx, "myapp:a", nil, "myapp:b", r),
		s.Touch(ctx, "myapp:a", time.Hour), s.Touch(ctx, "myapp:a", 0), s.Forget(ctx, prefix, "alice", "myapp:a"),
	} {
		require.Error(t, err, i)
		require.False(t, errors.Is(err, bff.ErrNoSession) || errors.Is(err, bff.ErrConflict), i)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t)
	rdb := single(t, p)
	t.Cleanup(func() { _ = rdb.Close() })
	storetest.RunNotes(t, redisstore.NewNotes(rdb, ""), wait)
	nodes := realredis.Cluster(t, 3)
	many := cluster(t, nodes)
	t.Cleanup(func() { _ = many.Close() })
	storetest.RunNotes(t, redisstore.NewNotes(many, "other:"), wait)
}

// wait lets a real server's time pass.
func wait(d time.Duration) {
	over := make(chan struct{})
	time.AfterFunc(d+5*time.Millisecond, func() { close(over) })
	<-over
}
