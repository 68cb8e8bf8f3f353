package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

// hashModel is hashes as plain maps, beside the real ones.
type hashModel struct {
	t    *rapid.T
	f    *enginetest.Fixture
	rng  *rand.Rand
	keys map[string]map[string]modelField
}

type modelField struct {
	val string
	due engine.UnixMilli // Never for none
}

func (m *hashModel) now() engine.UnixMilli { return engine.UnixMilli(m.f.Now().UnixMilli()) }

// hash is the live fields at key.
func (m *hashModel) hash(key string) map[string]modelField {
	h := m.keys[key]
	for name, f := range h {
		if f.due != engine.Never && f.due <= m.now() {
			delete(h, name)
		}
	}
	if len(h) == 0 {
		delete(m.keys, key)
		return nil
	}
	return h
}

func (m *hashModel) set(key, field string, f modelField) {
	if m.hash(key) == nil {
		m.keys[key] = map[string]modelField{}
	}
	m.keys[key][field] = f
}

func (m *hashModel) key() string { return fmt.Sprint("k", m.rng.IntN(4)) }

func (m *hashModel) field() string {
	switch m.rng.IntN(30) {
	case 0:
		return strings.Repeat("long", 20+m.rng.IntN(30))
	case 1:
		return strconv.Itoa(m.rng.IntN(100_000) - 50_000)
	}
	return fmt.Sprint("f", m.rng.IntN(12))
}

func (m *hashModel) value() string {
	switch m.rng.IntN(20) {
	case 0:
		return strings.Repeat("v", m.rng.IntN(20_000))
	case 1, 2, 3:
		return strconv.FormatInt(m.rng.Int64()>>m.rng.IntN(64), 10)
	}
	return strings.Repeat("x", m.rng.IntN(20))
}

func (m *hashModel) due() engine.UnixMilli {
	return m.now() + engine.UnixMilli(m.rng.IntN(2000)) + 1
}

// step does one thing to both.
func (m *hashModel) step(tx *engine.Tx) {
	key, field := m.key(), m.field()
	h := m.hash(key)
	old, has := h[field]
	bkey, bfield := []byte(key), []byte(field)
	switch m.rng.IntN(14) {
	case 0, 1, 2:
		pairs, added := [][]byte{}, 0
		for range 1 + m.rng.IntN(6) {
			field, val := m.field(), m.value()
			if _, has := m.hash(key)[field]; !has {
				added++
			}
			m.set(key, field, modelField{val, engine.Never})
			pairs = append(pairs, []byte(field), []byte(val))
		}
		n, err := tx.HashSet(bkey, pairs...)
		require.NoError(m.t, err)
		require.Equal(m.t, added, n)
	case 3:
		val := m.value()
		done, err := tx.HashSetNew(bkey, bfield, []byte(val))
		require.NoError(m.t, err)
		require.Equal(m.t, !has, done)
		if done {
			m.set(key, field, modelField{val, engine.Never})
		}
	case 4, 5:
		n, err := tx.HashDelete(bkey, bfield, bfield)
		require.NoError(m.t, err)
		require.Equal(m.t, has, n == 1)
		delete(h, field)
	case 6, 7, 8:
		at := m.due()
		if m.rng.IntN(10) == 0 {
			at = m.now() - 5
		}
		cond := []engine.ExpireCond{0, 0, engine.ExpireNX, engine.ExpireXX, engine.ExpireGT, engine.ExpireLT}[m.rng.IntN(6)]
		var got []engine.FieldOutcome
		require.NoError(m.t, tx.HashExpire(bkey, at, cond, [][]byte{bfield}, func(o engine.FieldOutcome) { got = append(got, o) }))
		require.Equal(m.t, []engine.FieldOutcome{m.expire(h, field, at, cond)}, got)
	case 9:
		want := engine.FieldMissing
		if has {
			if want = engine.FieldNoDue; old.due != engine.Never {
				want = engine.FieldDone
			}
			h[field] = modelField{old.val, engine.Never}
		}
		require.NoError(m.t, tx.HashPersist(bkey, [][]byte{bfield}, func(o engine.FieldOutcome) { require.Equal(m.t, want, o) }))
	case 10:
		require.NoError(m.t, tx.HashGetDelete(bkey, [][]byte{bfield}, func(val []byte, ok bool) {
			require.Equal(m.t, has, ok)
			require.Equal(m.t, old.val, string(val))
		}))
		delete(h, field)
	case 11:
		at, val := m.due(), m.value()
		done, err := tx.HashSetExpire(bkey, [][]byte{bfield, []byte(val)}, engine.HashSetOptions{At: at, If: engine.IfExists})
		require.NoError(m.t, err)
		require.Equal(m.t, has, done)
		if has {
			h[field] = modelField{val, at}
		}
	case 12:
		n, ok := int64(0), true
		if has {
			n, ok = engine.ParseInt([]byte(old.val))
		}
		sum, err := tx.HashIncr(bkey, bfield, 1)
		if !ok || n == 1<<63-1 {
			require.Error(m.t, err)
			break
		}
		require.NoError(m.t, err)
		require.Equal(m.t, n+1, sum)
		due := engine.Never
		if has {
			due = old.due
		}
		m.set(key, field, modelField{strconv.FormatInt(sum, 10), due})
	case 13:
		m.whole(tx, key)
	}
}

