package engine_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// collection is a type whose elements are scanned. Its functions work on the key "c".
type collection struct {
	name   string
	add    func(tx *engine.Tx, elem []byte) error
	remove func(tx *engine.Tx, elem []byte) error
	scan   func(tx *engine.Tx, cursor uint64, opt engine.ScanOptions, found func(elem []byte)) (uint64, error)
}

var collections = []collection{
	{
		"hash",
		func(tx *engine.Tx, elem []byte) error { _, err := tx.HashSet(b("c"), elem, b("v")); return err },
		func(tx *engine.Tx, elem []byte) error { _, err := tx.HashDelete(b("c"), elem); return err },
		func(tx *engine.Tx, cursor uint64, opt engine.ScanOptions, found func([]byte)) (uint64, error) {
			w, ok, err := tx.HashWalk(b("c"))
			if !ok {
				return 0, err
			}
			return w.Scan(cursor, opt, func(field, _ []byte) { found(field) }), nil
		},
	},
	{
		"set",
		func(tx *engine.Tx, elem []byte) error { _, err := tx.SetAdd(b("c"), elem); return err },
		func(tx *engine.Tx, elem []byte) error { _, err := tx.SetRemove(b("c"), elem); return err },
		func(tx *engine.Tx, cursor uint64, opt engine.ScanOptions, found func([]byte)) (uint64, error) {
			w, ok, err := tx.SetWalk(b("c"))
			if !ok {
				return 0, err
			}
			return w.Scan(cursor, opt, found), nil
		},
	},
	{
		"zset",
		func(tx *engine.Tx, elem []byte) error {
			_, err := tx.ZSetAdd(b("c"), engine.ZSetAddOptions{}, engine.Scored{Member: elem, Score: 1})
			return err
		},
		func(tx *engine.Tx, elem []byte) error { _, err := tx.ZSetRemove(b("c"), elem); return err },
		func(tx *engine.Tx, cursor uint64, opt engine.ScanOptions, found func([]byte)) (uint64, error) {
			w, ok, err := tx.ZSetWalk(b("c"))
			if !ok {
				return 0, err
			}
			return w.Scan(cursor, opt, func(member []byte, _ float64) { found(member) }), nil
		},
	},
}

// A walk over a hash, a set or a sorted set finds every element that was there all the
// time, and none that never was, whatever comes and goes between its steps: while it is
// packed, large, or becomes large.
func TestElementScanFindsWhatStays(t *testing.T) {
	for _, c := range collections {
		for _, prefix := range []string{"e", ""} { // without one a set has integers
			t.Run(fmt.Sprintf("%s %q", c.name, prefix), func(t *testing.T) {
				f := enginetest.New(t)
				rapid.Check(t, func(rt *rapid.T) { c.walk(rt, f, prefix) })
			})
		}
	}
}

func (c *collection) walk(t *rapid.T, f *enginetest.Fixture, prefix string) {
	next := 0
	live, stays, ever, found := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	add := func(tx *engine.Tx, n int) {
		for range n {
			elem := prefix + strconv.Itoa(next)
			next++
			require.NoError(t, c.add(tx, b(elem)))
			live[elem], ever[elem] = true, true
		}
	}
	remove := func(tx *engine.Tx, n int) {
		for elem := range live {
			if n--; n < 0 {
				return
			}
			require.NoError(t, c.remove(tx, b(elem)))
			delete(live, elem)
			delete(stays, elem)
		}
	}
	size := rapid.SampledFrom([]int{0, 5, 100, 700})
	f.Tx(func(tx *engine.Tx) {
		tx.FlushDB()
		add(tx, size.Draw(t, "elements"))
	})
	for elem := range live {
		stays[elem] = true
	}
	cursor := uint64(0)
	for step := 0; step == 0 || cursor != 0; step++ {
		count := rapid.IntRange(1, 200).Draw(t, "count")
		f.Tx(func(tx *engine.Tx) {
			var err error
			cursor, err = c.scan(tx, cursor, engine.ScanOptions{Count: count}, func(elem []byte) {
				require.True(t, ever[string(elem)], "%s never was", elem)
				found[string(elem)] = true
			})
			require.NoError(t, err)
			require.Less(t, cursor, uint64(1)<<53)
			if step < 15 { // then the walk must come to its end
				add(tx, rapid.IntRange(0, 100).Draw(t, "added"))
				remove(tx, rapid.IntRange(0, 100).Draw(t, "removed"))
			}
		})
	}
	for elem := range stays {
		require.True(t, found[elem], "%s was there all the time", elem)
	}
}
