package bff

import (
	"context"
	"errors"
	"net/http"
	"time"

	"coatcheck/bff/connectredis"
)

// sessionKey finds a Manager's Session in a context.
type sessionKey struct{ m *Manager }

// writerKey finds the writer of a response, for Farewell.
type writerKey struct{ m *Manager }

// Farewell writes the last words of a response that streamed until its session
// ended, and whose writes fail since: why it ended, context.Cause of the request's
// context knows. It works once, and not while the session lives.
func (m *Manager) Farewell(ctx context.Context, words []byte) error {
	w, ok := ctx.Value(writerKey{m}).(*writer)
	if !ok {
		return errSessionOver
	}
	return w.say(words)
}

// Handler gives the requests to next their session, and writes what changed before
// the first byte of the response. The session is read when next asks for
// something of it, so that routes which do not ask need no store.
//
// A response that streams, and a connection that was hijacked, end when the
// session ends: the request's context is cancelled, with ErrExpired or ErrRevoked
// as its cause, and the connection closed.
// When next panics before it wrote anything, nothing is stored.
//
// Handler panics when Check fails.
func (m *Manager) Handler(next http.Handler) http.Handler {
	m.must()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, twice := r.Context().Value(sessionKey{m}).(*Session); twice {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		s := m.newSession(r)
		rw := &writer{s: s, inner: w, cancel: cancel}
		ctx = context.WithValue(context.WithValue(ctx, sessionKey{m}, s), writerKey{m}, rw)
		s.ctx, rw.r = ctx, r.WithContext(ctx)
		defer rw.release()
		next.ServeHTTP(rw.wrap(), rw.r)
		rw.finish()
	})
}

// newSession is the session that a request's cookie names, not read yet.
func (m *Manager) newSession(r *http.Request) *Session {
	s := &Session{m: m, ctx: r.Context(), from: m.clientOf(r), slides: m.Slides == nil || m.Slides(r)}
	value, ok := connectredis.FirstCookie(r.Header, m.Cookie.Name)
	if !ok {
		return s
	}
	sid, _, err := connectredis.Verify(value, m.Secrets...)
	if err != nil || sid == "" {
		why := "signature"
		switch {
		case errors.Is(err, connectredis.ErrUnsigned):
			why = "unsigned"
		case errors.Is(err, connectredis.ErrLength):
			why = "length"
		}
		m.metrics.CookieRejected(why)
		m.tampered(s, why)
		return s
	}
	s.sid, s.given = sid, sid
	return s
}

// From is the session of a request under Handler; never nil. Elsewhere it is an
// empty session whose changes go nowhere.
func (m *Manager) From(ctx context.Context) *Session {
	m.must()
	if s, ok := ctx.Value(sessionKey{m}).(*Session); ok {
		return s
	}
	return &Session{m: m, ctx: ctx, loaded: true}
}

// here is the session of a request, for operations that make no sense without
// one.
func (m *Manager) here(ctx context.Context) (*Session, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	if s, ok := ctx.Value(sessionKey{m}).(*Session); ok {
		return s, nil
	}
	return nil, errors.New("bff: the context is not of a request under Handler")
}

// Require lets requests through to next that somebody signed in has sent. The
// others get 401 as application/problem+json, also when a Signal wants the user to
// sign in again; 503 when the store cannot be asked. It goes under Handler, and
// brings one along where there is none. It panics when Check fails.
func (m *Manager) Require(next http.Handler) http.Handler {
	return m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := m.From(r.Context())
		switch err := s.Err(); {
		case err != nil:
			m.ErrorHandler(w, r, err)
		case !s.Authenticated():
			m.ErrorHandler(w, r, ErrNoSession)
		case s.NeedsStepUp():
			m.ErrorHandler(w, r, ErrStepUp)
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// cookie is the Set-Cookie line that the response needs, "" for none. The lock is
// held.
func (s *Session) cookie() string {
	c := s.m.Cookie
	if c.Secure && c.OnlyHTTPS && !s.from.https {
		return ""
	}
	switch {
	case s.send == sendClear:
		return c.header("", time.Unix(0, 0))
	case s.send == sendID && s.sid != "":
		return c.header(connectredis.CookieValue(s.sid, s.m.Secrets[0]), s.expires())
	}
	return ""
}

// expires is when the browser may drop the cookie; zero: when it ends.
func (s *Session) expires() time.Time {
	if !s.m.Cookie.Persistent {
		return time.Time{}
	}
	if s.until.IsZero() {
		return s.m.clock.Now().Add(s.m.IdleTimeout)
	}
	return s.until
}
