package lualib

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// cjson.encode(v)
func (j *json) encode(L *lua.LState) int {
	if L.GetTop() != 1 {
		argError(L, 1, "expected 1 argument")
	}
	e := jsonEncoder{l: j.l, L: L, cfg: j.cfg}
	e.value(L.Get(1), 0, 1)
	L.Push(lua.LString(e.out))
	return 1
}

type jsonEncoder struct {
	l   *Libs
	L   *lua.LState
	cfg *jsonConfig
	out []byte
}

func (e *jsonEncoder) cannot(v lua.LValue, reason string) {
	raise(e.L, "Cannot serialise %s: %s", typeName(v), reason)
}

// value appends v, which lies in depth tables. held is how many values Lua's stack would hold if this were C; it bounds the
// depth where the script has lifted its own bound.
func (e *jsonEncoder) value(v lua.LValue, depth, held int) {
	e.l.spend(e.L, 1)
	switch v := v.(type) {
	case lua.LString:
		e.text(string(v))
	case lua.LNumber:
		e.number(v)
	case lua.LBool:
		e.out = append(e.out, v.String()...)
	case *lua.LTable:
		e.table(v, depth+1, held)
	case *lua.LNilType:
		e.out = append(e.out, "null"...)
	default:
		if v != lua.LValue(e.l.Null) {
			e.cannot(v, "type not supported")
		}
		e.out = append(e.out, "null"...)
	}
}

func (e *jsonEncoder) table(t *lua.LTable, depth, held int) {
	if depth > e.cfg.encodeMaxDepth || held+3 > maxStack {
		raise(e.L, "Cannot serialise, excessive nesting (%d)", depth)
	}
	if n := e.arrayLength(t); n > 0 {
		e.array(t, n, depth, held)
	} else {
		e.object(t, depth, held)
	}
}

// arrayLength is the greatest index of a table whose keys are all 1, 2, …; -1 when it is an object.
func (e *jsonEncoder) arrayLength(t *lua.LTable) int {
	most, items := 0, 0
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		e.l.spend(e.L, 1)
		f, ok := k.(lua.LNumber)
		if !ok || f < 1 || math.Floor(float64(f)) != float64(f) {
			return -1
		}
		most = max(most, int(int32(ToInt64(float64(f)))))
		items++
	}
	if e.cfg.sparseRatio > 0 && most > items*e.cfg.sparseRatio && most > e.cfg.sparseSafe {
		if !e.cfg.sparseConvert {
			e.cannot(t, "excessively sparse array")
		}
		return -1
	}
	return most
}

func (e *jsonEncoder) array(t *lua.LTable, n, depth, held int) {
	e.out = append(e.out, '[')
	for i := 1; i <= n; i++ {
		if i > 1 {
			e.out = append(e.out, ',')
		}
		e.value(rawIndex(t, i), depth, held+1)
		e.l.room(e.L, len(e.out))
	}
	e.out = append(e.out, ']')
}

func (e *jsonEncoder) object(t *lua.LTable, depth, held int) {
	e.out = append(e.out, '{')
	comma := false
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if comma {
			e.out = append(e.out, ',')
		}
		comma = true
		switch k := k.(type) {
		case lua.LNumber:
			e.out = append(e.out, '"')
			e.number(k)
			e.out = append(e.out, '"', ':')
		case lua.LString:
			e.text(string(k))
			e.out = append(e.out, ':')
		default:
			e.cannot(k, "table key must be a number or string")
		}
		e.value(v, depth, held+2)
		e.l.room(e.L, len(e.out))
	}
	e.out = append(e.out, '}')
}

func (e *jsonEncoder) number(n lua.LNumber) {
	f := float64(n)
	if text, odd := notFinite(f); odd {
		switch e.cfg.encodeInvalid {
		case invalidOff:
			e.cannot(n, "must not be NaN or Inf")
		case invalidNull:
			text = "null"
		case invalidOn:
			if math.IsNaN(f) {
				text = "nan"
			}
		}
		e.out = append(e.out, text...)
		return
	}
	if e.cfg.encodePrecision == defaultJSON.encodePrecision {
		e.out = AppendNumber(e.out, f)
		return
	}
	e.out = appendG(e.out, f, e.cfg.encodePrecision)
}

func (e *jsonEncoder) text(s string) {
	e.l.room(e.L, len(e.out)+len(s))
	const hex = "0123456789abcdef"
	e.out = append(e.out, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != '/' && c != 127 {
			continue
		}
		e.out = append(e.out, s[from:i]...)
		from = i + 1
		switch c {
		case '\b':
			e.out = append(e.out, `\b`...)
		case '\t':
			e.out = append(e.out, `\t`...)
		case '\n':
			e.out = append(e.out, `\n`...)
		case '\f':
			e.out = append(e.out, `\f`...)
		case '\r':
			e.out = append(e.out, `\r`...)
		case '"', '\\', '/':
			e.out = append(e.out, '\\', c)
		default:
			e.out = append(e.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	e.out = append(append(e.out, s[from:]...), '"')
}
