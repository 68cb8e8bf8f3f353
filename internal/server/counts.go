package server

// Counts are a few figures for tests and health checks.
type Counts struct {
	Clients int   // connected now
	Blocked int   // waiting for data, a pause or a delay to end
	Total   int64 // that connected since the start
}

// Counts takes the engine's lock for a moment.
func (s *Server) Counts() Counts {
	h := s.eng.Lock()
	defer h.Unlock()
	n := Counts{Clients: s.clients.len(), Total: s.Stats.Connections}
	for c := range s.clients.all() {
		if c.waits != nil {
			n.Blocked++
		}
	}
	return n
}

// KillClients closes all connections, without what they have not read yet.
func (s *Server) KillClients() {
	h := s.eng.Lock()
	defer h.Unlock()
	for c := range s.clients.all() {
		c.kill()
	}
}
