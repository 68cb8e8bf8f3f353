package server

import (
	"net"
	"runtime"
	"slices"
	"syscall"
)

// hasLoops says whether sockets can be served by loops here.
const hasLoops = true

// loops are a server's loops, started with the first listener.
type loops struct {
	all  []*loop
	turn int
}

// next is the loop that takes the next connection. The caller holds the lock.
func (ls *loops) next() *loop {
	ls.turn++
	return ls.all[ls.turn%len(ls.all)]
}

// loopsFor is the number of loops when the configuration leaves it to us: with
// few cores the clients need the others more.
func loopsFor(configured int) int {
	if configured > 0 {
		return configured
	}
	return min(max(1, runtime.GOMAXPROCS(0)/2), 4)
}

// acceptOnLoops has the loops accept and serve ln's connections; path is that
// of a unix socket. The caller holds the lock.
func (s *Server) acceptOnLoops(ln net.Listener, k kind, path string) error {
	fd, err := listenerFD(ln)
	if err != nil {
		return err
	}
	for n := loopsFor(s.cfg.IOThreads); len(s.loops.all) < n; {
		l, err := newLoop(s)
		if err != nil {
			return err
		}
		s.loops.all = append(s.loops.all, l)
		go l.run()
	}
	first := s.loops.all[0]
	first.starts = append(first.starts, &acceptor{fd: fd, kind: k, path: path})
	first.post()
	return nil
}

// dropListener has the loops forget a listener that is about to be closed, which
// takes it off epoll. The caller holds the lock.
func (s *Server) dropListener(fd int) {
	if len(s.loops.all) > 0 {
		first := s.loops.all[0]
		first.drops = append(first.drops, fd)
		first.starts = slices.DeleteFunc(first.starts, func(a *acceptor) bool { return a.fd == fd })
		first.post()
	}
}

// listenerFD is the listener's file descriptor, good until it is closed.
func listenerFD(ln net.Listener) (int, error) {
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	err = raw.Control(func(f uintptr) { fd = int(f) })
	return fd, err
}

// leaveListeners returns when no loop accepts any more.
func (s *Server) leaveListeners() {
	h := s.eng.LockSuspended()
	var left chan struct{}
	if len(s.loops.all) > 0 {
		left = make(chan struct{})
		first := s.loops.all[0]
		first.leaving = left
		first.post()
	}
	h.Unlock()
	if left != nil {
		<-left
	}
}

// tryAccept makes a loop that ran out of file descriptors try again. The caller
// holds the lock.
func (s *Server) tryAccept() {
	if len(s.loops.all) > 0 && s.loops.all[0].resting.Load() {
		first := s.loops.all[0]
		first.tryNow = true
		first.post()
	}
}

// stopLoops ends the loops, which serve nobody any more.
func (s *Server) stopLoops() {
	h := s.eng.LockSuspended()
	all := s.loops.all
	s.loops.all = nil
	for _, l := range all {
		l.stop = true
		l.post()
	}
	h.Unlock()
	for _, l := range all {
		<-l.done
	}
}
