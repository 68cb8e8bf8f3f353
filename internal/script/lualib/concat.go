package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// concatValues is the .. operator, called with the operands' names and the operands.
func (l *Libs) concatValues(L *lua.LState) int {
	n, length := L.GetTop(), 0
	for i := 2; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			length += len(v)
		case lua.LNumber:
			length += 20
		default:
			return l.concatSlowly(L)
		}
	}
	l.room(L, length)
	out := make([]byte, 0, length)
	for i := 2; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			out = append(out, v...)
		case lua.LNumber:
			out = AppendNumber(out, float64(v))
		}
	}
	L.Push(lua.LString(out))
	return 1
}

// concatSlowly joins two at a time, from the right, with metamethods.
func (l *Libs) concatSlowly(L *lua.LState) int {
	last := L.GetTop()
	right := L.Get(last)
	for i := last - 1; i >= 2; i-- {
		left := L.Get(i)
		a, aok := asString(left)
		b, bok := asString(right)
		if aok && bok {
			l.room(L, len(a)+len(b))
			right = lua.LString(a + b)
			continue
		}
		fn := L.GetMetaField(left, "__concat")
		if fn == lua.LNil {
			fn = L.GetMetaField(right, "__concat")
		}
		if fn == lua.LNil {
			at, bad := i, left
			if aok {
				at, bad = i+1, right
			}
			raise(L, "attempt to concatenate %s", operand(L, at, bad))
		}
		L.Push(fn)
		L.Push(left)
		L.Push(right)
		L.Call(2, 1)
		right = L.Get(-1)
		L.Pop(1)
	}
	L.Push(right)
	return 1
}

// operand is what an error says of argument at: its name, if it has one, and its type.
func operand(L *lua.LState, at int, v lua.LValue) string {
	what := "a " + typeName(v) + " value"
	names, _ := asString(L.Get(1))
	if list := strings.Split(names, "\n"); at-2 < len(list) && list[at-2] != "" {
		return list[at-2] + " (" + what + ")"
	}
	return what
}