// whole does something to a whole key.
func (m *hashModel) whole(tx *engine.Tx, key string) {
	to := m.key()
	switch m.rng.IntN(5) {
	case 0:
		tx.Delete("DEL", []byte(key))
		delete(m.keys, key)
	case 1:
		if key == to || m.hash(key) == nil {
			return
		}
		done, err := tx.KeyCopy([]byte(key), []byte(to), 0, true)
		require.NoError(m.t, err)
		require.True(m.t, done)
		m.keys[to] = maps.Clone(m.keys[key])
	case 2:
		if key == to || m.hash(key) == nil {
			return
		}
		_, err := tx.KeyRename([]byte(key), []byte(to), false)
		require.NoError(m.t, err)
		m.keys[to] = m.keys[key]
		delete(m.keys, key)
	case 3:
		_, err := tx.StringSet([]byte(key), []byte("v"), engine.SetOptions{})
		require.NoError(m.t, err)
		_, _, err = tx.HashGet([]byte(key), []byte("f"))
		require.ErrorIs(m.t, err, errs.WrongType)
		tx.Delete("DEL", []byte(key))
		delete(m.keys, key)
	case 4:
		v, want := engine.Value{Type: engine.THash}, map[string]modelField{}
		for range 1 + m.rng.IntN(20) {
			field, f := m.field(), modelField{m.value(), engine.Never}
			if m.rng.IntN(3) == 0 {
				f.due = m.due()
			}
			v.Elems = append(v.Elems, []byte(field), []byte(f.val))
			v.FieldAts = append(v.FieldAts, f.due)
			want[field] = f
		}
		err := tx.ValueRestore([]byte(key), &v, engine.RestoreOptions{Replace: true, Idle: -1, Freq: -1})
		if len(v.FieldAts) > len(want) { // a field twice
			require.ErrorIs(m.t, err, engine.ErrValue)
			return
		}
		require.NoError(m.t, err)
		m.keys[key] = want
	}
}

func (m *hashModel) expire(h map[string]modelField, field string, at engine.UnixMilli, cond engine.ExpireCond) engine.FieldOutcome {
	f, has := h[field]
	switch {
	case !has:
		return engine.FieldMissing
	case cond == engine.ExpireNX && f.due != engine.Never, cond == engine.ExpireXX && f.due == engine.Never,
		cond == engine.ExpireGT && (f.due == engine.Never || at <= f.due), cond == engine.ExpireLT && f.due != engine.Never && at >= f.due:
		return engine.FieldUnchanged
	case at <= m.now():
		delete(h, field)
		return engine.FieldDeleted
	}
	h[field] = modelField{f.val, at}
	return engine.FieldDone
}

// compare reads everything.
func (m *hashModel) compare(tx *engine.Tx) {
	for i := range 4 {
		key := fmt.Sprint("k", i)
		want := m.hash(key)
		require.Equal(m.t, want != nil, tx.Has([]byte(key)))
		got := map[string]modelField{}
		require.NoError(m.t, tx.HashEach([]byte(key), func(n int) { require.Equal(m.t, len(want), n) },
			func(field, value []byte, due engine.UnixMilli) bool {
				got[string(field)] = modelField{string(value), due}
				return true
			}))
		require.Equal(m.t, len(want), len(got))
		for field, f := range want {
			require.Equal(m.t, f, got[field])
			val, ok, err := tx.HashGet([]byte(key), []byte(field))
			require.NoError(m.t, err)
			require.True(m.t, ok)
			require.Equal(m.t, f.val, string(val))
		}
		m.compareWalks(tx, []byte(key), got)
	}
}

// compareWalks sees that a scan and choosing meet the same fields.
func (m *hashModel) compareWalks(tx *engine.Tx, key []byte, want map[string]modelField) {
	names := func(of map[string]bool) []string { return slices.Sorted(maps.Keys(of)) }
	all := slices.Sorted(maps.Keys(want))
	seen, cursor := map[string]bool{}, uint64(0)
	for {
		w, ok, err := tx.HashWalk(key)
		require.NoError(m.t, err)
		if ok {
			cursor = w.Scan(cursor, engine.ScanOptions{Count: 3}, func(field, value []byte) {
				require.Equal(m.t, want[string(field)].val, string(value))
				seen[string(field)] = true
			})
		}
		if cursor == 0 {
			break
		}
	}
	require.Equal(m.t, all, names(seen))
	for _, n := range []int64{1, 2, int64(len(want)), 1 << 40} {
		chosen, calls := map[string]bool{}, 0
		require.NoError(m.t, tx.HashRandom(key, n, func(got int) { require.EqualValues(m.t, min(n, int64(len(want))), got) },
			func(field, value []byte) {
				require.Equal(m.t, want[string(field)].val, string(value))
				chosen[string(field)] = true
				calls++
			}))
		require.Len(m.t, chosen, calls, "all different")
		require.Equal(m.t, int(min(n, int64(len(want)))), calls)
	}
}

