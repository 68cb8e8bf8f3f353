package engine

import (
	"math"
	"strconv"
	"strings"
	"unsafe"

	"coatcheck/engine/internal/digits"
)

// ParseDouble reads a score, or another number of 64 bits, as C's strtod does,
// without spaces around it: decimal or hexadecimal, with an exponent, or "inf" and
// "infinity". No NaN, nothing too large, and nothing that becomes 0 but 0.
func ParseDouble(b []byte) (f float64, ok bool) {
	if n, ok := digits.Parse(b); ok {
		return float64(n), true
	}
	s := unsafe.String(unsafe.SliceData(b), len(b))
	if strings.ContainsAny(s, "_nNxX") { // a look at what few numbers have
		if s, ok = unusualDouble(s); !ok {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f == 0 && vanished(s) {
		return 0, false
	}
	return f, true
}

// unusualDouble makes what C takes and Go does not readable for Go, and refuses
// the contrary.
func unusualDouble(s string) (_ string, ok bool) {
	switch {
	case strings.Contains(s, "_"):
		return "", false
	case strings.ContainsAny(s, "xX"):
		if !strings.ContainsAny(s, "pP") {
			s += "p0" // Go asks for an exponent
		}
		return s, true
	}
	return s, !strings.ContainsAny(s, "aA") // "nan"
}

// vanished says whether a text that reads as 0 has another digit: it was too small.
func vanished(s string) bool {
	base, set := "eE", "123456789"
	if strings.ContainsAny(s, "xX") {
		base, set = "pP", "123456789abcdefABCDEF"
	}
	if i := strings.IndexAny(s, base); i >= 0 {
		s = s[:i]
	}
	return strings.ContainsAny(s, set)
}

// appendScore writes a score as a packed sorted set has it: as an integer where it
// is one, else with the fewest digits that read back as it.
func appendScore(dst []byte, f float64) []byte {
	if n, ok := wholeScore(f); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// wholeScore is the integer that a score is, if it is one of 63 bits (Redis util.c,
// double2ll): -0 becomes 0.
func wholeScore(f float64) (n int64, ok bool) {
	if f < -1<<62 || f > 1<<62 {
		return 0, false
	}
	n = int64(f)
	return n, float64(n) == f
}
