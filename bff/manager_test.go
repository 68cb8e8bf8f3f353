package bff_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

// site is an application on a Manager, for one test.
type site struct {
	t     *testing.T
	m     *bff.Manager
	clock *bfftest.Clock
	store *bfftest.Store // nil where the Manager has its own
	log   *logged
	mux   *http.ServeMux
	h     http.Handler
	seen  []bff.Sighting
}

// newSite is a Manager with safe defaults and a clock of its own; options change it
// before it is used.
func newSite(t *testing.T, options ...func(*bff.Manager)) *site {
	x := &site{t: t, m: bff.New(), clock: bfftest.NewClock(), log: &logged{}, mux: http.NewServeMux()}
	x.start(options)
	return x
}

// counting puts a bfftest.Store before the Manager's own.
func counting(x *site) func(*bff.Manager) {
	return func(m *bff.Manager) {
		x.store = bfftest.NewStore(bff.NewMapStore(x.clock))
		m.Store = x.store
		m.Secrets = [][]byte{[]byte("a secret")}
	}
}

func newCountingSite(t *testing.T, options ...func(*bff.Manager)) *site {
	x := &site{t: t, m: bff.New(), clock: bfftest.NewClock(), log: &logged{}, mux: http.NewServeMux()}
	x.start(append([]func(*bff.Manager){counting(x)}, options...))
	return x
}

func (x *site) start(options []func(*bff.Manager)) {
	x.m.Clock = x.clock
	x.m.Logger = slog.New(slog.NewTextHandler(x.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	x.m.OnSighting = func(s bff.Sighting) { x.seen = append(x.seen, s) }
	for _, o := range options {
		o(x.m)
	}
	require.NoError(x.t, x.m.Check())
	x.handle("/login", func(w http.ResponseWriter, r *http.Request) error {
		return x.m.SignIn(r.Context(), bff.Identity{User: r.URL.Query().Get("user"), Methods: []string{"pwd"}})
	})
	x.handle("/logout", func(_ http.ResponseWriter, r *http.Request) error { return x.m.SignOut(r.Context()) })
	x.handle("/renew", func(_ http.ResponseWriter, r *http.Request) error { return x.m.Renew(r.Context()) })
	x.handle("/put", func(_ http.ResponseWriter, r *http.Request) error {
		for name, values := range r.URL.Query() {
			if err := x.m.From(r.Context()).Put(name, values[0]); err != nil {
				return err
			}
		}
		return nil
	})
	x.handle("/get", func(w http.ResponseWriter, r *http.Request) error {
		var v string
		if ok, err := x.m.From(r.Context()).Get(r.URL.Query().Get("name"), &v); !ok || err != nil {
			return err
		}
		_, err := w.Write([]byte(v))
		return err
	})
	x.mux.HandleFunc("/public", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("public")) })
	x.mux.Handle("/me", x.m.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(x.m.From(r.Context()).UserID()))
	})))
	x.h = x.m.Handler(x.mux)
}

// handle adds a route that answers 204, or what WriteError says.
func (x *site) handle(path string, fn func(http.ResponseWriter, *http.Request) error) {
	x.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if err := fn(w, r); err != nil {
			bff.WriteError(w, r, err)
		}
	})
}

func (x *site) browser() *bfftest.Browser { return bfftest.NewBrowser(x.t, x.h) }

// signedIn is a browser in which a user has signed in.
func (x *site) signedIn(user string) *bfftest.Browser {
	x.t.Helper()
	b := x.browser()
	require.Equal(x.t, http.StatusOK, b.Post("/login?user="+user).StatusCode)
	require.Equal(x.t, user, b.Get("/me").Text)
	return b
}

// sid is the session id in a browser's cookie.
func (x *site) sid(b *bfftest.Browser) string {
	x.t.Helper()
	v := b.Cookie(x.m.Cookie.Name)
	require.NotEmpty(x.t, v)
	sid, _, _ := strings.Cut(strings.TrimPrefix(v, "s%3A"), ".")
	return sid
}

