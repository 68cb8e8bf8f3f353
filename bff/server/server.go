package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"coatcheck/bff"
	"coatcheck/bff/oidc"
	"coatcheck/bff/proxy"
	"coatcheck/bff/redisstore"
)

// Server answers browsers, and those who watch over it.
type Server struct {
	cfg   *Config
	m     *bff.Manager
	login *oidc.Client // nil: nobody signs in by OpenID Connect
	apis  *proxy.Proxy
	log   *slog.Logger
	clock bff.Clock
	hosts map[string]bool
	guess *guesses
	page  http.Handler

	draining context.Context
	drain    context.CancelFunc

	once   sync.Once
	public http.Handler
}

// New makes a server. The Manager's fields must not change after that.
func New(cfg *Config) (*Server, error) {
	m := cfg.Manager
	s := &Server{cfg: cfg, m: m, log: cmp.Or(m.Logger, slog.Default()), hosts: cfg.hosts()}
	if s.clock = m.Clock; s.clock == nil {
		s.clock = bff.SystemClock{}
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	s.guess = newGuesses(s.clock)
	s.apis = &proxy.Proxy{
		Manager: m, Prefix: apiPrefix, Upstreams: cfg.APIs, PublicURL: cfg.PublicURL, MaxBody: cfg.MaxBody, Logger: s.log,
	}
	if cfg.OIDC.Issuer != "" {
		s.login = newLogin(cfg, s.log)
		if err := s.login.Check(); err != nil {
			return nil, err
		}
		s.apis.Token, s.apis.Fail = s.token, s.login.WriteError
	}
	if err := s.apis.Check(); err != nil {
		return nil, err
	}
	var err error
	s.page, err = newPages(cfg)
	return s, err
}

// newLogin is the client of the identity provider.
func newLogin(cfg *Config, log *slog.Logger) *oidc.Client {
	public := cfg.PublicURL.String()
	c := &oidc.Client{
		Manager: cfg.Manager, Issuer: cfg.OIDC.Issuer, ID: cfg.OIDC.ClientID, Secret: cfg.OIDC.ClientSecret,
		RedirectURL: public + "/bff/callback", PostLogoutURL: cfg.OIDC.PostLogoutURL, Scopes: cfg.OIDC.Scopes,
		AnyLogoutType: cfg.OIDC.AnyLogoutType, Logger: log, Fail: failPage,
	}
	if shared, ok := cfg.Manager.Store.(interface{ Notes() *redisstore.Notes }); ok {
		c.Notes = bounded{shared.Notes(), cfg.Manager.StoreTimeout}
	}
	return c
}

// token is the access token for APIs; those who signed in by other ways have none.
func (s *Server) token(ctx context.Context) (string, error) {
	token, err := s.login.AccessToken(ctx)
	if errors.Is(err, oidc.ErrNoToken) {
		return "", nil
	}
	return token, err
}

// Drain lets /readyz say no from now on, and ends event streams.
func (s *Server) Drain() { s.drain() }

// Public is the handler for browsers.
func (s *Server) Public() http.Handler {
	s.once.Do(func() { s.public = s.recovered(s.headers(s.checkHost(s.routes()))) })
	return s.public
}

// headers are those that all answers have.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if s.cfg.PublicURL.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost turns away requests for other hosts: an attacker's name that leads to this
// address (DNS rebinding) makes his page one of this origin.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hosts[strings.ToLower(r.Host)] && r.URL.Path != "/healthz" && r.URL.Path != "/readyz" {
			bff.WriteProblem(w, http.StatusMisdirectedRequest, "host", "No application of that name is here.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered answers for handlers that panic, without a word of why.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				s.log.Error("a handler panicked", "path", r.URL.Path, "panic", v, "stack", stack())
				bff.WriteProblem(w, http.StatusInternalServerError, "internal", "Something is wrong here.")
			}
		}()
		next.ServeHTTP(w, r)
	})
}
