package resp

import (
	"math"
	"strconv"
)

// AppendDouble appends f as Redis 7.2 prints doubles (d2string): whole numbers
// up to 2^62 without exponent; others with the fewest digits that read back as
// f, plain where these rules of fpconv have it so, else with an exponent.
func AppendDouble(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	}
	if math.Signbit(f) {
		b = append(b, '-')
		f = -f
	}
	if f <= 1<<62 && f == math.Trunc(f) {
		return strconv.AppendUint(b, uint64(f), 10)
	}
	var a, d [32]byte
	digits, exp := scientific(strconv.AppendFloat(a[:0], f, 'e', -1, 64), d[:0])
	zeros := exp - (len(digits) - 1) // f = digits · 10^zeros
	switch {
	case zeros >= 0 && exp < len(digits)+7:
		return appendZeros(append(b, digits...), zeros)
	case zeros < 0 && (zeros > -7 || -4 < exp && exp < 4):
		if exp < 0 {
			return append(appendZeros(append(b, "0."...), -exp-1), digits...)
		}
		return append(append(append(b, digits[:exp+1]...), '.'), digits[exp+1:]...)
	}
	b = append(b, digits[0])
	if len(digits) > 1 {
		b = append(append(b, '.'), digits[1:]...)
	}
	b = append(b, 'e')
	if exp > 0 {
		b = append(b, '+')
	}
	return strconv.AppendInt(b, int64(exp), 10)
}

// scientific takes what strconv's 'e' format gives apart: d.ddde±dd.
func scientific(s, digits []byte) (_ []byte, exp int) {
	i := 0
	for ; s[i] != 'e'; i++ {
		if s[i] != '.' {
			digits = append(digits, s[i])
		}
	}
	for _, c := range s[i+2:] {
		exp = exp*10 + int(c-'0')
	}
	if s[i+1] == '-' {
		exp = -exp
	}
	return digits, exp
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}
