package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Error tells where a configuration is wrong, in the shape in which operators
// know it from Redis.
type Error struct {
	// Source is the file, "standard input", "the command line" or "the
	// environment"; Line counts from 1 in a file and is 0 elsewhere.
	Source string
	Line   int
	Text   string // the line as it stands, without secrets
	Err    error
}

// Error returns several lines.
func (e *Error) Error() string {
	where := e.Source
	if e.Line > 0 {
		where = fmt.Sprintf("%s, at line %d", e.Source, e.Line)
	}
	return fmt.Sprintf("\n*** FATAL CONFIG FILE ERROR (Coatcheck) ***\nReading the configuration from %s\n>>> '%s'\n%v", where, e.Text, e.Err)
}

// Unwrap returns the reason alone.
func (e *Error) Unwrap() error { return e.Err }

// reader applies configuration lines to c.
type reader struct {
	c     *Config
	depth int             // of includes
	began map[string]bool // parameters that add up, once they were cleared

	source string // of the line that is read
	line   int
}

const maxIncludes = 16

// file reads a file with the files it includes.
func (r *reader) file(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("can't open config file: %w", err)
	}
	return r.lines(name, bytes.NewReader(b))
}

// lines reads a configuration line by line.
func (r *reader) lines(source string, in io.Reader) error {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words, err := Split(line)
		if err == nil && len(words) > 0 {
			r.source, r.line = source, n
			err = r.directive(words)
		}
		var inner *Error
		if errors.As(err, &inner) {
			return err // in an included file
		}
		if err != nil {
			return &Error{source, n, withoutSecret(line), err}
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("read %s: %w", source, err)
	}
	return nil
}

// withoutSecret cuts the values off a line that holds a password.
func withoutSecret(line string) string {
	name, _, _ := strings.Cut(line, " ")
	if Sensitive(name) || strings.EqualFold(name, "user") {
		return name + " (value not shown)"
	}
	return line
}

var errDirective = Refusal("Bad directive or wrong number of arguments")

// directive applies one line's words.
func (r *reader) directive(words []string) error {
	name, args := strings.ToLower(words[0]), words[1:]
	switch name {
	case "include":
		return r.include(args)
	case "rename-command":
		if len(args) != 2 {
			return errDirective
		}
		r.c.Renames = append(r.c.Renames, Rename{strings.ToLower(args[0]), strings.ToLower(args[1])})
		return nil
	case "user": // what rules may name, the server knows
		r.c.Users = append(r.c.Users, UserLine{args, r.source, r.line})
		return nil
	case "loadmodule":
		return Refusal("modules cannot be loaded")
	case "sentinel":
		return Refusal("this server is not a Sentinel")
	}
	if p := byName[name]; p != nil {
		return r.param(p, args)
	}
	if why := elsewhere[name]; why != "" {
		r.warn(name, why)
		return nil
	}
	if near := nearest(name); near != "" {
		return fmt.Errorf("%w; did you mean %q?", errDirective, near)
	}
	return errDirective
}

// param sets a parameter. The lines of save add up, after the first has
// cleared the default.
func (r *reader) param(p *param, args []string) error {
	if len(args) == 0 {
		return errWords
	}
	before := p.text(r.c)
	if p.name == "save" && r.began[p.name] && args[0] != "" {
		text, err := p.check(r.c, args)
		if err != nil {
			return err
		}
		args = strings.Fields(before + " " + text)
	}
	if err := p.load(r.c, args); err != nil {
		return err
	}
	r.began[p.name] = true
	if p.note != "" && p.text(r.c) != defaults[p.name] {
		r.warn(p.name, p.note)
	}
	return nil
}

func (r *reader) warn(name, why string) {
	r.c.Warnings = append(r.c.Warnings, fmt.Sprintf("%s has no effect: %s", name, why))
}

// include reads files; a pattern that matches none is no error.
func (r *reader) include(args []string) error {
	if len(args) != 1 {
		return errDirective
	}
	files := args
	if strings.ContainsAny(args[0], "*?[") {
		var err error
		if files, err = filepath.Glob(args[0]); err != nil {
			return fmt.Errorf("include %s: %w", args[0], err)
		}
	}
	if r.depth++; r.depth > maxIncludes {
		return fmt.Errorf("includes nest deeper than %d: does a file include itself?", maxIncludes)
	}
	defer func() { r.depth-- }()
	for _, f := range files {
		if err := r.file(f); err != nil {
			return err
		}
	}
	return nil
}