// logged is a log that tests read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestZeroConfigWorks(t *testing.T) {
	m := bff.New()
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, m.SignIn(r.Context(), bff.Identity{User: "alice"}))
	}))
	res := bfftest.NewBrowser(t, h).Post("/")
	require.Regexp(t, `^__Host-sid=s%3A[\w-]{32}\.[^;]+; Path=/; HttpOnly; Secure; SameSite=Strict$`, res.Header.Get("Set-Cookie"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
}

// What is wrong is told at the start, not by browsers that drop cookies.
func TestCheckRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bff.Manager)
		want   string
	}{
		"host with a domain":      {func(m *bff.Manager) { m.Cookie.Domain = ".local.com" }, "no Domain"},
		"host with a path":        {func(m *bff.Manager) { m.Cookie.Path = "/app" }, "Path=/"},
		"host not secure":         {func(m *bff.Manager) { m.Cookie.Secure = false }, "must be Secure"},
		"host http":               {func(m *bff.Manager) { m.Cookie.Name, m.Cookie.HTTPOnly = "__Host-Http-sid", false }, "must be HttpOnly"},
		"secure prefix":           {func(m *bff.Manager) { m.Cookie.Name, m.Cookie.Secure = "__Secure-sid", false }, "must be Secure"},
		"none without secure":     {func(m *bff.Manager) { m.Cookie = bff.Cookie{Name: "a", SameSite: http.SameSiteNoneMode} }, "SameSite=None must be Secure"},
		"partitioned not secure":  {func(m *bff.Manager) { m.Cookie = bff.Cookie{Name: "a", Partitioned: true} }, "Partitioned"},
		"a name with a space":     {func(m *bff.Manager) { m.Cookie.Name = "a b" }, "no name"},
		"no name":                 {func(m *bff.Manager) { m.Cookie.Name = "" }, "no name"},
		"a path with a semicolon": {func(m *bff.Manager) { m.Cookie = bff.Cookie{Name: "a", Path: "/;x"} }, "character"},
		"a relative path":         {func(m *bff.Manager) { m.Cookie = bff.Cookie{Name: "a", Path: "x"} }, "does not begin with /"},
		"a long domain":           {func(m *bff.Manager) { m.Cookie = bff.Cookie{Name: "a", Domain: strings.Repeat("x", 1025)} }, "too long"},
		"a long name":             {func(m *bff.Manager) { m.Cookie.Name = strings.Repeat("x", 4000) }, "no name"},
		"idle forever":            {func(m *bff.Manager) { m.IdleTimeout = 0 }, "IdleTimeout"},
		"negative lifetime":       {func(m *bff.Manager) { m.Lifetime = -1 }, "negative"},
		"touch too seldom":        {func(m *bff.Manager) { m.TouchEvery = m.IdleTimeout }, "TouchEvery"},
		"401 days":                {func(m *bff.Manager) { m.Cookie.Persistent, m.IdleTimeout = true, 401*24*time.Hour }, "400 days"},
		"no store timeout":        {func(m *bff.Manager) { m.StoreTimeout = 0 }, "StoreTimeout"},
		"negative limit":          {func(m *bff.Manager) { m.MaxPerUser = -1 }, "MaxPerUser"},
		"an empty secret":         {func(m *bff.Manager) { m.Secrets = [][]byte{nil} }, "empty secret"},
		"a store without secrets": {func(m *bff.Manager) { m.Store = bfftest.NewStore(nil) }, "need Secrets"},
		"a bad origin":            {func(m *bff.Manager) { m.TrustedOrigins = []string{"example.com/x"} }, "trusted origin"},
	} {
		t.Run(name, func(t *testing.T) {
			m := bff.New()
			test.change(m)
			require.ErrorContains(t, m.Check(), test.want)
			require.Panics(t, func() { m.Handler(http.NotFoundHandler()) })
			_, err := m.ListActiveSessions(t.Context(), bff.Query{})
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestPartitionedCookieForEmbedding(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) { m.Cookie.Partitioned, m.Cookie.SameSite = true, http.SameSiteNoneMode })
	res := x.browser().Post("/login?user=alice")
	require.Regexp(t, `; HttpOnly; Secure; Partitioned; SameSite=None$`, res.Header.Get("Set-Cookie"))
}

func TestAnsweredWithoutASession(t *testing.T) {
	x := newSite(t)
	res := x.browser().Get("/me")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	var p map[string]any
	res.JSON(t, &p)
	require.Equal(t, "urn:coatcheck:problem:no-session", p["type"])
	require.InDelta(t, 401, p["status"], 0)
	require.Empty(t, res.Header.Get("Location"), "scripts are not redirected (R26)")
}

// R1, R2, R3: ids are chance, an unknown one is never adopted, none is reflected.
func TestUnknownIDsAreNotAdopted(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	alice := x.sid(b)
	require.Len(t, alice, 32)
	require.Equal(t, http.StatusOK, b.Post("/logout").StatusCode)

	// Her old cookie, signed and all.
	b.SetCookie("__Host-sid", x.signedIn("bob").Cookie("__Host-sid"))
	bob := x.sid(b)
	require.Equal(t, http.StatusOK, b.Tab().Post("/logout").StatusCode)
	res := b.Post("/put?a=1")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NotEqual(t, bob, x.sid(b))
	require.NotContains(t, res.Text, bob)

	for _, bad := range []string{"s%3Aabc.def", "abc", strings.Repeat("x", 5000), "s%3A" + strings.Repeat("x", 2000) + ".y", "%zz", ""} {
		b := x.browser()
		b.SetCookie("__Host-sid", bad)
		res := b.Get("/me")
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
		if bad != "" {
			require.NotContains(t, res.Text, bad)
			require.NotContains(t, x.log.String(), bad)
		}
	}
}

// R5: only the cookie carries an id.
func TestIDFromTheCookieOnly(t *testing.T) {
	x := newSite(t)
	value := x.signedIn("alice").Cookie("__Host-sid")
	b := x.browser()
	b.Header.Set("Authorization", "Bearer "+value)
	b.Header.Set("X-Session", value)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me?__Host-sid="+value).StatusCode)
}

func TestSecondCookieOfOneNameIsNotLookedAt(t *testing.T) {
	x := newSite(t)
	good := x.signedIn("alice").Cookie("__Host-sid")
	b := x.browser()
	b.Header.Set("Cookie", "__Host-sid=bogus; __Host-sid="+good)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
	b.Header.Set("Cookie", "__Host-sid="+good+"; __Host-sid=bogus")
	require.Equal(t, "alice", b.Get("/me").Text)
}

func TestSecretsRotate(t *testing.T) {
	store := bff.NewMapStore(bfftest.NewClock())
	with := func(secrets ...string) *site {
		return newSite(t, func(m *bff.Manager) {
			m.Store = store
			for _, s := range secrets {
				m.Secrets = append(m.Secrets, []byte(s))
			}
		})
	}
	old := with("old")
	b := old.signedIn("alice")
	cookie := b.Cookie("__Host-sid")
	both := with("new", "old")
	c := both.browser()
	c.SetCookie("__Host-sid", cookie)
	require.Equal(t, "alice", c.Get("/me").Text)
	require.Equal(t, http.StatusOK, c.Post("/renew").StatusCode)
	signedAnew := c.Cookie("__Host-sid")
	only := with("new")
	d := only.browser()
	d.SetCookie("__Host-sid", cookie)
	require.Equal(t, http.StatusUnauthorized, d.Get("/me").StatusCode)
	d.SetCookie("__Host-sid", signedAnew)
	require.Equal(t, "alice", d.Get("/me").Text)

	// A handle made with the old secret is understood.
	page, err := old.m.ListActiveSessions(t.Context(), bff.Query{})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 1)
	_, err = both.m.Inspect(t.Context(), page.Sessions[0].Handle)
	require.NoError(t, err)
	_, err = only.m.Inspect(t.Context(), page.Sessions[0].Handle)
	require.ErrorIs(t, err, bff.ErrNoSession)
}

