package bff

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"coatcheck/bff/connectredis"
)

// Identity is who signs in.
type Identity struct {
	// User is the user's id; the sessions of one user are found by it.
	User string
	// Session is the id that the identity provider has for its session, "" for
	// none: a back-channel logout names it.
	Session string
	// Methods are how the user proved to be who he is: "pwd", "otp".
	Methods []string
}

// SignIn makes the session that of a user, under a new id, and the old id is dead
// at once. What the session held stays, unless it was another user's. It is stored
// when SignIn returns.
//
// It fails with ErrLimit when the user has too many sessions and the policy is to
// refuse, with ErrStore, and with ErrTooLate once the response has begun.
func (m *Manager) SignIn(ctx context.Context, id Identity) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	if id.User == "" {
		return errors.New("bff: an identity without a user")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return ErrTooLate
	}
	if err := s.load(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	s.anew = s.user() != "" && s.user() != id.User
	s.edits = append(s.edits, s.identify(id))
	if m.Passport {
		user, err := connectredis.Marshal(map[string]string{"user": id.User})
		if err != nil {
			return err
		}
		s.changes.put("passport", user)
	}
	if err := s.move(ctx); errors.Is(err, ErrNoSession) || errors.Is(err, ErrExpired) {
		// The old session ended meanwhile. Whoever has signed in gets a new one.
		if err := s.create(ctx, newID()); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	s.stepUp, s.score = false, 0
	return s.limit(ctx, id.User)
}

// identify is what a sign-in changes in the meta member: all times begin anew.
func (s *Session) identify(id Identity) func(*meta) {
	now := millis(s.m.clock.Now())
	return func(mt *meta) {
		if _, err := s.m.Keys.open(mt.Box, s.m.Prefix+s.sid); err != nil {
			mt.Box = nil // of a key that is gone; a sign-in must not fail for that
		}
		*mt = meta{
			Sub: id.User, IDP: id.Session, Methods: id.Methods, Born: now, Auth: now,
			Family: agentFamily(s.from.agent), Label: agentLabel(s.from.agent), Network: coarse(s.from.addr), Box: mt.Box,
		}
	}
}

// move stores the session with its changes under a new id, and nothing any more
// under the old one.
func (s *Session) move(ctx context.Context) error {
	if s.base == nil {
		return s.create(ctx, newID())
	}
	old, next := s.sid, newID()
	for range maxTries {
		doc, rec, err := s.build(s.base, old, next)
		if err != nil {
			return err
		}
		err = s.m.rename(ctx, old, s.base.Bytes(), next, rec)
		if err == nil {
			s.moved(next, doc, rec)
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err = s.read(ctx); err != nil {
			return err
		}
	}
	return ErrConflict
}

func (s *Session) moved(next string, doc *connectredis.Document, rec Record) {
	s.sid = next
	s.stored(doc, rec)
	s.send, s.ended = sendID, nil
}

// Renew gives the session a new id and keeps what it holds: when rights change.
// The old id is dead at once, or after RenewGrace.
//
// It fails with ErrNoSession when there is none (any more), with ErrStore,
// ErrConflict, and ErrTooLate once the response has begun.
func (m *Manager) Renew(ctx context.Context) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return ErrTooLate
	}
	if err := s.load(); err != nil {
		return err
	}
	if s.base == nil {
		return ErrNoSession
	}
	ctx = context.WithoutCancel(ctx)
	if m.RenewGrace > 0 {
		return s.gone(s.moveSlowly(ctx))
	}
	return s.gone(s.move(ctx))
}

// moveSlowly is move that leaves the new id under the old one, for RenewGrace.
func (s *Session) moveSlowly(ctx context.Context) error {
	for range maxTries {
		err := s.fork(ctx, newID())
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err = s.read(ctx); err != nil {
			return err
		}
	}
	return ErrConflict
}

// fork stores the session under the id next, and then a pointer to that under its
// own. When the session changed or ended meanwhile, next is gone again.
func (s *Session) fork(ctx context.Context, next string) error {
	old := s.sid
	pointer, err := s.pointer(old, next)
	if err != nil {
		return err
	}
	doc, rec, err := s.build(s.base, old, next)
	if err != nil {
		return err
	}
	if err := s.m.create(ctx, next, rec); err != nil {
		return err
	}
	if err := s.m.replace(ctx, old, s.base.Bytes(), Record{Value: pointer, TTL: s.m.RenewGrace}); err != nil {
		if _, gone := s.m.remove(ctx, ReasonRenewed, s.user(), next); gone != nil {
			return gone
		}
		return err
	}
	s.m.live.renamed(old, next)
	s.m.metrics.Event(EventRenewed, ReasonRenewed)
	s.moved(next, doc, rec)
	return nil
}

// pointer is what stands under an old id while its new one is told.
func (s *Session) pointer(old, next string) ([]byte, error) {
	to := &connectredis.Document{}
	sid, err := connectredis.Marshal(next)
	if err != nil {
		return nil, err
	}
	to.Set("sid", sid)
	b, err := s.m.grace.seal(to, s.m.Prefix+old)
	if err != nil {
		return nil, err
	}
	doc := &connectredis.Document{}
	if err := writeMeta(doc, meta{To: b}); err != nil {
		return nil, err
	}
	return s.m.Codec.Encode(doc, s.m.Cookie.stored(s.m.RenewGrace), s.m.clock.Now())
}

// SignOut ends the session: it is gone from the store, the browser is told to drop
// the cookie, and its streams close. Without a session it does nothing. It fails
// with ErrStore: then the session may live on.
func (m *Manager) SignOut(ctx context.Context) error {
	s, err := m.here(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	if s.sid == "" {
		s.forget()
		return nil
	}
	if _, err := m.remove(context.WithoutCancel(ctx), ReasonLogout, s.user(), s.sid); err != nil {
		return err
	}
	s.lose(ErrRevoked)
	s.send = sendClear
	return nil
}

// limit holds a user who has just signed in to MaxPerUser sessions.
func (s *Session) limit(ctx context.Context, user string) error {
	m := s.m
	if m.MaxPerUser == 0 {
		return nil
	}
	entries, err := m.entriesOf(ctx, user)
	if err != nil {
		return err
	}
	over := len(entries) - m.MaxPerUser
	if over <= 0 {
		return nil
	}
	key := m.Prefix + s.sid
	if m.AtLimit == Refuse {
		// Of several that sign in together, those before are none the wiser.
		if mine := slices.IndexFunc(entries, func(e Entry) bool { return e.Key == key }); mine >= 0 && mine < m.MaxPerUser {
			return nil
		}
		if _, err := m.remove(ctx, ReasonLimit, user, s.sid); err != nil {
			return err
		}
		s.lose(ErrLimit)
		s.send = sendClear
		return ErrLimit
	}
	var out []string
	for _, e := range entries {
		if len(out) < over && e.Key != key {
			out = append(out, strings.TrimPrefix(e.Key, m.Prefix))
		}
	}
	_, err = m.remove(ctx, ReasonLimit, user, out...)
	m.log.LogAttrs(ctx, slog.LevelDebug, "sessions over the limit ended", slog.Int("n", len(out)))
	return err
}

// Member is a member's JSON as it is stored, for those who pass it on; nil without
// one.
func (s *Session) Member(key string) (json.RawMessage, error) {
	var raw json.RawMessage
	_, err := s.Get(key, &raw)
	return raw, err
}
