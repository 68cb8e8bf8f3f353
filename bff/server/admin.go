package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"coatcheck/bff"
)

// Admin is the handler of the listener for those who watch over the server: figures,
// health, and /internal/sessions. figures serves /metrics; nil: nothing does.
func (s *Server) Admin(figures http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", methods{"GET": s.healthz})
	mux.Handle("/readyz", methods{"GET": s.readyz})
	if figures != nil {
		mux.Handle("/metrics", methods{"GET": figures.ServeHTTP})
	}
	s.internal(mux)
	mux.HandleFunc("/", nothingHere)
	return s.recovered(s.headers(mux))
}

// admin lets the admin through to a route: by basic authentication, and by the header
// that a foreign page cannot send, since browsers add the former by themselves.
func (s *Server) admin(h http.HandlerFunc) http.HandlerFunc {
	return s.m.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.AdminUser == "" {
			bff.WriteProblem(w, http.StatusForbidden, "no-admin", "BFF_ADMIN_USER is not set.")
			return
		}
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = r.RemoteAddr
		}
		if wait := s.guess.wait(from); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			bff.WriteProblem(w, http.StatusTooManyRequests, "guessing", "Too many wrong passwords.")
			return
		}
		user, password, ok := r.BasicAuth()
		if !s.isAdmin(user, password) {
			if ok {
				s.guess.wrong(from)
				s.log.Warn("wrong admin password", "from", from)
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="coatcheck-bff", charset="UTF-8"`)
			bff.WriteProblem(w, http.StatusUnauthorized, "admin", "The admin's name and password are needed.")
			return
		}
		h(w, r)
	})).ServeHTTP
}

// isAdmin compares in a time that tells nothing.
func (s *Server) isAdmin(user, password string) bool {
	same := func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return subtle.ConstantTimeCompare(x[:], y[:])
	}
	return same(user, s.cfg.AdminUser)&same(password, s.cfg.AdminPassword) == 1 && password != ""
}

const (
	// maxGuesses wrong passwords from one address within guessesWithin are taken.
	maxGuesses    = 10
	guessesWithin = time.Minute
	// maxGuessers bounds what is remembered.
	maxGuessers = 10000
)

// guesses counts wrong passwords by where they come from.
type guesses struct {
	clock bff.Clock

	mu  sync.Mutex
	all map[string]*guesser
}

type guesser struct {
	n     int
	until time.Time
}

func newGuesses(clock bff.Clock) *guesses { return &guesses{clock: clock, all: map[string]*guesser{}} }

// wait is how long an address must wait before it may try again.
func (g *guesses) wait(from string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.all[from]
	if one == nil || one.n < maxGuesses {
		return 0
	}
	return max(one.until.Sub(g.clock.Now()), 0)
}

func (g *guesses) wrong(from string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	if len(g.all) >= maxGuessers {
		for addr, one := range g.all {
			if !now.Before(one.until) {
				delete(g.all, addr)
			}
		}
		if len(g.all) >= maxGuessers { // an attack from everywhere: begin anew
			g.all = map[string]*guesser{}
		}
	}
	one := g.all[from]
	if one == nil || !now.Before(one.until) {
		one = &guesser{until: now.Add(guessesWithin)}
		g.all[from] = one
	}
	one.n++
}
