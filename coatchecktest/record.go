package coatchecktest

import (
	"slices"
	"strconv"
	"strings"

	"coatcheck/internal/server"
)

// Command is a command that a client sent.
type Command struct {
	Client int64  // numbers the connection
	Name   string // what the connection called itself by CLIENT SETNAME
	DB     int
	Args   []string // the command's name first, as it was sent
}

// String is the command as one would type it, its name in capitals.
func (c Command) String() string {
	words := []string{strings.ToUpper(c.Args[0])}
	for _, a := range c.Args[1:] {
		if quoted := strconv.Quote(a); a == "" || strings.Contains(a, " ") || quoted != `"`+a+`"` {
			a = quoted
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func (c Command) matches(pattern string) bool {
	argv := make([][]byte, len(c.Args))
	for i, a := range c.Args {
		argv[i] = []byte(a)
	}
	return matches(pattern, argv)
}

// record is the commands that came, guarded by Server.mu.
type record struct {
	commands []Command
	total    int
	waiters  []chan struct{} // told of the next command
}

func (r *record) add(c server.ClientView, argv [][]byte) {
	args := make([]string, len(argv))
	for i, a := range argv {
		args[i] = string(a)
	}
	r.commands = append(r.commands, Command{Client: c.ID, Name: c.Name, DB: c.DB, Args: args})
	r.total++
	for _, w := range r.waiters {
		close(w)
	}
	r.waiters = nil
}

// Commands are the commands that clients sent, in the order in which they ran, or
// would have: those that failed are among them. Patterns, as in Fault.Match,
// choose some; without any, all are returned.
func (s *Server) Commands(patterns ...string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(patterns) == 0 {
		return slices.Clone(s.record.commands)
	}
	var chosen []Command
	for _, c := range s.record.commands {
		if slices.ContainsFunc(patterns, c.matches) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// CommandLines are Commands as one would type them.
func (s *Server) CommandLines(patterns ...string) []string {
	var lines []string
	for _, c := range s.Commands(patterns...) {
		lines = append(lines, c.String())
	}
	return lines
}

// CommandCount is the number of commands that clients sent since Run.
func (s *Server) CommandCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.total
}

// ForgetCommands empties what Commands returns.
func (s *Server) ForgetCommands() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.commands = nil
}
