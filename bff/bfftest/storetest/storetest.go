// Package storetest is what every bff.Store must do, as tests. A store's own tests
// call Run.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
)

// Options say what a store under test can.
type Options struct {
	// Advance moves the store's time; nil: the machine's time is waited for.
	Advance func(d time.Duration)
	// Coarse is the shortest time to live that the store can give.
	Coarse time.Duration
}

// suite is a run of the tests.
type suite struct {
	open func(t *testing.T) bff.Store
	opt  Options
}

// prefix is that of all keys here. Another one lies beside it, so that a store
// which mixes them up shows.
const (
	prefix = "storetest:"
	beside = "storetesu:"
)

// Run tests stores that open makes; each is empty, and open has it closed with t.
// Interfaces beside Store are tested where the store has them.
func Run(t *testing.T, open func(t *testing.T) bff.Store, opt Options) {
	s := suite{open, opt}
	for name, test := range map[string]func(*testing.T, bff.Store){
		"Find": s.find, "Create": s.create, "Replace": s.replace, "Rename": s.rename, "Touch": s.touch, "Delete": s.remove,
		"Bytes": s.bytes, "Expiry": s.expiry, "Writers": s.writers, "Cancelled": s.cancelled,
		"List": s.list, "ByUser": s.byUser, "Watch": s.watch,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// value is a session as connect-redis has them, of a user.
func value(user, more string) []byte {
	if user == "" {
		return []byte(`{"cookie":{"originalMaxAge":null,"expires":null},"more":"` + more + `"}`)
	}
	return fmt.Appendf(nil, `{"cookie":{"originalMaxAge":null,"expires":null},"more":%q,"bff":{"sub":%q}}`, more, user)
}

func record(user, more string) bff.Record {
	return bff.Record{Value: value(user, more), TTL: time.Hour, User: user, Prefix: prefix, Longest: 12 * time.Hour}
}

func requireValue(t *testing.T, s bff.Store, key string, want []byte) {
	t.Helper()
	got, err := s.Find(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got.Value))
}

func requireNone(t *testing.T, s bff.Store, key string) {
	t.Helper()
	_, err := s.Find(t.Context(), key)
	require.ErrorIs(t, err, bff.ErrNoSession)
}

func (suite) find(t *testing.T, s bff.Store) {
	requireNone(t, s, prefix+"a")
	require.NoError(t, s.Create(t.Context(), prefix+"a", record("", "1")))
	got, err := s.Find(t.Context(), prefix+"a")
	require.NoError(t, err)
	require.Equal(t, string(value("", "1")), string(got.Value))
	require.LessOrEqual(t, got.TTL, time.Hour)
	require.Greater(t, got.TTL, 59*time.Minute)

	forever := record("", "2")
	forever.TTL = 0
	require.NoError(t, s.Create(t.Context(), prefix+"b", forever))
	got, err = s.Find(t.Context(), prefix+"b")
	require.NoError(t, err)
	require.Zero(t, got.TTL, "no end")
}

func (suite) create(t *testing.T, s bff.Store) {
	r := record("", "1")
	require.NoError(t, s.Create(t.Context(), prefix+"a", r))
	r.Value[0] = 'X' // the store keeps a copy
	require.ErrorIs(t, s.Create(t.Context(), prefix+"a", record("", "2")), bff.ErrConflict)
	requireValue(t, s, prefix+"a", value("", "1"))
	require.NoError(t, s.Create(t.Context(), prefix+"b", record("", "2")))
}

func (suite) replace(t *testing.T, s bff.Store) {
	ctx := t.Context()
	require.ErrorIs(t, s.Replace(ctx, prefix+"a", nil, record("", "1")), bff.ErrNoSession)
	requireNone(t, s, prefix+"a")

	require.NoError(t, s.Create(ctx, prefix+"a", record("", "1")))
	longer := record("", "2")
	longer.TTL = 2 * time.Hour
	require.NoError(t, s.Replace(ctx, prefix+"a", value("", "1"), longer))
	got, err := s.Find(ctx, prefix+"a")
	require.NoError(t, err)
	require.Equal(t, string(value("", "2")), string(got.Value))
	require.Greater(t, got.TTL, 119*time.Minute)

	require.ErrorIs(t, s.Replace(ctx, prefix+"a", value("", "1"), record("", "3")), bff.ErrConflict)
	require.ErrorIs(t, s.Replace(ctx, prefix+"a", nil, record("", "3")), bff.ErrConflict)
	requireValue(t, s, prefix+"a", value("", "2"))

	_, err = s.Delete(ctx, bff.ReasonLogout, prefix+"a")
	require.NoError(t, err)
	require.ErrorIs(t, s.Replace(ctx, prefix+"a", value("", "2"), record("", "3")), bff.ErrNoSession)
	requireNone(t, s, prefix+"a")
}

func (suite) rename(t *testing.T, s bff.Store) {
	ctx := t.Context()
	require.ErrorIs(t, s.Rename(ctx, prefix+"a", nil, prefix+"b", record("", "1")), bff.ErrNoSession)
	requireNone(t, s, prefix+"b")
	require.NoError(t, s.Create(ctx, prefix+"a", record("", "1")))
	require.ErrorIs(t, s.Rename(ctx, prefix+"a", value("", "0"), prefix+"b", record("", "2")), bff.ErrConflict)
	requireNone(t, s, prefix+"b")
	requireValue(t, s, prefix+"a", value("", "1"))

	require.NoError(t, s.Rename(ctx, prefix+"a", value("", "1"), prefix+"b", record("", "2")))
	requireNone(t, s, prefix+"a")
	got, err := s.Find(ctx, prefix+"b")
	require.NoError(t, err)
	require.Equal(t, string(value("", "2")), string(got.Value))
	require.Greater(t, got.TTL, 59*time.Minute)

	require.NoError(t, s.Create(ctx, prefix+"c", record("", "3")))
	require.ErrorIs(t, s.Rename(ctx, prefix+"c", value("", "3"), prefix+"b", record("", "4")), bff.ErrConflict, "b is taken")
	requireValue(t, s, prefix+"b", value("", "2"))
	requireValue(t, s, prefix+"c", value("", "3"))
}

func (suite) touch(t *testing.T, s bff.Store) {
	ctx := t.Context()
	require.ErrorIs(t, s.Touch(ctx, prefix+"a", time.Hour), bff.ErrNoSession)
	requireNone(t, s, prefix+"a")
	require.NoError(t, s.Create(ctx, prefix+"a", record("", "1")))
	require.NoError(t, s.Touch(ctx, prefix+"a", 3*time.Hour))
	got, err := s.Find(ctx, prefix+"a")
	require.NoError(t, err)
	require.Greater(t, got.TTL, 179*time.Minute)
	require.NoError(t, s.Touch(ctx, prefix+"a", 0))
	got, err = s.Find(ctx, prefix+"a")
	require.NoError(t, err)
	require.Zero(t, got.TTL)
	requireValue(t, s, prefix+"a", value("", "1"))
	require.NoError(t, s.Touch(ctx, prefix+"a", -time.Second))
	requireNone(t, s, prefix+"a")
}

func (suite) remove(t *testing.T, s bff.Store) {
	ctx := t.Context()
	n, err := s.Delete(ctx, bff.ReasonLogout)
	require.NoError(t, err)
	require.Zero(t, n)
	for _, key := range []string{"a", "b", "c"} {
		require.NoError(t, s.Create(ctx, prefix+key, record("", key)))
	}
	n, err = s.Delete(ctx, bff.ReasonRevoked, prefix+"a", prefix+"none", prefix+"c")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	requireNone(t, s, prefix+"a")
	requireValue(t, s, prefix+"b", value("", "b"))
}

// bytes: keys and values are whatever they are.
func (suite) bytes(t *testing.T, s bff.Store) {
	ctx := t.Context()
	odd := []byte("{\"a\":\"\x00\xff\r\n\"}")
	for _, id := range []string{"a.b", "../x", "two words", "Zoë", "{tag}", "*", "%41"} {
		key := prefix + id
		require.NoError(t, s.Create(ctx, key, bff.Record{Value: odd, TTL: time.Hour}), id)
		requireValue(t, s, key, odd)
		big := append(odd, make([]byte, 1<<17)...)
		require.NoError(t, s.Replace(ctx, key, odd, bff.Record{Value: big, TTL: time.Hour}), id)
		requireValue(t, s, key, big)
		n, err := s.Delete(ctx, bff.ReasonLogout, key)
		require.NoError(t, err)
		require.Equal(t, 1, n, id)
	}
}

func (u suite) expiry(t *testing.T, s bff.Store) {
	ctx := t.Context()
	step := max(u.opt.Coarse, 100*time.Millisecond)
	r := record("alice", "1")
	r.TTL = step
	require.NoError(t, s.Create(ctx, prefix+"a", r))
	require.NoError(t, s.Create(ctx, prefix+"b", record("alice", "2")))
	u.pass(t, step, func() bool {
		_, err := s.Find(ctx, prefix+"a")
		return errors.Is(err, bff.ErrNoSession)
	})
	requireValue(t, s, prefix+"b", value("alice", "2"))
	require.ErrorIs(t, s.Touch(ctx, prefix+"a", time.Hour), bff.ErrNoSession)
	require.ErrorIs(t, s.Replace(ctx, prefix+"a", value("alice", "1"), r), bff.ErrNoSession)
	n, err := s.Delete(ctx, bff.ReasonLogout, prefix+"a")
	require.NoError(t, err)
	require.Zero(t, n)
	if idx, ok := s.(bff.Indexer); ok {
		require.Equal(t, []string{prefix + "b"}, userKeys(t, idx, "alice"))
	}
	require.NoError(t, s.Create(ctx, prefix+"a", record("", "3")), "its key is free again")

	gone := record("", "4")
	gone.TTL = -1
	require.NoError(t, s.Create(ctx, prefix+"gone", gone))
	requireNone(t, s, prefix+"gone")
}

// pass lets time pass until the condition holds.
func (u suite) pass(t *testing.T, d time.Duration, cond func() bool) {
	t.Helper()
	if u.opt.Advance != nil {
		u.opt.Advance(d)
		require.True(t, cond(), "at its very moment")
		return
	}
	require.Eventually(t, cond, d+5*time.Second, 5*time.Millisecond)
}

// writers: of many who replace the same value, one wins.
func (u suite) writers(t *testing.T, s bff.Store) {
	ctx := t.Context()
	require.NoError(t, s.Create(ctx, prefix+"a", record("", "0")))
	const rounds, writers = 20, 8
	for round := range rounds {
		old := value("", fmt.Sprint(round))
		won := make([]error, writers)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() { won[w] = s.Replace(ctx, prefix+"a", old, record("", fmt.Sprint(round+1))) })
		}
		all.Wait()
		wins := 0
		for _, err := range won {
			if err == nil {
				wins++
			} else {
				require.ErrorIs(t, err, bff.ErrConflict)
			}
		}
		require.Equal(t, 1, wins)
	}
	// Delete against Replace: afterwards there is nothing.
	for i := range rounds {
		key := fmt.Sprint(prefix, "race", i)
		require.NoError(t, s.Create(ctx, key, record("", "0")))
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.Replace(ctx, key, value("", "0"), record("", "1")); err != nil {
				require.ErrorIs(t, err, bff.ErrNoSession)
			}
		})
		both.Go(func() { _, _ = s.Delete(ctx, bff.ReasonLogout, key) })
		both.Wait()
		requireNone(t, s, key)
	}
}

