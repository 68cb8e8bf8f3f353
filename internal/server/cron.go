package server

import (
	"time"

	"coatcheck/engine"
)

// cronEvery is how often the server looks after its connections.
const cronEvery = 100 * time.Millisecond

// startCron begins the housekeeping. It runs by the machine's clock, as sockets
// do; how long a client was idle is told by the engine's.
func (s *Server) startCron() {
	s.cron = engine.SystemClock{}.AfterFunc(cronEvery, s.tick)
}

func (s *Server) tick() {
	h := s.eng.Lock()
	defer h.Unlock()
	if s.closed {
		return
	}
	s.begin(h)
	s.closeIdle()
	s.sampleRates()
	s.accountBuffers()
	s.weighAll()
	s.saveIfDue()
	s.driveLog()
	s.repl.tick()
	for c := range s.oversoft {
		s.checkOutput(c)
	}
	s.tracking.trim(trimTick)
	s.tryAccept()
	s.startCron()
}

// closeIdle closes clients that sent nothing for longer than the timeout. Those
// in MONITOR, with subscriptions or waiting for something are spared, as in Redis.
func (s *Server) closeIdle() {
	limit := time.Duration(s.cfg.Timeout) * time.Second
	if limit <= 0 {
		return
	}
	for c := range s.clients.all() {
		if s.now.Sub(c.active) > limit && !c.monitor && !c.isReplica() && c.waits == nil && c.subs.Total() == 0 {
			s.log.Debug("closing an idle client", "client", c.addr)
			c.kill()
		}
	}
}
