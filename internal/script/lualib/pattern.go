package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Patterns of Lua 5.1, matched by backtracking as there, with three differences: every step is counted, so that a script that
// is stopped stops here too; depth is bounded; and what Lua reads beyond the end of a pattern is its end.

const (
	maxCaptures   = 32
	maxMatchDepth = 20000 // of the matcher's calls of itself; each costs some 150 bytes of stack
	specials      = "^$*+?.([%-"
)

// Lengths of captures that have none.
const (
	captureOpen     = -1
	capturePosition = -2
)

// matcher is one subject and one pattern.
type matcher struct {
	l        *Libs
	L        *lua.LState
	src, pat string
	steps    int
	depth    int
	level    int // captures so far
	captures [maxCaptures]struct{ start, length int }
}

func (l *Libs) matcher(L *lua.LState, src, pat string) *matcher {
	if i := strings.IndexByte(pat, 0); i >= 0 {
		pat = pat[:i]
	}
	return &matcher{l: l, L: L, src: src, pat: pat}
}

// at is the pattern's byte at p, 0 at its end.
func (m *matcher) at(p int) byte {
	if p < len(m.pat) {
		return m.pat[p]
	}
	return 0
}

func (m *matcher) step() {
	if m.steps++; m.steps >= pollEvery/4 {
		m.l.spend(m.L, m.steps)
		m.steps = 0
	}
}

// start matches the pattern from p on at s, without captures of an earlier try, and returns where the match ends, or -1.
func (m *matcher) start(s, p int) int {
	m.level, m.depth = 0, 0
	return m.match(s, p)
}

func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxMatchDepth {
		raise(m.L, "pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.step()
		switch m.at(p) {
		case 0:
			return s
		case '(':
			if m.at(p+1) == ')' {
				return m.open(s, p+2, capturePosition)
			}
			return m.open(s, p+1, captureOpen)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			var special bool
			if s, p, special = m.escape(s, p); s < 0 {
				return -1
			} else if special {
				continue
			}
		}
		end := m.classEnd(p)
		switch m.at(end) {
		case '?':
			if m.single(s, p, end) {
				if e := m.match(s+1, end+1); e >= 0 {
					return e
				}
			}
			p = end + 1
		case '*':
			return m.longest(s, p, end)
		case '+':
			if !m.single(s, p, end) {
				return -1
			}
			return m.longest(s+1, p, end)
		case '-':
			return m.shortest(s, p, end)
		default:
			if !m.single(s, p, end) {
				return -1
			}
			s++
			p = end
		}
	}
}

// escape handles %b, %f and back references and returns where to go on; s is -1 when they don't match.
func (m *matcher) escape(s, p int) (int, int, bool) {
	switch c := m.at(p + 1); {
	case c == 'b':
		return m.balance(s, p+2), p + 4, true
	case c == 'f':
		p += 2
		if m.at(p) != '[' {
			raise(m.L, "missing '[' after '%%f' in pattern")
		}
		end := m.classEnd(p)
		if m.inSet(m.byteAt(s-1), p, end-1) || !m.inSet(m.byteAt(s), p, end-1) {
			return -1, p, true
		}
		return s, end, true
	case isDigit(c):
		return m.backReference(s, c), p + 2, true
	}
	return s, p, false
}

// byteAt is the subject's byte at s, 0 outside.
func (m *matcher) byteAt(s int) byte {
	if s >= 0 && s < len(m.src) {
		return m.src[s]
	}
	return 0
}

func (m *matcher) open(s, p, length int) int {
	if m.level >= maxCaptures {
		raise(m.L, "too many captures")
	}
	m.captures[m.level].start, m.captures[m.level].length = s, length
	m.level++
	e := m.match(s, p)
	if e < 0 {
		m.level--
	}
	return e
}

func (m *matcher) close(s, p int) int {
	for i := m.level - 1; i >= 0; i-- {
		if m.captures[i].length == captureOpen {
			m.captures[i].length = s - m.captures[i].start
			e := m.match(s, p)
			if e < 0 {
				m.captures[i].length = captureOpen
			}
			return e
		}
	}
	raise(m.L, "invalid pattern capture")
	return -1
}