// R9: idle and absolute timeouts.
func TestTimeouts(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	x.clock.Advance(15*time.Minute - time.Millisecond)
	require.Equal(t, "alice", b.Get("/me").Text)
	x.clock.Advance(15*time.Minute - time.Millisecond)
	require.Equal(t, "alice", b.Get("/me").Text)
	x.clock.Advance(15 * time.Minute)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)

	b = x.signedIn("alice")
	for range 71 { // 11 h 50 min, in use all the while
		x.clock.Advance(10 * time.Minute)
		require.Equal(t, "alice", b.Get("/me").Text)
	}
	x.clock.Advance(10*time.Minute - time.Millisecond)
	require.Equal(t, "alice", b.Get("/me").Text)
	x.clock.Advance(time.Millisecond)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
}

// A store that keeps a session beyond its lifetime is not believed.
func TestLifetimeHoldsWithoutTheStore(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		m.Store = immortal{bff.NewMapStore(bfftest.NewClock())}
		m.Secrets = [][]byte{[]byte("a secret")}
	})
	b := x.signedIn("alice")
	x.clock.Advance(12 * time.Hour)
	res := b.Get("/me")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, res.Text, "expired")
	require.Contains(t, b.Get("/me").Text, "no-session", "and it is gone from the store")
}

// immortal is a store that forgets times to live.
type immortal struct{ bff.Store }

