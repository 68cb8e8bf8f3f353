package expireindex

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine/internal/slab"
)

func newTestIndex(t interface {
	require.TestingT
	Cleanup(func())
}) *Index {
	s := &slab.Slab{}
	s.Poison()
	x := New(s)
	t.Cleanup(func() {
		require.NoError(t, x.Check())
		require.NoError(t, s.Check())
		x.Close()
		require.Zero(t, s.Allocated())
		s.Close()
	})
	return x
}

func compare(a, b Item) int {
	switch {
	case a.less(b):
		return -1
	case b.less(a):
		return 1
	}
	return 0
}

func TestItemsSurviveStorage(t *testing.T) {
	var b [itemSize]byte
	for _, k := range []Item{{}, {Max, Max}, {0x123456789abc, 0xfedcba987654}, {1 << 47, 1}, {1, 1 << 47}} {
		put(b[:], k)
		require.Equal(t, k, get(b[:]))
	}
}

func TestModel(t *testing.T) { rapid.Check(t, matchesModel) }

func FuzzModel(f *testing.F) { f.Fuzz(rapid.MakeFuzz(matchesModel)) }

// matchesModel is random work on an index and on a sorted slice, with the same
// outcome.
func matchesModel(rt *rapid.T) {
	x := newTestIndex(rt)
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 5))
	spread := uint64(rapid.SampledFrom([]int64{1, 100, 100_000, Max}).Draw(rt, "spread"))
	model := []Item{} // sorted
	now := uint64(0)
	for range rapid.IntRange(1, 12).Draw(rt, "phases") {
		n := rapid.IntRange(100, 2000).Draw(rt, "n")
		switch rapid.IntRange(0, 4).Draw(rt, "phase") {
		case 0, 1: // insert anywhere
			for range n {
				k := Item{rng.Uint64N(spread), rng.Uint64N(Max)}
				x.Insert(k)
				model = append(model, k)
			}
		case 2: // append, as a constant TTL does
			for range n {
				now += rng.Uint64N(3)
				k := Item{min(now+spread, Max), rng.Uint64N(Max)}
				x.Insert(k)
				model = append(model, k)
			}
		case 3: // delete
			slices.SortFunc(model, compare)
			for range min(n, len(model)) {
				i := rng.IntN(len(model))
				require.True(rt, x.Delete(model[i]))
				model = slices.Delete(model, i, i+1)
			}
			require.False(rt, x.Delete(Item{Max, Max}))
		case 4: // pop
			slices.SortFunc(model, compare)
			due := rng.Uint64N(spread)
			got := x.PopDue(due, make([]Item, 0, n))
			want := 0
			for want < len(model) && want < n && model[want].At <= due {
				want++
			}
			require.Equal(rt, append([]Item{}, model[:want]...), got)
			model = model[want:]
		}
		slices.SortFunc(model, compare)
		require.NoError(rt, x.Check())
		require.Equal(rt, len(model), x.Len())
		first, ok := x.First()
		require.Equal(rt, len(model) > 0, ok)
		if ok {
			require.Equal(rt, model[0], first)
		}
	}
	require.Equal(rt, model, append([]Item{}, x.PopDue(Max, make([]Item, 0, len(model)+1))...))
}

func TestRandomFindsAll(t *testing.T) {
	for _, n := range []int{1, 10, 3000} {
		x := newTestIndex(t)
		for i := range n {
			x.Insert(Item{uint64(i), uint64(i)})
		}
		seen := map[Item]bool{}
		rng := rand.New(rand.NewPCG(1, 1))
		for range n * 20 {
			k, ok := x.Random(rng)
			require.True(t, ok)
			seen[k] = true
		}
		require.Len(t, seen, n)
	}
}

func TestPagesAreWellFilled(t *testing.T) {
	const n = 300_000
	for name, next := range map[string]func(i uint64) Item{
		"sequential": func(i uint64) Item { return Item{1e12 + i/20, i * 0x9e3779b97f4a7c15 >> 16} },
		"random":     func(i uint64) Item { return Item{1e12 + i*0x9e3779b97f4a7c15>>44, i} },
	} {
		x := newTestIndex(t)
		for i := range uint64(n) {
			x.Insert(next(i))
		}
		perItem := float64(x.Bytes()) / n
		t.Logf("%s: %.1f bytes an item", name, perItem)
		require.Less(t, perItem, 14.0, name)
	}
}

func BenchmarkInsertDelete(b *testing.B) {
	s := &slab.Slab{}
	x := New(s)
	item := func(i uint64) Item { return Item{1e12 + i*0x9e3779b97f4a7c15>>44, i} }
	for i := range uint64(1_000_000) {
		x.Insert(item(i))
	}
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		x.Delete(item(i % 1_000_000))
		x.Insert(item(i % 1_000_000))
		i++
	}
	s.Close()
}
