package engine_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

// smallZSets makes sorted sets of more than eight members large.
func smallZSets(f *enginetest.Fixture) {
	h := f.Lock()
	defer h.Unlock()
	p := engine.DefaultPacking
	p.ZSetEntries, p.ZSetValue = 8, 30
	h.SetPacking(p)
}

// zsetModel is what sorted sets should be: plain maps.
type zsetModel struct {
	t   *testing.T
	rng *rand.Rand
	all map[string]map[string]float64
}

func (m *zsetModel) member() []byte {
	switch m.rng.IntN(12) {
	case 0:
		return fmt.Append(nil, m.rng.IntN(40)-20)
	case 1:
		return bytes.Repeat([]byte{byte('a' + m.rng.IntN(3))}, 25+m.rng.IntN(10))
	}
	return fmt.Appendf(nil, "m%d", m.rng.IntN(60))
}

func (m *zsetModel) score() float64 {
	switch m.rng.IntN(8) {
	case 0:
		return math.Inf(1)
	case 1:
		return 0.1 * float64(m.rng.IntN(100))
	case 2:
		return 7
	}
	return float64(m.rng.IntN(40) - 20)
}

// rows are the members of a sorted set in order.
func (m *zsetModel) rows(key string) (rows []engine.Scored) {
	for member, score := range m.all[key] {
		rows = append(rows, engine.Scored{Member: []byte(member), Score: score})
	}
	slices.SortFunc(rows, func(a, b engine.Scored) int {
		switch {
		case a.Score < b.Score:
			return -1
		case a.Score > b.Score:
			return 1
		}
		return bytes.Compare(a.Member, b.Member)
	})
	return rows
}

func (m *zsetModel) drop(key, member string) {
	delete(m.all[key], member)
	if len(m.all[key]) == 0 {
		delete(m.all, key)
	}
}

func readRange(t *testing.T, tx *engine.Tx, key string, r engine.ZSetRange) (rows []engine.Scored) {
	want := -1
	require.NoError(t, tx.ZSetRange([]byte(key), &r, func(n int) { want = n }, func(member []byte, score float64) bool {
		rows = append(rows, engine.Scored{Member: bytes.Clone(member), Score: score})
		return true
	}))
	require.Len(t, rows, want)
	return rows
}

func (m *zsetModel) compare(tx *engine.Tx, key string) {
	rows := m.rows(key)
	require.Equal(m.t, rows, readRange(m.t, tx, key, engine.All))
	back := slices.Clone(rows)
	slices.Reverse(back)
	require.Equal(m.t, back, readRange(m.t, tx, key, engine.ZSetRange{Stop: -1, Count: -1, Reverse: true}))
	for i, x := range rows {
		rank, score, ok, err := tx.ZSetRank([]byte(key), x.Member, i%2 == 1)
		require.NoError(m.t, err)
		require.True(m.t, ok)
		require.Equal(m.t, x.Score, score)
		want := i
		if i%2 == 1 {
			want = len(rows) - 1 - i
		}
		require.Equal(m.t, want, rank)
	}
	n, err := tx.ZSetLen([]byte(key))
	require.NoError(m.t, err)
	require.Equal(m.t, len(rows), n)
	seen := map[string]float64{}
	for cursor := uint64(0); ; {
		walk, ok, err := tx.ZSetWalk([]byte(key))
		require.NoError(m.t, err)
		if !ok {
			break
		}
		cursor = walk.Scan(cursor, engine.ScanOptions{Count: 3}, func(member []byte, score float64) { seen[string(member)] = score })
		if cursor == 0 {
			break
		}
	}
	require.Equal(m.t, len(rows), len(seen))
	for _, x := range rows {
		require.Equal(m.t, x.Score, seen[string(x.Member)])
	}
}

