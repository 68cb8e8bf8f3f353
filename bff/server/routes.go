package server

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"coatcheck/bff"
	"coatcheck/bff/oidc"
)

// apiPrefix is where APIs are.
const apiPrefix = "/bff/api/"

func stack() string { return string(debug.Stack()) }

// methods are the handlers of a path.
type methods map[string]http.HandlerFunc

// ServeHTTP implements http.Handler: other methods get 405, before anything is asked.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := m[r.Method]
	if handler == nil && r.Method == http.MethodHead {
		handler = m[http.MethodGet]
	}
	if handler == nil {
		var allowed []string
		for name := range m {
			allowed = append(allowed, name)
		}
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		bff.WriteProblem(w, http.StatusMethodNotAllowed, "method", strings.Join(allowed, ", ")+": that is what there is.")
		return
	}
	handler(w, r)
}

// navigation is a route that browsers go to, rather than scripts.
func (s *Server) navigation(h http.HandlerFunc) http.HandlerFunc { return s.m.Handler(h).ServeHTTP }

// script is a route for scripts of our own pages, whoever is signed in.
func (s *Server) script(h http.HandlerFunc) http.HandlerFunc {
	return s.m.Protect(s.m.Handler(h)).ServeHTTP
}

// user is a script's route for users who are signed in.
func (s *Server) user(h http.HandlerFunc) http.HandlerFunc {
	return s.m.Protect(s.m.Require(h)).ServeHTTP
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", methods{"GET": s.healthz})
	mux.Handle("/readyz", methods{"GET": s.readyz})
	mux.Handle("/bff/login", methods{"GET": s.navigation(s.serveLogin)})
	mux.Handle("/bff/callback", methods{"GET": s.navigation(s.serveCallback)})
	mux.Handle("/bff/backchannel", methods{"POST": s.serveBackchannel})
	mux.Handle("/bff/logout", methods{"POST": s.script(s.logout)})
	mux.Handle("/bff/session", methods{"GET": s.user(s.session)})
	mux.Handle("/bff/session/refresh", methods{"POST": s.user(s.refresh)})
	mux.Handle("/bff/sessions", methods{"GET": s.user(s.devices), "DELETE": s.user(s.revokeAll)})
	mux.Handle("/bff/sessions/{handle}", methods{"DELETE": s.user(s.revokeOne)})
	mux.Handle("/bff/events", methods{"GET": s.user(s.events)})
	if s.cfg.DevLogin {
		mux.Handle("/bff/dev/login", methods{"POST": s.script(s.devLogin)})
	}
	mux.Handle("/api/sessions", methods{"GET": s.user(s.compatList)})
	mux.Handle("/api/sessions/{id}", methods{"DELETE": s.user(s.compatDelete)})
	mux.Handle("/api/sessions/{id}/refresh", methods{"POST": s.user(s.compatRefresh)})
	s.internal(mux)
	for _, prefix := range []string{"/bff/", "/api/", "/internal/"} {
		mux.HandleFunc(prefix, nothingHere)
	}
	mux.Handle("/", methods{"GET": s.page.ServeHTTP})
	apis := s.m.Require(s.apis)
	protected := s.m.Protect(apis)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would tidy up paths that the proxy must see as they came.
		if strings.HasPrefix(r.URL.Path, apiPrefix) {
			protected.ServeHTTP(w, handshake(r))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// handshake lets a WebSocket through, for which scripts can set no headers: browsers
// say there whose page it is, always, and Protect judges that.
func handshake(r *http.Request) *http.Request {
	if r.Method != http.MethodGet || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Origin") == "" {
		return r
	}
	out := r.Clone(r.Context())
	out.Header.Del("Sec-Fetch-Site") // the Origin alone decides
	out.Header.Set("X-CSRF", "1")
	return out
}

func nothingHere(w http.ResponseWriter, _ *http.Request) {
	bff.WriteProblem(w, http.StatusNotFound, "not-found", "Nothing is here.")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of ours
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the browser may be gone
}

// readJSON reads a small body into dst; false says that it was answered.
func readJSON(w http.ResponseWriter, r *http.Request, dst any) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		bff.WriteProblem(w, http.StatusUnsupportedMediaType, "content-type", "application/json is what is read.")
		return false
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil || dec.More() {
		bff.WriteProblem(w, http.StatusBadRequest, "json", "The body is not the JSON that is read here.")
		return false
	}
	return true
}

var page = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.}}</title>
<link rel="stylesheet" href="/style.css"><main><h1>{{.}}</h1><p><a href="/">Back to the start</a></p></main></html>
`))

// failPage answers a navigation that failed: people get a page.
func failPage(w http.ResponseWriter, r *http.Request, status int, kind, detail string) {
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		bff.WriteProblem(w, status, kind, detail)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", defaultCSP)
	w.WriteHeader(status)
	_ = page.Execute(w, detail) // the browser may be gone
}

// withoutLogin answers where there is no identity provider.
func (s *Server) withoutLogin(w http.ResponseWriter, r *http.Request) bool {
	if s.login != nil {
		return false
	}
	failPage(w, r, http.StatusNotFound, "no-provider", "No identity provider is configured.")
	return true
}

func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	if !s.withoutLogin(w, r) {
		s.login.Login(w, r)
	}
}

func (s *Server) serveCallback(w http.ResponseWriter, r *http.Request) {
	if !s.withoutLogin(w, r) {
		s.login.Callback(w, r)
	}
}

func (s *Server) serveBackchannel(w http.ResponseWriter, r *http.Request) {
	if !s.withoutLogin(w, r) {
		s.login.Backchannel(w, r)
	}
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// readyz says whether requests of users can be served: whether the store answers.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Err() != nil {
		plain(w, http.StatusServiceUnavailable, "shutting down")
		return
	}
	if err := s.ping(r.Context()); err != nil {
		plain(w, http.StatusServiceUnavailable, "the session store does not answer")
		return
	}
	plain(w, http.StatusOK, "ready")
}

func (s *Server) ping(ctx context.Context) error {
	p, ok := s.m.Store.(interface{ Ping(context.Context) error })
	if !ok {
		return nil // in this process
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.StoreTimeout)
	defer cancel()
	return p.Ping(ctx)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the asker may be gone
}

// bounded are Notes each of whose calls has the store's time.
type bounded struct {
	oidc.Notes
	within time.Duration
}

func (b bounded) ctx(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.within)
}

// Claim implements oidc.Notes.
func (b bounded) Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	ctx, cancel := b.ctx(ctx)
	defer cancel()
	return b.Notes.Claim(ctx, key, text, ttl)
}

// Extend implements oidc.Notes.
func (b bounded) Extend(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	ctx, cancel := b.ctx(ctx)
	defer cancel()
	return b.Notes.Extend(ctx, key, text, ttl)
}

// Release implements oidc.Notes.
func (b bounded) Release(ctx context.Context, key, text string) error {
	ctx, cancel := b.ctx(ctx)
	defer cancel()
	return b.Notes.Release(ctx, key, text)
}

// Put implements oidc.Notes.
func (b bounded) Put(ctx context.Context, key, text string, ttl time.Duration) error {
	ctx, cancel := b.ctx(ctx)
	defer cancel()
	return b.Notes.Put(ctx, key, text, ttl)
}

// Get implements oidc.Notes.
func (b bounded) Get(ctx context.Context, key string) (string, error) {
	ctx, cancel := b.ctx(ctx)
	defer cancel()
	return b.Notes.Get(ctx, key)
}
