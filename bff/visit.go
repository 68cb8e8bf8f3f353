package bff

import "context"

// Reload reads the session anew, with what others have stored since it was read.
// What this request has changed and not stored yet stays to be stored.
//
// It fails with ErrNoSession, ErrExpired or ErrRevoked when it has ended, and with
// ErrStore.
func (m *Manager) Reload(ctx context.Context) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded {
		if err := s.load(); err != nil {
			return err
		}
	} else if s.base != nil {
		if err := s.read(ctx); err != nil {
			return s.gone(err)
		}
	}
	switch {
	case s.base != nil:
		return nil
	case s.ended != nil:
		return s.ended
	}
	return ErrNoSession
}

// Visit has fn read the session of a handle, sealed members included: before
// somebody else's session is ended. What fn changes goes nowhere. Visit fails with
// ErrNoSession, ErrStore, and with fn's error.
func (m *Manager) Visit(ctx context.Context, h Handle, fn func(*Session) error) error {
	if err := m.Check(); err != nil {
		return err
	}
	sid, err := m.idOf(ctx, h)
	if err != nil {
		return err
	}
	s := &Session{m: m, ctx: ctx, sid: sid, loaded: true}
	if err := s.read(ctx); err != nil {
		return err
	}
	if s.meta.To != nil {
		return ErrNoSession
	}
	return fn(s)
}

// Info is the session as lists show it; not ok without a session. It asks the store
// no more than the session itself does.
func (s *Session) Info() (info Info, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load() != nil || s.base == nil {
		return Info{}, false
	}
	e := Entry{Key: s.m.Prefix + s.sid, Record: Record{Value: s.base.Bytes()}}
	if !s.until.IsZero() {
		e.TTL = max(s.until.Sub(s.m.clock.Now()), 1)
	}
	return s.m.info(e, s.sid)
}
