package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// plainModel is lists and sets as slices and maps, beside the real ones.
type plainModel struct {
	t     *testing.T
	rng   *rand.Rand
	lists map[string][]string
	sets  map[string]map[string]bool
}

func (m *plainModel) word() string {
	switch m.rng.IntN(20) {
	case 0:
		return strings.Repeat("l", m.rng.IntN(3000))
	case 1, 2:
		return strconv.FormatInt(m.rng.Int64()>>m.rng.IntN(64), 10)
	case 3, 4, 5, 6, 7, 8:
		return strconv.Itoa(m.rng.IntN(40) - 20)
	}
	return fmt.Sprint("w", m.rng.IntN(30))
}

func (m *plainModel) words() (words []string, args [][]byte) {
	for range 1 + m.rng.IntN(6) {
		words = append(words, m.word())
		args = append(args, []byte(words[len(words)-1]))
	}
	return words, args
}

func (m *plainModel) listStep(tx *engine.Tx) {
	key := fmt.Sprint("l", m.rng.IntN(3))
	k, l := []byte(key), m.lists[key]
	words, args := m.words()
	var n int
	var err error
	switch m.rng.IntN(9) {
	case 0, 1:
		n, err = tx.ListPush(k, engine.Tail, false, args...)
		l = append(l, words...)
		require.Equal(m.t, len(l), n)
	case 2, 3:
		n, err = tx.ListPush(k, engine.Head, false, args...)
		for _, w := range words {
			l = slices.Insert(l, 0, w)
		}
		require.Equal(m.t, len(l), n)
	case 4:
		n = m.rng.IntN(4)
		var got []string
		end := engine.ListEnd(m.rng.IntN(2))
		err = tx.ListPop(k, end, int64(n), func(int, bool) {}, func(e []byte) { got = append(got, string(e)) })
		var want []string
		for range min(n, len(l)) {
			if end == engine.Head {
				want, l = append(want, l[0]), l[1:]
			} else {
				want, l = append(want, l[len(l)-1]), l[:len(l)-1]
			}
		}
		require.Equal(m.t, want, got)
	case 5:
		n, err = tx.ListInsert(k, true, args[0], []byte("inserted"))
		if at := slices.Index(l, words[0]); at >= 0 {
			l = slices.Insert(l, at+1, "inserted")
			require.Equal(m.t, len(l), n)
		}
	case 6:
		if len(l) > 0 {
			i := m.rng.IntN(len(l))
			err = tx.ListSet(k, int64(i), args[0])
			l[i] = words[0]
		}
	case 7:
		var gone int
		gone, err = tx.ListRemove(k, 0, args[0])
		before := len(l)
		l = slices.DeleteFunc(slices.Clone(l), func(w string) bool { return w == words[0] })
		require.Equal(m.t, before-len(l), gone)
	case 8:
		from := m.rng.IntN(3)
		to := len(l) - 1 - m.rng.IntN(3)
		err = tx.ListTrim(k, int64(from), int64(to)-int64(len(l)))
		if from <= to {
			l = slices.Clone(l[from : to+1])
		} else {
			l = nil
		}
	}
	require.NoError(m.t, err)
	m.lists[key] = l
}

func (m *plainModel) setStep(tx *engine.Tx) {
	key, other := fmt.Sprint("s", m.rng.IntN(3)), fmt.Sprint("s", m.rng.IntN(3))
	words, args := m.words()
	s := m.sets[key]
	if s == nil {
		s = map[string]bool{}
		m.sets[key] = s
	}
	switch m.rng.IntN(6) {
	case 0, 1, 2:
		n, err := tx.SetAdd([]byte(key), args...)
		require.NoError(m.t, err)
		before := len(s)
		for _, w := range words {
			s[w] = true
		}
		require.Equal(m.t, len(s)-before, n)
	case 3:
		n, err := tx.SetRemove([]byte(key), args...)
		require.NoError(m.t, err)
		before := len(s)
		for _, w := range words {
			delete(s, w)
		}
		require.Equal(m.t, before-len(s), n)
	case 4:
		moved, err := tx.SetMove([]byte(key), []byte(other), args[0])
		require.NoError(m.t, err)
		require.Equal(m.t, s[words[0]], moved)
		if moved {
			delete(s, words[0])
			if m.sets[other] == nil {
				m.sets[other] = map[string]bool{}
			}
			m.sets[other][words[0]] = true
		}
	case 5:
		require.NoError(m.t, tx.SetPop([]byte(key), int64(m.rng.IntN(4)), func(int) {}, func(member []byte) {
			require.True(m.t, s[string(member)], "%q", member)
			delete(s, string(member))
		}))
	}
}

