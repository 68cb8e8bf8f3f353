package lualib

import (
	"errors"
	"runtime/metrics"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openBase keeps of gopher-lua's base library what Redis' scripts have and gopher-lua has right.
func (l *Libs) openBase() {
	L := l.L
	L.Push(L.NewFunction(lua.OpenBase))
	L.Call(0, 0)
	L.Push(L.NewFunction(lua.OpenCoroutine))
	L.Call(0, 0)
	for _, name := range []string{"dofile", "loadfile", "print", "module", "require", "newproxy", "_printregs", "_GOPHER_LUA_VERSION", "getfenv", "setfenv"} {
		L.SetGlobal(name, lua.LNil)
	}
	for name, fn := range map[string]lua.LGFunction{
		"assert":         l.assert,
		"error":          l.raiseValue,
		"pcall":          pcall,
		"tostring":       l.tostring,
		"tonumber":       l.tonumber,
		"unpack":         l.unpack,
		"select":         l.sel,
		"load":           l.load,
		"loadstring":     l.loadstring,
		"collectgarbage": l.collectgarbage,
		"gcinfo":         l.gcinfo,
	} {
		L.SetGlobal(name, L.NewFunction(fn))
	}
}

// assert(v [, message]): its arguments, or an error when v is nil or false.
func (l *Libs) assert(L *lua.LState) int {
	if lua.LVIsFalse(checkAny(L, 1)) {
		raise(L, "%s", optString(L, 2, "assertion failed!"))
	}
	return L.GetTop()
}

// error([v [, level]]): strings get the line of that level in front.
func (l *Libs) raiseValue(L *lua.LState) int {
	level := optInt(L, 2, 1)
	v := L.Get(1)
	if s, ok := asString(v); ok && level > 0 {
		raisePlain(L, where(L, level)+s)
	}
	if s, ok := v.(lua.LString); ok {
		raisePlain(L, string(s))
	}
	L.Error(v, 0)
	return 0
}

// pcall(f, ...) is Redis' own: of an error that is a table with a text in err, as redis.call raises, the script gets the text;
// another table comes with what it has there.
func pcall(L *lua.LState) int {
	if L.GetTop() == 0 {
		L.Push(lua.LTrue) // what Redis then calls
	}
	if v := L.Get(1); v.Type() != lua.LTFunction && L.GetMetaField(v, "__call") == lua.LNil {
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a " + typeName(v) + " value"))
		return 2
	}
	L.Insert(lua.LTrue, 1)
	err := L.PCall(L.GetTop()-2, lua.MultRet, nil)
	if err == nil {
		return L.GetTop()
	}
	L.SetTop(0)
	L.Push(lua.LFalse)
	failed, ok := errors.AsType[*lua.ApiError](err)
	if !ok {
		L.Push(lua.LString(err.Error()))
		return 2
	}
	t, ok := failed.Object.(*lua.LTable)
	if !ok {
		L.Push(failed.Object)
		return 2
	}
	text := L.GetField(t, "err")
	if lua.LVCanConvToString(text) {
		L.Push(text)
		return 2
	}
	L.Push(t)
	L.Push(text)
	return 3
}

func (l *Libs) tostring(L *lua.LState) int {
	L.Push(l.text(L, checkAny(L, 1)))
	return 1
}

// text is what tostring returns: a string, unless a __tostring returns something else.
func (l *Libs) text(L *lua.LState, v lua.LValue) lua.LValue {
	if fn := L.GetMetaField(v, "__tostring"); fn != lua.LNil {
		L.Push(fn)
		L.Push(v)
		L.Call(1, 1)
		result := L.Get(-1)
		L.Pop(1)
		return result
	}
	switch v := v.(type) {
	case lua.LString:
		return v
	case lua.LNumber:
		return lua.LString(FormatNumber(float64(v)))
	case *lua.LUserData:
		if v == l.Null {
			return lua.LString("userdata: (nil)")
		}
	}
	return lua.LString(v.String())
}

// tonumber(v [, base])
func (l *Libs) tonumber(L *lua.LState) int {
	base := optInt(L, 2, 10)
	if base == 10 {
		if f, ok := asNumber(checkAny(L, 1)); ok {
			L.Push(lua.LNumber(f))
		} else {
			L.Push(lua.LNil)
		}
		return 1
	}
	s := checkString(L, 1)
	if base < 2 || base > 36 {
		argError(L, 2, "base out of range")
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	n, end := strtoul(s, base)
	if end == 0 || strings.Trim(s[end:], spaces) != "" {
		L.Push(lua.LNil)
	} else {
		L.Push(lua.LNumber(n))
	}
	return 1
}

// unpack(t [, i [, j]]): no more results than Redis' stack holds.
func (l *Libs) unpack(L *lua.LState) int {
	t := checkTable(L, 1)
	i := optInt(L, 2, 1)
	j := optInt(L, 3, t.Len())
	if i > j {
		return 0
	}
	n := j - i + 1
	if max(L.GetTop(), 3)+n > maxStack {
		raise(L, "too many results to unpack")
	}
	for k := i; k <= j; k++ {
		L.Push(rawIndex(t, k))
	}
	return n
}

// rawIndex is t[i] without metamethods, also where gopher-lua keeps it outside its array.
func rawIndex(t *lua.LTable, i int) lua.LValue {
	return t.RawGet(lua.LNumber(i))
}

// select(n, ...)
func (l *Libs) sel(L *lua.LState) int {
	top := L.GetTop()
	if s, ok := L.Get(1).(lua.LString); ok && strings.HasPrefix(string(s), "#") {
		L.Push(lua.LNumber(top - 1))
		return 1
	}
	i := checkInt(L, 1)
	if i < 0 {
		i += top
	} else if i > top {
		i = top
	}
	if i < 1 {
		argError(L, 1, "index out of range")
	}
	return top - i
}

// loadstring(source [, chunk name])
func (l *Libs) loadstring(L *lua.LState) int {
	s := checkString(L, 1)
	return l.compileOrNil(L, s, optString(L, 2, s))
}

// load(function [, chunk name]): the source comes in pieces.
func (l *Libs) load(L *lua.LState) int {
	fn := checkFunction(L, 1)
	name := optString(L, 2, "=(load)")
	var source strings.Builder
	for {
		L.Push(fn)
		L.Call(0, 1)
		piece := L.Get(-1)
		L.Pop(1)
		if piece == lua.LNil {
			break
		}
		s, ok := asString(piece)
		if !ok {
			L.Push(lua.LNil)
			L.Push(lua.LString("reader function must return a string"))
			return 2
		}
		if s == "" {
			break
		}
		l.room(L, source.Len()+len(s))
		source.WriteString(s)
	}
	return l.compileOrNil(L, source.String(), name)
}

func (l *Libs) compileOrNil(L *lua.LState, source, name string) int {
	proto, err := Compile(source, name)
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	L.Push(l.function(L, proto))
	return 1
}

// collectgarbage([what [, n]]): Go's collector needs no advice; only "count" tells something.
func (l *Libs) collectgarbage(L *lua.LState) int {
	what := optString(L, 1, "collect")
	optInt(L, 2, 0)
	switch what {
	case "count":
		L.Push(lua.LNumber(float64(heapBytes()) / 1024))
	case "step":
		L.Push(lua.LTrue)
	case "collect", "stop", "restart", "setpause", "setstepmul":
		L.Push(lua.LNumber(0))
	default:
		argError(L, 1, "invalid option '"+what+"'")
	}
	return 1
}

// gcinfo(): kilobytes in use.
func (l *Libs) gcinfo(L *lua.LState) int {
	L.Push(lua.LNumber(heapBytes() / 1024))
	return 1
}

// heapBytes is what Go's heap holds, all of the process; nobody stops for it.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