func TestHashModel(t *testing.T) {
	for name, entries := range map[string]int64{"packed": 512, "both": 6, "large": 0} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { hashesMatchModel(t, rt, entries) })
		})
	}
}

func FuzzHashModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		rapid.MakeFuzz(func(rt *rapid.T) { hashesMatchModel(t, rt, 6) })(t, input)
	})
}

func hashesMatchModel(tb testing.TB, t *rapid.T, entries int64) {
	f := enginetest.New(tb)
	defer f.Close()
	m := &hashModel{t: t, f: f, rng: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), keys: map[string]map[string]modelField{}}
	events := &fieldEvents{}
	active := rapid.Bool().Draw(t, "active")
	h := f.Lock()
	packing := engine.DefaultPacking
	packing.HashEntries = entries
	h.SetPacking(packing)
	h.AddSink(events)
	h.SetActiveExpire(active)
	h.Unlock()
	for range rapid.IntRange(1, 8).Draw(t, "phases") {
		for range 40 {
			f.Tx(m.step)
		}
		f.Check()
		f.Advance(time.Duration(m.rng.IntN(800)) * time.Millisecond)
		h := f.Lock()
		h.Pause(true)
		h.Unlock()
		f.Tx(m.compare) // what has expired is gone, though nothing may be removed
		h = f.Lock()
		h.Pause(false)
		h.Unlock()
		f.Tx(m.compare)
		f.Check()
	}
}

// fieldEvents keeps the effects that it was told of.
type fieldEvents struct{ told []string }

func (*fieldEvents) Wants() engine.Wants { return engine.Wants{Events: ^engine.Class(0), Argv: true} }

func (e *fieldEvents) Effect(tx *engine.Tx, f *engine.Effect) {
	words := []string{f.Event, string(f.Key) + ":"}
	for _, w := range f.Argv {
		words = append(words, string(w))
	}
	e.told = append(e.told, strings.TrimSuffix(strings.Join(words, " "), ":"))
	_ = tx
}

// Fields go in the millisecond of their deadline by themselves, with their
// effects; the key goes with the last one.
func TestFieldsExpireOnTime(t *testing.T) {
	for name, entries := range map[string]int64{"packed": 512, "large": 0} {
		t.Run(name, func(t *testing.T) {
			f, events := enginetest.New(t), &fieldEvents{}
			h := f.Lock()
			packing := engine.DefaultPacking
			packing.HashEntries = entries
			h.SetPacking(packing)
			h.Unlock()
			f.Tx(func(tx *engine.Tx) {
				_, err := tx.HashSet([]byte("h"), [][]byte{[]byte("a"), []byte("1"), []byte("b"), []byte("2")}...)
				require.NoError(t, err)
				due := tx.Now() + 100
				require.NoError(t, tx.HashExpire([]byte("h"), due, 0, [][]byte{[]byte("a")}, func(engine.FieldOutcome) {}))
				require.NoError(t, tx.HashExpire([]byte("h"), due+50, 0, [][]byte{[]byte("b")}, func(engine.FieldOutcome) {}))
			})
			h = f.Lock()
			h.AddSink(events)
			h.Unlock()
			f.Advance(99 * time.Millisecond)
			require.Empty(t, events.told)
			f.Advance(time.Millisecond)
			require.Equal(t, []string{"hexpired h: HDEL h a"}, events.told)
			f.Advance(49 * time.Millisecond)
			f.Tx(func(tx *engine.Tx) {
				n, err := tx.HashLen([]byte("h"))
				require.NoError(t, err)
				require.Equal(t, 1, n)
			})
			events.told = nil
			f.Advance(time.Millisecond)
			require.Equal(t, []string{"hexpired h: HDEL h b", "del h"}, events.told)
			f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
			h = f.Lock()
			require.EqualValues(t, 2, h.Stats().ExpiredFields)
			h.Unlock()
		})
	}
}

// Very many fields that come due at once go in slices, and leave nothing.
func TestManyFieldsExpire(t *testing.T) {
	f := enginetest.New(t)
	const n = 5000
	f.Tx(func(tx *engine.Tx) {
		v := engine.Value{Type: engine.THash}
		for i := range n {
			v.Elems = append(v.Elems, fmt.Append(nil, "field:", i), []byte("v"))
			v.FieldAts = append(v.FieldAts, tx.Now()+10)
		}
		require.NoError(t, tx.ValueLoad(0, []byte("h"), &v, engine.RestoreOptions{Idle: -1, Freq: -1}))
	})
	f.Check()
	f.Advance(10 * time.Millisecond)
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}
