package dict

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine/internal/slab"
)

// newTestDict makes a table whose slab panics on use after free.
func newTestDict(t interface {
	require.TestingT
	Cleanup(func())
}) *Dict {
	s := &slab.Slab{}
	s.Poison()
	d := New(s)
	t.Cleanup(func() {
		require.NoError(t, d.Check())
		require.NoError(t, s.Check())
		d.Close()
		require.Zero(t, s.Allocated())
		s.Close()
	})
	return d
}

func find(d *Dict, hash uint64, ref slab.Ref) (Place, bool) {
	p, s, ok := d.Seek(hash)
	for ok {
		if s.Ref() == ref {
			return p, true
		}
		p, s, ok = d.Following(p)
	}
	return p, false
}

func refs(d *Dict) []slab.Ref {
	out := []slab.Ref{}
	for pos := uint32(0); pos < End; {
		slots, next := d.From(pos)
		for _, s := range slots {
			out = append(out, s.Ref())
		}
		pos = next
	}
	slices.Sort(out)
	return out
}

// spread is a hash for n; low has the top bits set so that tags collide and the
// table grows lopsided.
func spread(n uint64) uint64 { return n * 0x9e3779b97f4a7c15 }
func low(n uint64) uint64    { return n % 700 << 40 }

func TestModel(t *testing.T) { rapid.Check(t, matchesModel) }

func FuzzModel(f *testing.F) { f.Fuzz(rapid.MakeFuzz(matchesModel)) }

// matchesModel is random work on a table and on a map, with the same outcome.
func matchesModel(rt *rapid.T) {
	d := newTestDict(rt)
	hash := spread
	if rapid.Bool().Draw(rt, "crowded") {
		hash = low
	}
	model := map[slab.Ref]uint64{}
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
	for range rapid.IntRange(1, 12).Draw(rt, "phases") {
		n := rapid.IntRange(100, 2000).Draw(rt, "n")
		if rapid.Bool().Draw(rt, "grow") {
			for range n {
				ref := slab.Ref(rng.Uint64N(1<<slab.RefBits-1) + 1)
				if _, dup := model[ref]; !dup {
					d.Insert(hash(uint64(ref)), ref)
					model[ref] = hash(uint64(ref))
				}
			}
		} else {
			for ref, h := range model {
				if n--; n < 0 {
					break
				}
				p, ok := find(d, h, ref)
				require.True(rt, ok)
				d.Delete(p)
				delete(model, ref)
			}
		}
		require.NoError(rt, d.Check())
		require.Equal(rt, len(model), d.Len())
	}
	for ref, h := range model {
		_, ok := find(d, h, ref)
		require.True(rt, ok)
	}
	want := make([]slab.Ref, 0, len(model))
	for ref := range model {
		want = append(want, ref)
	}
	slices.Sort(want)
	require.Equal(rt, want, refs(d))
}

// What is there during a whole scan is returned, whatever comes and goes.
func TestScanGuarantee(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newTestDict(rt)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
		stays, moves := map[slab.Ref]bool{}, map[slab.Ref]bool{}
		put := func(set map[slab.Ref]bool, n int) {
			for range n {
				ref := slab.Ref(rng.Uint64N(1<<slab.RefBits-1) + 1)
				if !stays[ref] && !moves[ref] {
					set[ref] = true
					d.Insert(spread(uint64(ref)), ref)
				}
			}
		}
		put(stays, rapid.IntRange(0, 2000).Draw(rt, "stays"))
		put(moves, rapid.IntRange(0, 5000).Draw(rt, "moves"))
		burst := rapid.IntRange(0, 400).Draw(rt, "burst")
		seen := map[slab.Ref]int{}
		for pos := uint32(0); pos < End; {
			slots, next := d.From(pos)
			for _, s := range slots {
				seen[s.Ref()]++
			}
			// Stop inside a segment now and then.
			if len(slots) > 3 && rng.IntN(2) == 0 {
				at := slots[len(slots)/2].Tag()
				for _, s := range slots {
					if s.Tag() >= at {
						seen[s.Ref()]--
					}
				}
				next = at
			}
			if pos = next; rng.IntN(2) == 0 {
				put(moves, burst)
				continue
			}
			n := burst
			for ref := range moves {
				if n--; n < 0 {
					break
				}
				p, _ := find(d, spread(uint64(ref)), ref)
				d.Delete(p)
				delete(moves, ref)
			}
		}
		for ref := range stays {
			require.Equal(rt, 1, seen[ref])
		}
	})
}