func (m *matcher) backReference(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= m.level || m.captures[i].length == captureOpen {
		raise(m.L, "invalid capture index")
	}
	c := m.captures[i]
	if c.length < 0 { // of a position: longer than any subject
		return -1
	}
	m.l.spend(m.L, c.length/64)
	if strings.HasPrefix(m.src[s:], m.src[c.start:c.start+c.length]) {
		return s + c.length
	}
	return -1
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		raise(m.L, "unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	opening, closing := m.pat[p], m.pat[p+1]
	depth := 1
	for i := s + 1; i < len(m.src); i++ {
		m.step()
		switch m.src[i] {
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		case opening:
			depth++
		}
	}
	return -1
}

func (m *matcher) longest(s, p, end int) int {
	n := 0
	for m.single(s+n, p, end) {
		m.step()
		n++
	}
	for ; n >= 0; n-- {
		if e := m.match(s+n, end+1); e >= 0 {
			return e
		}
	}
	return -1
}

func (m *matcher) shortest(s, p, end int) int {
	for {
		if e := m.match(s, end+1); e >= 0 {
			return e
		}
		if !m.single(s, p, end) {
			return -1
		}
		s++
	}
}

// classEnd is where the single character class at p ends.
func (m *matcher) classEnd(p int) int {
	switch m.at(p) {
	case '%':
		if p+1 >= len(m.pat) {
			raise(m.L, "malformed pattern (ends with '%%')")
		}
		return p + 2
	case '[':
		return m.setEnd(p + 1)
	}
	return p + 1
}

func (m *matcher) setEnd(p int) int {
	if m.at(p) == '^' {
		p++
	}
	for first := true; first || m.at(p) != ']'; first = false {
		m.step()
		if p >= len(m.pat) {
			raise(m.L, "malformed pattern (missing ']')")
		}
		if m.pat[p] == '%' && p+1 < len(m.pat) {
			p++
		}
		p++
	}
	return p + 1
}

// single says whether the subject's byte at s is in the class from p to end.
func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet says whether c is in the set from its '[' at p to its ']' at last.
func (m *matcher) inSet(c byte, p, last int) bool {
	in := true
	if m.at(p+1) == '^' {
		in = false
		p++
	}
	for p++; p < last; p++ {
		m.step()
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(c, m.at(p)) {
				return in
			}
		case m.at(p+1) == '-' && p+2 < last:
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return in
			}
			p += 2
		case m.pat[p] == c:
			return in
		}
	}
	return !in
}

// inClass says whether c is in a class such as %a; of other characters, whether it is that character.
func inClass(c, class byte) bool {
	var in bool
	switch class | 0x20 {
	case 'a':
		in = isAlpha(c)
	case 'c':
		in = isCntrl(c)
	case 'd':
		in = isDigit(c)
	case 'l':
		in = isLower(c)
	case 'p':
		in = isPunct(c)
	case 's':
		in = isSpace(c)
	case 'u':
		in = isUpper(c)
	case 'w':
		in = isAlnum(c)
	case 'x':
		in = isXDigit(c)
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isAlpha(class) {
		return class == c
	}
	return in != isUpper(class)
}

// capture is the value of capture i of a match from s to e. Without captures, the first is the whole match.
func (m *matcher) capture(i, s, e int) lua.LValue {
	if i >= m.level {
		if i != 0 {
			raise(m.L, "invalid capture index")
		}
		return lua.LString(m.src[s:e])
	}
	switch c := m.captures[i]; c.length {
	case capturePosition:
		return lua.LNumber(c.start + 1)
	case captureOpen:
		raise(m.L, "unfinished capture")
		return lua.LNil
	default:
		return lua.LString(m.src[c.start : c.start+c.length])
	}
}

// pushCaptures pushes all captures, or the whole match when there are none and whole says so.
func (m *matcher) pushCaptures(s, e int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.L.Push(m.capture(i, s, e))
	}
	return n
}
