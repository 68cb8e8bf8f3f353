package scsstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/storetest"
	ours "coatcheck/bff/memstore"
	"coatcheck/bff/scsstore"
)

var (
	_ scs.CtxStore         = (*scsstore.Store)(nil)
	_ scs.IterableStore    = (*scsstore.Store)(nil)
	_ scs.IterableCtxStore = (*scsstore.Store)(nil)
	_ scsstore.Theirs      = scs.Store(nil)
)

func newOurs(t *testing.T, clock bff.Clock) *ours.Store {
	s := ours.New(ours.Options{Clock: clock})
	t.Cleanup(s.Close)
	return s
}

// newTheirs is scs' own store, without its cleaning goroutine.
func newTheirs() *memstore.MemStore { return memstore.NewWithCleanupInterval(0) }

func TestConformanceFrom(t *testing.T) {
	storetest.Run(t, func(*testing.T) bff.Store { return scsstore.From(newTheirs(), scsstore.FromOptions{}) }, storetest.Options{})
}

// Through both adapters, on the way with contexts.
func TestConformanceThereAndBack(t *testing.T) {
	clock := bfftest.NewClock()
	storetest.Run(t, func(t *testing.T) bff.Store {
		return scsstore.From(scsstore.New(newOurs(t, clock), scsstore.Options{Clock: clock}), scsstore.FromOptions{Clock: clock})
	}, storetest.Options{Advance: clock.Advance})
}

// A web application on scs, unchanged but for its store.
func TestSCS(t *testing.T) {
	store := newOurs(t, nil)
	sm := scs.New()
	sm.Store = scsstore.New(store, scsstore.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		if err := sm.RenewToken(r.Context()); err != nil {
			panic(err)
		}
		sm.Put(r.Context(), "user", "alice")
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, sm.GetString(r.Context(), "user"))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		if err := sm.Destroy(r.Context()); err != nil {
			panic(err)
		}
	})
	b := bfftest.NewBrowser(t, sm.LoadAndSave(mux))
	require.Equal(t, http.StatusOK, b.Post("/login").StatusCode)
	require.Equal(t, "alice", b.Get("/me").Text)
	first := b.Cookie("session")
	rec, err := store.Find(t.Context(), "scs:session:"+first)
	require.NoError(t, err)
	require.Greater(t, rec.TTL, 23*time.Hour, "scs' lifetime")

	require.Equal(t, http.StatusOK, b.Post("/login").StatusCode)
	require.NotEqual(t, first, b.Cookie("session"))
	_, err = store.Find(t.Context(), "scs:session:"+first)
	require.ErrorIs(t, err, bff.ErrNoSession)
	seen := 0
	require.NoError(t, sm.Iterate(t.Context(), func(ctx context.Context) error {
		seen++
		require.Equal(t, "alice", sm.GetString(ctx, "user"))
		return nil
	}))
	require.Equal(t, 1, seen)
	require.Equal(t, http.StatusOK, b.Post("/logout").StatusCode)
	require.Empty(t, b.Get("/me").Text)
	n, err := store.Count(t.Context(), "")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestCommit(t *testing.T) {
	clock := bfftest.NewClock()
	s := scsstore.New(newOurs(t, clock), scsstore.Options{Clock: clock})
	find := func() string {
		b, found, err := s.Find("a")
		require.NoError(t, err)
		require.Equal(t, found, b != nil)
		return string(b)
	}
	require.Empty(t, find())
	require.NoError(t, s.Delete("a"), "none is no error")
	require.NoError(t, s.Commit("a", []byte("1"), clock.Now().Add(time.Second)))
	require.NoError(t, s.Commit("a", []byte("2"), clock.Now().Add(time.Minute)))
	clock.Advance(time.Minute - time.Millisecond)
	require.Equal(t, "2", find())
	clock.Advance(time.Millisecond)
	require.Empty(t, find())
	for _, past := range []time.Duration{0, -time.Hour} {
		require.NoError(t, s.Commit("b", []byte("1"), clock.Now().Add(past)))
		_, found, err := s.Find("b")
		require.NoError(t, err)
		require.False(t, found, "0 is not for ever")
	}
	all, err := s.All()
	require.NoError(t, err)
	require.NotNil(t, all)
	require.Empty(t, all)
}

