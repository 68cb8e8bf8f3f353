package server

import (
	"time"

	"coatcheck/internal/command"
)

// observe is called after every command that ran, with the time it began and
// what it took. argv is good until observe returns.
func (s *Server) observe(c *Client, cmd *Cmd, argv [][]byte, began time.Time, took time.Duration) {
	if slow := s.cfg.SlowlogSlowerThan; slow >= 0 && took.Microseconds() >= slow && cmd.Flags&command.SkipSlowlog == 0 {
		s.slowlog.add(slowEntry{
			at: began.Add(took), took: took, argv: slowArgv(redact(cmd, argv)), addr: c.addr, name: c.name,
		}, s.cfg.SlowlogMaxLen)
	}
	if cmd.Flags&command.SkipSlowlog == 0 {
		s.observeEvent(latencyEventOf(cmd), took)
	}
}

// observeEvent tells the latency monitor of something that took so long.
func (s *Server) observeEvent(event string, took time.Duration) {
	if limit := s.cfg.LatencyMonitorThreshold; limit > 0 && took.Milliseconds() >= limit {
		s.latency.add(event, s.now, took)
	}
}

// isFast says whether the command is one that never takes long.
func (c *Cmd) isFast() bool { return c.Flags&command.Fast != 0 }
