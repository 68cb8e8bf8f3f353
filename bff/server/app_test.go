package server_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/memstore"
	"coatcheck/bff/server"
)

// app is a server with TLS on a socket, a provider, and a clock to move.
type app struct {
	t     *testing.T
	url   string
	op    *oidctest.Provider
	cfg   *server.Config
	s     *server.Server
	clock *bfftest.Clock
	log   *logBuffer
	under bff.Store
}

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

// insecure is a client that trusts the tests' certificates.
func insecure() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

// start runs a server with variables beside those that tests need; change may change
// what they made.
func start(t *testing.T, vars map[string]string, change func(*app)) *app {
	t.Helper()
	a := &app{t: t, clock: bfftest.NewClock(), log: &logBuffer{}}
	a.op = oidctest.Run(t, oidctest.Options{Clock: a.clock, HTTPClient: &http.Client{Transport: insecure()}})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.s.Public().ServeHTTP(w, r) }))
	a.url = "https://" + srv.Listener.Addr().String()
	env := map[string]string{
		"BFF_ADDR": srv.Listener.Addr().String(), "BFF_PUBLIC_URL": a.url, "BFF_OIDC_ISSUER": a.op.Issuer(), "BFF_OIDC_CLIENT_ID": "app",
		"BFF_OIDC_CLIENT_SECRET": "app-secret", "BFF_DEV_LOGIN": "1", "BFF_LOG_LEVEL": "debug",
		"BFF_ADMIN_USER": "root", "BFF_ADMIN_PASSWORD": "correct horse battery",
	}
	for name, val := range vars {
		env[name] = val
	}
	var environ []string
	for name, val := range env {
		environ = append(environ, name+"="+val)
	}
	var err error
	a.cfg, err = server.Load(environ)
	require.NoError(t, err)
	mem := memstore.New(memstore.Options{Clock: a.clock})
	t.Cleanup(mem.Close)
	a.under = mem
	a.cfg.Manager.Store, a.cfg.Manager.Clock = mem, a.clock
	a.cfg.Manager.Logger = slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if change != nil {
		change(a)
	}
	a.s, err = server.New(a.cfg)
	require.NoError(t, err)
	a.op.Register(oidctest.Client{
		ID: "app", Secret: "app-secret", RedirectURIs: []string{a.url + "/bff/callback"},
		PostLogoutRedirectURIs: []string{a.url + "/"}, BackchannelLogoutURI: a.url + "/bff/backchannel",
	})
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(func() {
		a.s.Drain()
		srv.CloseClientConnections()
		srv.Close()
	})
	return a
}

// device is a browser.
type device struct {
	a      *app
	client *http.Client
	Header http.Header
}

func (a *app) device() *device {
	jar, err := cookiejar.New(nil)
	require.NoError(a.t, err)
	transport := insecure()
	a.t.Cleanup(transport.CloseIdleConnections)
	return &device{a, &http.Client{
		Jar: jar, Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, http.Header{"X-Csrf": {"1"}, "User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}}
}

// request is one to a path of the server, or to an address.
func (d *device) request(method, path, body string) *http.Request {
	d.a.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = d.a.url + path
	}
	req, err := http.NewRequestWithContext(d.a.t.Context(), method, path, strings.NewReader(body))
	require.NoError(d.a.t, err)
	req.Header = d.Header.Clone()
	if body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (d *device) do(method, path, body string) bfftest.Answer {
	d.a.t.Helper()
	return d.send(d.request(method, path, body))
}

func (d *device) send(req *http.Request) bfftest.Answer {
	d.a.t.Helper()
	res, err := d.client.Do(req)
	require.NoError(d.a.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(d.a.t, err)
	return bfftest.Answer{Response: res, Text: string(text)}
}

func (d *device) get(path string) bfftest.Answer    { return d.do(http.MethodGet, path, "") }
func (d *device) post(path string) bfftest.Answer   { return d.do(http.MethodPost, path, "") }
func (d *device) delete(path string) bfftest.Answer { return d.do(http.MethodDelete, path, "") }

// signIn goes the whole way over the provider.
func (d *device) signIn() {
	d.a.t.Helper()
	at := "/bff/login?returnTo=/p"
	for range 3 {
		res := d.get(at)
		require.Contains(d.a.t, []int{http.StatusFound, http.StatusSeeOther}, res.StatusCode, res.Text)
		at = res.Header.Get("Location")
	}
	require.Equal(d.a.t, "/p", at)
}

// devLogin signs a user in without a provider.
func (d *device) devLogin(sub string) bfftest.Answer {
	d.a.t.Helper()
	res := d.do(http.MethodPost, "/bff/dev/login", fmt.Sprintf(`{"sub":%q}`, sub))
	require.Equal(d.a.t, http.StatusOK, res.StatusCode, res.Text)
	return res
}

// sid is the value of the session cookie.
func (d *device) sid() string {
	u, err := url.Parse(d.a.url)
	require.NoError(d.a.t, err)
	for _, c := range d.client.Jar.Cookies(u) {
		if c.Name == "__Host-sid" {
			return c.Value
		}
	}
	return ""
}

// thief is another browser with the device's session cookie.
func (d *device) thief() *device {
	other := d.a.device()
	u, err := url.Parse(d.a.url)
	require.NoError(d.a.t, err)
	other.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-sid", Value: d.sid(), Path: "/", Secure: true}})
	return other
}

type sessionAnswer struct {
	Authenticated bool
	User          struct {
		Sub, Name string
		Roles     []string
	}
	Session struct {
		Handle                                      string
		CreatedAt, IdleExpiresAt, AbsoluteExpiresAt time.Time
		ExpiresIn                                   int
	}
}

func (d *device) session() (s sessionAnswer) {
	d.a.t.Helper()
	res := d.get("/bff/session?slide=false")
	require.Equal(d.a.t, http.StatusOK, res.StatusCode, res.Text)
	res.JSON(d.a.t, &s)
	return s
}

func (d *device) requireSignedIn(want bool) {
	d.a.t.Helper()
	status := http.StatusUnauthorized
	if want {
		status = http.StatusOK
	}
	require.Equal(d.a.t, status, d.get("/bff/session?slide=false").StatusCode)
}

// problem is the kind of a problem, and its status.
func problem(t *testing.T, a bfftest.Answer) (status int, kind string) {
	t.Helper()
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), a.Text)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	require.NoError(t, json.Unmarshal([]byte(a.Text), &p))
	require.Equal(t, a.StatusCode, p.Status)
	require.NotEmpty(t, p.Title)
	return a.StatusCode, strings.TrimPrefix(p.Type, "urn:coatcheck:problem:")
}
