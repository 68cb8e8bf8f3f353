package server

import (
	"coatcheck/engine"
	"coatcheck/internal/command"
)

// pause is CLIENT PAUSE: until it ends, commands (or those that write) wait.
type pause struct {
	on    bool
	all   bool // not only writes
	until engine.UnixMilli
	stop  func()
	// failover: it lasts until a replica has all that there is, and takes over.
	failover bool
}

// pauseCommands is CLIENT PAUSE until a time. A pause that is on already gets
// neither shorter nor weaker.
func (s *Server) pauseCommands(until engine.UnixMilli, all bool) {
	p := &s.pause
	if p.on {
		until, all = max(until, p.until), all || p.all
		p.stop()
	}
	p.on, p.all, p.until = true, all, until
	s.held.Pause(true)
	p.stop = s.clock.AfterFunc(until.Time().Sub(s.now), func() {
		h := s.eng.Lock()
		defer h.Unlock()
		if p.on && p.until == until {
			s.held = h
			s.unpause()
		}
	})
}

// unpause ends a pause, and wakes who waits.
func (s *Server) unpause() {
	p := &s.pause
	if !p.on {
		return
	}
	p.stop()
	*p = pause{}
	s.held.Pause(false)
	s.wakePaused()
}

// wakePaused has commands that wait for the end of a pause tried again.
func (s *Server) wakePaused() {
	for c := range s.clients.all() {
		if c.waits != nil && c.waits.paused {
			c.wake()
		}
	}
}

// isPaused says whether c's cmd has to wait for the end of a pause, or for the disk.
func (s *Server) isPaused(c *Client, cmd *Cmd) bool {
	p, flags := &s.pause, c.flagsOf(cmd)
	if flags&command.Write != 0 && s.savesHold() {
		return true
	}
	if !p.on || cmd.Name == "CLIENT" || cmd.Parent != nil && cmd.Parent.Name == "CLIENT" {
		return false
	}
	return p.all || flags&(command.Write|command.MayReplicate) != 0
}

// Paused counts the clients whose command waits for the end of a pause, or for
// the disk. The caller holds the engine's lock.
func (s *Server) Paused() int {
	n := 0
	for c := range s.clients.all() {
		if c.waits != nil && c.waits.paused {
			n++
		}
	}
	return n
}
