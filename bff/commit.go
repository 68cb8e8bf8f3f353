package bff

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"coatcheck/bff/connectredis"
)

// maxTries bounds how often a write is repeated that meets others.
const maxTries = 32

// commit writes what was changed, or moves the deadline of a session in use. The
// lock is held.
//
// It fails with ErrStore, ErrConflict, ErrSealed or ErrTooLate; that the session
// has ended meanwhile is no failure: then there is nothing to write to.
func (s *Session) commit(ctx context.Context) error {
	if !s.changed() {
		s.slide(ctx)
		return nil
	}
	if err := s.load(); err != nil {
		return err
	}
	if s.base == nil {
		return s.createHere(ctx)
	}
	err := s.write(ctx)
	if errors.Is(err, ErrNoSession) {
		s.refused(ctx)
		return nil
	}
	return err
}

// refused tells that a write came after the session's end.
func (s *Session) refused(ctx context.Context) {
	s.m.metrics.Refused()
	s.m.metrics.Event(EventDenied, "")
	s.m.log.LogAttrs(ctx, slog.LevelDebug, "session write refused", slog.String("sid", s.m.handles.of(s.sid).String()))
	s.m.live.end(s.sid, ReasonDeleted)
	s.lose(ErrNoSession)
}

// createHere stores a session that nobody is signed in to.
func (s *Session) createHere(ctx context.Context) error {
	if s.begun {
		return ErrTooLate
	}
	return s.create(ctx, newID())
}

// create stores the session under a new id.
func (s *Session) create(ctx context.Context, sid string) error {
	s.sid = sid // what is sealed is bound to it
	doc, rec, err := s.build(&connectredis.Document{}, sid, sid)
	if err == nil {
		err = s.m.create(ctx, sid, rec)
	}
	if err != nil {
		s.sid = ""
		return err
	}
	s.stored(doc, rec)
	s.send, s.ended = sendID, nil
	return nil
}

// stored makes what was just written the session's base.
func (s *Session) stored(doc *connectredis.Document, rec Record) {
	s.forget()
	s.adopt(doc, readMeta(doc), rec.TTL, s.m.clock.Now())
}

// write replaces what is stored, merging with what others wrote since.
func (s *Session) write(ctx context.Context) error {
	merged := false
	for range maxTries {
		doc, rec, err := s.build(s.base, s.sid, s.sid)
		if err != nil {
			return err
		}
		err = s.m.replace(ctx, s.sid, s.base.Bytes(), rec)
		if err == nil {
			if merged {
				s.m.metrics.Conflict("merged")
			}
			s.stored(doc, rec)
			s.send = max(s.send, s.m.again())
			return nil
		}
		if err = s.rebase(ctx, err); err != nil {
			return err
		}
		merged = true
	}
	s.m.metrics.Conflict("failed")
	return ErrConflict
}

// again is whether a write or a touch sends the cookie once more: when it has an
// Expires to move.
func (m *Manager) again() sending {
	if m.Cookie.Persistent {
		return sendID
	}
	return sendNothing
}

// rebase reads the session anew after a conflict; any other error it returns.
func (s *Session) rebase(ctx context.Context, err error) error {
	if !errors.Is(err, ErrConflict) {
		return err
	}
	if s.m.OnConflict == Fail {
		s.m.metrics.Conflict("failed")
		return err
	}
	return s.read(ctx)
}

// build is the session to store under the id to: base, which was under from, with
// the changes.
func (s *Session) build(base *connectredis.Document, from, to string) (*connectredis.Document, Record, error) {
	doc, now := base.Clone(), s.m.clock.Now()
	if s.anew {
		doc = &connectredis.Document{}
	}
	mt := readMeta(doc)
	before := mt
	s.changes.apply(doc)
	for _, edit := range s.edits {
		edit(&mt)
	}
	if mt.Born == 0 {
		mt.Born = millis(now)
	}
	if mt.Ends == 0 && s.m.Lifetime > 0 {
		mt.Ends = mt.Born + s.m.Lifetime.Milliseconds()
	}
	if s.sealed.any() || mt.Box != nil && from != to {
		var err error
		if mt.Box, err = s.m.Keys.reseal(mt.Box, s.m.Prefix+from, s.m.Prefix+to, &s.sealed); err != nil {
			return nil, Record{}, err
		}
	}
	if err := writeMeta(doc, mt); err != nil {
		return nil, Record{}, err
	}
	idle := time.Duration(0)
	if s.m.Cookie.Persistent {
		idle = s.m.IdleTimeout
	}
	value, err := s.m.Codec.Encode(doc, s.m.Cookie.stored(idle), now)
	if err != nil {
		return nil, Record{}, err
	}
	rec := Record{Value: value, TTL: s.ttl(mt, now)}
	if user := s.m.userOf(doc, mt); user != "" && (from != to || before.Born == 0 || user != s.m.userOf(base, before)) {
		rec.User, rec.Prefix = user, s.m.Prefix
		if ends := fromMillis(mt.Ends); !ends.IsZero() {
			rec.Longest = max(ends.Sub(now), 1)
		}
	}
	// What is read back is what was written, so that the bytes compare.
	doc, err = s.m.Codec.Decode(value)
	return doc, rec, err
}

