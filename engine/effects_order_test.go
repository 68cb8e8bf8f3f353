package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// Whoever repeats the commands of a MSET that came upon an expired key must have
// that key afterwards: its DEL stands before.
func TestExpiredKeysGoBeforeTheyAreSet(t *testing.T) {
	f, r := withAnExpiredKey(t)
	f.Tx(func(tx *engine.Tx) {
		require.True(t, tx.StringSetMany([][]byte{[]byte("a"), []byte("1"), []byte("b"), []byte("2")}, false))
	})
	require.Equal(t, []string{`["DEL" "b"]`, `["MSET" "a" "1" "b" "2"]`}, r.argv)
}

// As in Redis, the DEL of an expired key stands before the command that came upon
// it.
func TestExpiredKeysGoBeforeTheirCommand(t *testing.T) {
	f, r := withAnExpiredKey(t)
	require.NoError(t, set(f, 0, "a", 1, engine.Never))
	r.argv = nil
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, 1, tx.Delete("DEL", []byte("a"), []byte("b"), []byte("a")))
	})
	require.Equal(t, []string{`["DEL" "b"]`, `["DEL" "a" "b" "a"]`}, r.argv)
}

// withAnExpiredKey is an engine whose key b has expired and was not yet looked up,
// and a recorder of the commands that repeat what happens from now on.
func withAnExpiredKey(t *testing.T) (*enginetest.Fixture, *recorder) {
	f := enginetest.New(t)
	r := &recorder{wants: engine.Wants{Argv: true}}
	require.NoError(t, set(f, 0, "b", 1, now(f)+5))
	held(f, func(h engine.Held) {
		h.SetActiveExpire(false)
		h.AddSink(r)
	})
	f.Advance(10 * time.Millisecond)
	return f, r
}
