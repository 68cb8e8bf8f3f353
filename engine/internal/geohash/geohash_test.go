package geohash

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func randomPoint(rng *rand.Rand) Point {
	p := Point{(rng.Float64()*2 - 1) * MaxLon, (rng.Float64()*2 - 1) * MaxLat}
	switch rng.IntN(10) {
	case 0:
		p.Lon = math.Copysign(MaxLon, p.Lon)
	case 1:
		p.Lat = math.Copysign(MaxLat, p.Lat)
	case 2:
		p = Point{}
	}
	return p
}

// A place comes back from its score hardly moved, unless it is the very edge of the map.
func TestScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		p := randomPoint(rng)
		score := Score(p)
		require.Equal(t, math.Trunc(score), score)
		if p.Lon == MaxLon || p.Lat == MaxLat { // more than 53 bits
			continue
		}
		got := PointOf(score)
		require.InDelta(t, p.Lon, got.Lon, 360/math.Exp2(steps))
		require.InDelta(t, p.Lat, got.Lat, 171/math.Exp2(steps))
		require.Equal(t, score, Score(got))
	}
}

func TestBits(t *testing.T) {
	for _, v := range []uint32{0, 1, 2, 0x80000000, 0xffffffff, 0x12345678} {
		require.Equal(t, v, gather(spread(v)))
		require.Equal(t, v, gather(spread(v)|0xaaaaaaaaaaaaaaaa))
		for i := range 32 {
			require.Equal(t, uint64(v>>i&1), spread(v)>>(2*i)&1)
		}
	}
}

// Neighbours lie beside a cell, around the world.
func TestNeighbours(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for range 2000 {
		step := uint8(2 + rng.IntN(steps-1))
		n := uint32(1) << step
		c := cell{rng.Uint32N(n), rng.Uint32N(n), step}
		require.Equal(t, cell{(c.x + 1) % n, c.y, step}, c.moved(1, 0))
		require.Equal(t, cell{(c.x + n - 1) % n, (c.y + 1) % n, step}, c.moved(-1, 1))
		require.Equal(t, cell{c.x, (c.y + n - 1) % n, step}, c.moved(0, -1))
		if c.x+1 < n {
			require.Equal(t, c.lon().max, c.moved(1, 0).lon().min)
		}
	}
}

// Whatever is in a shape has a score in one of its ranges, as long as the shape does not
// reach over the edge of the map or a pole, where ranges end (as with Redis).
func TestRangesCoverShapes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 4))
	tried := 0
	for range 20_000 {
		s := Shape{Center: Point{(rng.Float64()*2 - 1) * 170, (rng.Float64()*2 - 1) * 80}, Unit: 1, IsBox: rng.IntN(2) == 0}
		reach := math.Pow(10, rng.Float64()*6.3)
		s.Radius, s.Width, s.Height = reach, 2*reach*rng.Float64(), 2*reach*rng.Float64()
		lon, lat := s.bounds()
		if lon.min < -MaxLon || lon.max > MaxLon || lat.min < -MaxLat || lat.max > MaxLat || math.IsNaN(lon.min) {
			continue
		}
		ranges := s.Ranges()
		require.LessOrEqual(t, len(ranges), 9)
		for range 20 {
			p := Point{lon.min + rng.Float64()*(lon.max-lon.min), lat.min + rng.Float64()*(lat.max-lat.min)}
			score := Score(p)
			d, ok := s.Distance(PointOf(score))
			if !ok {
				continue
			}
			tried++
			require.InDelta(t, Distance(s.Center, PointOf(score)), d, 1e-6)
			in := 0
			for _, r := range ranges {
				if score >= r.Min && score < r.Max {
					in++
				}
			}
			require.Equal(t, 1, in, "%+v %+v", s, p)
		}
	}
	require.Greater(t, tried, 10_000)
}

func TestDistance(t *testing.T) {
	require.Zero(t, Distance(Point{1, 2}, Point{1, 2}))
	require.InDelta(t, math.Pi*earthRadius, Distance(Point{-90, 0}, Point{90, 0}), 1e-6)
	require.InDelta(t, math.Pi*earthRadius/2, Distance(Point{0, 0}, Point{90, 0}), 1e-6)
	require.InDelta(t, earthRadius*degree, Distance(Point{7, 50}, Point{7, 51}), 1e-6)
	require.Equal(t, Distance(Point{3, 4}, Point{5, 6}), Distance(Point{5, 6}, Point{3, 4}))
}

// No shape and no score is too odd.
func FuzzShape(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 4.0, 5.0, true)
	f.Add(180.0, 85.05112878, math.Inf(1), 0.0, math.Inf(1), false)
	f.Add(-180.0, -85.05112878, 5e-324, 1e300, 1e-300, true)
	f.Fuzz(func(t *testing.T, lon, lat, radius, width, score float64, box bool) {
		if math.IsNaN(lon + lat + radius + width + score) {
			t.Skip()
		}
		s := Shape{Unit: 1609.34, IsBox: box, Radius: math.Abs(radius), Width: math.Abs(width), Height: math.Abs(radius)}
		s.Center = Point{longitudes.clamp(lon), latitudes.clamp(lat)}
		for _, r := range s.Ranges() {
			if !(r.Min < r.Max) {
				t.Errorf("%+v has the range %v", s, r)
			}
		}
		p := PointOf(score)
		if d, _ := s.Distance(p); math.IsNaN(d) || p != (Point{longitudes.clamp(p.Lon), latitudes.clamp(p.Lat)}) {
			t.Errorf("%v is %v from the center of %+v", p, d, s)
		}
		if n := len(AppendText(nil, p)); n != textLen {
			t.Errorf("%d letters", n)
		}
	})
}
