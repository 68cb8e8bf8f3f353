package engine

import (
	"slices"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/geohash"
	"coatcheck/engine/internal/partsort"
)

// Geo: sorted sets whose scores are places.

// GeoPoint is a place in degrees.
type GeoPoint = geohash.Point

// GeoShape is what places are searched in.
type GeoShape = geohash.Shape

// GeoScore is the score that stands for a place, which is less than half a metre off
// it. It fails with errs.LonLat when there is no such place on the map.
func GeoScore(p GeoPoint) (float64, error) {
	if p.Lon < -geohash.MaxLon || p.Lon > geohash.MaxLon || p.Lat < -geohash.MaxLat || p.Lat > geohash.MaxLat {
		return 0, errs.LonLat(p.Lon, p.Lat)
	}
	return geohash.Score(p), nil
}

// GeoPointOf is the place that a score stands for; every score stands for some.
func GeoPointOf(score float64) GeoPoint { return geohash.PointOf(score) }

// AppendGeohash appends the usual geohash of a place, 11 letters.
func AppendGeohash(dst []byte, p GeoPoint) []byte { return geohash.AppendText(dst, p) }

// GeoDistance is how far two places are apart, in metres.
func GeoDistance(a, b GeoPoint) float64 { return geohash.Distance(a, b) }

// GeoIndex is a sorted set that places are searched in. It is good until the unit's
// next write.
type GeoIndex struct{ p place }

// GeoIndex looks up the sorted set at key; not ok without one.
//
// It fails with errs.WrongType when key holds another type.
func (tx *Tx) GeoIndex(key []byte) (x GeoIndex, ok bool, err error) {
	p := tx.read(key)
	ok, err = zsetAt(&p)
	return GeoIndex{p}, ok, err
}

// Point is where a member is; not ok without such a member.
func (x *GeoIndex) Point(member []byte) (p GeoPoint, ok bool) {
	e, ok := zsetFind(&x.p, member)
	if !ok {
		return GeoPoint{}, false
	}
	return GeoPointOf(e.score), true
}

// GeoOrder is the order in which places are found.
type GeoOrder uint8

// The orders.
const (
	GeoAnyOrder GeoOrder = iota
	NearestFirst
	FarthestFirst
)

// GeoSearch is what Search looks for.
type GeoSearch struct {
	GeoShape
	// Count bounds how many are found, the first ones in order; 0: all.
	Count int
	// Any takes those that come first, and does not look at all others.
	Any   bool
	Order GeoOrder
}

// GeoFound is a member that was found.
type GeoFound struct {
	Member   []byte
	Score    float64
	At       GeoPoint
	Distance float64 // from the center, in the search's unit
}

// Search finds the members in a shape. Their bytes are good until the unit's next
// write. O(n + log members), with n in the cells of the map around the shape, and
// sorting what is found.
func (x *GeoIndex) Search(s *GeoSearch) []GeoFound {
	var found []GeoFound
	isFull := func() bool { return s.Any && s.Count > 0 && len(found) >= s.Count }
	for _, r := range s.Ranges() {
		if isFull() {
			break
		}
		in := ZSetRange{By: ByScore, Score: ScoreRange{Min: r.Min, Max: r.Max, MaxOpen: true}, Count: -1}
		zsetEach(&x.p, zsetSpan(&x.p, &in), false, func(member []byte, score float64) bool {
			at := GeoPointOf(score)
			if d, ok := s.Distance(at); ok {
				found = append(found, GeoFound{x.p.keep(member), score, at, d})
			}
			return !isFull()
		})
	}
	found = s.sort(found)
	for i := range found {
		found[i].Distance /= s.Unit
	}
	return found
}

// sort brings what was found, whose distances are in metres, in order, and cuts it.
func (s *GeoSearch) sort(found []GeoFound) []GeoFound {
	n := len(found)
	if s.Count > 0 {
		n = min(n, s.Count)
	}
	order := s.Order
	if order == GeoAnyOrder && s.Count > 0 && !s.Any {
		order = NearestFirst
	}
	sign := 1
	if order == FarthestFirst {
		sign = -1
	}
	// Distances are no NaN. Equal ones stay in order only where all are wanted.
	compare := func(a, b *GeoFound) int {
		switch {
		case a.Distance > b.Distance:
			return sign
		case a.Distance < b.Distance:
			return -sign
		}
		return 0
	}
	switch {
	case order == GeoAnyOrder:
	case n == len(found):
		slices.SortStableFunc(found, func(a, b GeoFound) int { return compare(&a, &b) })
	default:
		partsort.First(found, n, compare)
	}
	return found[:n]
}

// GeoStore makes key hold a sorted set of what was found, with their own scores or,
// byDistance, their distances, as ZSetStore does. argv is the command that repeats it, for
// sinks.
//
// Effect: event; "del" when nothing was found but was a value.
func (tx *Tx) GeoStore(key []byte, found []GeoFound, byDistance bool, event string, argv ...[]byte) {
	rows := make([]Scored, len(found))
	for i, f := range found {
		rows[i] = Scored{f.Member, f.Score}
		if byDistance {
			rows[i].Score = f.Distance
		}
	}
	tx.ZSetStore(key, inOrder(rows), event, len(rows), argv...)
}