// Writers at once: all of them succeed, and one was last.
func TestCommitsAtOnce(t *testing.T) {
	s := scsstore.New(newOurs(t, nil), scsstore.Options{})
	for round := range 20 {
		token := fmt.Sprint(round)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = s.Commit(token, fmt.Append(nil, i), time.Now().Add(time.Hour)) })
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		_, found, err := s.Find(token)
		require.NoError(t, err)
		require.True(t, found)
	}
}

// tombs is a store that keeps deleted sessions from coming back.
type tombs struct{ bff.Store }

func (tombs) Create(context.Context, string, bff.Record) error { return bff.ErrConflict }

func TestRefusals(t *testing.T) {
	inner := bfftest.NewStore(newOurs(t, nil))
	s := scsstore.New(tombs{inner}, scsstore.Options{})
	require.ErrorIs(t, s.Commit("a", []byte("1"), time.Now().Add(time.Hour)), bff.ErrRevoked)
	_, err := s.All()
	require.ErrorIs(t, err, errors.ErrUnsupported)

	down := errors.New("down")
	inner.Fail(down)
	_, _, err = s.Find("a")
	require.ErrorIs(t, err, down)
	require.ErrorIs(t, s.Commit("a", nil, time.Now().Add(time.Hour)), down)
	require.ErrorIs(t, s.Delete("a"), down)
}

// What another program wrote is no session, and nothing that breaks.
func TestFromStrangers(t *testing.T) {
	theirs := newTheirs()
	s := scsstore.From(theirs, scsstore.FromOptions{})
	for _, b := range []string{"", "b", "bff1", "bff1\x00\x00\x00\x00\x00\x00\x00", "gob of scs, long enough"} {
		require.NoError(t, theirs.Commit("myapp:a", []byte(b), time.Now().Add(time.Hour)))
		_, err := s.Find(t.Context(), "myapp:a")
		require.ErrorIs(t, err, bff.ErrNoSession)
		page, _, err := s.(bff.Lister).List(t.Context(), "myapp:", "", 10)
		require.NoError(t, err)
		require.Empty(t, page)
	}
}

// bff's sessions in a store of scs.
func TestManagerOnSCS(t *testing.T) {
	m := bff.New()
	m.Store = scsstore.From(newTheirs(), scsstore.FromOptions{})
	m.Secrets = [][]byte{[]byte("a secret")}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		if err := m.SignIn(r.Context(), bff.Identity{User: "alice"}); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, m.From(r.Context()).UserID()) })
	b := bfftest.NewBrowser(t, m.Handler(mux))
	require.Equal(t, http.StatusOK, b.Post("/login").StatusCode)
	require.Equal(t, "alice", b.Get("/me").Text)
	page, err := m.ListActiveSessions(t.Context(), bff.Query{User: "alice"})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 1)
	n, err := m.InvalidateUser(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, b.Get("/me").Text)
}

func ExampleNew() {
	store := ours.New(ours.Options{})
	defer store.Close()
	sessions := scs.New()
	sessions.Store = scsstore.New(store, scsstore.Options{})

	ctx, _ := sessions.Load(context.Background(), "")
	sessions.Put(ctx, "user", "alice")
	token, _, err := sessions.Commit(ctx)
	fmt.Println(len(token) > 0, err)
	// Output: true <nil>
}

func ExampleFrom() {
	m := bff.New()
	m.Store = scsstore.From(memstore.New(), scsstore.FromOptions{})
	m.Secrets = [][]byte{[]byte("a secret of 32 bytes or more ...")}
	fmt.Println(m.Check())
	// Output: <nil>
}
