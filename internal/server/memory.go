package server

import "coatcheck/engine"

// outOfMemory says whether the store is over maxmemory and can not get below it.
func (s *Server) outOfMemory() bool { return s.held.MakeRoom() != nil }

// memoryChanged tells the engine of the parameters that bound it.
func (s *Server) memoryChanged() {
	s.held.SetMaxString(s.cfg.ProtoMaxBulkLen)
	s.held.SetPacking(s.cfg.Packing)
	s.held.SetLimits(engine.Limits{
		MaxMemory: s.cfg.MaxMemory, Policy: engine.Policy(s.cfg.MaxMemoryPolicy), Samples: s.cfg.MaxMemorySamples,
		LFULogFactor: s.cfg.LFULogFactor, LFUDecayTime: s.cfg.LFUDecayTime,
	})
}

// accountBuffers tells the engine what the clients' buffers take: with maxmemory
// they count, as in Redis. Between two ticks of the housekeeping the figure is
// as old as that.
func (s *Server) accountBuffers() {
	total := int64(0)
	if s.cfg.MaxMemory > 0 {
		for c := range s.clients.all() {
			total += int64(c.qcap+c.multi.memory()) + c.waitingOut()
		}
	}
	s.held.Account(total - s.buffers)
	s.buffers = total
}