// scoreRange draws a range and says which of rows are in it.
func (m *zsetModel) scoreRange(rows []engine.Scored) (r engine.ZSetRange, in []engine.Scored) {
	r = engine.ZSetRange{By: engine.ByScore, Count: -1, Reverse: m.rng.IntN(2) == 0}
	r.Score = engine.ScoreRange{Min: m.score(), Max: m.score(), MinOpen: m.rng.IntN(3) == 0, MaxOpen: m.rng.IntN(3) == 0}
	for _, x := range rows {
		above := x.Score > r.Score.Min || x.Score == r.Score.Min && !r.Score.MinOpen
		below := x.Score < r.Score.Max || x.Score == r.Score.Max && !r.Score.MaxOpen
		if above && below {
			in = append(in, x)
		}
	}
	if r.Reverse {
		slices.Reverse(in)
	}
	if m.rng.IntN(2) == 0 {
		r.Offset, r.Count = int64(m.rng.IntN(5)), int64(m.rng.IntN(6)-1)
		in = in[min(int(r.Offset), len(in)):]
		if r.Count >= 0 {
			in = in[:min(int(r.Count), len(in))]
		}
	}
	if len(in) == 0 {
		in = nil
	}
	return r, in
}

func (m *zsetModel) step(tx *engine.Tx) {
	key := fmt.Sprint("z", m.rng.IntN(4))
	k, rows := []byte(key), m.rows(key)
	switch m.rng.IntN(10) {
	case 0, 1, 2, 3:
		m.add(tx, key)
	case 4:
		member := m.member()
		_, had := m.all[key][string(member)]
		n, err := tx.ZSetRemove(k, member, member)
		require.NoError(m.t, err)
		require.Equal(m.t, had, n == 1)
		m.drop(key, string(member))
	case 5:
		r, want := m.scoreRange(rows)
		require.Equal(m.t, want, readRange(m.t, tx, key, r))
	case 6:
		r, _ := m.scoreRange(rows)
		r.Offset, r.Count, r.Reverse = 0, -1, false
		gone := readRange(m.t, tx, key, r)
		if len(gone) > 6 {
			return
		}
		n, err := tx.ZSetRemoveRange(k, &r)
		require.NoError(m.t, err)
		require.Equal(m.t, len(gone), n)
		for _, x := range gone {
			m.drop(key, string(x.Member))
		}
	case 7:
		end := engine.ZSetEnd(m.rng.IntN(2))
		if end == engine.Highest {
			slices.Reverse(rows)
		}
		rows = rows[:min(len(rows), m.rng.IntN(3))]
		i := 0
		require.NoError(m.t, tx.ZSetPop(k, end, int64(len(rows)), func(n int) { require.Equal(m.t, len(rows), n) },
			func(member []byte, score float64) bool {
				require.Equal(m.t, rows[i], engine.Scored{Member: bytes.Clone(member), Score: score})
				i++
				return true
			}))
		for _, x := range rows {
			m.drop(key, string(x.Member))
		}
	case 8:
		m.combine(tx)
	case 9:
		to := fmt.Sprint("z", m.rng.IntN(4))
		done, err := tx.KeyCopy(k, []byte(to), tx.DB(), true)
		if to != key {
			require.NoError(m.t, err)
			if done {
				m.all[to] = map[string]float64{}
				for _, x := range rows {
					m.all[to][string(x.Member)] = x.Score
				}
			}
		}
	}
}

func (m *zsetModel) add(tx *engine.Tx, key string) {
	var elems []engine.Scored
	for range 1 + m.rng.IntN(4) {
		elems = append(elems, engine.Scored{Member: m.member(), Score: m.score()})
	}
	opt := engine.ZSetAddOptions{If: engine.Cond(m.rng.IntN(3)), Score: engine.ScoreCond(m.rng.IntN(3))}
	if opt.If == engine.IfMissing {
		opt.Score = engine.AnyScore
	}
	added, updated := 0, 0
	if m.all[key] == nil {
		m.all[key] = map[string]float64{}
	}
	for _, x := range elems {
		old, had := m.all[key][string(x.Member)]
		switch {
		case !had && opt.If == engine.IfExists, had && opt.If == engine.IfMissing:
			continue
		case !had:
			added++
		case opt.Score == engine.IfGreater && x.Score <= old, opt.Score == engine.IfLess && x.Score >= old, x.Score == old:
			continue
		default:
			updated++
		}
		m.all[key][string(x.Member)] = x.Score
	}
	if len(m.all[key]) == 0 {
		delete(m.all, key)
	}
	res, err := tx.ZSetAdd([]byte(key), opt, elems...)
	require.NoError(m.t, err)
	require.Equal(m.t, added, res.Added)
	require.Equal(m.t, updated, res.Updated)
}

