package lualib

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// cjson.decode(text)
func (j *json) decode(L *lua.LState) int {
	if L.GetTop() != 1 {
		argError(L, 1, "expected 1 argument")
	}
	s := checkString(L, 1)
	if len(s) >= 2 && (s[0] == 0 || s[1] == 0) {
		raise(L, "JSON parser does not support UTF-16 or UTF-32")
	}
	d := jsonDecoder{l: j.l, L: L, cfg: j.cfg, s: s}
	v := d.value(d.next(), 1)
	if t := d.next(); t.kind != jsonEnd {
		d.unexpected("the end", t)
	}
	L.Push(v)
	return 1
}

// jsonKind is a token's type, by the name that errors give it.
type jsonKind string

const (
	jsonObject      jsonKind = "T_OBJ_BEGIN"
	jsonObjectEnd   jsonKind = "T_OBJ_END"
	jsonArray       jsonKind = "T_ARR_BEGIN"
	jsonArrayEnd    jsonKind = "T_ARR_END"
	jsonText        jsonKind = "T_STRING"
	jsonNumber      jsonKind = "T_NUMBER"
	jsonBool        jsonKind = "T_BOOLEAN"
	jsonNull        jsonKind = "T_NULL"
	jsonColon       jsonKind = "T_COLON"
	jsonComma       jsonKind = "T_COMMA"
	jsonEnd         jsonKind = "T_END"
	jsonError       jsonKind = "T_ERROR"
	invalidToken             = "invalid token"
	invalidNumber            = "invalid number"
	maxJSONEscape            = 12 // bytes of two \uXXXX
	surrogateOffset          = 0x10000
)

// jsonToken is one token: its value, or what is wrong, and where it begins.
type jsonToken struct {
	kind  jsonKind
	at    int
	value lua.LValue
	fault string
}

type jsonDecoder struct {
	l     *Libs
	L     *lua.LState
	cfg   *jsonConfig
	s     string
	at    int
	depth int
}

// peek is the byte n behind the next one, 0 at the end, where C has one.
func (d *jsonDecoder) peek(n int) byte {
	if d.at+n < len(d.s) {
		return d.s[d.at+n]
	}
	return 0
}

func (d *jsonDecoder) unexpected(want string, t jsonToken) {
	found := string(t.kind)
	if t.kind == jsonError {
		found = t.fault
	}
	raise(d.L, "Expected %s but found %s at character %d", want, found, t.at+1)
}

// next reads a token. The text ends at a zero byte.
func (d *jsonDecoder) next() jsonToken {
	d.l.spend(d.L, 1)
	for c := d.peek(0); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = d.peek(0) {
		d.at++
	}
	t := jsonToken{at: d.at}
	switch c := d.peek(0); {
	case c == 0 && d.at < len(d.s) || d.at >= len(d.s):
		t.kind = jsonEnd
	case c == '"':
		return d.text(t)
	case c == '-' || isDigit(c):
		if !d.cfg.decodeInvalid && isInvalidNumber(d.s[d.at:]) {
			return d.fault(t, invalidNumber)
		}
		return d.number(t)
	case punctuation(c) != "":
		t.kind = punctuation(c)
		d.at++
	default:
		return d.word(t)
	}
	return t
}

func punctuation(c byte) jsonKind {
	switch c {
	case '{':
		return jsonObject
	case '}':
		return jsonObjectEnd
	case '[':
		return jsonArray
	case ']':
		return jsonArrayEnd
	case ':':
		return jsonColon
	case ',':
		return jsonComma
	}
	return ""
}

func (d *jsonDecoder) fault(t jsonToken, what string) jsonToken {
	return jsonToken{kind: jsonError, at: d.at, fault: what}
}

func (d *jsonDecoder) word(t jsonToken) jsonToken {
	rest := d.s[d.at:]
	for word, found := range map[string]jsonToken{
		"true": {kind: jsonBool, value: lua.LTrue}, "false": {kind: jsonBool, value: lua.LFalse}, "null": {kind: jsonNull, value: d.l.Null},
	} {
		if strings.HasPrefix(rest, word) {
			d.at += len(word)
			found.at = t.at
			return found
		}
	}
	if strings.IndexByte("+iInN", rest[0]) >= 0 && d.cfg.decodeInvalid && isInvalidNumber(rest) {
		return d.number(t)
	}
	return d.fault(t, invalidToken)
}

func (d *jsonDecoder) number(t jsonToken) jsonToken {
	rest := d.s[d.at:]
	if d.l.spend(d.L, len(rest)/64/1024); len(rest) > 1<<16 {
		rest = untilZero(rest)
	}
	f, n := strtod(rest)
	if n == 0 {
		return d.fault(t, invalidNumber)
	}
	d.at += n
	t.kind, t.value = jsonNumber, lua.LNumber(f)
	return t
}

