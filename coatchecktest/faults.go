package coatchecktest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/server"
)

var errStopped = errors.New("the server is stopped")

// Fault is something that goes wrong with commands.
type Fault struct {
	// Match says which: a command's name ("GET"), or a name and its arguments
	// ("GET session:*"), as a glob pattern. "" is any but those that
	// introduce a connection (HELLO, AUTH, CLIENT, SELECT); "*" is any.
	Match string
	// Times is how many of them; 0 is all until the fault is removed.
	Times int
	// Delay is how long they wait first, by the machine's clock.
	Delay time.Duration
	// Error is what they get for a reply, "ERR out of luck"; "" for the true
	// one.
	Error string
	// Drop closes the connection instead.
	Drop bool
}

// Inject makes commands go wrong. Where several faults fit a command, the one
// that was injected first has it. remove ends the fault; it may be called again.
func (s *Server) Inject(f Fault) (remove func()) {
	fault := &f
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fault)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = slices.DeleteFunc(s.faults, func(other *Fault) bool { return other == fault })
	}
}

// FailNext has the next n commands answered by an error, such as "ERR out of
// luck". Those that introduce a connection are neither failed nor counted.
func (s *Server) FailNext(n int, message string) {
	s.Inject(Fault{Times: n, Error: message})
}

// DropNext closes the connections of the next n commands, as FailNext counts
// them, without a reply.
func (s *Server) DropNext(n int) { s.Inject(Fault{Times: n, Drop: true}) }

// SetError has every command answered by an error until it is set to "".
func (s *Server) SetError(message string) {
	s.ClearFaults()
	if message != "" {
		s.Inject(Fault{Match: "*", Error: message})
	}
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// DropConnections closes all connections. New ones are welcome.
func (s *Server) DropConnections() {
	s.mu.Lock()
	in := s.running
	s.mu.Unlock()
	if in != nil {
		in.KillClients()
	}
}

// intercept is asked by the server before every command, under the engine's lock.
func (s *Server) intercept(c server.ClientView, argv [][]byte) server.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.add(c, argv)
	for i, f := range s.faults {
		if !f.fits(argv) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(slices.Clone(s.faults), i, i+1)
			}
		}
		return f.verdict()
	}
	return server.Verdict{}
}

func (f *Fault) verdict() server.Verdict {
	v := server.Verdict{Delay: f.Delay, Drop: f.Drop}
	if f.Error != "" {
		code, text, _ := strings.Cut(f.Error, " ")
		v.Err = &errs.Error{Code: code, Text: text}
	}
	return v
}

func (f *Fault) fits(argv [][]byte) bool {
	if f.Match != "" {
		return matches(f.Match, argv)
	}
	switch strings.ToUpper(string(argv[0])) {
	case "HELLO", "AUTH", "CLIENT", "SELECT":
		return false
	}
	return true
}

// matches says whether a pattern, a name or a name and arguments, fits a command.
func matches(pattern string, argv [][]byte) bool {
	name, args, more := strings.Cut(pattern, " ")
	if !engine.MatchFold([]byte(name), argv[0]) {
		return false
	}
	return !more || engine.Match([]byte(args), joined(argv[1:]))
}

func joined(args [][]byte) []byte {
	var line []byte
	for i, a := range args {
		if i > 0 {
			line = append(line, ' ')
		}
		line = append(line, a...)
	}
	return line
}
