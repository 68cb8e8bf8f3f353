package bff

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"time"

	"coatcheck/bff/connectredis"
)

// Session is the session of one request. It is read from the store when
// something of it is asked for, and written before the first byte of the
// response when something was changed. Its methods may be called from any
// goroutine of the request.
type Session struct {
	m      *Manager
	ctx    context.Context
	from   client
	slides bool

	mu     sync.Mutex
	sid    string // "" while there is no session
	given  string // the id that the request's cookie had
	loaded bool
	failed error                  // the store did not answer: nothing more is asked of it
	ended  error                  // why the request's session is none
	base   *connectredis.Document // as stored; nil: nothing is
	meta   meta                   // of base
	until  time.Time              // the idle deadline in the store; zero: none
	score  int                    // of the signals seen
	stepUp bool

	changes changes
	sealed  changes
	edits   []func(*meta)
	anew    bool // nothing that is stored stays

	send  sending
	begun bool // the response's header is out
}

// sending is what becomes of the cookie.
type sending int

const (
	sendNothing sending = iota
	sendID
	sendClear
)

// Handle names the session in lists and logs; "" while there is none.
func (s *Session) Handle() Handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load() != nil || s.sid == "" {
		return ""
	}
	return s.m.handles.learned(s.sid)
}

// Err is why there is no session: ErrNoSession, ErrExpired, ErrRevoked, or ErrStore
// when the store could not be asked. It is nil when there is one.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	if s.base != nil {
		return nil
	}
	if s.ended != nil {
		return s.ended
	}
	return ErrNoSession
}

// UserID is who is signed in, "" for nobody.
func (s *Session) UserID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load() != nil {
		return ""
	}
	return s.user()
}

func (s *Session) user() string {
	if s.base == nil {
		return ""
	}
	return s.m.userOf(s.base, s.meta)
}

// Authenticated says whether somebody is signed in.
func (s *Session) Authenticated() bool { return s.UserID() != "" }

// NeedsStepUp says that a Signal wants the user to sign in again. Require asks.
func (s *Session) NeedsStepUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load() == nil && s.stepUp
}

// Suspicion is the sum of the scores of the signals that this request gave.
func (s *Session) Suspicion() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.load() // without a session there is nothing to suspect
	return s.score
}

// DontSlide has this request not count as use of the session: its deadline stays.
func (s *Session) DontSlide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slides = false
}

// Get reads a member into dst, as encoding/json does, and says whether there is
// one. It fails when the store cannot be asked, or the member does not fit dst.
func (s *Session) Get(key string, dst any) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return false, err
	}
	raw, ok := s.changes.vals[key]
	if !ok && s.base != nil {
		raw, _ = s.base.Get(key)
	}
	return decode(raw, dst, key)
}

func decode(raw json.RawMessage, dst any, key string) (bool, error) {
	if raw == nil {
		return false, nil
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		return false, fmt.Errorf("bff: member %q: %w", key, err)
	}
	return true, nil
}

// Put sets a member to v as JSON. It is stored before the first byte of the
// response, or by Save. It fails with ErrName for names that are taken, and when
// v cannot be JSON or Node would damage it.
func (s *Session) Put(key string, v any) error {
	raw, err := s.encode(key, v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes.put(key, raw)
	return nil
}

func (s *Session) encode(key string, v any) (json.RawMessage, error) {
	if key == "cookie" || key == metaName {
		return nil, fmt.Errorf("%w: %q is the session's own", ErrName, key)
	}
	raw, err := connectredis.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("bff: member %q: %w", key, err)
	}
	if err := s.m.Codec.Check(key, raw); err != nil {
		return nil, fmt.Errorf("bff: member %q: %w", key, err)
	}
	return raw, nil
}

// Delete removes a member.
func (s *Session) Delete(key string) {
	if key == "cookie" || key == metaName {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes.put(key, nil)
}

// Keys are the names of the members, without the session's own.
func (s *Session) Keys() iter.Seq[string] {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc := &connectredis.Document{}
	if s.load() == nil && s.base != nil {
		doc = s.base.Clone()
	}
	s.changes.apply(doc)
	return func(yield func(string) bool) {
		for name := range doc.Names() {
			if name != "cookie" && name != metaName && !yield(name) {
				return
			}
		}
	}
}

// Seal is Put for a member that is encrypted in the store: a token. It fails with
// ErrSealed when the Manager has no Keys.
func (s *Session) Seal(key string, v any) error {
	if s.m.Keys == nil {
		return ErrSealed
	}
	raw, err := connectredis.Marshal(v)
	if err != nil {
		return fmt.Errorf("bff: sealed member %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed.put(key, raw)
	return nil
}

// Unseal removes a sealed member.
func (s *Session) Unseal(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed.put(key, nil)
}

// Open is Get for a sealed member. It fails with ErrSealed when no key opens it.
func (s *Session) Open(key string, dst any) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return false, err
	}
	if raw, ok := s.sealed.vals[key]; ok {
		return decode(raw, dst, key)
	}
	doc, err := s.m.Keys.open(s.meta.Box, s.m.Prefix+s.sid)
	if err != nil {
		return false, err
	}
	raw, _ := doc.Get(key)
	return decode(raw, dst, key)
}

// Deadlines are when the session ends if it is not used, and when it ends in any
// case; zero times for never, or no session.
func (s *Session) Deadlines() (idle, absolute time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load() != nil || s.base == nil {
		return time.Time{}, time.Time{}
	}
	return s.until, fromMillis(s.meta.Ends)
}

// changed says whether there is something to write.
func (s *Session) changed() bool { return s.changes.any() || s.sealed.any() || len(s.edits) > 0 }

// forget drops what was to be written.
func (s *Session) forget() {
	s.changes, s.sealed, s.edits, s.anew = changes{}, changes{}, nil, false
}

// lose makes it no session: it has ended.
func (s *Session) lose(why error) {
	s.sid, s.base, s.meta, s.until, s.ended = "", nil, meta{}, time.Time{}, why
	s.forget()
}
