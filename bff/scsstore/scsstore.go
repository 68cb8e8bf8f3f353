package scsstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"coatcheck/bff"
)

// Options configure a Store. The zero value works.
type Options struct {
	// Prefix stands before the tokens; "": "scs:session:", as in scs' own
	// store for Redis. It must not be one that a Manager uses: the values are
	// not what its Codec reads.
	Prefix string
	// Clock is the time; nil: the machine's. It should be the store's.
	Clock bff.Clock
}

// Store is an scs.CtxStore and scs.IterableCtxStore on a bff.Store.
//
// As scs wants it, Commit writes whatever was there, so that of two requests at
// once the later one has the session, and one that is late brings back what was
// destroyed, unless the bff.Store keeps deleted sessions from coming back: then
// Commit fails with bff.ErrRevoked.
type Store struct {
	inner  bff.Store
	prefix string
	clock  bff.Clock
}

// New makes a Store. Closing the inner one stays the caller's.
func New(inner bff.Store, opts Options) *Store {
	s := &Store{inner: inner, prefix: opts.Prefix, clock: opts.Clock}
	if s.prefix == "" {
		s.prefix = "scs:session:"
	}
	if s.clock == nil {
		s.clock = bff.SystemClock{}
	}
	return s
}

// Find is FindCtx without a context.
func (s *Store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Store) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *Store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// All is AllCtx without a context.
func (s *Store) All() (map[string][]byte, error) { return s.AllCtx(context.Background()) }

// FindCtx returns a session's data; found is false when there is none, also when it
// has just expired.
func (s *Store) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	r, err := s.inner.Find(ctx, s.prefix+token)
	if errors.Is(err, bff.ErrNoSession) {
		return nil, false, nil
	}
	return r.Value, err == nil, err
}

// commitTries bounds how often a Commit that meets others tries again.
const commitTries = 32

// CommitCtx writes a session that ends at expiry, in the place of what is there. It
// keeps no part of b. It fails with bff.ErrRevoked when the store refuses the token
// of a session that has ended.
func (s *Store) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	key := s.prefix + token
	refused := 0
	for range commitTries {
		r := bff.Record{Value: b, TTL: s.ttl(expiry)}
		have, err := s.inner.Find(ctx, key)
		create := errors.Is(err, bff.ErrNoSession)
		switch {
		case create:
			err = s.inner.Create(ctx, key, r)
		case err == nil:
			err = s.inner.Replace(ctx, key, have.Value, r)
		}
		switch {
		case err == nil:
			return nil
		case create && errors.Is(err, bff.ErrConflict):
			// Another's Create may have come between, but hardly each time.
			if refused++; refused == 3 {
				return fmt.Errorf("scsstore: %w", bff.ErrRevoked)
			}
		case errors.Is(err, bff.ErrConflict), errors.Is(err, bff.ErrNoSession):
			refused = 0
		default:
			return err
		}
	}
	return fmt.Errorf("scsstore: %w", bff.ErrConflict)
}

// ttl is what is left until expiry; below zero when that has passed: 0 would be for
// ever.
func (s *Store) ttl(expiry time.Time) time.Duration {
	if left := expiry.Sub(s.clock.Now()); left > 0 {
		return left
	}
	return -1
}

// DeleteCtx ends a session. One that is not there is no error.
func (s *Store) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.inner.Delete(ctx, bff.ReasonLogout, s.prefix+token)
	return err
}

// page is how many sessions AllCtx reads at a time.
const page = 1000

// AllCtx returns all sessions by their tokens; all of them are in memory then. It
// fails with errors.ErrUnsupported when the store cannot list.
func (s *Store) AllCtx(ctx context.Context) (map[string][]byte, error) {
	list, ok := s.inner.(bff.Lister)
	if !ok {
		return nil, fmt.Errorf("scsstore: the store cannot list sessions: %w", errors.ErrUnsupported)
	}
	all := map[string][]byte{}
	for cursor := ""; ; {
		entries, next, err := list.List(ctx, s.prefix, cursor, page)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			all[strings.TrimPrefix(e.Key, s.prefix)] = e.Value
		}
		if cursor = next; cursor == "" {
			return all, nil
		}
	}
}