// combine stores a union, an intersection or a difference.
func (m *zsetModel) combine(tx *engine.Tx) {
	from := []string{fmt.Sprint("z", m.rng.IntN(4)), fmt.Sprint("z", m.rng.IntN(4))}
	to := fmt.Sprint("z", m.rng.IntN(4))
	in, err := tx.ZSetInputs([][]byte{[]byte(from[0]), []byte(from[1])})
	require.NoError(m.t, err)
	a, b, want := m.all[from[0]], m.all[from[1]], map[string]float64{}
	var rows []engine.Scored
	switch m.rng.IntN(3) {
	case 0:
		rows = in.Union(engine.Max)
		for k, s := range a {
			want[k] = s
		}
		for k, s := range b {
			if old, ok := want[k]; !ok || s > old {
				want[k] = s
			}
		}
	case 1:
		require.Equal(m.t, int64(len(in.Inter(engine.Min))), in.InterLen(0))
		rows = in.Inter(engine.Min)
		for k, s := range a {
			if other, ok := b[k]; ok {
				want[k] = min(s, other)
			}
		}
	case 2:
		rows = in.Diff()
		for k, s := range a {
			if _, ok := b[k]; !ok {
				want[k] = s
			}
		}
	}
	require.Equal(m.t, len(want), len(rows))
	tx.ZSetStore([]byte(to), rows, "zunionstore", 1)
	if m.all[to] = want; len(want) == 0 {
		delete(m.all, to)
	}
}

// Random operations on sorted sets of both encodings are those on maps.
func TestZSetModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := enginetest.New(t)
	smallZSets(f)
	m := &zsetModel{t: t, rng: rand.New(rand.NewPCG(seed, 0)), all: map[string]map[string]float64{}}
	for round := range 300 {
		f.Tx(func(tx *engine.Tx) {
			for range 40 {
				m.step(tx)
			}
			for i := range 4 {
				m.compare(tx, fmt.Sprint("z", i))
			}
			require.Equal(t, len(m.all), tx.Len())
		})
		if round%20 == 0 {
			f.Check()
		}
	}
}

func TestZSetTypesAndMissingKeys(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet([]byte("s"), []byte("v"), engine.SetOptions{})
		require.NoError(t, err)
		s, none := []byte("s"), []byte("none")
		_, err = tx.ZSetAdd(s, engine.ZSetAddOptions{}, engine.Scored{Member: s})
		require.ErrorIs(t, err, errs.WrongType)
		_, err = tx.ZSetRemove(s, s)
		require.ErrorIs(t, err, errs.WrongType)
		_, _, err = tx.ZSetScore(s, s)
		require.ErrorIs(t, err, errs.WrongType)
		_, _, _, err = tx.ZSetRank(s, s, false)
		require.ErrorIs(t, err, errs.WrongType)
		_, err = tx.ZSetCount(s, &engine.All)
		require.ErrorIs(t, err, errs.WrongType)
		_, err = tx.ZSetInputs([][]byte{none, s})
		require.ErrorIs(t, err, errs.WrongType)
		_, _, err = tx.ZSetWalk(s)
		require.ErrorIs(t, err, errs.WrongType)
		n, err := tx.ZSetCount(none, &engine.All)
		require.NoError(t, err)
		require.Zero(t, n)
		_, ok, err := tx.ZSetScore(none, s)
		require.NoError(t, err)
		require.False(t, ok)
		res, err := tx.ZSetAdd(none, engine.ZSetAddOptions{If: engine.IfExists}, engine.Scored{Member: s})
		require.NoError(t, err)
		require.Zero(t, res)
		require.False(t, tx.Has(none))
		inf := engine.Scored{Member: s, Score: math.Inf(1)}
		_, err = tx.ZSetAdd(none, engine.ZSetAddOptions{Incr: true}, inf)
		require.NoError(t, err)
		inf.Score = math.Inf(-1)
		_, err = tx.ZSetAdd(none, engine.ZSetAddOptions{Incr: true}, inf)
		require.ErrorIs(t, err, errs.ScoreNaN)
	})
}

