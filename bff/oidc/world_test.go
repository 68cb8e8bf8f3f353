package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/memstore"
	"coatcheck/bff/oidc"
)

// world is a provider and an application with one or more instances.
type world struct {
	t     *testing.T
	clock *bfftest.Clock
	op    *oidctest.Provider
	under bff.Store
	notes oidc.Notes
	log   *logBuffer
	app   *instance
}

// instance is a process of the application.
type instance struct {
	m *bff.Manager
	c *oidc.Client
	http.Handler
}

// logBuffer is what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

const appURL = "https://app.example.com"

func newWorld(t *testing.T, opts oidctest.Options) *world {
	t.Helper()
	w := &world{t: t, clock: bfftest.NewClock(), log: &logBuffer{}}
	opts.Clock = w.clock
	w.op = oidctest.Run(t, opts)
	w.op.Register(oidctest.Client{
		ID: "app", Secret: "app-secret", RedirectURIs: []string{appURL + "/bff/callback"}, PostLogoutRedirectURIs: []string{appURL + "/"},
	})
	mem := memstore.New(memstore.Options{Clock: w.clock})
	t.Cleanup(mem.Close)
	w.under = mem
	w.notes = oidc.NewNotes(w.clock)
	w.app = w.instance(nil)
	return w
}

// instance is one more process; change sees its parts before they are used.
func (w *world) instance(change func(i *instance)) *instance {
	w.t.Helper()
	keys, err := bff.NewKeyring(bff.Key{ID: "k", Secret: bytes.Repeat([]byte("k"), 32)})
	require.NoError(w.t, err)
	m := bff.New()
	secret := sha256.Sum256([]byte("a secret"))
	m.Store, m.Clock, m.Keys, m.Secrets = w.under, w.clock, keys, [][]byte{secret[:]}
	m.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	i := &instance{m: m}
	i.c = &oidc.Client{
		Manager: m, Issuer: w.op.Issuer(), ID: "app", Secret: "app-secret", RedirectURL: appURL + "/bff/callback",
		PostLogoutURL: appURL + "/", Scopes: []string{"profile"}, Notes: w.notes,
	}
	if change != nil {
		change(i)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bff/login", i.c.Login)
	mux.HandleFunc("GET /bff/callback", i.c.Callback)
	mux.HandleFunc("POST /bff/backchannel", i.c.Backchannel)
	mux.HandleFunc("POST /bff/logout", func(rw http.ResponseWriter, r *http.Request) {
		to, err := i.c.LogOut(r.Context())
		if err != nil {
			i.c.WriteError(rw, r, err)
			return
		}
		_, _ = io.WriteString(rw, to)
	})
	mux.HandleFunc("GET /token", func(rw http.ResponseWriter, r *http.Request) {
		token, err := i.c.AccessToken(r.Context())
		if err != nil {
			i.c.WriteError(rw, r, err)
			return
		}
		user, ok := w.op.UserOf(token)
		if !ok {
			http.Error(rw, "a token that is good no more", http.StatusTeapot)
			return
		}
		_, _ = io.WriteString(rw, user.Sub)
	})
	mux.HandleFunc("GET /me", func(rw http.ResponseWriter, r *http.Request) {
		s := i.m.From(r.Context())
		if !s.Authenticated() {
			bff.WriteError(rw, r, s.Err())
			return
		}
		_, _ = io.WriteString(rw, s.UserID())
	})
	mux.HandleFunc("POST /anonymous", func(_ http.ResponseWriter, r *http.Request) { _ = i.m.From(r.Context()).Put("cart", 1) })
	i.Handler = m.Handler(mux)
	return i
}

// device is a browser: its part at the application and its part at the provider.
type device struct {
	w *world
	*bfftest.Browser
	atOP *http.Client
}

func (w *world) device() *device {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &device{w, bfftest.NewBrowser(w.t, w.app), &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// toOP begins a login and returns the provider's address.
func (d *device) toOP(path string) string {
	d.w.t.Helper()
	res := d.Get(path)
	require.Equal(d.w.t, http.StatusFound, res.StatusCode, res.Text)
	return res.Header.Get("Location")
}

// back has the provider answer and returns the path that the browser is sent to.
func (d *device) back(at string) string {
	d.w.t.Helper()
	res, err := d.atOP.Get(at)
	require.NoError(d.w.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	require.Equal(d.w.t, http.StatusSeeOther, res.StatusCode, "%s: %s", at, text)
	to := res.Header.Get("Location")
	path, ok := strings.CutPrefix(to, appURL)
	require.True(d.w.t, ok, to)
	return path
}

// signIn is the whole way.
func (d *device) signIn() bfftest.Answer {
	d.w.t.Helper()
	res := d.Get(d.back(d.toOP("/bff/login?returnTo=/p")))
	require.Equal(d.w.t, http.StatusFound, res.StatusCode, res.Text)
	require.Equal(d.w.t, "/p", res.Header.Get("Location"))
	return res
}

func (d *device) requireSignedIn(want bool) {
	d.w.t.Helper()
	status := http.StatusUnauthorized
	if want {
		status = http.StatusOK
	}
	require.Equal(d.w.t, status, d.Get("/me").StatusCode)
}

// problem is the kind of a problem, and its status.
func problem(t *testing.T, a bfftest.Answer) (status int, kind string) {
	t.Helper()
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), a.Text)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	var p struct{ Type string }
	require.NoError(t, json.Unmarshal([]byte(a.Text), &p))
	return a.StatusCode, strings.TrimPrefix(p.Type, "urn:coatcheck:problem:")
}

// backchannel posts a logout token to the application.
func (w *world) backchannel(token string) bfftest.Answer {
	w.t.Helper()
	b := bfftest.NewBrowser(w.t, w.app)
	b.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.Do(http.MethodPost, "/bff/backchannel", url.Values{"logout_token": {token}}.Encode())
}

func changed(t *testing.T, path string, edit func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(path)
	require.NoError(t, err)
	query := u.Query()
	edit(query)
	u.RawQuery = query.Encode()
	return u.String()
}
