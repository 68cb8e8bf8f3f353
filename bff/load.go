package bff

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"coatcheck/bff/connectredis"
)

// load reads the session once in a request, with one call of the store. It fails
// with ErrStore; that there is no session is no failure. The lock is held.
func (s *Session) load() error {
	if s.loaded {
		return s.failed
	}
	s.loaded = true
	if s.sid == "" {
		return nil
	}
	err := s.fetch(s.ctx)
	switch {
	case err == nil:
		s.inspect()
	case errors.Is(err, ErrStore):
		s.failed = err
	default:
		s.lose(err)
		if errors.Is(err, ErrNoSession) {
			s.m.metrics.CookieRejected("unknown")
			s.m.unknownID(s)
		}
	}
	return s.failed
}

// fetch reads what is stored under the id, through a renewal that is under way. It
// fails with ErrNoSession, ErrExpired, ErrRevoked or ErrStore.
func (s *Session) fetch(ctx context.Context) error {
	if err := s.read(ctx); err != nil || s.meta.To == nil {
		return err
	}
	next, err := s.m.grace.open(s.meta.To, s.m.Prefix+s.sid)
	if err != nil {
		return ErrNoSession
	}
	var sid string
	raw, _ := next.Get("sid")
	if ok, err := decode(raw, &sid, "to"); !ok || err != nil {
		return ErrNoSession
	}
	s.sid, s.send = sid, sendID
	if err := s.read(ctx); err != nil {
		return err
	}
	if s.meta.To != nil {
		return ErrNoSession // renewed twice within the grace
	}
	return nil
}

func (s *Session) read(ctx context.Context) error {
	rec, err := s.m.find(ctx, s.sid)
	if err != nil {
		return err
	}
	doc, err := s.m.Codec.Decode(rec.Value)
	if err != nil {
		s.m.log.LogAttrs(ctx, slog.LevelWarn, "session cannot be read",
			slog.String("sid", s.m.handles.of(s.sid).String()), slog.String("err", err.Error()))
		return ErrNoSession
	}
	mt, now := readMeta(doc), s.m.clock.Now()
	if ends := fromMillis(mt.Ends); !ends.IsZero() && !now.Before(ends) {
		return s.outlived(ctx, now.Sub(ends), s.m.userOf(doc, mt))
	}
	s.adopt(doc, mt, rec.TTL, now)
	return nil
}

// outlived ends a session whose absolute deadline has come.
func (s *Session) outlived(ctx context.Context, late time.Duration, user string) error {
	s.m.metrics.Late(late)
	if _, err := s.m.remove(context.WithoutCancel(ctx), ReasonLifetime, user, s.sid); err != nil {
		return err
	}
	return ErrExpired
}

// adopt makes a stored document the session's base.
func (s *Session) adopt(doc *connectredis.Document, mt meta, ttl time.Duration, now time.Time) {
	s.base, s.meta, s.until = doc, mt, time.Time{}
	if ttl > 0 {
		s.until = now.Add(ttl)
	}
}

// inspect looks for signals. One may end the session.
func (s *Session) inspect() {
	if s.user() == "" {
		return
	}
	if s.m.inspect(s) == Revoke {
		_, err := s.m.remove(context.WithoutCancel(s.ctx), ReasonSignal, s.user(), s.sid)
		if err != nil {
			s.failed = err // better no answer than a stolen session
		}
		s.lose(ErrRevoked)
	}
}