func TestTouchesAreThrottled(t *testing.T) {
	x := newCountingSite(t)
	b := x.signedIn("alice")
	x.store.ForgetCalls()
	for range 60 {
		require.Equal(t, "alice", b.Get("/me").Text)
		x.clock.Advance(time.Second)
	}
	require.Equal(t, "alice", b.Get("/me").Text)
	touches := 0
	for _, call := range x.store.Calls() {
		switch call {
		case "touch":
			touches++
		case "find":
		default:
			t.Fatalf("a read did %s", call)
		}
	}
	require.Equal(t, 1, touches, "one a minute")
}

// R11: polling does not count as use.
func TestCheckWithoutSliding(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		m.Slides = func(r *http.Request) bool { return r.URL.Query().Get("slide") != "false" }
	})
	b := x.signedIn("alice")
	x.clock.Advance(10 * time.Minute)
	require.Equal(t, "alice", b.Get("/me?slide=false").Text)
	x.clock.Advance(5 * time.Minute)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)

	x.handle("/poll", func(_ http.ResponseWriter, r *http.Request) error {
		x.m.From(r.Context()).DontSlide()
		return x.m.From(r.Context()).Err()
	})
	b = x.signedIn("alice")
	x.clock.Advance(10 * time.Minute)
	require.Equal(t, http.StatusOK, b.Get("/poll").StatusCode)
	x.clock.Advance(5 * time.Minute)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
}

// An authenticated read: one round trip, and no SET.
func TestReadAsksTheStoreOnce(t *testing.T) {
	x := newCountingSite(t)
	b := x.signedIn("alice")
	x.store.ForgetCalls()
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, []string{"find"}, x.store.Calls())
	x.store.ForgetCalls()
	require.Equal(t, "public", b.Get("/public").Text)
	require.Empty(t, x.store.Calls(), "who does not ask needs no store")
}

func TestStoreDown(t *testing.T) {
	x := newCountingSite(t)
	b := x.signedIn("alice")
	require.Equal(t, http.StatusOK, b.Post("/put?a=1").StatusCode)
	cookie := b.Cookie("__Host-sid")
	down := errors.New("connection refused to 10.0.0.1")
	x.store.Fail(down)
	for _, path := range []string{"/me", "/put?a=2", "/get?name=a", "/login?user=bob", "/logout", "/renew"} {
		x.store.ForgetCalls()
		res := b.Post(path)
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, path)
		require.Equal(t, "1", res.Header.Get("Retry-After"))
		require.Empty(t, res.Header.Get("Set-Cookie"), "no cookie is taken away")
		require.NotContains(t, res.Text, "10.0.0.1")
		require.Equal(t, []string{"find"}, x.store.Calls(), "asked once")
	}
	require.Equal(t, "public", b.Get("/public").Text)
	require.Contains(t, x.log.String(), "session store failed")
	x.store.Fail(nil)
	require.Equal(t, cookie, b.Cookie("__Host-sid"))
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, "1", b.Get("/get?name=a").Text)
}

