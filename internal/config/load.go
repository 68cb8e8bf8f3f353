package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Sources is where a server's configuration comes from. Later ones win:
// defaults, file, environment, flags.
type Sources struct {
	// Defaults are lines for what nobody else speaks of, "save 60 1".
	Defaults []string
	// Args are the process' arguments behind its name, as redis-server takes
	// them: [FILE | -] [--NAME VALUE... | --NAME=VALUE]...
	Args []string
	// Environ is the environment, "NAME=VALUE" each: COATCHECK_ and a
	// parameter's name in capitals with underscores, or REDIS_HOST (bind),
	// REDIS_PORT and REDIS_PASSWORD, over which COATCHECK_ wins.
	Environ []string
	// Stdin is read for the file "-", after a file of Args if there is one.
	Stdin io.Reader
}

// Load reads a configuration. Its error is an *Error where a line, flag or
// variable is to blame.
func Load(src Sources) (*Config, error) {
	r := &reader{c: New(), began: map[string]bool{}}
	for _, line := range src.Defaults {
		if err := r.directive(strings.Fields(line)); err != nil {
			return nil, err
		}
	}
	clear(r.began)
	file, stdin, flags := cutArgs(src.Args)
	if file != "" {
		abs, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("config file: %w", err)
		}
		r.c.File = abs
		if err := r.file(abs); err != nil {
			return nil, err
		}
	}
	if stdin && src.Stdin != nil {
		if err := r.lines("standard input", src.Stdin); err != nil {
			return nil, err
		}
	}
	if err := r.environ(src.Environ); err != nil {
		return nil, err
	}
	if err := r.flags(flags); err != nil {
		return nil, err
	}
	if r.c.Dir != "" {
		abs, err := filepath.Abs(r.c.Dir)
		if err != nil {
			return nil, fmt.Errorf("dir: %w", err)
		}
		r.c.Dir = abs
	}
	return r.c, nil
}

// cutArgs finds the file and the "-" in front of the flags. A "-" may also
// stand at the end, as redis-server has it.
func cutArgs(args []string) (file string, stdin bool, flags []string) {
	if n := len(args); n > 0 && args[n-1] == "-" {
		stdin, args = true, args[:n-1]
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "--") {
		if args[0] == "-" {
			return "", true, args[1:]
		}
		return args[0], stdin, args[1:]
	}
	return "", stdin, args
}

// environ applies variables.
func (r *reader) environ(env []string) error {
	for _, alias := range []struct{ variable, param string }{
		{"REDIS_HOST", "bind"}, {"REDIS_PORT", "port"}, {"REDIS_PASSWORD", "requirepass"},
	} {
		if err := r.variable(env, alias.variable, alias.param); err != nil {
			return err
		}
	}
	known := map[string]bool{}
	for i := range table {
		p := &table[i]
		for _, name := range []string{p.name, p.alias} {
			if name == "" {
				continue
			}
			variable := "COATCHECK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if err := r.variable(env, variable, name); err != nil {
				return err
			}
			known[variable] = true
		}
	}
	r.warnUnknown(env, known)
	return nil
}

// warnUnknown tells of variables that look like ours and are not, without their
// values, which may be secret. What container platforms set for a service named
// like us is no mistake.
func (r *reader) warnUnknown(env []string, known map[string]bool) {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "COATCHECK_") || known[name] ||
			strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT_") || strings.Contains(value, "://") {
			continue
		}
		r.c.Warnings = append(r.c.Warnings, name+" in the environment is no parameter's name and ignored")
	}
}

// variable sets a parameter from one variable, where it is set.
//
// Container platforms set variables such as REDIS_PORT=tcp://10.0.0.1:6379 for
// their services; such a value is not meant for us.
func (r *reader) variable(env []string, variable, name string) error {
	value, ok := lookup(env, variable)
	if !ok {
		return nil
	}
	if name == "port" && strings.Contains(value, "://") {
		r.c.Warnings = append(r.c.Warnings, variable+"="+value+" is not a port and ignored")
		return nil
	}
	p := byName[name]
	delete(r.began, p.name)
	words := []string{value}
	if p.flags&multi != 0 && value != "" {
		words = strings.Fields(value)
	}
	if err := r.param(p, words); err != nil {
		return &Error{"the environment", 0, withoutSecretFlag(p, variable+"="+value), err}
	}
	return nil
}

// lookup finds the last value of a variable, as a process does.
func lookup(env []string, name string) (value string, ok bool) {
	for _, e := range env {
		if n, v, found := strings.Cut(e, "="); found && n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// flags applies --NAME VALUE... and --NAME=VALUE. A value that starts with two
// dashes needs the second form.
func (r *reader) flags(args []string) error {
	r.source, r.line = "the command line", 0
	for len(args) > 0 {
		name, isFlag := strings.CutPrefix(args[0], "--")
		if !isFlag || name == "" {
			return &Error{"the command line", 0, args[0], Refusal("flags look like --port 6379 or --port=6379, a configuration file stands in front of them")}
		}
		args = args[1:]
		var words []string
		if n, value, eq := strings.Cut(name, "="); eq {
			words = []string{n, value}
		} else {
			words = []string{name}
			for len(args) > 0 && !strings.HasPrefix(args[0], "--") {
				words = append(words, args[0])
				args = args[1:]
			}
			if len(words) == 1 && strings.EqualFold(name, "save") {
				words = append(words, "")
			}
		}
		if err := r.directive(words); err != nil {
			var inner *Error
			if errors.As(err, &inner) {
				return err
			}
			shown := "--" + strings.Join(words, " ")
			return &Error{"the command line", 0, withoutSecretFlag(byName[strings.ToLower(words[0])], shown), err}
		}
	}
	return nil
}

func withoutSecretFlag(p *param, shown string) string {
	if p != nil && p.flags&sensitive != 0 {
		return p.name + " (value not shown)"
	}
	return shown
}
