package engine_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// What a search finds in both encodings is what looking at every member finds, for
// shapes that do not reach over the edge of the map.
func TestGeoSearch(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	f := enginetest.New(t)
	smallZSets(f)
	for _, n := range []int{0, 7, 400} {
		f.Tx(func(tx *engine.Tx) {
			key, at := fmt.Append(nil, "geo", n), map[string]engine.GeoPoint{}
			for i := range n {
				p := engine.GeoPoint{Lon: rng.Float64()*40 - 20, Lat: rng.Float64()*40 - 20}
				if i > 0 && i%5 == 0 {
					p = at["m0"]
				}
				score, err := engine.GeoScore(p)
				require.NoError(t, err)
				name := fmt.Sprint("m", i)
				at[name] = engine.GeoPointOf(score)
				_, err = tx.ZSetAdd(key, engine.ZSetAddOptions{}, engine.Scored{Member: []byte(name), Score: score})
				require.NoError(t, err)
			}
			x, ok, err := tx.GeoIndex(key)
			require.NoError(t, err)
			require.Equal(t, n > 0, ok)
			if !ok {
				return
			}
			_, ok = x.Point([]byte("nobody"))
			require.False(t, ok)
			for range 200 {
				s := engine.GeoSearch{Order: engine.GeoOrder(rng.IntN(3))}
				s.Unit, s.IsBox = 1000, rng.IntN(2) == 0
				s.Center = engine.GeoPoint{Lon: rng.Float64()*40 - 20, Lat: rng.Float64()*40 - 20}
				s.Radius, s.Width, s.Height = rng.Float64()*3000, rng.Float64()*6000, rng.Float64()*6000
				if rng.IntN(2) == 0 {
					s.Count, s.Any = 1+rng.IntN(10), rng.IntN(3) == 0
				}
				checkGeo(t, &s, at, x.Search(&s))
			}
		})
	}
}

// checkGeo compares what was found with what is at places.
func checkGeo(t *testing.T, s *engine.GeoSearch, at map[string]engine.GeoPoint, found []engine.GeoFound) {
	var all []float64
	for _, p := range at {
		if d, ok := s.Distance(p); ok {
			all = append(all, d/s.Unit)
		}
	}
	slices.Sort(all)
	if s.Order == engine.FarthestFirst {
		slices.Reverse(all)
	}
	if s.Count > 0 && len(all) > s.Count {
		all = all[:s.Count]
	}
	require.Len(t, found, len(all))
	seen, far := map[string]bool{}, []float64{}
	for _, x := range found {
		require.Equal(t, at[string(x.Member)], x.At)
		require.False(t, seen[string(x.Member)])
		seen[string(x.Member)] = true
		far = append(far, x.Distance)
	}
	switch {
	case s.Any && s.Count > 0: // any of them, in order
		require.True(t, s.Order == engine.GeoAnyOrder || slices.IsSortedFunc(far, func(a, b float64) int {
			if s.Order == engine.FarthestFirst {
				a, b = b, a
			}
			return cmp.Compare(a, b)
		}))
		return
	case s.Order == engine.GeoAnyOrder && s.Count == 0:
		slices.Sort(far)
	}
	require.True(t, slices.Equal(all, far), "%+v: %v %v", s, all, far)
}

// A place beyond the map is none.
func TestGeoScoreOfNoPlace(t *testing.T) {
	_, err := engine.GeoScore(engine.GeoPoint{Lon: 0, Lat: 86})
	require.EqualError(t, err, "ERR invalid longitude,latitude pair 0.000000,86.000000")
	_, err = engine.GeoScore(engine.GeoPoint{Lon: -180.5, Lat: 0})
	require.EqualError(t, err, "ERR invalid longitude,latitude pair -180.500000,0.000000")
}