func (suite) cancelled(t *testing.T, s bff.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Find(ctx, prefix+"a")
	require.Error(t, err)
}

func (suite) list(t *testing.T, s bff.Store) {
	l, ok := s.(bff.Lister)
	if !ok {
		return
	}
	ctx := t.Context()
	page, next, err := l.List(ctx, prefix, "", 10)
	require.NoError(t, err)
	require.Empty(t, page)
	require.Empty(t, next)
	var want []string
	for i := range 137 {
		want = append(want, fmt.Sprintf("%s%03d", prefix, i))
		require.NoError(t, s.Create(ctx, want[i], record("", fmt.Sprint(i))))
	}
	require.NoError(t, s.Create(ctx, beside+"x", record("", "x")))
	got := map[string]bool{}
	pages := 0
	for cursor := ""; ; pages++ {
		page, next, err := l.List(ctx, prefix, cursor, 10)
		require.NoError(t, err)
		for _, e := range page {
			require.Contains(t, string(e.Value), "cookie")
			require.Greater(t, e.TTL, 59*time.Minute)
			got[e.Key] = true
		}
		if cursor = next; cursor == "" {
			break
		}
		require.Less(t, pages, 1000, "the walk ends")
	}
	require.Greater(t, pages, 2, "there are pages")
	var keys []string
	for key := range got {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	require.Equal(t, want, keys)
	n, err := l.Count(ctx, prefix)
	require.NoError(t, err)
	require.Equal(t, 137, n)
}

func userKeys(t *testing.T, idx bff.Indexer, user string) (keys []string) {
	t.Helper()
	for cursor := ""; ; {
		page, next, err := idx.ByUser(t.Context(), prefix, user, cursor, 3)
		require.NoError(t, err)
		for _, e := range page {
			keys = append(keys, e.Key)
			require.NotEmpty(t, e.Value)
		}
		if cursor = next; cursor == "" {
			return keys
		}
	}
}

func (suite) byUser(t *testing.T, s bff.Store) {
	idx, ok := s.(bff.Indexer)
	if !ok {
		return
	}
	ctx := t.Context()
	require.Empty(t, userKeys(t, idx, "alice"))
	odd := "{b}ob *\n" // names are whatever they are
	for i := range 7 {
		require.NoError(t, s.Create(ctx, fmt.Sprint(prefix, "a", i), record("alice", "1")))
	}
	require.NoError(t, s.Create(ctx, prefix+"b", record(odd, "1")))
	other := record("alice", "1")
	other.Prefix = beside
	require.NoError(t, s.Create(ctx, beside+"a", other))
	require.NoError(t, s.Create(ctx, prefix+"nobody", record("", "1")))
	want := []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6"}
	check := func() {
		t.Helper()
		var keys []string
		for _, id := range want {
			keys = append(keys, prefix+id)
		}
		require.Equal(t, keys, userKeys(t, idx, "alice"), "the oldest first")
	}
	check()
	require.Equal(t, []string{prefix + "b"}, userKeys(t, idx, odd))

	_, err := s.Delete(ctx, bff.ReasonLogout, prefix+"a0", prefix+"a3")
	require.NoError(t, err)
	want = []string{"a1", "a2", "a4", "a5", "a6"}
	check()
	// A renewed session is as old as its new id.
	require.NoError(t, s.Rename(ctx, prefix+"a1", value("alice", "1"), prefix+"a9", record("alice", "2")))
	want = []string{"a2", "a4", "a5", "a6", "a9"}
	check()
	// A sign-in in a session of nobody.
	require.NoError(t, s.Rename(ctx, prefix+"nobody", value("", "1"), prefix+"a8", record("alice", "1")))
	want = append(want, "a8")
	check()
	// A change that concerns no user leaves the index.
	r := record("alice", "new")
	r.User = ""
	require.NoError(t, s.Replace(ctx, prefix+"a2", value("alice", "1"), r))
	check()
	if f, ok := s.(bff.Forgetter); ok {
		_, err := s.Delete(ctx, bff.ReasonLogout, prefix+"a4")
		require.NoError(t, err)
		require.NoError(t, f.Forget(ctx, prefix, "alice", prefix+"a4", prefix+"none"))
		want = slices.DeleteFunc(want, func(id string) bool { return id == "a4" })
		check()
	}
}

func (u suite) watch(t *testing.T, s bff.Store) {
	w, ok := s.(bff.Watcher)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, s.Create(ctx, prefix+"a", record("alice", "1")))
	require.NoError(t, s.Create(ctx, beside+"a", record("alice", "1")))
	require.NoError(t, s.Replace(ctx, prefix+"a", value("alice", "1"), record("alice", "2")))
	require.NoError(t, s.Touch(ctx, prefix+"a", 2*time.Hour))
	require.NoError(t, s.Rename(ctx, prefix+"a", value("alice", "2"), prefix+"b", record("alice", "3")))
	_, err := s.Delete(ctx, bff.ReasonLimit, prefix+"b")
	require.NoError(t, err)

	type event struct {
		Type   bff.EventType
		Key    string
		Reason bff.Reason
	}
	want := []event{
		{bff.EventCreated, prefix + "a", ""}, {bff.EventChanged, prefix + "a", ""}, {bff.EventRefreshed, prefix + "a", ""},
		{bff.EventRenewed, prefix + "a", bff.ReasonRenewed}, {bff.EventCreated, prefix + "b", ""},
		{bff.EventRevoked, prefix + "b", bff.ReasonLimit},
	}
	var got []event
	var seqs []uint64
	for e, err := range w.Watch(ctx, prefix, 0) {
		require.NoError(t, err)
		got = append(got, event{e.Type, e.Key, e.Reason})
		seqs = append(seqs, e.Seq)
		if len(got) == len(want) {
			break
		}
	}
	require.Equal(t, want, got)
	require.True(t, slices.IsSorted(seqs))

	// From where another reader was.
	for e, err := range w.Watch(ctx, prefix, seqs[3]) {
		require.NoError(t, err)
		require.Equal(t, event{bff.EventCreated, prefix + "b", ""}, event{e.Type, e.Key, e.Reason})
		break
	}
	cancel()
	for e, err := range w.Watch(ctx, prefix, seqs[5]) {
		t.Fatalf("there is nothing more: %v %v", e, err)
	}
}