func TestDeletingAllShrinks(t *testing.T) {
	d := newTestDict(t)
	for i := range uint64(200_000) {
		d.Insert(spread(i+1), slab.Ref(i+1))
	}
	full := d.slab.Allocated()
	require.Less(t, float64(full)/200_000, 8/0.9)
	for i := range uint64(200_000) {
		p, ok := find(d, spread(i+1), slab.Ref(i+1))
		require.True(t, ok)
		d.Delete(p)
	}
	require.Zero(t, d.slab.Allocated())
	require.Len(t, d.segs, 1)
	require.LessOrEqual(t, len(d.dir), 2)
}

func TestRandomIsFair(t *testing.T) {
	for _, n := range []int{1, 3, 100, 5000} {
		d := newTestDict(t)
		for i := range uint64(n) {
			d.Insert(spread(i+1), slab.Ref(i+1))
		}
		rng := rand.New(rand.NewPCG(1, 1))
		counts := make([]int, n+1)
		const draws = 100
		for range n * draws {
			s, ok := d.Random(rng)
			require.True(t, ok)
			counts[s.Ref()]++
		}
		for _, c := range counts[1:] {
			require.InDelta(t, draws, c, 6*10) // six sigma of a Poisson
		}
	}
	_, ok := newTestDict(t).Random(rand.New(rand.NewPCG(1, 1)))
	require.False(t, ok)
}

// A snapshot taken through the epoch hook sees the table as it was.
func TestEpochIsPointInTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newTestDict(rt)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 4))
		have := []slab.Ref{}
		insert := func() {
			ref := slab.Ref(rng.Uint64N(1<<slab.RefBits-1) + 1)
			d.Insert(spread(uint64(ref)), ref)
			have = append(have, ref)
		}
		remove := func() {
			i := rng.IntN(len(have))
			p, ok := find(d, spread(uint64(have[i])), have[i])
			require.True(rt, ok)
			d.Delete(p)
			have[i] = have[len(have)-1]
			have = have[:len(have)-1]
		}
		for range rapid.IntRange(0, 4000).Draw(rt, "n") {
			insert()
		}
		want := slices.Sorted(slices.Values(have))
		saved := []slab.Ref{}
		d.StartEpoch(func(slots []Slot) {
			for _, s := range slots {
				saved = append(saved, s.Ref())
			}
		})
		grow := rapid.Bool().Draw(rt, "grow")
		for pos := uint32(0); pos < End; pos = d.Settle(pos) {
			for range rng.IntN(200) {
				if grow || len(have) == 0 {
					insert()
				} else {
					remove()
				}
			}
		}
		d.StartEpoch(nil)
		slices.Sort(saved)
		if len(want) == 0 {
			want = saved[:0]
		}
		require.Equal(rt, want, saved)
	})
}

func BenchmarkSeek(b *testing.B) {
	s := &slab.Slab{}
	d := New(s)
	for i := range uint64(1_000_000) {
		d.Insert(spread(i+1), slab.Ref(i+1))
	}
	b.ReportAllocs()
	b.ReportMetric(float64(s.Allocated())/1e6, "B/entry")
	i := uint64(0)
	for b.Loop() {
		i = i*6364136223846793005 + 1442695040888963407
		d.Seek(spread(i>>33%1_000_000 + 1))
	}
	s.Close()
}

func BenchmarkInsertDelete(b *testing.B) {
	s := &slab.Slab{}
	d := New(s)
	for i := range uint64(1_000_000) {
		d.Insert(spread(i+1), slab.Ref(i+1))
	}
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		h := spread(i%1_000_000 + 1)
		p, _, _ := d.Seek(h)
		d.Delete(p)
		d.Insert(h, slab.Ref(i%1_000_000+1))
	}
	s.Close()
}
