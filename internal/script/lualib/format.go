package lualib

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// string.format(format, ...): C's printf without * and with %q.
func (l *Libs) stringFormat(L *lua.LState) int {
	format := checkString(L, 1)
	var out []byte
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out = append(out, format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			out = append(out, '%')
			continue
		}
		if arg++; arg > L.GetTop() {
			argError(L, arg, "no value")
		}
		var v verb
		v, i = readVerb(L, format, i)
		out = l.appendVerb(L, out, v, arg)
		l.room(L, len(out))
	}
	L.Push(lua.LString(out))
	return 1
}

// verb is a conversion's flags, width, precision and letter. The letter is 0 at the end of the format.
type verb struct {
	minus, plus, space, alt, zero bool
	width, precision              int // precision -1: none given
	letter                        byte
}

// readVerb reads from behind the % and returns where the letter is. Width and precision have two digits at most.
func readVerb(L *lua.LState, s string, i int) (verb, int) {
	v := verb{precision: -1}
	at := func() byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	start := i
	for ; at() != 0 && strings.IndexByte("-+ #0", at()) >= 0; i++ {
		switch at() {
		case '-':
			v.minus = true
		case '+':
			v.plus = true
		case ' ':
			v.space = true
		case '#':
			v.alt = true
		case '0':
			v.zero = true
		}
	}
	if i-start > 5 {
		raise(L, "invalid format (repeated flags)")
	}
	twoDigits := func() (n int) {
		for range 2 {
			if isDigit(at()) {
				n = n*10 + int(at()-'0')
				i++
			}
		}
		return n
	}
	v.width = twoDigits()
	if at() == '.' {
		i++
		v.precision = twoDigits()
	}
	if isDigit(at()) {
		raise(L, "invalid format (width or precision too long)")
	}
	v.letter = at()
	return v, i
}

func (l *Libs) appendVerb(L *lua.LState, out []byte, v verb, arg int) []byte {
	switch v.letter {
	case 'c':
		c := byte(ToInt64(checkNumber(L, arg)))
		return append(out, untilZero(v.pad("", string([]byte{c})))...)
	case 'd', 'i':
		return append(out, v.signed(ToInt64(checkNumber(L, arg)))...)
	case 'o', 'u', 'x', 'X':
		return append(out, v.unsigned(toUint64(checkNumber(L, arg)))...)
	case 'e', 'E', 'f', 'g', 'G':
		return append(out, v.float(checkNumber(L, arg))...)
	case 'q':
		return appendQuoted(out, checkString(L, arg))
	case 's':
		s := checkString(L, arg)
		if v.precision < 0 && len(s) >= 100 {
			l.room(L, len(out)+len(s))
			return append(out, s...)
		}
		s = untilZero(s)
		if v.precision >= 0 && v.precision < len(s) {
			s = s[:v.precision]
		}
		v.zero = false
		return append(out, v.pad("", s)...)
	}
	raise(L, "invalid option '%%%s' to 'format'", untilZero(string([]byte{v.letter})))
	return out
}

// untilZero is what C sees of a string.
func untilZero(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// pad fills to the width: behind a sign with zeros, or with spaces on one side.
func (v verb) pad(sign, digits string) string {
	n := v.width - len(sign) - len(digits)
	switch {
	case n <= 0:
		return sign + digits
	case v.minus:
		return sign + digits + strings.Repeat(" ", n)
	case v.zero:
		return sign + strings.Repeat("0", n) + digits
	}
	return strings.Repeat(" ", n) + sign + digits
}

func (v verb) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case v.plus:
		return "+"
	case v.space:
		return " "
	}
	return ""
}

// digits are an integer's, at least as many as the precision says.
func (v *verb) digits(u uint64, base int) string {
	s := strconv.FormatUint(u, base)
	if v.precision >= 0 {
		v.zero = false
		if u == 0 {
			s = ""
		}
		s = strings.Repeat("0", max(v.precision-len(s), 0)) + s
	}
	return s
}

func (v verb) signed(n int64) string {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	digits := v.digits(u, 10)
	return v.pad(v.sign(n < 0), digits)
}

func (v verb) unsigned(u uint64) string {
	switch v.letter {
	case 'o':
		digits := v.digits(u, 8)
		if v.alt && !strings.HasPrefix(digits, "0") {
			digits = "0" + digits
		}
		return v.pad("", digits)
	case 'u':
		digits := v.digits(u, 10)
		return v.pad("", digits)
	}
	digits, prefix := v.digits(u, 16), ""
	if v.alt && u != 0 {
		prefix = "0x"
	}
	if s := v.pad(prefix, digits); v.letter == 'x' {
		return s
	} else {
		return strings.ToUpper(s)
	}
}

func (v verb) float(f float64) string {
	text, odd := notFinite(f)
	if odd {
		v.zero = false
		text = strings.TrimPrefix(text, "-")
	} else {
		text = v.finite(math.Abs(f))
	}
	text = v.pad(v.sign(math.Signbit(f)), text)
	if isUpper(v.letter) {
		return strings.ToUpper(text)
	}
	return text
}

// finite writes a number that is not negative. With #, its point stays, and in %g its zeros.
func (v verb) finite(f float64) string {
	precision := v.precision
	if precision < 0 {
		precision = 6
	}
	letter := v.letter | 0x20
	if letter == 'g' {
		precision = max(precision, 1)
	}
	if !v.alt {
		return strconv.FormatFloat(f, letter, precision, 64)
	}
	if letter == 'g' {
		scientific := strconv.FormatFloat(f, 'e', precision-1, 64)
		exp, err := strconv.Atoi(scientific[strings.IndexByte(scientific, 'e')+1:])
		if err == nil && exp >= -4 && exp < precision {
			letter, precision = 'f', precision-1-exp
		} else {
			letter, precision = 'e', precision-1
		}
	}
	s := strconv.FormatFloat(f, letter, precision, 64)
	if precision > 0 {
		return s
	}
	if mantissa, exponent, ok := strings.Cut(s, "e"); ok {
		return mantissa + ".e" + exponent
	}
	return s + "."
}

// appendQuoted writes a string as Lua reads it.
func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	for _, c := range []byte(s) {
		switch c {
		case '"', '\\', '\n':
			out = append(out, '\\', c)
		case '\r':
			out = append(out, `\r`...)
		case 0:
			out = append(out, `\000`...)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
