package errs

import (
	"math"
	"strconv"
)

// Errors about places, shapes and searches.
var (
	GeoMember     = &Error{"ERR", "could not decode requested zset member"}
	GeoUnit       = &Error{"ERR", "unsupported unit provided. please use M, KM, FT, MI"}
	GeoRadius     = &Error{"ERR", "need numeric radius"}
	GeoNoRadius   = &Error{"ERR", "radius cannot be negative"}
	GeoWidth      = &Error{"ERR", "need numeric width"}
	GeoHeight     = &Error{"ERR", "need numeric height"}
	GeoNoBox      = &Error{"ERR", "height or width cannot be negative"}
	GeoCount      = &Error{"ERR", "COUNT must be > 0"}
	GeoAny        = &Error{"ERR", "the ANY argument requires COUNT argument"}
	GeoStoreWith  = geoWith("STORE option in GEORADIUS")
	GeoSearchWith = geoWith("GEOSEARCHSTORE")
)

func geoWith(what string) *Error {
	return &Error{"ERR", what + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options"}
}

// GeoNoCenter says that the command name, as the client wrote it, was not told where to
// search.
func GeoNoCenter(name []byte) error {
	return &Error{"ERR", "exactly one of FROMMEMBER or FROMLONLAT can be specified for " + Shown(name, len(name))}
}

// GeoNoShape says that the command name, as the client wrote it, was not told how far to
// search.
func GeoNoShape(name []byte) error {
	return &Error{"ERR", "exactly one of BYRADIUS and BYBOX can be specified for " + Shown(name, len(name))}
}

// LonLat says that there is no such place.
func LonLat(lon, lat float64) error {
	return &Error{"ERR", "invalid longitude,latitude pair " + fixed(lon) + "," + fixed(lat)}
}

// fixed writes a number as C's %f does.
func fixed(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', 6, 64)
}
