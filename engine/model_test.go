package engine_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// model is what the keyspace should be: a plain map a db.
type model struct {
	t   *rapid.T
	f   *enginetest.Fixture
	rng *rand.Rand
	dbs []map[string]modelEntry
}

type modelEntry struct {
	val []byte
	at  engine.UnixMilli
}

func (m *model) now() engine.UnixMilli { return engine.UnixMilli(m.f.Now().UnixMilli()) }

// get is the entry at key as long as it lives.
func (m *model) get(db int, key string) (modelEntry, bool) {
	e, ok := m.dbs[db][key]
	if ok && e.at != engine.Never && e.at <= m.now() {
		delete(m.dbs[db], key)
		return e, false
	}
	return e, ok
}

// key is one of few names, some of them long.
func (m *model) key() []byte {
	k := fmt.Sprintf("key:%d", m.rng.IntN(60))
	switch m.rng.IntN(40) {
	case 0:
		k += string(bytes.Repeat([]byte{'k'}, 300))
	case 1:
		k += string(bytes.Repeat([]byte{'K'}, 40_000))
	}
	return []byte(k)
}

// val is a value around the sizes where its keeping changes.
func (m *model) val() []byte {
	sizes := []int{0, 1, 20, 44, 45, 324, 1000, 16<<10 - 40, 16<<10 - 1, 16 << 10, 40_000, 70_000, 300_000}
	n := sizes[m.rng.IntN(len(sizes))] + m.rng.IntN(30)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.rng.Uint32())
	}
	return b
}

func (m *model) at() engine.UnixMilli {
	switch m.rng.IntN(12) {
	case 0, 1, 2:
		return engine.Never
	case 3:
		return 1<<62 + engine.UnixMilli(m.rng.IntN(100))
	case 4: // too far from the indexed one to be left behind
		return m.now() + 100*24*3_600_000
	}
	return m.now() + 1 + engine.UnixMilli(m.rng.IntN(2000))
}

func (m *model) step(tx *engine.Tx, db int) {
	key := m.key()
	k := string(key)
	old, had := m.get(db, k)
	space := m.dbs[db]
	switch m.rng.IntN(16) {
	case 0, 1, 2, 3:
		e := modelEntry{m.val(), m.at()}
		if m.rng.IntN(4) == 0 && had { // with bytes of the store itself
			own, _, _ := tx.String(key)
			e.val = bytes.Clone(own[len(own)/3:])
			_, err := tx.StringSet(key, own[len(own)/3:], engine.SetOptions{At: e.at})
			require.NoError(m.t, err)
		} else {
			_, err := tx.StringSet(key, e.val, engine.SetOptions{At: e.at})
			require.NoError(m.t, err)
		}
		space[k] = e
	case 4, 5:
		val := m.val()
		n, err := tx.StringAppend(key, val)
		require.NoError(m.t, err)
		if !had {
			old = modelEntry{nil, engine.Never}
		}
		old.val = append(slices.Clip(old.val), val...)
		require.Equal(m.t, len(old.val), n)
		space[k] = old
	case 6:
		off, val := m.rng.IntN(100_000), m.val()
		_, err := tx.StringSetRange(key, int64(off), val)
		require.NoError(m.t, err)
		if len(val) == 0 {
			break
		}
		if !had {
			old = modelEntry{nil, engine.Never}
		}
		next := make([]byte, max(len(old.val), off+len(val)))
		copy(next, old.val)
		copy(next[off:], val)
		space[k] = modelEntry{next, old.at}
	case 7, 8:
		at := m.at()
		if at == engine.Never {
			require.Equal(m.t, had && old.at != engine.Never, tx.KeyPersist(key))
		} else {
			require.Equal(m.t, had, tx.KeyExpire(key, at, 0))
		}
		if had {
			space[k] = modelEntry{old.val, at}
		}
	case 9:
		n := tx.Delete("DEL", key)
		require.Equal(m.t, had, n == 1)
		delete(space, k)
	case 10:
		to := m.key()
		_, err := tx.KeyRename(key, to, false)
		require.Equal(m.t, had, err == nil)
		if had {
			delete(space, k)
			space[string(to)] = old
		}
	case 11:
		to := (db + 1) % len(m.dbs)
		_, taken := m.get(to, k)
		done, err := tx.KeyMove(key, to)
		require.NoError(m.t, err)
		require.Equal(m.t, had && !taken, done)
		if done {
			delete(space, k)
			m.dbs[to][k] = old
		}
	case 12:
		name, to := m.key(), m.rng.IntN(len(m.dbs))
		if to == db && string(name) == k {
			break
		}
		done, err := tx.KeyCopy(key, name, to, true)
		require.NoError(m.t, err)
		require.Equal(m.t, had, done)
		if done {
			m.dbs[to][string(name)] = old
		}
	case 13:
		if m.rng.IntN(30) == 0 {
			tx.FlushDB()
			clear(space)
		}
	case 14:
		if m.rng.IntN(10) == 0 {
			require.NoError(m.t, tx.SwapDB(0, 1))
			m.dbs[0], m.dbs[1] = m.dbs[1], m.dbs[0]
		}
	case 15:
		m.compare(tx, db)
	}
}

// compare reads one whole db.
func (m *model) compare(tx *engine.Tx, db int) {
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		cursor = tx.KeyScan(cursor, engine.ScanOptions{Count: 7}, func(key []byte) {
			require.False(m.t, seen[string(key)])
			seen[string(key)] = true
		})
		if cursor == 0 {
			break
		}
	}
	for k := range m.dbs[db] {
		e, ok := m.get(db, k)
		val, has, err := tx.String([]byte(k))
		require.NoError(m.t, err)
		require.Equal(m.t, ok, has)
		require.Equal(m.t, ok, seen[k])
		if ok {
			require.True(m.t, bytes.Equal(e.val, val), "%.20q: %d bytes, want %d", k, len(val), len(e.val))
			at, _ := tx.ExpireAt([]byte(k))
			require.Equal(m.t, e.at, at)
		}
	}
	require.LessOrEqual(m.t, len(seen), len(m.dbs[db]))
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := enginetest.New(t)
		seed := rapid.Uint64().Draw(rt, "seed")
		m := &model{t: rt, f: f, rng: rand.New(rand.NewPCG(seed, 7)), dbs: []map[string]modelEntry{{}, {}, {}}}
		for range rapid.IntRange(1, 40).Draw(rt, "units") {
			db := m.rng.IntN(len(m.dbs))
			require.NoError(rt, f.Do(db, func(tx *engine.Tx) error {
				for range m.rng.IntN(12) {
					m.step(tx, db)
				}
				return nil
			}))
			if m.rng.IntN(4) == 0 {
				f.Advance(time.Duration(m.rng.IntN(700)) * time.Millisecond)
			}
		}
		f.Check()
		for db := range m.dbs {
			require.NoError(rt, f.Do(db, func(tx *engine.Tx) error {
				m.compare(tx, db)
				return nil
			}))
		}
		f.Close()
	})
}
