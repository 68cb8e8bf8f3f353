// Package transcript reads, replays and records transcripts: text files of
// commands and of what a real Redis answered. It knows a Redis only by its
// address. testdata/transcripts/README.md describes the format.
package transcript

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/resp"
)

// File is a transcript.
type File struct {
	Name  string
	lines []string
	steps []step
}

type kind int

const (
	send       kind = iota // > command
	sendRaw                // >> bytes
	want                   // < reply
	switchConn             // @ conn name
	waits                  // @ waits
	closed                 // @ closed
	advance                // @ advance 1100ms
	unordered              // @ unordered
	margin                 // @ margin 5
	matches                // @ matches regexp
	since                  // @ since 7.2
	proto                  // @ resp 3
	setConfig              // @ config name value
	saveReply              // @ save name [element]
)

// step is a line that does something.
type step struct {
	kind  kind
	line  int // index in File.lines
	args  []string
	reply resp.Value
	n     int64
	wait  time.Duration
	re    *regexp.Regexp
}

// ReadFile reads a transcript from disk.
func ReadFile(name string) (*File, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", err)
	}
	return Parse(name, string(b))
}

// ReadDir reads every transcript (*.txt) below dir, in order of their names. A
// path of a file is that file.
func ReadDir(dir string) ([]*File, error) {
	var files []*File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".txt" {
			return err
		}
		f, err := ReadFile(path)
		files = append(files, f)
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no transcripts in %s", dir)
	}
	return files, err
}

// Parse reads a transcript from text. Errors name file and line.
func Parse(name, text string) (*File, error) {
	f := &File{Name: name, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	for i, line := range f.lines {
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		s.line = i
		f.steps = append(f.steps, s)
	}
	return f, nil
}

func parseLine(line string) (s step, err error) {
	mark, rest, _ := strings.Cut(line, " ")
	switch mark {
	case ">":
		s.kind = send
		if s.args, err = words(rest); err == nil && len(s.args) == 0 {
			err = fmt.Errorf("a command of no words")
		}
	case ">>":
		s.kind = sendRaw
		s.args, err = words(rest)
	case "<":
		s.kind = want
		s.reply, err = ParseReply(rest)
	case "@":
		s, err = directive(rest)
	default:
		err = fmt.Errorf("a line begins with %q, not with > >> < @ #", mark)
	}
	return s, err
}

// directives: the name, the kind, how many words at least and at most.
var directives = map[string]struct {
	kind     kind
	min, max int
}{
	"conn":      {switchConn, 1, 1},
	"waits":     {waits, 0, 0},
	"closed":    {closed, 0, 0},
	"advance":   {advance, 1, 1},
	"unordered": {unordered, 0, 0},
	"margin":    {margin, 1, 1},
	"matches":   {matches, 1, 1},
	"since":     {since, 1, 1},
	"resp":      {proto, 1, 1},
	"config":    {setConfig, 2, 2},
	"save":      {saveReply, 1, 2},
}

func directive(rest string) (s step, err error) {
	if re, ok := strings.CutPrefix(rest, "matches "); ok { // taken as it stands
		s.kind = matches
		s.re, err = regexp.Compile(re)
		return s, err
	}
	args, err := words(rest)
	if err != nil || len(args) == 0 {
		return s, errors.Join(fmt.Errorf("directive %q", rest), err)
	}
	d, ok := directives[args[0]]
	if s.args = args[1:]; !ok || len(s.args) < d.min || len(s.args) > d.max {
		return s, fmt.Errorf("no such directive: %q", rest)
	}
	switch s.kind = d.kind; d.kind {
	case advance:
		s.wait, err = time.ParseDuration(s.args[0])
	case margin, proto:
		s.n, err = strconv.ParseInt(s.args[0], 10, 64)
	case saveReply:
		if s.n = -1; len(s.args) == 2 {
			s.n, err = strconv.ParseInt(s.args[1], 10, 64)
		}
	}
	return s, err
}

// words splits a line at blanks. A word in "double quotes" or `backquotes` is
// read as Go does; *N behind it repeats it.
func words(line string) (args []string, err error) {
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return args, nil
		}
		var word string
		if line[0] == '"' || line[0] == '`' {
			word, line, err = quoted(line)
			if err == nil && line != "" && line[0] != ' ' && line[0] != '\t' {
				err = fmt.Errorf("%q behind a closing quote", line)
			}
		} else {
			end := strings.IndexAny(line, " \t")
			if end < 0 {
				end = len(line)
			}
			word, line = line[:end], line[end:]
		}
		if err != nil {
			return nil, err
		}
		args = append(args, word)
	}
}