// A sorted set becomes large by its members' number or length, by their number in one
// call, and never small again.
func TestZSetEncodings(t *testing.T) {
	f := enginetest.New(t)
	smallZSets(f)
	f.Tx(func(tx *engine.Tx) {
		enc := func(key string) string {
			e, _ := tx.EncodingOf([]byte(key))
			return e.String()
		}
		add := func(key string, members ...string) {
			var elems []engine.Scored
			for _, m := range members {
				elems = append(elems, engine.Scored{Member: []byte(m), Score: 1})
			}
			_, err := tx.ZSetAdd([]byte(key), engine.ZSetAddOptions{}, elems...)
			require.NoError(t, err)
		}
		add("n", "a", "b", "c", "d", "e", "f", "g", "h")
		require.Equal(t, "listpack", enc("n"))
		add("n", "i")
		require.Equal(t, "skiplist", enc("n"))
		_, err := tx.ZSetRemove([]byte("n"), []byte("a"), []byte("b"))
		require.NoError(t, err)
		require.Equal(t, "skiplist", enc("n"))
		add("l", "a")
		add("l", strings.Repeat("x", 31))
		require.Equal(t, "skiplist", enc("l"))
		add("l2", strings.Repeat("x", 31))
		require.Equal(t, "skiplist", enc("l2"))
		add("same", "a", "a", "a", "a", "a", "a", "a", "a", "a")
		require.Equal(t, "skiplist", enc("same"))
		n, err := tx.ZSetRangeStore([]byte("part"), []byte("n"), &engine.ZSetRange{Stop: 2, Count: -1})
		require.NoError(t, err)
		require.Equal(t, 3, n)
		require.Equal(t, "listpack", enc("part"))
	})
}

// The memory of a large sorted set is Redis' at most: 100 bytes a member of 10 bytes
// there, by MEMORY USAGE of 7.0.15.
func TestZSetMemory(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		rng, key := rand.New(rand.NewPCG(1, 2)), []byte("z")
		const n = 50_000
		for i := range n {
			_, err := tx.ZSetAdd(key, engine.ZSetAddOptions{}, engine.Scored{Member: fmt.Appendf(nil, "member%04x", i), Score: rng.Float64()})
			require.NoError(t, err)
		}
		size, _ := tx.MemoryOf(key)
		t.Logf("%.1f bytes a member", float64(size)/n)
		require.Less(t, float64(size)/n, 70.0)
	})
}

func TestZSetWithoutMemory(t *testing.T) {
	f := enginetest.New(t)
	smallZSets(f)
	for limit := range 40 {
		_ = f.Do(0, func(tx *engine.Tx) error {
			tx.FlushAll()
			return nil
		})
		refuse := func(on bool) {
			h := f.Lock()
			h.RefuseMemory(on)
			h.Unlock()
		}
		var err error
		for i := 0; err == nil && i < 3000; i++ {
			if i == limit*3 {
				refuse(true)
			}
			err = f.Do(0, func(tx *engine.Tx) error {
				_, err := tx.ZSetAdd([]byte("z"), engine.ZSetAddOptions{},
					engine.Scored{Member: fmt.Appendf(nil, "%d%0500d", i, i), Score: float64(i % 10)})
				return err
			})
		}
		require.ErrorIs(t, err, errs.NoMemory)
		f.Check()
		_ = f.Do(0, func(tx *engine.Tx) error {
			_, err := tx.KeyCopy([]byte("z"), []byte("copy"), 1, false)
			return err
		})
		f.Check()
		refuse(false)
	}
}

