//go:build !linux

package server

import (
	"errors"
	"net"
)

// hasLoops says whether sockets can be served by loops here.
const hasLoops = false

type loops struct{}

// loopsFor is 0: each connection has goroutines of its own.
func loopsFor(int) int { return 0 }

func (s *Server) acceptOnLoops(net.Listener, kind, string) error {
	return errors.New("server: no loops on this system")
}
func (s *Server) leaveListeners()          {}
func (s *Server) dropListener(int)         {}
func listenerFD(net.Listener) (int, error) { return -1, errors.New("server: no loops on this system") }
func (s *Server) tryAccept()               {}
func (s *Server) stopLoops()               {}
