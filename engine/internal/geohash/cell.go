// Package geohash names places on earth by numbers whose order keeps neighbours
// together, as Redis' geo commands do, and finds which ranges of such numbers a
// shape lies in. It knows nothing of sorted sets.
//
// The world is cut in halves again and again, by longitude and by latitude in turn;
// after so many steps a place is in one of 4^step cells, whose number has a bit for
// each cut: those of the longitude in odd, those of the latitude in even positions.
// Places are kept with 26 steps, 52 bits, which a score has room for.
//
// Arithmetic is in the order in which Redis does it (geohash.c, geohash_helper.c), so
// that results are the same to the last bit but for what sines are.
package geohash

// Point is a place in degrees.
type Point struct{ Lon, Lat float64 }

// steps is how exactly places are kept.
const steps = 26

// The world that can be named. The latitudes are those of the square map that most
// web maps are (EPSG:3857).
const (
	MaxLon = 180
	MaxLat = 85.05112878
)

// span is from where to where one coordinate goes.
type span struct{ min, max float64 }

var (
	longitudes = span{-MaxLon, MaxLon}
	latitudes  = span{-MaxLat, MaxLat}
	// poleToPole is what the usual geohash has for latitudes.
	poleToPole = span{-90, 90}
)

// index is in which of 2^step parts of the span v is; 2^step for its very end.
func (s span) index(v float64, step uint8) uint32 {
	part := (v - s.min) / (s.max - s.min)
	return uint32(part * float64(uint64(1)<<step))
}

// part is the part of the span with an index.
func (s span) part(i uint32, step uint8) span {
	n, size := float64(uint64(1)<<step), s.max-s.min
	return span{s.min + float64(float64(i)/n*size), s.min + float64(float64(i+1)/n*size)}
}

func (s span) middle() float64 { return (s.min + s.max) / 2 }

// clamp is v or the end of the span that it is beyond.
func (s span) clamp(v float64) float64 { return min(max(v, s.min), s.max) }

// cell is a cell by its column and row, counted from west and south.
type cell struct {
	x, y uint32
	step uint8
}

func cellOf(p Point, step uint8) cell {
	return cell{longitudes.index(p.Lon, step), latitudes.index(p.Lat, step), step}
}

// bits is the cell's number.
func (c cell) bits() uint64 { return spread(c.x)<<1 | spread(c.y) }

// spread puts a blank bit before each bit of v.
func spread(v uint32) uint64 {
	n := uint64(v)
	n = (n | n<<16) & 0x0000ffff0000ffff
	n = (n | n<<8) & 0x00ff00ff00ff00ff
	n = (n | n<<4) & 0x0f0f0f0f0f0f0f0f
	n = (n | n<<2) & 0x3333333333333333
	return (n | n<<1) & 0x5555555555555555
}

// gather is the contrary of spread; odd bits do not count.
func gather(n uint64) uint32 {
	n &= 0x5555555555555555
	n = (n | n>>1) & 0x3333333333333333
	n = (n | n>>2) & 0x0f0f0f0f0f0f0f0f
	n = (n | n>>4) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return uint32(n | n>>16)
}

// lon and lat are where the cell lies.
func (c cell) lon() span { return longitudes.part(c.x, c.step) }
func (c cell) lat() span { return latitudes.part(c.y, c.step) }

// moved is the cell so many columns east and rows north, each -1, 0 or 1, around the
// edges of the map.
func (c cell) moved(east, north int) cell {
	mask := uint32(1)<<c.step - 1
	if east != 0 {
		c.x = (c.x + uint32(east)) & mask
	}
	if north != 0 {
		c.y = (c.y + uint32(north)) & mask
	}
	return c
}

// scores are those of the places in the cell: from min to before max.
func (c cell) scores() Range {
	shift := 2 * (steps - c.step)
	return Range{float64(c.bits() << shift), float64((c.bits() + 1) << shift)}
}

// Range is scores from Min to before Max.
type Range struct{ Min, Max float64 }

// Score is the number of a place, which is within MaxLon and MaxLat.
func Score(p Point) float64 { return float64(cellOf(p, steps).bits()) }

// PointOf is the place with a number: the middle of its cell. Scores that are no place's
// give some place, too.
func PointOf(score float64) Point {
	bits := whole(score)
	c := cell{gather(bits >> 1), gather(bits), steps}
	return Point{longitudes.clamp(c.lon().middle()), latitudes.clamp(c.lat().middle())}
}

// whole is score as 64 bits without a sign, in the way of x86 where it does not fit.
func whole(score float64) uint64 {
	const half = 1 << 63
	switch {
	case score >= 2*half:
		return 0
	case score >= half:
		return uint64(int64(score-half)) ^ half
	case score < -half:
		return half
	}
	return uint64(int64(score))
}

// alphabet is that of geohashes as text.
const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"

// textLen is how many letters the text of a place has. The last is always the
// first of the alphabet: there are bits for ten.
const textLen = 11

// AppendText appends the usual geohash of a place, as others read it.
func AppendText(dst []byte, p Point) []byte {
	c := cell{longitudes.index(p.Lon, steps), poleToPole.index(p.Lat, steps), steps}
	bits := c.bits()
	for i := 1; i < textLen; i++ {
		dst = append(dst, alphabet[bits>>(2*steps-5*i)&31])
	}
	return append(dst, alphabet[0])
}
