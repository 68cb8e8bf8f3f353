package engine_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// A walk finds every key that was there all the time, and none that never was,
// whatever comes and goes between its steps.
func TestScanFindsWhatStays(t *testing.T) {
	f := enginetest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		f.Tx(func(tx *engine.Tx) { tx.FlushDB() })
		next := 0
		live := map[string]bool{}  // now
		stays := map[string]bool{} // since the walk began
		ever := map[string]bool{}  // at any time since
		add := func(tx *engine.Tx, n int) {
			for range n {
				key := "k" + strconv.Itoa(next)
				next++
				_, err := tx.StringSet(b(key), b("v"), engine.SetOptions{})
				require.NoError(rt, err)
				live[key], ever[key] = true, true
			}
		}
		remove := func(tx *engine.Tx, n int) {
			for key := range live {
				if n--; n < 0 {
					return
				}
				require.Equal(rt, 1, tx.Delete("DEL", b(key)))
				delete(live, key)
				delete(stays, key)
			}
		}
		f.Tx(func(tx *engine.Tx) { add(tx, rapid.IntRange(0, 3000).Draw(rt, "keys")) })
		for key := range live {
			stays[key] = true
		}
		found := map[string]bool{}
		cursor, steps := uint64(0), 0
		for first := true; first || cursor != 0; first = false {
			count := rapid.IntRange(1, 400).Draw(rt, "count")
			f.Tx(func(tx *engine.Tx) {
				n := 0
				cursor = tx.KeyScan(cursor, engine.ScanOptions{Count: count}, func(key []byte) {
					require.True(rt, ever[string(key)], "%s never was", key)
					found[string(key)] = true
					n++
				})
				require.LessOrEqual(rt, n, count+8, "keys in a step of %d", count)
				require.Less(rt, cursor, uint64(1)<<53, "a cursor that JavaScript cannot hold")
				if steps++; steps < 60 { // then the walk must come to its end
					add(tx, rapid.IntRange(0, 300).Draw(rt, "added"))
					remove(tx, rapid.IntRange(0, 300).Draw(rt, "removed"))
				}
			})
		}
		for key := range stays {
			require.True(rt, found[key], "%s was there all the time", key)
		}
	})
}

func TestScanOptions(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		for _, key := range []string{"a1", "a2", "b1"} {
			_, err := tx.StringSet(b(key), b("v"), engine.SetOptions{})
			require.NoError(t, err)
		}
		tx.PutList(b("a3"))
		_, err := tx.StringSet(b("a4"), b("v"), engine.SetOptions{At: tx.Now()})
		require.NoError(t, err)
		walk := func(opt engine.ScanOptions) (keys []string) {
			opt.Count = 100
			require.Zero(t, tx.KeyScan(0, opt, func(key []byte) { keys = append(keys, string(key)) }))
			return keys
		}
		require.ElementsMatch(t, []string{"a1", "a2", "a3", "b1"}, walk(engine.ScanOptions{}))
		require.ElementsMatch(t, []string{"a1", "a2", "a3"}, walk(engine.ScanOptions{Match: b("a*")}))
		require.ElementsMatch(t, []string{"a1", "a2"}, walk(engine.ScanOptions{Match: b("a*"), Type: "STRING"}))
		require.ElementsMatch(t, []string{"a3"}, walk(engine.ScanOptions{Type: "list"}))
		require.Empty(t, walk(engine.ScanOptions{Type: "nosuch"}))
		require.Empty(t, walk(engine.ScanOptions{Match: []byte{}}))
		require.Equal(t, 4, tx.Len(), "the expired key is gone")
	})
}

// Cursors from nowhere end the walk or go on; they never fail.
func TestScanOddCursors(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		for i := range 100 {
			_, err := tx.StringSet(b(strconv.Itoa(i)), b("v"), engine.SetOptions{})
			require.NoError(t, err)
		}
		for _, cursor := range []uint64{1<<28 - 1, 1 << 28, 1<<32 - 1, 1 << 32, 1<<53 - 1, 1 << 53, 1 << 63, math.MaxUint64} {
			n := 0
			next := tx.KeyScan(cursor, engine.ScanOptions{Count: 1000}, func([]byte) { n++ })
			require.Zero(t, next, "%d", cursor)
			require.LessOrEqual(t, n, 1, "%d", cursor)
		}
	})
}
