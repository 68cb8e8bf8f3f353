package lualib

import lua "github.com/yuin/gopher-lua"

// table.sort(t [, less]) is Lua 5.1's quicksort, step by step, since scripts see the order in which it leaves equal elements
// and the calls of their own function.
func (l *Libs) tableSort(L *lua.LState) int {
	s := sorter{l: l, L: L, t: checkTable(L, 1)}
	n := s.t.Len()
	if !isNone(L, 2) {
		s.less = checkFunction(L, 2)
	}
	L.SetTop(2)
	s.sort(1, n)
	return 0
}

type sorter struct {
	l    *Libs
	L    *lua.LState
	t    *lua.LTable
	less *lua.LFunction // nil for <
}

func (s *sorter) at(i int) lua.LValue     { return rawIndex(s.t, i) }
func (s *sorter) set(i int, v lua.LValue) { s.t.RawSet(lua.LNumber(i), v) }

func (s *sorter) swap(i, j int) {
	a, b := s.at(i), s.at(j)
	s.set(i, b)
	s.set(j, a)
}

func (s *sorter) isLess(a, b lua.LValue) bool {
	s.l.spend(s.L, 1)
	if s.less == nil {
		return lessThan(s.L, a, b)
	}
	s.L.Push(s.less)
	s.L.Push(a)
	s.L.Push(b)
	s.L.Call(2, 1)
	result := lua.LVAsBool(s.L.Get(-1))
	s.L.Pop(1)
	return result
}

// sort orders t[low], …, t[up]; it calls itself for the smaller half only.
func (s *sorter) sort(low, up int) {
	for low < up {
		if s.isLess(s.at(up), s.at(low)) {
			s.swap(low, up)
		}
		if up-low == 1 {
			return
		}
		mid := (low + up) / 2
		if s.isLess(s.at(mid), s.at(low)) {
			s.swap(mid, low)
		} else if s.isLess(s.at(up), s.at(mid)) {
			s.swap(mid, up)
		}
		if up-low == 2 {
			return
		}
		pivot := s.at(mid)
		s.swap(mid, up-1)
		i := s.partition(low, up, pivot)
		s.swap(up-1, i)
		if i-low < up-i {
			s.sort(low, i-1)
			low = i + 1
		} else {
			s.sort(i+1, up)
			up = i - 1
		}
	}
}

// partition moves what is less than the pivot before the rest and returns where the rest begins. The pivot lies at up-1.
func (s *sorter) partition(low, up int, pivot lua.LValue) int {
	i, j := low, up-1
	for {
		for i++; s.isLess(s.at(i), pivot); i++ {
			if i > up {
				raise(s.L, "invalid order function for sorting")
			}
		}
		for j--; s.isLess(pivot, s.at(j)); j-- {
			if j < low {
				raise(s.L, "invalid order function for sorting")
			}
		}
		if j < i {
			return i
		}
		s.swap(i, j)
	}
}

// lessThan is Lua's < with its error.
func lessThan(L *lua.LState, a, b lua.LValue) bool {
	switch x := a.(type) {
	case lua.LNumber:
		if y, ok := b.(lua.LNumber); ok {
			return x < y
		}
	case lua.LString:
		if y, ok := b.(lua.LString); ok {
			return x < y
		}
	default:
		fn := L.GetMetaField(a, "__lt")
		if a.Type() == b.Type() && fn != lua.LNil && fn == L.GetMetaField(b, "__lt") {
			return L.LessThan(a, b)
		}
	}
	raisePlain(L, compareError(a, b))
	return false
}

// compareError is Lua 5.1's text. It takes types for equal whose third letters are.
func compareError(a, b lua.LValue) string {
	x, y := typeName(a), typeName(b)
	if x[2] == y[2] {
		return "attempt to compare two " + x + " values"
	}
	return "attempt to compare " + x + " with " + y
}
