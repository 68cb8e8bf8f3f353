package memstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/storetest"
	"coatcheck/bff/memstore"
	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

func TestConformance(t *testing.T) {
	clock := bfftest.NewClock()
	storetest.Run(t, func(t *testing.T) bff.Store {
		s := memstore.New(memstore.Options{Clock: clock})
		t.Cleanup(s.Close)
		return s
	}, storetest.Options{Advance: clock.Advance})
}

const prefix = "myapp:"

func value(user string) []byte {
	if user == "" {
		return []byte(`{"cookie":{}}`)
	}
	return fmt.Appendf(nil, `{"cookie":{},"passport":{"user":%q}}`, user)
}

// shared is a store on an engine that somebody else writes to.
type shared struct {
	t testing.TB
	f *enginetest.Fixture
	s *memstore.Store
}

func newShared(t testing.TB) *shared {
	f := enginetest.New(t)
	s := memstore.On(f.Engine, 0, prefix, memstore.Options{})
	t.Cleanup(s.Close)
	return &shared{t, f, s}
}

func (x *shared) set(key, user string, ttl time.Duration) {
	x.f.Tx(func(tx *engine.Tx) {
		opt := engine.SetOptions{}
		if ttl > 0 {
			opt.At = tx.Now() + engine.UnixMilli(ttl.Milliseconds())
		}
		_, err := tx.StringSet([]byte(key), value(user), opt)
		require.NoError(x.t, err)
	})
}

func (x *shared) on(db int, fn func(tx *engine.Tx)) {
	require.NoError(x.t, x.f.Do(db, func(tx *engine.Tx) error {
		fn(tx)
		return nil
	}))
}

// requireUser says which of a user's sessions the index must have.
func (x *shared) requireUser(user string, keys ...string) {
	x.t.Helper()
	page, next, err := x.s.ByUser(context.Background(), prefix, user, "", 100)
	require.NoError(x.t, err)
	require.Empty(x.t, next)
	var got []string
	for _, e := range page {
		got = append(got, e.Key)
	}
	require.Equal(x.t, keys, got)
}

// The index follows what others do to the keys, whichever way.
func TestIndexIsExact(t *testing.T) {
	x := newShared(t)
	x.set("myapp:a", "alice", 0)
	x.set("myapp:b", "alice", time.Minute)
	x.set("other:c", "alice", 0)
	x.requireUser("alice", "myapp:a", "myapp:b")

	x.f.Advance(time.Minute)
	x.requireUser("alice", "myapp:a") // b has expired

	x.set("myapp:a", "bob", 0)
	x.requireUser("alice")
	x.requireUser("bob", "myapp:a")

	rename := func(from, to string) {
		x.f.Tx(func(tx *engine.Tx) {
			_, err := tx.KeyRename([]byte(from), []byte(to), false)
			require.NoError(t, err)
		})
	}
	rename("myapp:a", "elsewhere")
	x.requireUser("bob")
	rename("elsewhere", "myapp:z")
	x.requireUser("bob", "myapp:z")

	x.f.Tx(func(tx *engine.Tx) {
		_, err := tx.KeyCopy([]byte("myapp:z"), []byte("myapp:y"), 0, false)
		require.NoError(t, err)
	})
	x.requireUser("bob", "myapp:z", "myapp:y")
	x.f.Tx(func(tx *engine.Tx) {
		_, err := tx.KeyMove([]byte("myapp:z"), 3)
		require.NoError(t, err)
	})
	x.requireUser("bob", "myapp:y")
	x.on(3, func(tx *engine.Tx) {
		_, err := tx.KeyMove([]byte("myapp:z"), 0)
		require.NoError(t, err)
	})
	x.requireUser("bob", "myapp:y", "myapp:z")

	// Another type takes the key, and gives it back.
	x.set("myapp:x", "bob", 0)
	x.f.Tx(func(tx *engine.Tx) {
		_, err := tx.HashSet([]byte("hash"), []byte("user"), []byte("bob"))
		require.NoError(t, err)
		_, err = tx.KeyRename([]byte("hash"), []byte("myapp:x"), false)
		require.NoError(t, err)
	})
	x.requireUser("bob", "myapp:y", "myapp:z")
	_, err := x.s.Find(context.Background(), "myapp:x")
	require.ErrorIs(t, err, bff.ErrNoSession)
	x.set("myapp:x", "carol", 0)
	x.requireUser("carol", "myapp:x")
	x.f.Tx(func(tx *engine.Tx) { tx.Delete("DEL", []byte("myapp:x")) })

	x.on(5, func(tx *engine.Tx) { require.NoError(t, tx.SwapDB(0, 5)) })
	x.requireUser("bob")
	x.on(7, func(tx *engine.Tx) { require.NoError(t, tx.SwapDB(0, 5)) })
	x.requireUser("bob", "myapp:y", "myapp:z")
	x.on(7, func(tx *engine.Tx) { tx.FlushDB() })
	x.requireUser("bob", "myapp:y", "myapp:z")
	x.on(7, func(tx *engine.Tx) { tx.FlushAll() })
	x.requireUser("bob")
	n, err := x.s.Count(context.Background(), prefix)
	require.NoError(t, err)
	require.Zero(t, n)
}

