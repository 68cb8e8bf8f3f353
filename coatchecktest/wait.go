package coatchecktest

import (
	"fmt"
	"strconv"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/server"
)

// patience is how long the waits last before they fail their test, by the
// machine's clock.
const patience = 10 * time.Second

// WaitCommands waits until clients have sent n commands that pattern, as in
// Fault.Match, fits. It fails the test when they do not come within ten seconds.
func (s *Server) WaitCommands(pattern string, n int) {
	s.t.Helper()
	late := make(chan struct{})
	stop := engine.SystemClock{}.AfterFunc(patience, func() { close(late) })
	defer stop()
	for {
		next := make(chan struct{})
		s.mu.Lock()
		s.record.waiters = append(s.record.waiters, next)
		s.mu.Unlock()
		if got := len(s.Commands(pattern)); got >= n {
			return
		}
		select {
		case <-next:
		case <-late:
			s.t.Fatalf("coatchecktest: waited for %d commands %q, came %d", n, pattern, len(s.Commands(pattern)))
		}
	}
}

// WaitConnections waits until exactly n clients are connected. It fails the test
// when that does not happen within ten seconds.
func (s *Server) WaitConnections(n int) {
	s.t.Helper()
	s.waitFor(fmt.Sprintf("%d connections", n), func() (string, bool) {
		got := s.Connections()
		return strconv.Itoa(got), got == n
	})
}

// WaitBlocked waits until exactly n clients are blocked: by a command that waits
// for data, by CLIENT PAUSE or by a Fault's delay. It fails the test when that
// does not happen within ten seconds.
func (s *Server) WaitBlocked(n int) {
	s.t.Helper()
	s.waitFor(fmt.Sprintf("%d blocked clients", n), func() (string, bool) {
		got := s.counts().Blocked
		return strconv.Itoa(got), got == n
	})
}

// Connections is the number of clients that are connected now.
func (s *Server) Connections() int { return s.counts().Clients }

// TotalConnections is the number of clients that have connected since Run, or the
// last Restart.
func (s *Server) TotalConnections() int { return int(s.counts().Total) }

func (s *Server) counts() server.Counts {
	s.mu.Lock()
	in := s.running
	s.mu.Unlock()
	if in == nil {
		return server.Counts{}
	}
	return in.Counts()
}

// waitFor looks again and again until done.
func (s *Server) waitFor(what string, look func() (got string, done bool)) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	got, done := look()
	for n := 0; !done && n < int(patience/time.Millisecond); n++ {
		<-tick.C
		got, done = look()
	}
	if done {
		return
	}
	s.t.Fatalf("coatchecktest: waited for %s, there are %s", what, got)
}