// isInvalidNumber recognises what C reads as a number and JSON does not: +, hexadecimal, leading zeros, infinite and none.
func isInvalidNumber(s string) bool {
	if s[0] == '+' {
		return true
	}
	s = strings.TrimPrefix(s, "-")
	if s == "" {
		return false
	}
	if s[0] == '0' {
		return len(s) > 1 && (s[1]|0x20 == 'x' || isDigit(s[1]))
	}
	return s[0] > '9' && (hasPrefixFold(s, "inf") || hasPrefixFold(s, "nan"))
}

func (d *jsonDecoder) text(t jsonToken) jsonToken {
	d.at++
	var out []byte
	for {
		n := 0
		for c := d.peek(n); c != '"' && c != '\\' && c != 0; c = d.peek(n) {
			n++
		}
		out = append(out, d.s[d.at:d.at+n]...)
		d.l.spend(d.L, n/64)
		d.at += n
		switch d.peek(0) {
		case '"':
			d.at++
			t.kind, t.value = jsonText, lua.LString(out)
			return t
		case 0:
			return d.fault(t, "unexpected end of string")
		}
		if d.peek(1) == 'u' {
			r, n := d.unicode()
			if n == 0 {
				return d.fault(t, "invalid unicode escape code")
			}
			out = appendRune(out, r)
			d.at += n
			continue
		}
		c := unescape(d.peek(1))
		if c == 0 {
			return d.fault(t, "invalid escape code")
		}
		out = append(out, c)
		d.at += 2
	}
}

func unescape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// appendRune appends a character as UTF-8, also one that is no character, but fits.
func appendRune(out []byte, r rune) []byte {
	if r >= 0xD800 && r < 0xE000 {
		return append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(out, r)
}

// unicode reads one \uXXXX or the two of a surrogate pair and tells their length, 0 when they are wrong.
func (d *jsonDecoder) unicode() (r rune, n int) {
	high, ok := d.hex(2)
	if !ok {
		return 0, 0
	}
	if high&0xF800 != 0xD800 {
		return high, maxJSONEscape / 2
	}
	if high&0x400 != 0 || d.peek(6) != '\\' || d.peek(7) != 'u' {
		return 0, 0
	}
	low, ok := d.hex(8)
	if !ok || low&0xFC00 != 0xDC00 {
		return 0, 0
	}
	return (high&0x3FF)<<10 + low&0x3FF + surrogateOffset, maxJSONEscape
}

func (d *jsonDecoder) hex(n int) (r rune, ok bool) {
	for i := range 4 {
		v := digitValue(d.peek(n + i))
		if v > 15 {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}

// value makes a value of a token and what follows. held is how many values Lua's stack would hold if this were C.
func (d *jsonDecoder) value(t jsonToken, held int) lua.LValue {
	switch t.kind {
	case jsonText, jsonNumber, jsonBool, jsonNull:
		return t.value
	case jsonObject:
		return d.object(held)
	case jsonArray:
		return d.array(held)
	}
	d.unexpected("value", t)
	return lua.LNil
}

// descend refuses a table too deep; slots is what it would take of C's stack.
func (d *jsonDecoder) descend(held, slots int) {
	d.depth++
	if d.depth > d.cfg.decodeMaxDepth || held+slots > maxStack {
		raise(d.L, "Found too many nested data structures (%d) at character %d", d.depth, d.at)
	}
}

func (d *jsonDecoder) object(held int) lua.LValue {
	d.descend(held, 3)
	obj := d.L.NewTable()
	t := d.next()
	if t.kind == jsonObjectEnd {
		d.depth--
		return obj
	}
	for {
		if t.kind != jsonText {
			d.unexpected("object key string", t)
		}
		key := t.value
		if t = d.next(); t.kind != jsonColon {
			d.unexpected("colon", t)
		}
		obj.RawSet(key, d.value(d.next(), held+2))
		t = d.next()
		if t.kind == jsonObjectEnd {
			d.depth--
			return obj
		}
		if t.kind != jsonComma {
			d.unexpected("comma or object end", t)
		}
		t = d.next()
	}
}

func (d *jsonDecoder) array(held int) lua.LValue {
	d.descend(held, 2)
	arr := d.L.NewTable()
	t := d.next()
	if t.kind == jsonArrayEnd {
		d.depth--
		return arr
	}
	for i := 1; ; i++ {
		arr.RawSet(lua.LNumber(i), d.value(t, held+1))
		t = d.next()
		if t.kind == jsonArrayEnd {
			d.depth--
			return arr
		}
		if t.kind != jsonComma {
			d.unexpected("comma or array end", t)
		}
		t = d.next()
	}
}
