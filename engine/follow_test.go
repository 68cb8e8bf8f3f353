package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

// follow has the keyspace follow another one, and tells what it says itself.
func follow(f *enginetest.Fixture, on bool) {
	held(f, func(h engine.Held) { h.Follow(on, false) })
}

func stringAt(t *testing.T, f *enginetest.Fixture, key string) string {
	var val string
	f.Tx(func(tx *engine.Tx) {
		b, _, err := tx.String([]byte(key))
		require.NoError(t, err)
		val = string(b)
	})
	return val
}

// Of a keyspace that follows, nothing goes by itself: readers do not see what has
// expired, those who repeat changes do.
func TestFollowingKeyspaceExpiresNothing(t *testing.T) {
	f := enginetest.New(t)
	rec := &recorder{wants: engine.Wants{Events: engine.ClassExpired | engine.ClassGeneric, Argv: true}}
	follow(f, true)
	at := now(f) + 1000
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet([]byte("k"), []byte("v"), engine.SetOptions{At: at})
		require.NoError(t, err)
		_, err = tx.HashSet([]byte("h"), []byte("f"), []byte("v"))
		require.NoError(t, err)
		require.NoError(t, tx.HashExpire([]byte("h"), at, 0, [][]byte{[]byte("f")}, func(engine.FieldOutcome) {}))
	})
	held(f, func(h engine.Held) { h.AddSink(rec) })
	f.Advance(2 * time.Second)
	require.Empty(t, stringAt(t, f, "k"))
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, 2, tx.Len())
		require.Zero(t, tx.Exists([]byte("k"), []byte("h")))
		key, ok := tx.RandomKey()
		require.True(t, ok)
		require.Contains(t, []string{"k", "h"}, string(key))
		tx.KeyScan(0, engine.ScanOptions{Count: 100}, func(key []byte) { t.Errorf("SCAN finds %q", key) })
	})
	require.Empty(t, rec.seen)

	f.Tx(func(tx *engine.Tx) { // the other one has still had it
		tx.Repeat()
		n, err := tx.StringAppend([]byte("k"), []byte("+"))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.True(t, tx.KeyExpire([]byte("k"), at+1, 0), "a deadline that has passed is one")
		_, ok, err := tx.HashGet([]byte("h"), []byte("f"))
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, tx.KeyPersist([]byte("k")))
	})
	require.Equal(t, "v+", stringAt(t, f, "k"))
	require.NotContains(t, rec.seen, "0 expired k")

	follow(f, false)
	f.Advance(0)
	f.Tx(func(tx *engine.Tx) { require.Equal(t, 1, tx.Len()) })
	require.Equal(t, "v+", stringAt(t, f, "k"))
}

func TestFollowingKeyspaceEvictsNothing(t *testing.T) {
	f := enginetest.New(t)
	follow(f, true)
	held(f, limits(engine.AllKeysLRU, 10_000))
	for i := range 200 {
		require.NoError(t, set(f, 0, string(rune('a'+i)), 300, engine.Never))
	}
	f.Tx(func(tx *engine.Tx) { require.Equal(t, 200, tx.Len()) })
	held(f, func(h engine.Held) {
		h.Follow(true, true)
		require.NoError(t, h.MakeRoom())
		require.Positive(t, h.Stats().Evicted)
		h.Follow(false, false)
	})
	held(f, limits(engine.NoEviction, -1))
	require.ErrorIs(t, set(f, 0, "x", 1, engine.Never), errs.OOM)
}

// A snapshot of a keyspace that follows has what has expired: others follow it.
func TestSnapshotOfAFollowingKeyspace(t *testing.T) {
	f := enginetest.New(t)
	follow(f, true)
	require.NoError(t, set(f, 0, "k", 10, now(f)+1000))
	f.Advance(2 * time.Second)
	var seen []string
	held(f, func(h engine.Held) {
		s, err := h.StartSnapshot(func(_ int, v engine.View) { seen = append(seen, string(v.Key())) })
		require.NoError(t, err)
		require.True(t, s.Step(h, time.Second))
		s.End(h)
	})
	require.Equal(t, []string{"k"}, seen)
}
