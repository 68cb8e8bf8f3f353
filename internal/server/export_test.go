package server

import (
	"coatcheck/engine"
	"coatcheck/internal/command"
)

// AddData puts one more command about data into the table, for a test.
func (s *Server) AddData(e command.Entry[*engine.Tx]) {
	h := s.eng.Lock()
	defer h.Unlock()
	s.table.add(newCmd(&e, nil, func(c *Cmd, e *command.Entry[*engine.Tx]) { c.onData = e.Run }))
}
