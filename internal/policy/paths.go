package policy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"unicode/utf8"
)

// Where the user's name stands in a session: a scan over the JSON that looks at no
// more than it must and allocates nothing, unless a name is written with escapes. For
// JSON that is valid it finds what encoding/json and JSON.parse would: of members
// with the same name the last. For what is not it finds something or nothing.

// Paths are the places where a user's name may stand, the best first.
type Paths struct {
	paths  []path
	digits bool // some name has one
}

// path is the names of members, one inside another; whole is all of it.
type path struct {
	names []name
	whole []byte
}

// name is a member's.
type name struct {
	text  string
	bytes []byte
}

const (
	maxPaths = 16
	// maxUser is how long a user's name may be, in bytes; longer ones are no names.
	maxUser = 1024
)

// ErrPaths says that words are no paths.
var ErrPaths = errors.New("argument must be at most 16 paths such as passport.user, their parts not empty")

// ParsePaths reads paths such as passport.user.
func ParsePaths(words []string) (*Paths, error) {
	if len(words) > maxPaths {
		return nil, ErrPaths
	}
	p := &Paths{}
	for _, w := range words {
		one := path{whole: []byte(w)}
		for _, part := range strings.Split(w, ".") {
			if part == "" {
				return nil, ErrPaths
			}
			one.names = append(one.names, name{part, []byte(part)})
			p.digits = p.digits || strings.ContainsAny(part, "0123456789")
		}
		p.paths = append(p.paths, one)
	}
	return p, nil
}

// Find is the user's name in a JSON document: the string or number at the first
// path that leads to one which is not empty. It points into doc where it can.
func (p *Paths) Find(doc []byte) (user []byte) {
	user, _ = p.locate(doc)
	return user
}

// spot is where a user's name stood in a document: its bytes, and which path led there.
// The zero value is none: there was no name, or one written with escapes.
type spot struct{ from, to, path int32 }

// locate is Find, with the place.
func (p *Paths) locate(doc []byte) (user []byte, s spot) {
	if i := space(doc, 0); i == len(doc) || doc[i] != '{' {
		return nil, s
	}
	for i := range p.paths {
		at := 0
		for j := range p.paths[i].names {
			if at = find(doc, at, &p.paths[i].names[j]); at == 0 {
				break
			}
		}
		if at == 0 {
			continue
		}
		if user = scalar(doc, at); len(user) > 0 && len(user) <= maxUser {
			if doc[at] == '"' {
				at++
			}
			if &doc[at] == &user[0] && len(doc) <= math.MaxInt32 {
				s = spot{int32(at), int32(at + len(user)), int32(i)}
			}
			return user, s
		}
	}
	return nil, s
}

// stays says whether the user's name is, and stands, in doc as it was at s in old. It may
// say no though it is: what it looks for is that nothing but digits has changed before
// the name, and that behind it no name of a path follows which could count instead.
// A session that is written again passes that in a tenth of the time of a scan.
func (p *Paths) stays(s spot, old, doc []byte) bool {
	from, to := int(s.from), int(s.to)
	if to == 0 || p.digits || to >= len(doc) || to >= len(old) || bytes.IndexByte(doc, '\\') >= 0 {
		return false
	}
	if !bytes.Equal(old[from-1:to+1], doc[from-1:to+1]) || !onlyDigits(old[:from], doc[:from]) {
		return false
	}
	rest := doc[to:]
	whole := closes(rest, len(p.paths[s.path].names)-1)
	for i := range p.paths[:s.path+1] {
		names := p.paths[i].names
		if whole {
			if names = names[:1]; i > 0 && names[0].text == p.paths[i-1].names[0].text {
				continue
			}
		}
		for j := range names {
			if bytes.Contains(rest, names[j].bytes) {
				return false
			}
		}
	}
	return true
}

// closes says whether the objects around a value, so many of them, end right behind it:
// then no other member of theirs can count instead. rest begins behind the value's text.
func closes(rest []byte, depth int) bool {
	if len(rest) > 0 && rest[0] == '"' {
		rest = rest[1:]
	}
	for i := range depth {
		if i >= len(rest) || rest[i] != '}' {
			return false
		}
	}
	return true
}

