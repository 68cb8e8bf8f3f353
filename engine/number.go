package engine

import "coatcheck/engine/internal/digits"

// ParseInt reads a decimal integer as strictly as Redis: no sign but a minus,
// no leading zeros, no spaces, nothing outside of 64 bits.
func ParseInt(b []byte) (n int64, ok bool) { return digits.Parse(b) }

// addInt is a + b unless that leaves 64 bits.
func addInt(a, b int64) (sum int64, ok bool) {
	sum = a + b
	return sum, (sum > a) == (b > 0)
}
