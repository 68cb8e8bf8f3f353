package script

import lua "github.com/yuin/gopher-lua"

// guard keeps scripts from changing what the next one finds. gopher-lua has no read-only
// tables; scripts see empty ones before the real ones.
type guard struct {
	globals *lua.LTable                 // the real ones
	shown   map[*lua.LTable]*lua.LTable // what stands behind an empty table
}

const readOnly = "Attempt to modify a readonly table"

// protect puts guards before the globals, and before each library.
func protect(L *lua.LState) *guard {
	g := &guard{globals: L.G.Global, shown: map[*lua.LTable]*lua.LTable{}}
	refused := L.NewFunction(func(L *lua.LState) int {
		L.RaiseError(readOnly)
		return 0
	})
	locked := L.NewTable() // what getmetatable shows of all that is protected
	meta := L.NewTable()
	meta.RawSetString("__newindex", refused)
	meta.RawSetString("__metatable", locked)
	locked.Metatable = meta
	g.shown[locked] = L.NewTable()
	cover := func(t *lua.LTable) *lua.LTable {
		front, meta := L.NewTable(), L.NewTable()
		meta.RawSetString("__index", t)
		meta.RawSetString("__newindex", refused)
		meta.RawSetString("__metatable", locked)
		front.Metatable = meta
		g.shown[front] = t
		return front
	}
	g.wrap(L)
	var names []lua.LValue
	g.globals.ForEach(func(name, v lua.LValue) {
		if t, ok := v.(*lua.LTable); ok && t != g.globals {
			names = append(names, name)
		}
	})
	for _, name := range names {
		if t, ok := g.globals.RawGet(name).(*lua.LTable); ok {
			g.globals.RawSet(name, cover(t))
		}
	}
	missing := L.NewTable()
	missing.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		L.RaiseError("Script attempted to access nonexistent global variable '%s'", shown(L.Get(2)))
		return 0
	}))
	g.globals.Metatable = missing
	if text, ok := L.GetMetatable(lua.LString("")).(*lua.LTable); ok {
		text.RawSetString("__metatable", locked)
	}
	env := cover(g.globals)
	g.globals.RawSetString("_G", env)
	L.Env = env
	return g
}

// wrap has the functions that look past metatables know the guards.
func (g *guard) wrap(L *lua.LState) {
	for _, name := range []string{"rawset", "setmetatable"} {
		g.around(L, name, func(L *lua.LState) {
			if t, ok := L.Get(1).(*lua.LTable); ok && g.shown[t] != nil {
				L.Error(lua.LString(readOnly), 0)
			}
		})
	}
	for _, name := range []string{"rawget", "next", "pairs", "ipairs"} {
		g.around(L, name, func(L *lua.LState) {
			if t, ok := L.Get(1).(*lua.LTable); ok && g.shown[t] != nil {
				L.Replace(1, g.shown[t])
			}
		})
	}
}

func (g *guard) around(L *lua.LState, name string, before func(L *lua.LState)) {
	plain, ok := g.globals.RawGetString(name).(*lua.LFunction)
	if !ok {
		panic("script: no function " + name)
	}
	g.globals.RawSetString(name, L.NewClosure(func(L *lua.LState) int {
		before(L)
		return plain.GFunction(L)
	}, upvalues(plain)...))
}

func upvalues(fn *lua.LFunction) []lua.LValue {
	all := make([]lua.LValue, 0, len(fn.Upvalues))
	for _, up := range fn.Upvalues {
		all = append(all, up.Value())
	}
	return all
}
