package geohash

import "math"

// earthRadius is in metres, the quadratic mean of WGS-84.
const earthRadius = 6372797.560856

// halfEquator is half the width of the map at the equator, in metres.
const halfEquator = 20037726.37

// degree is one in radians.
const degree = math.Pi / 180

// Distance is how far two places are apart along the earth's surface, in metres, by
// the haversine formula.
func Distance(a, b Point) float64 {
	lon1, lat1, lon2, lat2 := a.Lon*degree, a.Lat*degree, b.Lon*degree, b.Lat*degree
	u, v := math.Sin((lat2-lat1)/2), math.Sin((lon2-lon1)/2)
	h := float64(u*u) + float64(float64(float64(math.Cos(lat1)*math.Cos(lat2))*v)*v)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// Shape is what places are searched in: a circle or, with IsBox, a box, around a
// center.
type Shape struct {
	Center Point
	Unit   float64 // of the sizes below, in metres
	IsBox  bool
	Radius float64
	Width  float64 // of the box, from west to east
	Height float64
}

// Distance is how far p is from the center, in metres, and whether it is in the shape.
func (s *Shape) Distance(p Point) (d float64, ok bool) {
	if !s.IsBox {
		d = Distance(s.Center, p)
		return d, d <= s.Radius*s.Unit
	}
	east := Distance(p, Point{s.Center.Lon, p.Lat})
	north := Distance(p, Point{p.Lon, s.Center.Lat})
	if east > s.Width*s.Unit/2 || north > s.Height*s.Unit/2 {
		return 0, false
	}
	return Distance(s.Center, p), true
}

// reach is how far the shape goes from its center, in metres.
func (s *Shape) reach() float64 {
	if !s.IsBox {
		return s.Radius * s.Unit
	}
	w, h := s.Width/2, s.Height/2
	return math.Sqrt(float64(w*w)+float64(h*h)) * s.Unit
}

// bounds are the longitudes and latitudes that the shape is within. A degree of longitude
// is the shorter the nearer to a pole.
func (s *Shape) bounds() (lon, lat span) {
	width, height := s.Unit*s.Radius, s.Unit*s.Radius
	if s.IsBox {
		width, height = s.Unit*(s.Width/2), s.Unit*(s.Height/2)
	}
	north := height / earthRadius / degree
	edge := s.Center.Lat + north
	if s.Center.Lat < 0 {
		edge = s.Center.Lat - north
	}
	east := width / earthRadius / math.Cos(edge*degree) / degree
	return span{s.Center.Lon - east, s.Center.Lon + east}, span{s.Center.Lat - north, s.Center.Lat + north}
}

// stepFor is with how many steps nine cells around the center are about as large as
// what reaches so far.
func stepFor(reach, lat float64) uint8 {
	if reach == 0 {
		return steps
	}
	step := -1
	for ; reach < halfEquator; reach *= 2 {
		step++
	}
	if lat > 66 || lat < -66 { // cells are narrower there
		step--
	}
	if lat > 80 || lat < -80 {
		step--
	}
	return uint8(min(max(step, 1), steps))
}

// Ranges are the scores that places in the shape have, and more: those of the cell that
// the center is in and of its neighbours, as far as the shape reaches into them. On a
// large shape some may come twice.
func (s *Shape) Ranges() []Range {
	lon, lat := s.bounds()
	c := cellOf(s.Center, stepFor(s.reach(), s.Center.Lat))
	if c.step > 1 && c.tooSmall(lon, lat) {
		c = cellOf(s.Center, c.step-1)
	}
	// What the center's own cell covers needs no neighbour.
	var far [3][3]bool // by the side, -1 … 1 and one more
	if c.step > 1 {
		inLon, inLat := c.lon(), c.lat()
		far = farSides(inLon.min < lon.min, inLon.max > lon.max, inLat.min < lat.min, inLat.max > lat.max)
	}
	ranges := make([]Range, 0, len(sides))
	var last cell
	for i, side := range sides {
		at := c.moved(side.east, side.north)
		if far[side.east+1][side.north+1] || i > 1 && at == last {
			continue
		}
		ranges = append(ranges, at.scores())
		last = at
	}
	return ranges
}

// sides are the center's cell and its neighbours, in the order of Redis' replies.
var sides = [...]struct{ east, north int }{
	{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1},
}

// farSides are the sides that a shape does not reach.
func farSides(west, east, south, north bool) (far [3][3]bool) {
	for _, side := range sides {
		far[side.east+1][side.north+1] = side.east < 0 && west || side.east > 0 && east ||
			side.north < 0 && south || side.north > 0 && north
	}
	return far
}

// tooSmall says whether the neighbours of the cell do not reach as far as these bounds.
func (c cell) tooSmall(lon, lat span) bool {
	return c.moved(0, 1).lat().max < lat.max || c.moved(0, -1).lat().min > lat.min ||
		c.moved(1, 0).lon().max < lon.max || c.moved(-1, 0).lon().min > lon.min
}