// Members are chosen all alike, and a row of choices is what was there when it began.
func TestZSetRandom(t *testing.T) {
	f := enginetest.New(t)
	smallZSets(f)
	for _, n := range []int{5, 100} {
		f.Tx(func(tx *engine.Tx) {
			key := fmt.Append(nil, n)
			for i := range n {
				_, err := tx.ZSetAdd(key, engine.ZSetAddOptions{}, engine.Scored{Member: fmt.Append(nil, "m", i), Score: float64(i)})
				require.NoError(t, err)
			}
			for _, ask := range []int{0, 1, 3, n / 2, n, 2 * n} {
				count, seen := map[string]int{}, 0
				for range 2000 {
					once := map[string]bool{}
					require.NoError(t, tx.ZSetRandom(key, int64(ask), func(got int) { require.Equal(t, min(ask, n), got) },
						func(member []byte, score float64) {
							require.Equal(t, fmt.Sprint("m", score), string(member))
							require.False(t, once[string(member)])
							once[string(member)] = true
							count[string(member)]++
							seen++
						}))
				}
				for _, c := range count {
					require.InDelta(t, float64(seen)/float64(n), c, 12*math.Sqrt(float64(seen)/float64(n)))
				}
			}
			s, err := tx.ZSetSample(key)
			require.NoError(t, err)
			tx.Delete("DEL", key)
			seen := map[string]bool{}
			for range 50 * n {
				member, score := s.Next()
				require.Equal(t, fmt.Sprint("m", score), string(member))
				seen[string(member)] = true
			}
			require.Len(t, seen, n)
		})
	}
}

// A value from a file is checked.
func TestZSetLoad(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		load := func(members []string, scores ...float64) error {
			v := engine.Value{Type: engine.TZSet, Scores: scores}
			for _, m := range members {
				v.Elems = append(v.Elems, []byte(m))
			}
			return tx.ValueLoad(0, []byte("z"), &v, engine.RestoreOptions{Idle: -1, Freq: -1})
		}
		require.NoError(t, load([]string{"b", "a", "c"}, 2, 2, 1))
		var text []string
		v, ok := tx.View([]byte("z"))
		require.True(t, ok)
		require.Equal(t, 3, v.ScoredLen())
		v.EachScored(func(member []byte, score float64) bool {
			text = append(text, fmt.Sprint(string(member), score))
			return true
		})
		require.Equal(t, []string{"c1", "a2", "b2"}, text)
		for _, bad := range []error{load(nil), load([]string{"a", "a"}, 1, 2), load([]string{"a"}, math.NaN()), load([]string{"a"}, 1, 2)} {
			require.ErrorIs(t, bad, engine.ErrValue)
		}
	})
}

// A sorted set that expires, is moved or dropped leaves nothing behind.
func TestZSetGoes(t *testing.T) {
	f := enginetest.New(t)
	smallZSets(f)
	f.Tx(func(tx *engine.Tx) {
		for i := range 2000 {
			for _, key := range []string{"a", "b", "c"} {
				_, err := tx.ZSetAdd([]byte(key), engine.ZSetAddOptions{}, engine.Scored{Member: fmt.Append(nil, i), Score: float64(i)})
				require.NoError(t, err)
			}
		}
		tx.KeyExpire([]byte("a"), tx.Now()+10, 0)
		_, err := tx.KeyMove([]byte("b"), 1)
		require.NoError(t, err)
		tx.Delete("DEL", []byte("c"))
	})
	f.Check()
	f.Advance(time.Second)
	f.Check()
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}
