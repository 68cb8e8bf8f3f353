package server

import (
	"net"
	"slices"

	"coatcheck/internal/config"
)

// CONFIG SET of bind, port, tls-port and the tls-… files while the server
// listens. It runs under the engine's lock, as every CONFIG SET, and so may not
// wait for Listen or Shutdown, which take the lock themselves.

var (
	errRebindBind error = config.Refusal("Failed to bind to specified addresses.")
	errRebindPort error = config.Refusal("Unable to listen on this port. Check server logs.")
	errRebindTLS  error = config.Refusal("Unable to update TLS configuration. Check server logs.")
)

// rebind closes the addresses that the configuration does not name any more and
// opens those that are new. When one cannot be opened, the former ones are
// opened again, and failure is returned. Connections stay.
func (s *Server) rebind(failure error) error {
	ls := &s.listening
	if !ls.mu.TryLock() {
		return failure // it begins or ends to listen just now
	}
	defer ls.mu.Unlock()
	if ls.stop == nil {
		return nil // not listening: Listen will see what is set
	}
	former, want := ls.places, s.places()
	err := s.listenInstead(former, want)
	if err == nil {
		return nil
	}
	s.log.Warn("cannot listen where the configuration wants it", "error", err)
	if again := s.listenInstead(want, former); again != nil {
		s.log.Error("cannot listen on a former address again", "error", again)
	}
	return failure
}

// listenInstead goes from some places to others. The caller holds both locks.
func (s *Server) listenInstead(former, want []place) error {
	ls := &s.listening
	for p, ln := range ls.open {
		if !slices.Contains(want, p) {
			s.stopListening(ln)
			delete(ls.open, p)
		}
	}
	ls.places = want
	for _, p := range want {
		if ls.open[p] != nil {
			continue
		}
		ln, err := s.listenTCP(p)
		if err != nil && p.optional && isAbsent(err) {
			continue
		}
		if err != nil {
			return err
		}
		ls.open[p] = ln
		ls.listeners = append(ls.listeners, ln)
		if err := s.serveHeld(ln, p.kind, ""); err != nil {
			return err
		}
	}
	ls.tcp = nil
	for _, p := range want {
		if ln := ls.open[p]; ln != nil && ls.tcp == nil {
			ls.tcp = ln.Addr()
		}
	}
	return nil
}

// stopListening closes one of the listeners.
func (s *Server) stopListening(ln net.Listener) {
	ls := &s.listening
	if fd, err := listenerFD(ln); err == nil {
		s.dropListener(fd)
	}
	if err := ln.Close(); err != nil {
		s.log.Warn("cannot close a listener", "address", ln.Addr().String(), "error", err)
	}
	if i := slices.Index(ls.listeners, ln); i >= 0 {
		ls.listeners = slices.Delete(ls.listeners, i, i+1)
	}
}

// renewTLS takes over changed tls-… parameters, for connections to come.
func (s *Server) renewTLS() error {
	if s.cfg.TLSPort == 0 {
		return nil // looked at once there is a port
	}
	conf, err := tlsConfig(s.cfg)
	if err != nil {
		s.log.Warn("cannot take over TLS parameters", "error", err)
		return errRebindTLS
	}
	s.listening.tls.Store(conf)
	return nil
}