// quoted reads a quoted string, perhaps repeated, off the beginning of s.
func quoted(s string) (text, rest string, err error) {
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", fmt.Errorf("no closing quote: %s", s)
	}
	if text, err = strconv.Unquote(q); err != nil {
		return "", "", fmt.Errorf("%s: %w", q, err)
	}
	rest = s[len(q):]
	if times, ok := strings.CutPrefix(rest, "*"); ok {
		end := strings.IndexFunc(times, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(times)
		}
		n, err := strconv.Atoi(times[:end])
		if err != nil || n > 64<<20 {
			return "", "", fmt.Errorf("repeat %q times", times[:end])
		}
		text, rest = strings.Repeat(text, n), times[end:]
	}
	return text, rest, nil
}

// ParseReply reads what resp.Value's String writes.
func ParseReply(s string) (resp.Value, error) {
	if s == "" {
		return resp.Value{}, fmt.Errorf("an empty reply")
	}
	if (s[0] == '+' || s[0] == '-') && !strings.HasPrefix(s[1:], `"`) { // the whole line, as it stands
		return resp.Value{Kind: resp.Kind(s[0]), Text: s[1:]}, nil
	}
	v, rest, err := parseReply(s, 0)
	if err == nil && rest != "" {
		err = fmt.Errorf("%q behind a reply", rest)
	}
	return v, err
}

func parseReply(s string, depth int) (v resp.Value, rest string, err error) {
	if s == "" || depth > 100 {
		return v, s, fmt.Errorf("a reply is missing, or nested too deep")
	}
	v.Kind = resp.Kind(s[0])
	if len(s) > 1 && s[1] == '[' && strings.IndexByte("*%~>|", s[0]) >= 0 {
		v.Elems = []resp.Value{}
		for rest = s[2:]; ; {
			if rest = strings.TrimLeft(rest, " "); rest != "" && rest[0] == ']' {
				break
			}
			var e resp.Value
			if e, rest, err = parseReply(rest, depth+1); err != nil {
				return v, rest, err
			}
			v.Elems = append(v.Elems, e)
		}
		if rest = rest[1:]; v.Kind != resp.KindAttribute {
			return v, rest, nil
		}
		described, rest, err := parseReply(strings.TrimLeft(rest, " "), depth+1)
		described.Attr = append(v.Elems, described.Attr...)
		return described, rest, err
	}
	if s = s[1:]; s != "" && s[0] == '"' {
		v.Text, rest, err = quoted(s)
		return v, rest, err
	}
	end := strings.IndexAny(s, " ]")
	if end < 0 {
		end = len(s)
	}
	v.Text, rest = s[:end], s[end:]
	return v, rest, plain(&v)
}

// plain checks the kinds that are written without quotes.
func plain(v *resp.Value) (err error) {
	switch v.Kind {
	case resp.KindInt:
		v.Int, err = strconv.ParseInt(v.Text, 10, 64)
	case resp.KindBulk, resp.KindArray:
		if v.Absent = v.Text == "-1"; !v.Absent {
			err = fmt.Errorf("%c%s: quotes or brackets are missing", v.Kind, v.Text)
		}
		v.Text = ""
	default:
		kinds := []resp.Kind{resp.KindNull, resp.KindBool, resp.KindDouble, resp.KindBigNumber, resp.KindStatus, resp.KindError}
		if !slices.Contains(kinds, v.Kind) {
			err = fmt.Errorf("no reply begins with %q", byte(v.Kind))
		}
	}
	return err
}
