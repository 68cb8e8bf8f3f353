package server

import (
	"math"
	"time"

	"coatcheck/internal/config"
)

// A client that has not authenticated may have this much reply that it did not
// read; a turn of it ends early, so that it cannot make more in one go.
const (
	unauthUnread    = 1024
	unauthTurnBytes = 16 << 10
)

// limitsChanged notes from which size on replies are checked at all.
func (s *Server) limitsChanged() {
	s.outputChecks = math.MaxInt64
	for _, l := range s.cfg.OutputLimits {
		for _, n := range []int64{l.Hard, l.Soft} {
			if n > 0 {
				s.outputChecks = min(s.outputChecks, n)
			}
		}
	}
}

// staticReply is how much reply an output limit does not see: in Redis it waits
// in the buffer that each client has anyway (server.h, PROTO_REPLY_CHUNK_BYTES).
const staticReply = 16 << 10

// waitingOut is the reply that the client has not read yet, as far as we know.
func (c *Client) waitingOut() int64 { return c.unsent.Load() + c.replied + int64(c.pushed.Len()) }

// class is the client's class of client-output-buffer-limit. A client in
// MONITOR is a normal one, as in Redis.
func (c *Client) class() int {
	if c.isReplica() {
		return config.ClassReplica
	}
	if c.subs.Total() > 0 {
		return config.ClassPubSub
	}
	return config.ClassNormal
}

// checkOutput closes the client when its unread replies exceed its limits.
func (s *Server) checkOutput(c *Client) {
	if c.out.IsOver() && !c.closing {
		s.tooSlow(c, "hard")
	}
	n := c.waitingOut() - staticReply
	if c.isReplica() {
		n = s.behind(c)
	}
	if n <= 0 || n < s.outputChecks || c.closing {
		if len(s.oversoft) > 0 && !c.oversoftSince.IsZero() {
			s.underSoft(c)
		}
		return
	}
	l := s.cfg.OutputLimits[c.class()]
	if c.isReplica() {
		l.Hard = s.replicaLimit()
	}
	switch {
	case l.Hard > 0 && n >= l.Hard:
		s.tooSlow(c, "hard")
	case l.Soft > 0 && n >= l.Soft:
		if c.oversoftSince.IsZero() {
			c.oversoftSince = s.now
			s.oversoft[c] = struct{}{}
		} else if s.now.Sub(c.oversoftSince) > time.Duration(l.SoftSeconds)*time.Second {
			s.tooSlow(c, "soft")
		}
	default:
		s.underSoft(c)
	}
}

// replyLimit is how long a reply may become before nothing is kept of it, 0 for no
// limit: its client will be closed for it, by its class' hard limit or since it
// holds more than all clients may. waits is what waits in the reply already.
func (s *Server) replyLimit(c *Client, waits int) int {
	limit := s.cfg.OutputLimits[c.class()].Hard
	if all := s.clientMemory.limit; all > 0 && !c.noEvict && (limit == 0 || all < limit) {
		limit = all
	}
	if limit == 0 {
		return 0
	}
	return int(max(limit+staticReply+int64(waits)-c.unsent.Load(), 1))
}

func (s *Server) underSoft(c *Client) {
	c.oversoftSince = time.Time{}
	delete(s.oversoft, c)
}

// tooSlow closes a client that does not read what it asked for.
func (s *Server) tooSlow(c *Client, limit string) {
	s.Stats.OutputHits++
	s.log.Warn("closing a client that reached its output buffer limit", "limit", limit, "client", s.clientLine(c))
	c.kill()
}

// checkUnread closes a client that has not authenticated and does not read.
func (s *Server) checkUnread(c *Client) {
	if s.authRequired(c) && c.unsent.Load() > unauthUnread {
		s.tooSlow(c, "unauthenticated")
	}
}
