package bff_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

func visited(t *testing.T) (*bff.Manager, *bfftest.Browser, *bfftest.Clock, *func(*http.Request)) {
	clock := bfftest.NewClock()
	m := bff.New()
	m.Clock = clock
	keys, err := bff.NewKeyring(bff.Key{ID: "k", Secret: make([]byte, 32)})
	require.NoError(t, err)
	m.Keys = keys
	var do func(*http.Request)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { do(r) })
	return m, bfftest.NewBrowser(t, m.Handler(mux)), clock, &do
}

func TestReloadSeesWhatOthersStored(t *testing.T) {
	m, b, _, do := visited(t)
	*do = func(r *http.Request) {
		require.ErrorIs(t, m.Reload(r.Context()), bff.ErrNoSession)
		require.NoError(t, m.SignIn(r.Context(), bff.Identity{User: "alice"}))
	}
	b.Post("/")
	*do = func(r *http.Request) {
		s := m.From(r.Context())
		require.NoError(t, s.Put("mine", 1))
		require.True(t, s.Authenticated())
		outer := *do
		*do = func(r *http.Request) { require.NoError(t, m.From(r.Context()).Put("other", 2)) }
		b.Tab().Post("/")
		*do = outer
		var n int
		ok, err := s.Get("other", &n)
		require.NoError(t, err)
		require.False(t, ok)
		require.NoError(t, m.Reload(r.Context()))
		ok, err = s.Get("other", &n)
		require.NoError(t, err)
		require.True(t, ok)
	}
	b.Post("/")
	*do = func(r *http.Request) {
		var mine, other int
		s := m.From(r.Context())
		_, err := s.Get("mine", &mine)
		require.NoError(t, err)
		_, err = s.Get("other", &other)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, []int{mine, other})
		outer := *do
		*do = func(r *http.Request) { require.NoError(t, m.SignOut(r.Context())) }
		b.Tab().Post("/")
		*do = outer
		require.ErrorIs(t, m.Reload(r.Context()), bff.ErrNoSession)
		require.False(t, s.Authenticated())
		require.ErrorIs(t, m.Reload(r.Context()), bff.ErrNoSession)
	}
	b.Post("/")
}

func TestVisitOpensSealedMembers(t *testing.T) {
	m, b, _, do := visited(t)
	var h bff.Handle
	*do = func(r *http.Request) {
		require.NoError(t, m.From(r.Context()).Seal("token", "secret"))
		require.NoError(t, m.SignIn(r.Context(), bff.Identity{User: "alice"}))
		h = m.From(r.Context()).Handle()
	}
	b.Post("/")
	var got string
	require.NoError(t, m.Visit(t.Context(), h, func(s *bff.Session) error {
		_, err := s.Open("token", &got)
		return err
	}))
	require.Equal(t, "secret", got)
	require.ErrorIs(t, m.Visit(t.Context(), "nobody", func(*bff.Session) error { return nil }), bff.ErrNoSession)
}

func TestSessionInfo(t *testing.T) {
	m, b, clock, do := visited(t)
	b.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	*do = func(r *http.Request) {
		_, ok := m.From(r.Context()).Info()
		require.False(t, ok)
		require.NoError(t, m.SignIn(r.Context(), bff.Identity{User: "alice", Methods: []string{"otp"}}))
	}
	b.Post("/")
	clock.Advance(5 * time.Minute)
	*do = func(r *http.Request) {
		s := m.From(r.Context())
		require.True(t, s.Authenticated())
		require.NoError(t, m.Save(r.Context())) // the deadline moves now
		got, ok := s.Info()
		require.True(t, ok)
		want, err := m.Inspect(r.Context(), s.Handle())
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.True(t, got.Current)
		require.Equal(t, "alice", got.User)
		require.Equal(t, clock.Now().Add(15*time.Minute), got.IdleExpiresAt)
	}
	b.Post("/")
}
