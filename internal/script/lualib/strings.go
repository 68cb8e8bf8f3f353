package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (l *Libs) openString() {
	mod := l.module("string", map[string]lua.LGFunction{
		"byte":    stringByte,
		"char":    stringChar,
		"dump":    stringDump,
		"find":    func(L *lua.LState) int { return l.find(L, true) },
		"format":  l.stringFormat,
		"gsub":    l.gsub,
		"len":     stringLen,
		"lower":   l.stringLower,
		"match":   func(L *lua.LState) int { return l.find(L, false) },
		"rep":     l.stringRep,
		"reverse": l.stringReverse,
		"sub":     stringSub,
		"upper":   l.stringUpper,
	})
	gmatch := l.L.NewFunction(l.gmatch)
	mod.RawSetString("gmatch", gmatch)
	mod.RawSetString("gfind", gmatch)
	meta := l.L.NewTable()
	meta.RawSetString("__index", mod)
	l.L.SetMetatable(lua.LString(""), meta)
}

// position counts from the end when negative.
func position(pos int64, n int) int64 {
	if pos < 0 {
		pos += int64(n) + 1
	}
	return max(pos, 0)
}

func stringLen(L *lua.LState) int {
	L.Push(lua.LNumber(len(checkString(L, 1))))
	return 1
}

// string.sub(s, i [, j])
func stringSub(L *lua.LState) int {
	s := checkString(L, 1)
	i := max(position(checkInteger(L, 2), len(s)), 1)
	j := min(position(optInteger(L, 3, -1), len(s)), int64(len(s)))
	if i > j {
		L.Push(lua.LString(""))
	} else {
		L.Push(lua.LString(s[i-1 : j]))
	}
	return 1
}

// string.byte(s [, i [, j]])
func stringByte(L *lua.LState) int {
	s := checkString(L, 1)
	i := position(optInteger(L, 2, 1), len(s))
	j := min(position(optInteger(L, 3, i), len(s)), int64(len(s)))
	i = max(i, 1)
	if i > j {
		return 0
	}
	if int64(L.GetTop())+j-i+1 > maxStack {
		raise(L, "stack overflow (string slice too long)")
	}
	for _, c := range []byte(s[i-1 : j]) {
		L.Push(lua.LNumber(c))
	}
	return int(j - i + 1)
}

func stringChar(L *lua.LState) int {
	out := make([]byte, L.GetTop())
	for i := range out {
		c := checkInt(L, i+1)
		if c < 0 || c > 255 {
			argError(L, i+1, "invalid value")
		}
		out[i] = byte(c)
	}
	L.Push(lua.LString(out))
	return 1
}

// string.dump(f) would be bytecode, which scripts cannot load.
func stringDump(L *lua.LState) int {
	checkFunction(L, 1)
	raise(L, "unable to dump given function")
	return 0
}

func (l *Libs) stringLower(L *lua.LState) int {
	return l.each(L, func(c byte) byte {
		if isUpper(c) {
			return c | 0x20
		}
		return c
	})
}

func (l *Libs) stringUpper(L *lua.LState) int {
	return l.each(L, func(c byte) byte {
		if isLower(c) {
			return c &^ 0x20
		}
		return c
	})
}

func (l *Libs) each(L *lua.LState, f func(byte) byte) int {
	out := []byte(checkString(L, 1))
	l.spend(L, len(out)/64)
	for i, c := range out {
		out[i] = f(c)
	}
	L.Push(lua.LString(out))
	return 1
}

func (l *Libs) stringReverse(L *lua.LState) int {
	s := checkString(L, 1)
	l.spend(L, len(s)/64)
	out := make([]byte, len(s))
	for i := range len(s) {
		out[len(s)-1-i] = s[i]
	}
	L.Push(lua.LString(out))
	return 1
}

