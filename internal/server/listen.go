package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"coatcheck/engine"
)

// listening is where the server accepts connections.
type listening struct {
	mu        sync.Mutex
	started   bool
	listeners []net.Listener
	tcp       net.Addr // the first plain TCP address, or the first TLS one
	unixPath  string
	tls       atomic.Pointer[tls.Config]
	places    []place                // TCP addresses wanted
	open      map[place]net.Listener // those that are open
	accepting sync.WaitGroup         // goroutines that accept
	stop      chan struct{}
}

// place is an address to listen on.
type place struct {
	network, addr string
	kind          kind
	optional      bool // go on without it where the machine does not have it
}

// Listen opens every address that the configuration names and accepts
// connections on it, until Shutdown. When one fails, none is left open.
func (s *Server) Listen() error {
	ls := &s.listening
	ls.mu.Lock()
	defer ls.mu.Unlock()
	h := s.eng.Lock()
	places, closed := s.places(), s.closed
	unix, perm := s.cfg.UnixSocket, s.cfg.UnixSocketPerm
	h.Unlock()
	if closed {
		return ErrClosed
	}
	if ls.started {
		return errors.New("server: listening already")
	}
	ls.started, ls.stop = true, make(chan struct{})
	err := s.open(places, unix, perm)
	if err != nil {
		s.closeListeners()
	}
	return err
}

func (s *Server) open(places []place, unix string, perm uint32) error {
	ls := &s.listening
	ls.places, ls.open = places, map[place]net.Listener{}
	for _, p := range places {
		ln, err := s.listenTCP(p)
		if err != nil && p.optional && isAbsent(err) {
			s.log.Info("not listening on an optional address", "address", p.addr, "reason", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("listen on %s: %w", p.addr, err)
		}
		ls.listeners = append(ls.listeners, ln)
		ls.open[p] = ln
		if ls.tcp == nil {
			ls.tcp = ln.Addr()
		}
		if err := s.serve(ln, p.kind, ""); err != nil {
			return fmt.Errorf("listen on %s: %w", p.addr, err)
		}
	}
	if unix == "" {
		return nil
	}
	ln, err := listenUnix(unix, perm, s.cfg.TCPBacklog)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", unix, err)
	}
	ls.listeners = append(ls.listeners, ln)
	ls.unixPath = unix
	return s.serve(ln, kindUnix, unix)
}

// places are the TCP addresses of the configuration.
func (s *Server) places() []place {
	var all []place
	if s.addr != "" {
		p := place{network: "tcp", addr: s.addr, kind: kindTCP}
		if s.addrTLS {
			p.kind = kindTLS
		}
		all = append(all, p)
	}
	for _, p := range []struct {
		port int
		kind kind
	}{{s.cfg.Port, kindTCP}, {s.cfg.TLSPort, kindTLS}} {
		if p.port == 0 {
			continue
		}
		bind := s.cfg.Bind
		if len(bind) == 0 {
			bind = []string{"*"}
		}
		for _, host := range bind {
			all = append(all, bindPlace(host, p.port, p.kind))
		}
	}
	return all
}

// bindPlace reads an address of the bind parameter: "*" is every IPv4 address,
// "::*" every IPv6 one, a minus in front makes it optional.
func bindPlace(host string, port int, k kind) place {
	p := place{network: "tcp", kind: k}
	host, p.optional = strings.CutPrefix(host, "-")
	switch {
	case host == "*":
		p.network, host = "tcp4", "0.0.0.0"
	case host == "::*":
		p.network, host = "tcp6", "::"
	case strings.Contains(host, ":"):
		p.network = "tcp6"
	}
	p.addr = net.JoinHostPort(host, strconv.Itoa(port))
	return p
}

// isAbsent says whether an error means that this machine lacks the address or
// the protocol.
func isAbsent(err error) bool {
	for _, e := range []error{
		syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT,
		syscall.EPFNOSUPPORT, syscall.ESOCKTNOSUPPORT, syscall.ENOPROTOOPT,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Server) listenTCP(p place) (net.Listener, error) {
	if p.kind == kindTLS && s.listening.tls.Load() == nil {
		conf, err := tlsConfig(s.cfg)
		if err != nil {
			return nil, err
		}
		s.listening.tls.Store(conf)
	}
	ln, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), p.network, p.addr)
	if err != nil {
		return nil, err
	}
	if err := setBacklog(ln, s.cfg.TCPBacklog); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

// serve has the connections of ln accepted and served.
func (s *Server) serve(ln net.Listener, k kind, path string) error {
	h := s.eng.Lock()
	defer h.Unlock()
	return s.serveHeld(ln, k, path)
}

// serveHeld is serve for who holds the engine's lock.
func (s *Server) serveHeld(ln net.Listener, k kind, path string) error {
	if hasLoops && !s.goroutines && k != kindTLS {
		return s.acceptOnLoops(ln, k, path)
	}
	s.listening.accepting.Add(1)
	go s.accept(ln, k)
	return nil
}

// accept serves each connection of ln by goroutines of its own.
func (s *Server) accept(ln net.Listener, k kind) {
	defer s.listening.accepting.Done()
	for {
		conn, err := ln.Accept()
		if err == nil {
			s.serveAccepted(conn, k)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.log.Warn("cannot accept connections for now", "error", err)
		if !s.pauseAccept() {
			return
		}
	}
}

// pauseAccept waits a little, for file descriptors to become free; false when
// accepting ends meanwhile.
func (s *Server) pauseAccept() bool {
	over := make(chan struct{})
	stop := engine.SystemClock{}.AfterFunc(cronEvery, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return true
	case <-s.listening.stop:
		return false
	}
}

func (s *Server) serveAccepted(conn net.Conn, k kind) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		h := s.eng.LockSuspended()
		keep := s.cfg.TCPKeepalive
		h.Unlock()
		keepAlive(tcp, keep)
	}
	if k == kindTLS {
		conn = tls.Server(conn, s.listening.tls.Load())
	}
	s.serveConn(conn, k)
}

// Addr is the first TCP address that the server listens on; nil without one.
func (s *Server) Addr() net.Addr {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	return s.listening.tcp
}

// Addrs are all addresses that the server listens on.
func (s *Server) Addrs() []net.Addr {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	var all []net.Addr
	for _, ln := range s.listening.listeners {
		all = append(all, ln.Addr())
	}
	return all
}

func (s *Server) stopAccepting() {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	s.closeListeners()
}

func (s *Server) closeListeners() {
	ls := &s.listening
	s.leaveListeners()
	for _, ln := range ls.listeners {
		ln.Close()
	}
	ls.listeners = nil
	if ls.unixPath != "" {
		// It may be gone, or another server's by now: nothing to do about it.
		_ = os.Remove(ls.unixPath)
		ls.unixPath = ""
	}
	if ls.stop != nil {
		close(ls.stop)
		ls.stop = nil
	}
	ls.accepting.Wait()
}
