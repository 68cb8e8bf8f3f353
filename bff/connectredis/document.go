package connectredis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrFormat is the error for a stored value that is not a JSON object. Node
// answers 500 on every request that meets one.
var ErrFormat = errors.New("connectredis: the stored value is not a JSON object")

// Document is a stored session: a JSON object whose members keep their order and
// their very bytes until they are set anew. The zero value is an empty object.
type Document struct {
	members []member
	text    []byte // as parsed; nil once something was changed
	// at is where members are, by name; nil while there are few of them.
	at map[string]int
}

// few members are found faster by looking at each.
const few = 24

type member struct {
	name string
	key  []byte // the name as it stands in the text, with quotes
	val  []byte
}

// Parse reads a stored value. The document keeps data, which must not change
// afterwards. Of members with one name the last counts, as in JavaScript. It
// fails with ErrFormat.
func Parse(data []byte) (*Document, error) {
	if !json.Valid(data) {
		return nil, ErrFormat
	}
	rest := skipSpace(data)
	if rest[0] != '{' {
		return nil, ErrFormat
	}
	d := &Document{}
	for rest = skipSpace(rest[1:]); rest[0] != '}'; {
		if rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
		n := valueEnd(rest)
		key := rest[:n]
		rest = skipSpace(skipSpace(rest[n:])[1:]) // past the colon
		n = valueEnd(rest)
		d.put(memberName(key), key, rest[:n])
		rest = skipSpace(rest[n:])
	}
	d.text = data
	return d, nil
}

// skipSpace, valueEnd: the text is valid JSON, so they need not look for errors.
func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// valueEnd is the length of the JSON value at the start of b.
func valueEnd(b []byte) int {
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		depth := 0
		for i := 0; ; i++ {
			switch b[i] {
			case '"':
				i += stringEnd(b[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	if i := bytes.IndexAny(b, ",}] \t\r\n"); i >= 0 {
		return i
	}
	return len(b)
}

func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// memberName is a name without its quotes and escapes. Names that Go cannot tell
// apart once decoded, since they have half a surrogate pair, stay as they are
// written: nothing asks for them, and they survive.
func memberName(key []byte) string {
	plain := string(key[1 : len(key)-1])
	if !strings.Contains(plain, `\`) && utf8.ValidString(plain) {
		return plain
	}
	var name string
	if err := json.Unmarshal(key, &name); err != nil || strings.ContainsRune(name, utf8.RuneError) {
		return string(key)
	}
	return name
}

func (d *Document) put(name string, key, val []byte) {
	if i, ok := d.find(name); ok {
		d.members[i].val = val
		return
	}
	d.members = append(d.members, member{name, key, val})
	if n := len(d.members); d.at != nil {
		d.at[name] = n - 1
	} else if n > few {
		d.index()
	}
}

func (d *Document) find(name string) (i int, ok bool) {
	if d.at != nil {
		i, ok = d.at[name]
		return i, ok
	}
	i = slices.IndexFunc(d.members, func(m member) bool { return m.name == name })
	return i, i >= 0
}

// index says anew where members are.
func (d *Document) index() {
	d.at = nil
	if len(d.members) <= few {
		return
	}
	d.at = make(map[string]int, len(d.members))
	for i, m := range d.members {
		d.at[m.name] = i
	}
}

// Clone is a document that can be changed on its own.
func (d *Document) Clone() *Document {
	return &Document{members: slices.Clone(d.members), text: d.text, at: maps.Clone(d.at)}
}

// Get is the value of a member, as JSON. The bytes are the document's.
func (d *Document) Get(name string) (val json.RawMessage, ok bool) {
	if i, found := d.find(name); found {
		return d.members[i].val, true
	}
	return nil, false
}

// Set gives a member another value, in its place, or puts a new one at the end.
// val must be JSON and stay as it is.
func (d *Document) Set(name string, val json.RawMessage) {
	d.text = nil
	key, _ := Marshal(name) // a string always can be
	d.put(name, key, val)
}

// Delete removes a member.
func (d *Document) Delete(name string) {
	if i, ok := d.find(name); ok {
		d.members = slices.Delete(d.members, i, i+1)
		d.text = nil
		d.index()
	}
}

// Names are the members' names, in their order.
func (d *Document) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range d.members {
			if !yield(d.members[i].name) {
				return
			}
		}
	}
}

// Bytes is the document as it is stored: what was parsed when nothing changed,
// and otherwise the members one after another, those that nobody set byte for
// byte as they were.
func (d *Document) Bytes() []byte {
	if d.text != nil {
		return d.text
	}
	out := []byte{'{'}
	for i, m := range d.members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.key...), ':'), m.val...)
	}
	return append(out, '}')
}

// Lookup is the value at a path of names with dots between them, "passport.user".
func (d *Document) Lookup(path string) (val json.RawMessage, ok bool) {
	name, rest, deeper := strings.Cut(path, ".")
	val, ok = d.Get(name)
	if !ok || !deeper {
		return val, ok
	}
	inner, err := Parse(val)
	if err != nil {
		return nil, false
	}
	return inner.Lookup(rest)
}

// userPaths are where applications keep the user's id, in the order in which
// User asks: ours, then Passport's.
var userPaths = []string{"bff.sub", "passport.user", "passport.user.id"}

// User is the id of the user whose session it is, "" for nobody: the first of
// the paths at which there is a string or a number. No paths mean "bff.sub",
// "passport.user" and "passport.user.id".
func (d *Document) User(paths ...string) string {
	if len(paths) == 0 {
		paths = userPaths
	}
	for _, p := range paths {
		val, ok := d.Lookup(p)
		if !ok || len(val) == 0 {
			continue
		}
		var id string
		switch {
		case val[0] == '"' && json.Unmarshal(val, &id) == nil && id != "":
			return id
		case val[0] == '-' || '0' <= val[0] && val[0] <= '9':
			return string(val)
		}
	}
	return ""
}

// Marshal is v as JSON without the escapes for HTML, as JavaScript would write
// it but for U+2028 and U+2029, which Go escapes.
func Marshal(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("connectredis: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