// What was there before the store is known, too.
func TestOnLearnsWhatIsThere(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		for i := range 3000 {
			_, err := tx.StringSet(fmt.Appendf(nil, "myapp:%04d", i), value(fmt.Sprint("u", i%100)), engine.SetOptions{})
			require.NoError(t, err)
		}
	})
	s := memstore.On(f.Engine, 0, prefix, memstore.Options{})
	defer s.Close()
	n, err := s.Count(context.Background(), prefix)
	require.NoError(t, err)
	require.Equal(t, 3000, n)
	page, _, err := s.ByUser(context.Background(), prefix, "u7", "", 100)
	require.NoError(t, err)
	require.Len(t, page, 30)
	require.Equal(t, "myapp:0007", page[0].Key)
}

// An event comes for what others do, and says why a session ended.
func TestEventsOfOthers(t *testing.T) {
	x := newShared(t)
	x.set("myapp:a", "alice", time.Minute)
	x.set("myapp:a", "alice", time.Minute)
	x.f.Tx(func(tx *engine.Tx) { tx.KeyExpire([]byte("myapp:a"), tx.Now()+1000, 0) })
	x.f.Advance(time.Second)
	x.set("myapp:b", "", 0)
	x.f.Tx(func(tx *engine.Tx) { tx.Delete("DEL", []byte("myapp:b")) })
	x.f.Tx(func(tx *engine.Tx) { tx.FlushAll() })

	type event struct {
		typ  bff.EventType
		key  string
		user string
		why  bff.Reason
	}
	want := []event{
		{bff.EventCreated, "myapp:a", "alice", ""}, {bff.EventChanged, "myapp:a", "alice", ""}, {bff.EventRefreshed, "myapp:a", "alice", ""},
		{bff.EventExpired, "myapp:a", "alice", bff.ReasonIdle},
		{bff.EventCreated, "myapp:b", "", ""}, {bff.EventRevoked, "myapp:b", "", bff.ReasonDeleted},
		{bff.EventRevoked, "", "", bff.ReasonFlushed},
	}
	var got []event
	for e, err := range x.s.Watch(t.Context(), prefix, 0) {
		require.NoError(t, err)
		got = append(got, event{e.Type, e.Key, e.User, e.Reason})
		if e.Type == bff.EventExpired {
			require.Equal(t, x.f.Now(), e.At, "at its very moment")
		}
		if len(got) == len(want) {
			break
		}
	}
	require.Equal(t, want, got)
}

// A reader who was away for too long is told so.
func TestWatchTellsOfGaps(t *testing.T) {
	f := enginetest.New(t)
	s := memstore.On(f.Engine, 0, prefix, memstore.Options{Events: 4})
	defer s.Close()
	for i := range 10 {
		require.NoError(t, s.Create(t.Context(), fmt.Sprint(prefix, i), bff.Record{Value: value("")}))
	}
	var keys []string
	gaps := 0
	for e, err := range s.Watch(t.Context(), prefix, 2) {
		if err != nil {
			require.ErrorIs(t, err, bff.ErrGap)
			gaps++
			continue
		}
		if keys = append(keys, e.Key); len(keys) == 4 {
			break
		}
	}
	require.Equal(t, 1, gaps)
	require.Equal(t, []string{"myapp:6", "myapp:7", "myapp:8", "myapp:9"}, keys)
}

// With a bound on memory, those sessions make room that would end first.
func TestMaxMemory(t *testing.T) {
	s := memstore.New(memstore.Options{MaxMemory: 4 << 20, Clock: bfftest.NewClock()})
	defer s.Close()
	ctx := context.Background()
	body := make([]byte, 1000)
	for i := range 8000 {
		require.NoError(t, s.Create(ctx, fmt.Sprint(prefix, i), bff.Record{Value: body, TTL: time.Hour + time.Duration(i)*time.Second}))
	}
	n, err := s.Count(ctx, prefix)
	require.NoError(t, err)
	require.Less(t, n, 4500)
	require.Greater(t, n, 1000)
	_, err = s.Find(ctx, prefix+"7999")
	require.NoError(t, err)
	_, err = s.Find(ctx, prefix+"0")
	require.ErrorIs(t, err, bff.ErrNoSession)
	why := bff.Reason("")
	for e, err := range s.Watch(t.Context(), prefix, 0) {
		if err == nil && e.Type == bff.EventRevoked {
			why = e.Reason
			break
		}
	}
	require.Equal(t, bff.ReasonEvicted, why)
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	s := memstore.New(memstore.Options{})
	defer s.Close()
	_, _, err := s.List(t.Context(), prefix, "x", 10)
	require.Error(t, err)
	_, _, err = s.ByUser(t.Context(), prefix, "alice", "x", 10)
	require.Error(t, err)
}

func TestOpener(t *testing.T) {
	env := func(vars map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	}
	m, err := bff.FromEnv(env(map[string]string{"SESSION_MAX_MEMORY": "1000000"}), memstore.Opener())
	require.NoError(t, err)
	require.IsType(t, &memstore.Store{}, m.Store)
	m.Store.(*memstore.Store).Close()
	_, err = bff.FromEnv(env(map[string]string{"SESSION_MAX_MEMORY": "much"}), memstore.Opener())
	require.ErrorContains(t, err, "SESSION_MAX_MEMORY=much")
}