func (m *plainModel) check(tx *engine.Tx) {
	for key, want := range m.lists {
		var got []string
		require.NoError(m.t, tx.ListRange([]byte(key), 0, -1, func(int) {}, func(e []byte) bool {
			got = append(got, string(e))
			return true
		}))
		require.True(m.t, slices.Equal(want, got), "%q is %q", want, got)
	}
	for key, want := range m.sets {
		n := 0
		require.NoError(m.t, tx.SetEach([]byte(key), func(size int) { n = size }, func(member []byte) bool {
			require.True(m.t, want[string(member)], "%q", member)
			n--
			return true
		}))
		require.Zero(m.t, n)
		size, err := tx.SetLen([]byte(key))
		require.NoError(m.t, err)
		require.Equal(m.t, len(want), size)
		for w := range want {
			has, err := tx.SetHas([]byte(key), []byte(w))
			require.NoError(m.t, err)
			require.True(m.t, has, "%q", w)
		}
	}
}

func TestListsAndSetsAreSlicesAndMaps(t *testing.T) {
	for seed := range uint64(12) {
		f := enginetest.New(t)
		m := &plainModel{t, rand.New(rand.NewPCG(seed, 3)), map[string][]string{}, map[string]map[string]bool{}}
		for i := range 60 {
			h := f.Lock()
			if i%10 == 0 {
				h.SetPacking(engine.Packing{
					ListSize: m.rng.IntN(12) - 3, SetInts: int64(m.rng.IntN(20)), SetEntries: int64(m.rng.IntN(20)), SetValue: 64,
				})
			}
			tx := h.BeginAt(0, engine.UnixMilli(f.Now().UnixMilli()))
			for range 40 {
				m.listStep(tx)
				m.setStep(tx)
			}
			m.check(tx)
			tx.End()
			require.NoError(t, h.CheckInvariants())
			h.Unlock()
		}
	}
}

// A walk over a set finds every member that is there all the time, whatever comes and
// goes.
func TestSetWalkMissesNothing(t *testing.T) {
	f := enginetest.New(t)
	rng := rand.New(rand.NewPCG(5, 5))
	require.NoError(t, f.Do(0, func(tx *engine.Tx) error {
		for i := range 2000 {
			_, err := tx.SetAdd([]byte("s"), fmt.Append(nil, "stays", i))
			require.NoError(t, err)
		}
		return nil
	}))
	found := map[string]bool{}
	for cursor, begun := uint64(0), false; !begun || cursor != 0; begun = true {
		require.NoError(t, f.Do(0, func(tx *engine.Tx) error {
			w, ok, err := tx.SetWalk([]byte("s"))
			require.NoError(t, err)
			require.True(t, ok)
			cursor = w.Scan(cursor, engine.ScanOptions{Count: 20}, func(member []byte) { found[string(member)] = true })
			for range 50 {
				name := fmt.Append(nil, "goes", rng.IntN(3000))
				if rng.IntN(2) == 0 {
					_, err = tx.SetAdd([]byte("s"), name)
				} else {
					_, err = tx.SetRemove([]byte("s"), name)
				}
				require.NoError(t, err)
			}
			return nil
		}))
	}
	for i := range 2000 {
		require.True(t, found[fmt.Sprint("stays", i)], i)
	}
}
