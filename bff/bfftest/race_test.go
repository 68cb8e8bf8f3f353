package bfftest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"
	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/embedded"
	"coatcheck/bff/memstore"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// managed is an application on a Manager.
func managed(store bff.Store, hold func()) http.Handler {
	m := bff.New()
	m.Store, m.TouchEvery = store, 0 // a read moves the deadline, too
	m.Secrets = [][]byte{[]byte("a secret")}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		must(m.SignIn(r.Context(), bff.Identity{User: "alice"}))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) { must(m.SignOut(r.Context())) })
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if !m.From(r.Context()).Authenticated() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("POST /slow-write", func(_ http.ResponseWriter, r *http.Request) {
		must(m.From(r.Context()).Put("n", 1))
		hold()
	})
	mux.HandleFunc("GET /slow-read", func(_ http.ResponseWriter, r *http.Request) {
		if m.From(r.Context()).UserID() != "alice" {
			panic("nobody is signed in")
		}
		hold()
	})
	return m.Handler(mux)
}

// The slow request loses, without any policy of the store.
func TestLogoutIsFinalOnEveryStore(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) bff.Store{
		"map": func(*testing.T) bff.Store { return nil },
		"memstore": func(t *testing.T) bff.Store {
			s := memstore.New(memstore.Options{})
			t.Cleanup(s.Close)
			return s
		},
		"embedded": func(t *testing.T) bff.Store {
			s, err := embedded.Start(embedded.Options{})
			require.NoError(t, err)
			t.Cleanup(s.Close)
			return s
		},
	} {
		for _, path := range []string{"/slow-write", "/slow-read"} {
			t.Run(name+path, func(t *testing.T) {
				store := open(t)
				race := bfftest.RaceLogout(t, path, func(hold func()) http.Handler { return managed(store, hold) })
				require.Equal(t, bfftest.Race{Late: bfftest.Trials}, race)
			})
		}
	}
}

// The race is real: sessions that are written without a look come back each time.
func TestRaceLogoutFindsWhoLoses(t *testing.T) {
	app := func(hold func()) http.Handler {
		sm := scs.New()
		sm.Store, sm.IdleTimeout = scsmem.NewWithCleanupInterval(0), time.Hour
		mux := http.NewServeMux()
		mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) { sm.Put(r.Context(), "user", "alice") })
		mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) { must(sm.Destroy(r.Context())) })
		mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
			if sm.GetString(r.Context(), "user") == "" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		mux.HandleFunc("POST /slow-write", func(_ http.ResponseWriter, r *http.Request) {
			sm.Put(r.Context(), "n", 1)
			hold()
		})
		mux.HandleFunc("GET /slow-read", func(_ http.ResponseWriter, r *http.Request) {
			_ = sm.GetString(r.Context(), "user")
			hold()
		})
		return sm.LoadAndSave(mux)
	}
	for _, path := range []string{"/slow-write", "/slow-read"} {
		require.Equal(t, bfftest.Race{Alive: bfftest.Trials, Late: bfftest.Trials}, bfftest.RaceLogout(t, path, app), path)
	}
}
