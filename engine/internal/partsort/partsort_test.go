package partsort

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type item struct{ key, was int }

func byKey(x, y *item) int { return cmp.Compare(x.key, y.key) }

// checkFirst sorts keys partly and looks at what came of it.
func checkFirst(t *testing.T, keys []int, n int) {
	a := make([]item, len(keys))
	for i, k := range keys {
		a[i] = item{k, i}
	}
	First(a, n, byKey)
	want := slices.Clone(keys)
	slices.Sort(want)
	seen := map[int]bool{}
	for i, x := range a {
		require.Equal(t, keys[x.was], x.key)
		require.False(t, seen[x.was])
		seen[x.was] = true
		if i < n {
			require.Equal(t, want[i], x.key)
		}
	}
}

func TestFirst(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		keys := make([]int, rng.IntN(120))
		for i := range keys {
			keys[i] = rng.IntN(1 + rng.IntN(150))
		}
		checkFirst(t, keys, rng.IntN(len(keys)+1))
	}
}

// What makes a quicksort of this kind slow is no slower than another sort: every
// comparison is answered so that the pivot is as bad as can be (McIlroy, "A Killer
// Adversary for Quicksort").
func TestFirstIsNeverSlow(t *testing.T) {
	const n = 20_000
	a, value := make([]int, n), make([]int, n)
	const gas = n
	for i := range a {
		a[i], value[i] = i, gas
	}
	solid, candidate, compared := 0, 0, 0
	freeze := func(i int) { value[i] = solid; solid++ }
	First(a, n, func(x, y *int) int {
		compared++
		switch i, j := *x, *y; {
		case value[i] == gas && value[j] == gas && i == candidate:
			freeze(i)
		case value[i] == gas && value[j] == gas:
			freeze(j)
		}
		if value[*x] == gas {
			candidate = *x
		} else if value[*y] == gas {
			candidate = *y
		}
		return cmp.Compare(value[*x], value[*y])
	})
	for i := 1; i < n; i++ {
		require.LessOrEqual(t, value[a[i-1]], value[a[i]])
	}
	require.Less(t, compared, 100*n)
}

func FuzzFirst(f *testing.F) {
	f.Add([]byte("which of these come first"), 5)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		keys := make([]int, len(b))
		for i, c := range b {
			keys[i] = int(c)
		}
		if n >= 0 && n <= len(keys) {
			checkFirst(t, keys, n)
		}
	})
}