// string.rep(s, n)
func (l *Libs) stringRep(L *lua.LState) int {
	s := checkString(L, 1)
	n := checkInt(L, 2)
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	if n > l.limits.Bytes/len(s) {
		raise(L, "resulting string too large")
	}
	l.room(L, n*len(s))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

// string.find(s, pattern [, init [, plain]]) and string.match(s, pattern [, init])
func (l *Libs) find(L *lua.LState, positions bool) int {
	s, pat := checkString(L, 1), checkString(L, 2)
	init := int(min(max(position(optInteger(L, 3, 1), len(s))-1, 0), int64(len(s))))
	special, _, _ := strings.Cut(pat, "\x00")
	if positions && (lua.LVAsBool(L.Get(4)) || !strings.ContainsAny(special, specials)) {
		return l.findPlain(L, s, pat, init)
	}
	m := l.matcher(L, s, pat)
	p := 0
	if m.at(0) == '^' {
		p = 1
	}
	for ; init <= len(s); init++ {
		if e := m.start(init, p); e >= 0 {
			if !positions {
				return m.pushCaptures(init, e, true)
			}
			L.Push(lua.LNumber(init + 1))
			L.Push(lua.LNumber(e))
			return m.pushCaptures(0, 0, false) + 2
		}
		if p == 1 {
			break
		}
	}
	L.Push(lua.LNil)
	return 1
}

func (l *Libs) findPlain(L *lua.LState, s, what string, init int) int {
	l.spend(L, (len(s)-init)/64)
	i := strings.Index(s[init:], what)
	if i < 0 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(init + i + 1))
	L.Push(lua.LNumber(init + i + len(what)))
	return 2
}

// string.gmatch(s, pattern): a function that returns the next match's captures. A ^ has no meaning.
func (l *Libs) gmatch(L *lua.LState) int {
	s, pat := checkString(L, 1), checkString(L, 2)
	next := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		m := l.matcher(L, s, pat)
		for ; next <= len(s); next++ {
			if e := m.start(next, 0); e >= 0 {
				from := next
				if next = e; e == from {
					next++
				}
				return m.pushCaptures(from, e, true)
			}
		}
		return 0
	}))
	return 1
}

// string.gsub(s, pattern, replacement [, n])
func (l *Libs) gsub(L *lua.LState) int {
	s, pat := checkString(L, 1), checkString(L, 2)
	repl := L.Get(3)
	switch repl.Type() {
	case lua.LTNumber, lua.LTString, lua.LTTable, lua.LTFunction:
	default:
		argError(L, 3, "string/function/table expected")
	}
	most := optInt(L, 4, len(s)+1)
	m := l.matcher(L, s, pat)
	p := 0
	if m.at(0) == '^' {
		p = 1
	}
	var out []byte
	n, src := 0, 0
	for n < most {
		e := m.start(src, p)
		if e >= 0 {
			n++
			out = m.replace(out, src, e, repl)
		}
		if e > src {
			src = e
		} else if src < len(s) {
			out = append(out, s[src])
			src++
		} else {
			break
		}
		if p == 1 {
			break
		}
	}
	l.room(L, len(out)+len(s)-src)
	L.Push(lua.LString(append(out, s[src:]...)))
	L.Push(lua.LNumber(n))
	return 2
}

// replace appends what takes the place of the match from s to e.
func (m *matcher) replace(out []byte, s, e int, repl lua.LValue) []byte {
	var v lua.LValue
	switch r := repl.(type) {
	case *lua.LTable:
		v = m.L.GetTable(r, m.capture(0, s, e))
	case *lua.LFunction:
		m.L.Push(r)
		m.L.Call(m.pushCaptures(s, e, true), 1)
		v = m.L.Get(-1)
		m.L.Pop(1)
	default:
		text, _ := asString(repl)
		return m.expand(out, s, e, text)
	}
	if lua.LVIsFalse(v) {
		v = lua.LString(m.src[s:e])
	}
	text, ok := asString(v)
	if !ok {
		raise(m.L, "invalid replacement value (a %s)", typeName(v))
	}
	m.l.room(m.L, len(out)+len(text))
	return append(out, text...)
}

// expand appends a replacement with its %0 to %9 filled in.
func (m *matcher) expand(out []byte, s, e int, repl string) []byte {
	for i := 0; i < len(repl); i++ {
		if repl[i] != '%' {
			out = append(out, repl[i])
			continue
		}
		i++
		var c byte
		if i < len(repl) {
			c = repl[i]
		}
		switch {
		case !isDigit(c):
			out = append(out, c)
		case c == '0':
			m.l.room(m.L, len(out)+e-s)
			out = append(out, m.src[s:e]...)
		default:
			text, _ := asString(m.capture(int(c)-'1', s, e))
			m.l.room(m.L, len(out)+len(text))
			out = append(out, text...)
		}
	}
	m.l.room(m.L, len(out))
	return out
}
