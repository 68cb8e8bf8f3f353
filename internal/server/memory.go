package server

import "coatcheck/engine"

// outOfMemory says whether the store is over maxmemory and can not get below it.
func (s *Server) outOfMemory() bool { return s.held.MakeRoom() != nil }

// memoryChanged tells the engine of the parameters that bound it.
func (s *Server) memoryChanged() {
	s.held.SetMaxString(s.cfg.ProtoMaxBulkLen)
	s.held.SetLimits(engine.Limits{
		MaxMemory: s.cfg.MaxMemory, Policy: engine.Policy(s.cfg.MaxMemoryPolicy), Samples: s.cfg.MaxMemorySamples,
		LFULogFactor: s.cfg.LFULogFactor, LFUDecayTime: s.cfg.LFUDecayTime,
	})
}
