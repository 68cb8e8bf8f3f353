package aof

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrFormat is in the chain of every error about what is in a file.
var ErrFormat = errors.New("aof: bad format")

// kind is what a part is, by the letter that a manifest has for it.
type kind byte

const (
	base    kind = 'b' // the keyspace as it was when the first increment began
	incr    kind = 'i' // commands since
	history kind = 'h' // to be removed
)

// part is a file of the log.
type part struct {
	name string
	seq  int64
	kind kind
}

// manifest lists the files that make up a log, in Redis 7's format: a line each,
// "file NAME seq N type b|i|h".
type manifest struct {
	base  part // without a name: there is none
	incrs []part
	old   []part
}

// parts are the files that are in force, in their order.
func (m *manifest) parts() []part {
	parts := m.incrs
	if m.base.name != "" {
		parts = append([]part{m.base}, parts...)
	}
	return parts
}

// maxLine is the length of a line that Redis still reads.
const maxLine = 1024

// parseManifest reads a manifest. It fails with ErrFormat.
func parseManifest(text []byte) (m manifest, err error) {
	if len(text) == 0 {
		return m, fmt.Errorf("%w: the manifest is empty", ErrFormat)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		p, err := parsePart(line)
		if err == nil {
			err = m.add(p)
		}
		if err != nil {
			return m, fmt.Errorf("%w: line %d of the manifest: %w", ErrFormat, i+1, err)
		}
	}
	return m, nil
}

var (
	errLine     = errors.New("not as a file is told")
	errPath     = errors.New("a file in another directory")
	errTwoBases = errors.New("a second base")
	errOrder    = errors.New("increments are not in order")
)

func (m *manifest) add(p part) error {
	switch p.kind {
	case base:
		if m.base.name != "" {
			return errTwoBases
		}
		m.base = p
	case incr:
		if n := len(m.incrs); n > 0 && m.incrs[n-1].seq >= p.seq {
			return errOrder
		}
		m.incrs = append(m.incrs, p)
	case history:
		m.old = append(m.old, p)
	default:
		return errLine
	}
	return nil
}

func parsePart(line string) (p part, err error) {
	words, ok := splitWords(line)
	if !ok || len(line) > maxLine || len(words) < 6 || len(words)%2 != 0 {
		return p, errLine
	}
	for i := 0; i < len(words); i += 2 {
		val := words[i+1]
		switch strings.ToLower(words[i]) {
		case "file":
			if p.name = val; val == "" || val == "." || val == ".." || filepath.Base(val) != val {
				return p, errPath
			}
		case "seq":
			if p.seq, err = strconv.ParseInt(val, 10, 64); err != nil || p.seq <= 0 {
				return p, errLine
			}
		case "type":
			if len(val) != 1 {
				return p, errLine
			}
			p.kind = kind(val[0])
		}
	}
	if p.name == "" || p.seq == 0 || p.kind == 0 {
		return p, errLine
	}
	return p, nil
}

// splitWords splits a line at spaces; words may be in double quotes.
func splitWords(line string) (words []string, ok bool) {
	for line = strings.TrimLeft(line, " \t\r"); line != ""; line = strings.TrimLeft(line, " \t\r") {
		var word string
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, false
			}
			line = line[len(quoted):]
			if word, err = strconv.Unquote(quoted); err != nil || line != "" && line[0] != ' ' {
				return nil, false
			}
		} else {
			end := strings.IndexByte(line, ' ')
			if end < 0 {
				end = len(line)
			}
			word, line = strings.TrimRight(line[:end], "\r"), line[end:]
		}
		words = append(words, word)
	}
	return words, true
}

// text is the manifest as a file has it.
func (m *manifest) text() []byte {
	var b bytes.Buffer
	parts := m.old
	if m.base.name != "" {
		parts = append([]part{m.base}, parts...)
	}
	for _, p := range append(parts[:len(parts):len(parts)], m.incrs...) {
		fmt.Fprintf(&b, "file %s seq %d type %c\n", quoted(p.name), p.seq, p.kind)
	}
	return b.Bytes()
}

// quoted puts a name in quotes where it needs them, as Redis does: byte by byte.
func quoted(name string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' }
	isPlain := true
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		c := name[i]
		isPlain = isPlain && plain(c)
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case plain(c) || c == ' ' || c == '\'':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	if isPlain {
		return name
	}
	return b.String() + `"`
}
