package server

import "time"

// observe is called after every command that ran, with the time it began and
// what it took. argv is good until observe returns.
func (s *Server) observe(c *Client, cmd *Cmd, argv [][]byte, began time.Time, took time.Duration) {
}
