package lualib

import lua "github.com/yuin/gopher-lua"

func (l *Libs) openTable() {
	l.module("table", map[string]lua.LGFunction{
		"concat":   l.tableConcat,
		"foreach":  l.tableForeach,
		"foreachi": l.tableForeachi,
		"getn":     tableGetn,
		"insert":   l.tableInsert,
		"maxn":     l.tableMaxn,
		"remove":   l.tableRemove,
		"setn":     tableSetn,
		"sort":     l.tableSort,
	})
}

// table.concat(t [, separator [, i [, j]]])
func (l *Libs) tableConcat(L *lua.LState) int {
	sep := optString(L, 2, "")
	t := checkTable(L, 1)
	i, j := optInt(L, 3, 1), 0
	if isNone(L, 4) {
		j = t.Len()
	} else {
		j = checkInt(L, 4)
	}
	var out []byte
	for k := i; k <= j; k++ {
		v := rawIndex(t, k)
		switch v := v.(type) {
		case lua.LString:
			l.room(L, len(out)+len(v))
			out = append(out, v...)
		case lua.LNumber:
			out = AppendNumber(out, float64(v))
		default:
			raise(L, "invalid value (%s) at index %d in table for 'concat'", typeName(v), k)
		}
		if k < j {
			l.room(L, len(out)+len(sep))
			out = append(out, sep...)
		}
		l.spend(L, 1)
	}
	L.Push(lua.LString(out))
	return 1
}

// visit calls the function at 2 with two values and keeps its result, if it is not nil.
func visit(L *lua.LState, key, value lua.LValue) bool {
	L.Push(L.Get(2))
	L.Push(key)
	L.Push(value)
	L.Call(2, 1)
	if L.Get(-1) != lua.LNil {
		return true
	}
	L.Pop(1)
	return false
}

// table.foreach(t, f): until f returns something.
func (l *Libs) tableForeach(L *lua.LState) int {
	t := checkTable(L, 1)
	checkFunction(L, 2)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		l.spend(L, 1)
		if visit(L, k, v) {
			return 1
		}
	}
	return 0
}

// table.foreachi(t, f)
func (l *Libs) tableForeachi(L *lua.LState) int {
	t := checkTable(L, 1)
	n := t.Len()
	checkFunction(L, 2)
	for i := 1; i <= n; i++ {
		l.spend(L, 1)
		if visit(L, lua.LNumber(i), rawIndex(t, i)) {
			return 1
		}
	}
	return 0
}

func tableGetn(L *lua.LState) int {
	L.Push(lua.LNumber(checkTable(L, 1).Len()))
	return 1
}

func tableSetn(L *lua.LState) int {
	checkTable(L, 1)
	raise(L, "'setn' is obsolete")
	return 0
}

// table.maxn(t): the greatest number that is a key.
func (l *Libs) tableMaxn(L *lua.LState) int {
	t := checkTable(L, 1)
	var most lua.LNumber
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		l.spend(L, 1)
		if n, ok := k.(lua.LNumber); ok && n > most {
			most = n
		}
	}
	L.Push(most)
	return 1
}

// table.insert(t, [position,] value): what lies at position and behind moves up.
func (l *Libs) tableInsert(L *lua.LState) int {
	t := checkTable(L, 1)
	end := t.Len() + 1
	pos := end
	switch L.GetTop() {
	case 2:
	case 3:
		pos = checkInt(L, 2)
	default:
		raise(L, "wrong number of arguments to 'insert'")
	}
	v := L.Get(L.GetTop())
	l.shift(L, t, pos, end)
	l.set(L, t, lua.LNumber(pos), v)
	return 0
}

// shift moves t[pos], …, t[end-1] up by one. A position far below 1 is as long a walk as in Lua 5.1, but can be interrupted.
func (l *Libs) shift(L *lua.LState, t *lua.LTable, pos, end int) {
	for i := end; i > pos; i-- {
		if i&15 == 0 {
			l.spend(L, 1)
		}
		t.RawSet(lua.LNumber(i), rawIndex(t, i-1))
	}
}

// set is t[i] = v. gopher-lua fills an array up to i with nil: those are work, and bytes.
func (l *Libs) set(L *lua.LState, t *lua.LTable, i lua.LNumber, v lua.LValue) {
	if n := int(i) - t.Len(); n > 0 && int(i) < lua.MaxArrayIndex {
		l.room(L, 16*n)
	}
	t.RawSet(i, v)
}

// table.remove(t [, position]): what lies behind moves down.
func (l *Libs) tableRemove(L *lua.LState) int {
	t := checkTable(L, 1)
	end := t.Len()
	pos := optInt(L, 2, end)
	if pos < 1 || pos > end {
		return 0
	}
	l.spend(L, (end-pos)/64)
	L.Push(t.Remove(pos))
	return 1
}
