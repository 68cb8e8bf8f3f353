package bfftest

import (
	"context"
	"slices"
	"sync"
	"time"

	"coatcheck/bff"
)

// Store is a store that counts the calls of another, and fails or holds them when
// told to. It hides what the other one has beside bff.Store.
type Store struct {
	inner bff.Store

	mu    sync.Mutex
	calls []string
	err   error
	hangs bool
	held  map[string]chan struct{}
}

// NewStore wraps a store.
func NewStore(inner bff.Store) *Store {
	return &Store{inner: inner, held: map[string]chan struct{}{}}
}

// Calls are the operations since the last ForgetCalls: "find", "replace", …
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// ForgetCalls empties what Calls returns.
func (s *Store) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// Fail has all calls fail, until it is called with nil.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Hang has calls wait until their context ends, as one does whose server has
// vanished.
func (s *Store) Hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = on
}

// Hold has the calls of an operation wait, off the StoreTimeout, until release is
// called.
func (s *Store) Hold(op string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.held[op] = gate
	return sync.OnceFunc(func() {
		s.mu.Lock()
		delete(s.held, op)
		s.mu.Unlock()
		close(gate)
	})
}

func (s *Store) enter(ctx context.Context, op string) error {
	s.mu.Lock()
	s.calls = append(s.calls, op)
	err, hangs, gate := s.err, s.hangs, s.held[op]
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// Find implements bff.Store.
func (s *Store) Find(ctx context.Context, key string) (bff.Record, error) {
	if err := s.enter(ctx, "find"); err != nil {
		return bff.Record{}, err
	}
	return s.inner.Find(ctx, key)
}

// Create implements bff.Store.
func (s *Store) Create(ctx context.Context, key string, r bff.Record) error {
	if err := s.enter(ctx, "create"); err != nil {
		return err
	}
	return s.inner.Create(ctx, key, r)
}

// Replace implements bff.Store.
func (s *Store) Replace(ctx context.Context, key string, old []byte, r bff.Record) error {
	if err := s.enter(ctx, "replace"); err != nil {
		return err
	}
	return s.inner.Replace(ctx, key, old, r)
}

// Rename implements bff.Store.
func (s *Store) Rename(ctx context.Context, key string, old []byte, to string, r bff.Record) error {
	if err := s.enter(ctx, "rename"); err != nil {
		return err
	}
	return s.inner.Rename(ctx, key, old, to, r)
}

// Touch implements bff.Store.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := s.enter(ctx, "touch"); err != nil {
		return err
	}
	return s.inner.Touch(ctx, key, ttl)
}

// Delete implements bff.Store.
func (s *Store) Delete(ctx context.Context, why bff.Reason, keys ...string) (int, error) {
	if err := s.enter(ctx, "delete"); err != nil {
		return 0, err
	}
	return s.inner.Delete(ctx, why, keys...)
}