// onlyDigits says whether two texts of one length differ in digits alone.
func onlyDigits(a, b []byte) bool {
	b = b[:len(a)]
	for len(a) >= 8 {
		if binary.LittleEndian.Uint64(a) != binary.LittleEndian.Uint64(b) && !digitsDiffer(a[:8], b[:8]) {
			return false
		}
		a, b = a[8:], b[8:]
	}
	return digitsDiffer(a, b)
}

func digitsDiffer(a, b []byte) bool {
	for i, c := range a {
		if d := b[i]; c != d && (c < '0' || c > '9' || d < '0' || d > '9') {
			return false
		}
	}
	return true
}

// follows says whether a member of that name may stand in b.
func (n *name) follows(b []byte) bool {
	return bytes.Contains(b, n.bytes) || bytes.IndexByte(b, '\\') >= 0
}

// find is where the value of a member begins of the object at or behind from; 0 when
// there is none. What follows behind the last one of that name is not looked at.
func find(b []byte, from int, n *name) (at int) {
	i := space(b, from)
	if i >= len(b) || b[i] != '{' || !n.follows(b[i:]) {
		return 0
	}
	i = space(b, i+1)
	for i < len(b) && b[i] == '"' {
		end := quoted(b, i)
		if end == 0 {
			return 0
		}
		is := n.is(b[i+1 : end-1])
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return 0
		}
		i = space(b, i+1)
		if is {
			if at = i; !n.follows(b[i:]) {
				return at
			}
		}
		if i = skip(b, i); i == 0 {
			return 0
		}
		i = space(b, i)
		if i < len(b) && b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return at
}

// is says whether a name as it is written is this one.
func (n *name) is(raw []byte) bool {
	if string(raw) == n.text {
		return true
	}
	return bytes.IndexByte(raw, '\\') >= 0 && string(unescape(raw)) == n.text
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// quoted is where the string that begins at i ends, behind its quote; 0 when it does
// not.
func quoted(b []byte, i int) int {
	for end := i + 1; ; end++ {
		n := bytes.IndexByte(b[end:], '"')
		if n < 0 {
			return 0
		}
		end += n
		slashes := 0
		for b[end-1-slashes] == '\\' { // a quote stands before them
			slashes++
		}
		if slashes%2 == 0 {
			return end + 1
		}
	}
}

// skip is where the value that begins at i ends; 0 when it does not.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return 0
	}
	switch b[i] {
	case '"':
		return quoted(b, i)
	case '{', '[':
		return nested(b, i)
	}
	from := i
	for i < len(b) && !ends[b[i]] {
		i++
	}
	if i == from {
		return 0
	}
	return i
}

// ends are the bytes that end a number or a word.
var ends = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, ',': true, '}': true, ']': true, '"': true, ':': true, '{': true, '[': true}

// marks are the bytes that nested looks at.
var marks = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true}

// nested is skip of an object or a list.
func nested(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		c := b[i]
		if !marks[c] {
			continue
		}
		switch c {
		case '"':
			end := quoted(b, i)
			if end == 0 {
				return 0
			}
			i = end - 1
		case '{', '[':
			depth++
		default:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// scalar is the text of the string or number that begins at i; nil for other values.
func scalar(b []byte, i int) []byte {
	if i >= len(b) {
		return nil
	}
	switch c := b[i]; {
	case c == '"':
		end := quoted(b, i)
		if end == 0 {
			return nil
		}
		raw := b[i+1 : end-1]
		if bytes.IndexByte(raw, '\\') >= 0 || !utf8.Valid(raw) {
			return unescape(raw)
		}
		return raw
	case c == '-' || c >= '0' && c <= '9':
		if end := skip(b, i); end > 0 {
			return b[i:end]
		}
	}
	return nil
}

// unescape is what a string means that is written so; nil when it is none.
func unescape(raw []byte) []byte {
	doc := make([]byte, 0, len(raw)+2)
	doc = append(append(append(doc, '"'), raw...), '"')
	var text string
	if json.Unmarshal(doc, &text) != nil {
		return nil
	}
	return []byte(text)
}
