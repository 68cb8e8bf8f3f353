package script

import (
	"bytes"
	"errors"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"coatcheck/internal/script/lualib"
	"coatcheck/resp"
)

// reader makes Lua's values of a reply that our server has written.
type reader struct {
	L *lua.LState
	b []byte
}

// line takes a line, without its mark and end.
func (r *reader) line() (mark byte, rest []byte) {
	end := bytes.IndexByte(r.b, '\n')
	mark, rest = r.b[0], r.b[1:end-1]
	r.b = r.b[end+1:]
	return mark, rest
}

// bulk takes n bytes and their line end.
func (r *reader) bulk(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n+2:]
	return b
}

// value takes one reply.
func (r *reader) value() lua.LValue {
	mark, rest := r.line()
	switch mark {
	case '+':
		return r.field("ok", lua.LString(rest))
	case '-':
		return errorTable(r.L, string(rest))
	case ',':
		f, _ := strconv.ParseFloat(string(rest), 64) // ours
		return r.field("double", lua.LNumber(f))
	case '(':
		return r.field("big_number", lua.LString(rest))
	case '#':
		return lua.LBool(rest[0] == 't')
	case '_':
		return lua.LNil
	}
	n, _ := strconv.ParseInt(string(rest), 10, 64) // ours
	switch {
	case mark == ':':
		return lua.LNumber(n)
	case n < 0:
		return lua.LFalse
	case mark == '$':
		return lua.LString(r.bulk(int(n)))
	case mark == '=':
		b := r.bulk(int(n))
		t := r.L.CreateTable(0, 2)
		t.RawSetString("format", lua.LString(b[:3]))
		t.RawSetString("string", lua.LString(b[4:]))
		return r.field("verbatim_string", t)
	case mark == '%':
		t := r.L.NewTable()
		for range n {
			k := r.value()
			t.RawSet(k, r.value())
		}
		return r.field("map", t)
	case mark == '~':
		t := r.L.NewTable()
		for range n {
			t.RawSet(r.value(), lua.LTrue)
		}
		return r.field("set", t)
	}
	t := r.L.CreateTable(int(n), 0)
	for i := range int(n) {
		t.RawSetInt(i+1, r.value())
	}
	return t
}

func (r *reader) field(name string, v lua.LValue) lua.LValue {
	t := r.L.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// maxDepth bounds tables within tables: there is an error instead of the next one.
const maxDepth = 2000

// writer makes a reply of Lua's values.
type writer struct {
	m   *Machine
	out *resp.Reply
}

func (w *writer) value(v lua.LValue, depth int) {
	switch v := v.(type) {
	case lua.LString:
		w.out.BulkText(string(v))
	case lua.LNumber:
		w.out.Int(lualib.ToInt64(float64(v)))
	case lua.LBool:
		switch {
		case w.m.proto == 3:
			w.out.Bool(bool(v))
		case bool(v):
			w.out.Int(1)
		default:
			w.out.Null()
		}
	case *lua.LTable:
		if depth >= maxDepth {
			w.out.Error(refuse("reached lua stack limit"))
			return
		}
		if !w.special(v, depth+1) {
			w.array(v, depth+1)
		}
	default:
		w.out.Null()
	}
}

// special writes a table that stands for another kind of reply.
func (w *writer) special(t *lua.LTable, depth int) bool {
	if s, ok := t.RawGetString("err").(lua.LString); ok {
		w.out.Error(errors.New(string(s))) //nolint:err113 // the script's words
		return true
	}
	if s, ok := t.RawGetString("ok").(lua.LString); ok {
		w.out.Status(string(s))
		return true
	}
	if f, ok := t.RawGetString("double").(lua.LNumber); ok {
		w.out.Double(float64(f))
		return true
	}
	if pairs, ok := t.RawGetString("map").(*lua.LTable); ok {
		n, at := 0, w.out.DeferArray()
		pairs.ForEach(func(k, v lua.LValue) {
			w.value(k, depth)
			w.value(v, depth)
			n++
		})
		w.out.EndMap(at, n)
		return true
	}
	if members, ok := t.RawGetString("set").(*lua.LTable); ok {
		n, at := 0, w.out.DeferArray()
		members.ForEach(func(k, _ lua.LValue) {
			w.value(k, depth)
			n++
		})
		w.out.EndSet(at, n)
		return true
	}
	if s, ok := t.RawGetString("big_number").(lua.LString); ok {
		w.out.BigNumber(string(s))
		return true
	}
	if v, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok {
		s, isText := v.RawGetString("string").(lua.LString)
		format, isFormat := v.RawGetString("format").(lua.LString)
		if isText && isFormat {
			w.out.Verbatim((string(format) + "   ")[:3], string(s))
			return true
		}
	}
	return false
}

// array writes the elements up to the first nil.
func (w *writer) array(t *lua.LTable, depth int) {
	n, at := 0, w.out.DeferArray()
	for v := t.RawGetInt(1); v != lua.LNil; v = t.RawGetInt(n + 1) {
		w.value(v, depth)
		n++
	}
	w.out.EndArray(at, n)
}
