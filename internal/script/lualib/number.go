package lualib

import (
	"math"
	"strconv"
	"strings"
)

// Numbers as C writes, reads and converts them on the machines that Redis runs on.

// FormatNumber is a number's text in Lua 5.1: "%.14g".
func FormatNumber(f float64) string { return string(AppendNumber(nil, f)) }

// AppendNumber appends a number's text in Lua 5.1.
func AppendNumber(dst []byte, f float64) []byte {
	if i := int64(f); float64(i) == f && i > -1e14 && i < 1e14 && (i != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(dst, i, 10)
	}
	return appendG(dst, f, 14)
}

// AppendExact appends a number as Redis passes one to a command: C's "%.17g".
func AppendExact(dst []byte, f float64) []byte { return appendG(dst, f, 17) }

// appendG writes f as C's %.<precision>g.
func appendG(dst []byte, f float64, precision int) []byte {
	if text, ok := notFinite(f); ok {
		return append(dst, text...)
	}
	return strconv.AppendFloat(dst, f, 'g', precision, 64)
}

// notFinite is the text of what has no digits.
func notFinite(f float64) (text string, ok bool) {
	switch {
	case math.IsNaN(f) && math.Signbit(f):
		return "-nan", true
	case math.IsNaN(f):
		return "nan", true
	case math.IsInf(f, 1):
		return "inf", true
	case math.IsInf(f, -1):
		return "-inf", true
	}
	return "", false
}

// ToInt64 converts as x86 does: what does not fit is the smallest integer.
func ToInt64(f float64) int64 {
	if f >= -(1<<63) && f < 1<<63 {
		return int64(f)
	}
	return math.MinInt64
}

// toUint64 converts as gcc does on x86: what is not below 2^64 is 0, what is negative wraps.
func toUint64(f float64) uint64 {
	switch {
	case f >= 1<<64:
		return 0
	case f >= 1<<63:
		return uint64(f-(1<<63)) | 1<<63
	}
	return uint64(ToInt64(f))
}

// ParseNumber reads a whole string as Lua 5.1 does: C's strtod with space around it. What follows a zero byte is not seen.
func ParseNumber(s string) (float64, bool) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	f, n := strtod(s)
	if n == 0 {
		return 0, false
	}
	return f, strings.Trim(s[n:], spaces) == ""
}

const spaces = " \t\n\v\f\r"

// strtod reads the longest number at the start of s, after space, and tells where it ends; 0 when there is none.
func strtod(s string) (f float64, end int) {
	start := len(s) - len(strings.TrimLeft(s, spaces))
	i, negative := start, false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	if f, n := word(s[i:]); n > 0 {
		if negative {
			f = math.Copysign(f, -1)
		}
		return f, i + n
	}
	if n := hexLength(s[i:]); n > 0 {
		text := s[start : i+n]
		if !strings.ContainsAny(text, "pP") {
			text += "p0"
		}
		f, _ = strconv.ParseFloat(text, 64) // out of range is infinite, as in C
		return f, i + n
	}
	n := decimalLength(s[i:])
	if n == 0 {
		return 0, 0
	}
	f, _ = strconv.ParseFloat(s[start:i+n], 64) // out of range is infinite, as in C
	return f, i + n
}

// word reads C's names of what is no number.
func word(s string) (f float64, n int) {
	switch {
	case hasPrefixFold(s, "infinity"):
		return math.Inf(1), 8
	case hasPrefixFold(s, "inf"):
		return math.Inf(1), 3
	case hasPrefixFold(s, "nan"):
		n = 3
		if rest := s[3:]; strings.HasPrefix(rest, "(") {
			j := 1 + span(rest[1:], func(c byte) bool { return isAlnum(c) || c == '_' })
			if j < len(rest) && rest[j] == ')' {
				n += j + 1
			}
		}
		return math.Float64frombits(0x7ff8000000000000), n
	}
	return 0, 0
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

// hexLength is the length of the hexadecimal number that s begins with.
func hexLength(s string) int {
	if !hasPrefixFold(s, "0x") {
		return 0
	}
	n, ok := mantissa(s[2:], isXDigit)
	if !ok {
		return 0 // then it is the number 0 before an x
	}
	n += 2
	return n + exponent(s[n:], 'p')
}

func decimalLength(s string) int {
	n, ok := mantissa(s, isDigit)
	if !ok {
		return 0
	}
	return n + exponent(s[n:], 'e')
}

func mantissa(s string, digit func(byte) bool) (n int, ok bool) {
	n = span(s, digit)
	digits := n
	if n < len(s) && s[n] == '.' {
		after := span(s[n+1:], digit)
		digits += after
		n += 1 + after
	}
	return n, digits > 0
}

// exponent is the length of an exponent with its letter; 0 when it has no digits.
func exponent(s string, letter byte) int {
	if s == "" || s[0]|0x20 != letter {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	digits := span(s[n:], isDigit)
	if digits == 0 {
		return 0
	}
	return n + digits
}

// strtoul reads an unsigned number in a base from 2 to 36, after space and sign, and tells where it ends. What is too large is
// the largest.
func strtoul(s string, base int) (value uint64, end int) {
	i := len(s) - len(strings.TrimLeft(s, spaces))
	negative := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	if base == 16 && hasPrefixFold(s[i:], "0x") && len(s) > i+2 && isXDigit(s[i+2]) {
		i += 2
	}
	first, over := i, false
	for ; i < len(s); i++ {
		d := digitValue(s[i])
		if d >= base {
			break
		}
		if value > (math.MaxUint64-uint64(d))/uint64(base) {
			over = true
		}
		value = value*uint64(base) + uint64(d)
	}
	switch {
	case i == first:
		return 0, 0
	case over:
		return math.MaxUint64, i
	case negative:
		return -value, i
	}
	return value, i
}

func digitValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case isAlpha(c):
		return int(c|0x20-'a') + 10
	}
	return 99
}

// Classes of characters in C's own locale.

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool  { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool  { return isDigit(c) || isAlpha(c) }
func isLower(c byte) bool  { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isXDigit(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isSpace(c byte) bool  { return c == ' ' || c >= '\t' && c <= '\r' }
func isCntrl(c byte) bool  { return c < 32 || c == 127 }
func isPunct(c byte) bool  { return c > 32 && c < 127 && !isAlnum(c) }
