package engine

import (
	"math"
	"math/big"
	"strings"
)

// Numbers with a fraction are what C calls long double on x86, since Redis
// adds in that type: 64 bits of mantissa, a binary exponent of 15 bits, nearest
// even rounding. math/big does the same for any exponent, so what is left here
// is the exponent's range and strtold's ideas of what a number looks like.

const (
	floatPrec = 64     // bits of mantissa
	floatMax  = 16384  // a number's exponent, mantissa in [0.5, 1), at most
	floatMin  = -16445 // the last bit of the smallest denormal is 2^floatMin
	floatNorm = -16381 // the exponent of the smallest normal number
)

// maxFloatText is the longest text that is taken for a number.
const maxFloatText = 5119

// Float is an 80-bit floating-point number; the zero value is 0.
type Float struct {
	f   big.Float
	inf int // +1, -1: infinite
}

// ParseFloat reads a number as C's strtold does, without spaces around it:
// decimal or hexadecimal, with an exponent, or "inf" and "infinity". No NaN, and
// nothing too large or too small for the type.
func ParseFloat(b []byte) (Float, bool) {
	if len(b) == 0 || len(b) > maxFloatText {
		return Float{}, false
	}
	s := string(b)
	sign, digits := 1, strings.TrimPrefix(s, "+")
	if s[0] == '-' {
		sign, digits = -1, s[1:]
	}
	if strings.EqualFold(digits, "inf") || strings.EqualFold(digits, "infinity") {
		return Float{inf: sign}, true
	}
	num, den, ok := parseFraction(digits)
	if !ok {
		return Float{}, false
	}
	var n Float
	n.f.SetPrec(floatPrec).Quo(num, den)
	if num.Sign() != 0 {
		if n.f.MantExp(nil) < floatNorm {
			n.denormal(num, den)
		}
		if n.f.Sign() == 0 || n.f.MantExp(nil) > floatMax {
			return Float{}, false
		}
	}
	if sign < 0 {
		n.f.Neg(&n.f)
	}
	return n, true
}

// denormal rounds the exact num/den once to the bits there are.
func (n *Float) denormal(num, den *big.Float) {
	prec := n.f.MantExp(nil) - floatMin
	n.f.SetPrec(uint(max(prec, 1))).Quo(num, den)
	if prec < 1 {
		half := new(big.Float).SetMantExp(big.NewFloat(1), floatMin-1)
		if n.f.Cmp(half) <= 0 {
			n.f.SetInt64(0)
		} else {
			n.f.SetMantExp(big.NewFloat(1), floatMin)
		}
	}
	n.f.SetPrec(floatPrec)
}

// parseFraction reads an unsigned decimal or 0x number exactly. Exponents that no
// Float has are refused before they cost anything.
func parseFraction(s string) (num, den *big.Float, ok bool) {
	base, mark, perDigit, step, maxExp := 10, "eE", 1, int64(10), 2*maxFloatText
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, mark, perDigit, step, maxExp = 16, "pP", 4, 2, 8*maxFloatText
		s = s[2:]
	}
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, mark); i >= 0 {
		if exp, ok = parseExponent(s[i+1:]); !ok {
			return nil, nil, false
		}
		mantissa = s[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || !allDigits(digits, base) {
		return nil, nil, false
	}
	n, _ := new(big.Int).SetString(digits, base)
	if n.Sign() == 0 {
		return new(big.Float), big.NewFloat(1), true
	}
	exp -= perDigit * len(fraction)
	if exp > maxExp || exp < -maxExp {
		return nil, nil, false
	}
	power := new(big.Int).Exp(big.NewInt(step), big.NewInt(int64(max(exp, -exp))), nil)
	if exp < 0 {
		return new(big.Float).SetInt(n), new(big.Float).SetInt(power), true
	}
	return new(big.Float).SetInt(n.Mul(n, power)), big.NewFloat(1), true
}

// parseExponent reads a signed number; one beyond every range is cut.
func parseExponent(s string) (int, bool) {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if s == "" || !allDigits(s, 10) {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		n = min(n*10+int(c-'0'), 1_000_000)
	}
	if negative {
		n = -n
	}
	return n, true
}

func allDigits(s string, base int) bool {
	for _, c := range []byte(s) {
		isDigit := c >= '0' && c <= '9'
		isHex := base == 16 && (c|0x20 >= 'a' && c|0x20 <= 'f')
		if !isDigit && !isHex {
			return false
		}
	}
	return true
}

// Add is n + m; not ok when that is no finite number.
func (n Float) Add(m Float) (sum Float, ok bool) {
	if n.inf != 0 || m.inf != 0 {
		return Float{}, false
	}
	sum.f.SetPrec(floatPrec).Add(&n.f, &m.f)
	return sum, sum.f.Sign() == 0 || sum.f.MantExp(nil) <= floatMax
}

// Milliseconds is the number of seconds n in milliseconds, rounded up; not ok
// beyond the highest int64. What is below the lowest is that.
func (n Float) Milliseconds() (ms int64, ok bool) {
	if n.inf != 0 {
		return math.MinInt64, n.inf < 0
	}
	var f big.Float
	f.SetPrec(floatPrec).Mul(&n.f, big.NewFloat(1000))
	ms, exact := f.Int64()
	switch {
	case ms == math.MaxInt64 && exact == big.Below:
		return 0, false
	case exact == big.Below: // cut, where it is to be rounded up
		ms++
	}
	return ms, true
}

// Append appends the number in plain decimals: at most 17 behind the point, no
// zeros at the end, never "-0".
func (n Float) Append(dst []byte) []byte {
	start := len(dst)
	dst = n.f.Append(dst, 'f', 17)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	if string(dst[start:]) == "-0" {
		dst = append(dst[:start], '0')
	}
	return dst
}