// A store that does not answer holds a request no longer than StoreTimeout.
func TestStoreHangs(t *testing.T) {
	x := newCountingSite(t, func(m *bff.Manager) { m.StoreTimeout = 20 * time.Millisecond })
	b := x.signedIn("alice")
	x.store.Hang(true)
	start := time.Now()
	require.Equal(t, http.StatusServiceUnavailable, b.Get("/me").StatusCode)
	require.Less(t, time.Since(start), 2*time.Second)
	x.store.Hang(false)
	require.Equal(t, "alice", b.Get("/me").Text)
}

// When the store fails after the handler's work was done, a deadline that could not
// be moved does not make the request fail.
func TestFailedTouchDoesNotFailTheRequest(t *testing.T) {
	x := newCountingSite(t)
	x.handle("/work", func(w http.ResponseWriter, r *http.Request) error {
		if err := x.m.From(r.Context()).Err(); err != nil {
			return err
		}
		x.store.Fail(errors.New("down"))
		_, err := w.Write([]byte("done"))
		return err
	})
	b := x.signedIn("alice")
	x.clock.Advance(5 * time.Minute)
	res := b.Post("/work")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "done", res.Text)
}

// Nothing that opens a session, and no value, is in the log.
func TestLogHasHandlesOnly(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) { m.Keys = keyring(t, "k1") })
	x.handle("/token", func(_ http.ResponseWriter, r *http.Request) error {
		return x.m.From(r.Context()).Seal("token", "a-secret-token")
	})
	b := x.signedIn("alice")
	first := x.sid(b)
	b.Post("/put?color=a-secret-value")
	b.Post("/token")
	b.Post("/renew")
	second := x.sid(b)
	b.Post("/logout")
	text := x.log.String()
	for _, secret := range []string{first, second, "a-secret-token", "a-secret-value", "s%3A", "alice"} {
		require.NotContains(t, text, secret)
	}
	handle := x.m.HandleOf(first).String()
	require.Contains(t, text, "session get")
	require.Regexp(t, `level=DEBUG msg="session get" sid=`+handle+` hit=true dur=`, text)
	require.Regexp(t, `level=DEBUG msg="session set" sid=`+handle+` ttl=15m0s bytes=\d+`, text)
	require.Contains(t, text, "session renewed")
	require.Contains(t, text, "session destroy")
	require.Equal(t, x.m.HandleOf("myapp:"+first), x.m.HandleOf(first), "by id or key")
}

func TestClientBehindProxies(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		m.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		m.Cookie.OnlyHTTPS = true
	})
	network := func(remote, forwarded string) string {
		b := x.browser()
		b.RemoteAddr = remote
		if forwarded != "" {
			b.Header.Set("X-Forwarded-For", forwarded)
		}
		require.Equal(t, http.StatusOK, b.Post("/login?user=alice").StatusCode)
		page, err := x.m.ListActiveSessions(t.Context(), bff.Query{User: "alice"})
		require.NoError(t, err)
		return page.Sessions[len(page.Sessions)-1].Network
	}
	require.Equal(t, "203.0.113.0/24", network("203.0.113.9:1", "198.51.100.1"), "not a proxy of ours")
	require.Equal(t, "198.51.100.0/24", network("10.1.1.1:1", "1.2.3.4, 198.51.100.1, 10.2.2.2"), "the first that we do not trust")
	require.Equal(t, "2001:db8:1::/48", network("10.1.1.1:1", "2001:db8:1:2::3"))
	require.Equal(t, "10.1.1.0/24", network("10.1.1.1:1", "nonsense"))
}