// ttl is how long the session lives from now: the idle timeout, or longer when it
// had longer already, but not beyond the absolute deadline.
func (s *Session) ttl(mt meta, now time.Time) time.Duration {
	ttl := s.m.IdleTimeout
	if !s.until.IsZero() {
		ttl = max(ttl, s.until.Sub(now))
	}
	return capTTL(ttl, mt, now)
}

func capTTL(ttl time.Duration, mt meta, now time.Time) time.Duration {
	if ends := fromMillis(mt.Ends); !ends.IsZero() {
		ttl = min(ttl, ends.Sub(now))
		if ttl == 0 {
			ttl = -1 // 0 would be for ever
		}
	}
	return ttl
}

// slide moves the idle deadline when a request used the session and the last
// move was long enough ago. It never writes the session. When it fails the next
// request does it: the work of this one is done, and must not be asked for again.
func (s *Session) slide(ctx context.Context) {
	if !s.loaded || s.failed != nil || s.base == nil || !s.slides || s.until.IsZero() {
		return
	}
	now := s.m.clock.Now()
	ttl := capTTL(s.m.IdleTimeout, s.meta, now)
	if moved := ttl - s.until.Sub(now); moved <= 0 || moved < s.m.TouchEvery {
		return
	}
	switch err := s.m.touch(ctx, s.sid, ttl); {
	case err == nil:
		s.until = now.Add(ttl)
		s.send = max(s.send, s.m.again())
	case errors.Is(err, ErrNoSession):
		s.lose(ErrNoSession)
	}
}

// Save writes the session at once instead of before the first byte: before a
// redirect to something that reads it. It fails as Update does.
func (m *Manager) Save(ctx context.Context) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(context.WithoutCancel(ctx))
}

// Update changes the session by what is stored now: fn reads it fresh and changes
// it, and is called again when another write came between. What fn does beside
// that must bear repetition, and it must not call the Manager.
//
// It fails with fn's error, and with ErrNoSession, ErrExpired, ErrStore, or
// ErrConflict when it met others 32 times.
func (m *Manager) Update(ctx context.Context, fn func(*Session) error) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	if s.base == nil {
		if s.ended != nil {
			return s.ended
		}
		return ErrNoSession
	}
	return s.update(ctx, fn)
}

func (s *Session) update(ctx context.Context, fn func(*Session) error) error {
	pending := [2]changes{s.changes.clone(), s.sealed.clone()}
	edits := s.edits
	for try := range maxTries {
		if try > 0 || s.changed() {
			if err := s.read(ctx); err != nil {
				return s.gone(err)
			}
		}
		s.changes, s.sealed, s.edits = pending[0].clone(), pending[1].clone(), edits
		if err := s.unlocked(fn); err != nil {
			s.changes, s.sealed = pending[0], pending[1]
			return err
		}
		doc, rec, err := s.build(s.base, s.sid, s.sid)
		if err != nil {
			return err
		}
		err = s.m.replace(ctx, s.sid, s.base.Bytes(), rec)
		if err == nil {
			if try > 0 {
				s.m.metrics.Conflict("merged")
			}
			s.stored(doc, rec)
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return s.gone(err)
		}
	}
	s.m.metrics.Conflict("failed")
	return ErrConflict
}

// unlocked calls fn, which locks.
func (s *Session) unlocked(fn func(*Session) error) error {
	s.mu.Unlock()
	defer s.mu.Lock()
	return fn(s)
}

// gone notes that the session has ended, when that is what err says.
func (s *Session) gone(err error) error {
	if errors.Is(err, ErrNoSession) || errors.Is(err, ErrExpired) || errors.Is(err, ErrRevoked) {
		s.lose(err)
	}
	return err
}
