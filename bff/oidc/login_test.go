package oidc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/oidc"
)

// R15: code grant as a confidential client, with PKCE, state and nonce; the provider
// of the tests demands all of them.
func TestR15_Login(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	at, err := url.Parse(d.toOP("/bff/login?returnTo=/p"))
	require.NoError(t, err)
	q := at.Query()
	require.Equal(t, "code", q.Get("response_type"))
	require.Equal(t, "S256", q.Get("code_challenge_method"))
	require.Equal(t, "openid profile", q.Get("scope"))
	require.GreaterOrEqual(t, len(q.Get("state")), 26, "130 bits")
	require.GreaterOrEqual(t, len(q.Get("nonce")), 26)
	require.NotContains(t, at.String(), "app-secret")
	d.signIn()
	d.requireSignedIn(true)
	require.Equal(t, "alice", d.Get("/token").Text)
}

func TestLoginCookie(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	res := w.device().Get("/bff/login")
	require.Len(t, res.Cookies(), 1)
	c := res.Cookies()[0]
	require.True(t, strings.HasPrefix(c.Name, "__Host-login-"), c.Name)
	require.True(t, c.Secure && c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.Equal(t, 600, c.MaxAge)
	require.Less(t, len(c.Name)+len(c.Value), 1024)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
}

// R15: what comes back must belong to a login of this browser, in time, once, from the
// provider that was asked.
func TestR15_CallbackRefuses(t *testing.T) {
	set := func(name, val string) func(url.Values) { return func(q url.Values) { q.Set(name, val) } }
	del := func(name string) func(url.Values) { return func(q url.Values) { q.Del(name) } }
	for name, c := range map[string]struct {
		edit func(url.Values)
		kind string
	}{
		"another state":            {set("state", strings.Repeat("A", 26)), "login-state"},
		"a state of other letters": {func(q url.Values) { q.Set("state", q.Get("state")[:16]+"AAAAAAAAAA") }, "login-state"},
		"a short state":            {set("state", "x"), "login-state"},
		"a state with a space":     {set("state", strings.Repeat(" ", 26)), "login-state"},
		"no state":                 {del("state"), "login-state"},
		"two states":               {func(q url.Values) { q.Add("state", "x") }, "login-parameters"},
		"two codes":                {func(q url.Values) { q.Add("code", "x") }, "login-parameters"},
		"another issuer":           {set("iss", "https://evil.example"), "login-issuer"},
		"an issuer with a slash":   {func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }, "login-issuer"},
		"an empty issuer":          {set("iss", ""), "login-issuer"},
		"no issuer":                {del("iss"), "login-issuer"},
		"no code":                  {del("code"), "login-parameters"},
		"another code":             {set("code", "x"), "login-code"},
		"a refusal":                {set("error", "access_denied"), "login-refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oidctest.Options{})
			d := w.device()
			res := d.Get(changed(t, d.back(d.toOP("/bff/login")), c.edit))
			status, kind := problem(t, res)
			require.Equal(t, http.StatusBadRequest, status)
			require.Equal(t, c.kind, kind)
			d.requireSignedIn(false)
		})
	}
}

func TestCallbackEndsALoginOnce(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	back := d.back(d.toOP("/bff/login"))
	tab := d.Tab()
	require.Equal(t, http.StatusFound, d.Get(back).StatusCode)
	_, kind := problem(t, d.Get(back))
	require.Equal(t, "login-state", kind, "the cookie is gone")
	_, kind = problem(t, tab.Get(back))
	require.Equal(t, "login-code", kind, "a browser that kept it brings a spent code")
	d.requireSignedIn(true)
	_, ok := w.op.UserOf("x")
	require.False(t, ok)
}

func TestCallbackInTime(t *testing.T) {
	w := newWorld(t, oidctest.Options{CodeLife: time.Hour})
	d := w.device()
	back := d.back(d.toOP("/bff/login"))
	w.clock.Advance(10 * time.Minute)
	_, kind := problem(t, d.Get(back))
	require.Equal(t, "login-state", kind)
}

// Login CSRF, session fixation: a login that began in another browser ends nowhere.
func TestR15_LoginEndsWhereItBegan(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	attacker, victim := w.device(), w.device()
	back := attacker.back(attacker.toOP("/bff/login"))
	status, kind := problem(t, victim.Get(back))
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "login-state", kind)
	victim.requireSignedIn(false)
	// Nor with a cookie of another login under the right name.
	victim.toOP("/bff/login")
	state := mustQuery(t, back).Get("state")
	other := victim.Request(http.MethodGet, "/", "").Cookies()[0]
	victim.SetCookie("__Host-login-"+state[:16], other.Value)
	_, kind = problem(t, victim.Get(back))
	require.Equal(t, "login-state", kind)
}

func mustQuery(t *testing.T, text string) url.Values {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u.Query()
}

// R15: every claim of the ID token that matters.
func TestR15_IDTokenRefused(t *testing.T) {
	claim := func(name string, val any) func(_, claims map[string]any) {
		return func(_, claims map[string]any) {
			if claims[name] = val; val == nil {
				delete(claims, name)
			}
		}
	}
	alg := func(name string) func(header, _ map[string]any) {
		return func(header, _ map[string]any) { header["alg"] = name }
	}
	for name, edit := range map[string]func(header, claims map[string]any){
		"nonce: another":                claim("nonce", "x"),
		"nonce: none":                   claim("nonce", nil),
		"another issuer":                claim("iss", "https://evil.example"),
		"another audience":              claim("aud", "x"),
		"no audience":                   claim("aud", nil),
		"two audiences and nobody's":    claim("aud", []string{"app", "x"}),
		"made for another":              claim("azp", "x"),
		"expired":                       claim("exp", 1),
		"issued in the time to come":    claim("iat", 1<<40),
		"no sub":                        claim("sub", nil),
		"an empty sub":                  claim("sub", ""),
		"a long sub":                    claim("sub", strings.Repeat("x", 256)),
		"another access token":          claim("at_hash", "x"),
		"unsigned":                      alg("none"),
		"signed with the shared secret": alg("HS256"),
		"by a key that nobody knows":    func(header, _ map[string]any) { header["kid"] = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oidctest.Options{})
			d := w.device()
			w.op.EditIDToken(edit)
			status, kind := problem(t, d.Get(d.back(d.toOP("/bff/login"))))
			require.Equal(t, http.StatusBadRequest, status)
			want := "login-token"
			if strings.HasPrefix(name, "nonce") {
				want = "login-nonce"
			}
			require.Equal(t, want, kind)
			d.requireSignedIn(false)
		})
	}
	w := newWorld(t, oidctest.Options{})
	w.op.EditIDToken(func(_, claims map[string]any) { claims["aud"], claims["azp"] = []string{"app", "x"}, "app" })
	w.device().signIn()
}

// No other site, in whatever disguise.
func TestOpenRedirects(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	for _, evil := range []string{
		"https://evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example",
		"javascript:alert(1)", "data:text/html,x", "evil.example", "https:evil.example", "//evil.example@app.example.com", " /p", "/p\r\nX: y", "/ü",
		"/" + strings.Repeat("a", 1024), "/bff/login", "/bff/login?returnTo=/", "?x", "./p",
	} {
		res := w.device().Get("/bff/login?returnTo=" + url.QueryEscape(evil))
		require.NotEqual(t, http.StatusFound, res.StatusCode, "%q", evil)
		status, kind := problem(t, res)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "return-to", kind)
		require.NotContains(t, res.Text, "evil")
	}
	for _, good := range []string{"/", "/p", "/p?q=https://x.example", "/p#part", "/p/../q", "/a%20b"} {
		require.True(t, oidc.LocalPath(good), good)
	}
}

// R26: scripts are not redirected to the provider; nor do images or frames begin
// logins.
func TestR26_LoginIsForNavigations(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	for mode, dest := range map[string]string{"cors": "empty", "no-cors": "image", "navigate": "iframe"} {
		d := w.device()
		d.Header.Set("Sec-Fetch-Mode", mode)
		d.Header.Set("Sec-Fetch-Dest", dest)
		status, kind := problem(t, d.Get("/bff/login"))
		require.Equal(t, http.StatusForbidden, status)
		require.Equal(t, "not-a-navigation", kind)
	}
	d := w.device()
	d.Header.Set("Sec-Fetch-Mode", "navigate")
	d.Header.Set("Sec-Fetch-Dest", "document")
	d.toOP("/bff/login")
}

// R4: a new id at each login, and the old one is dead, also when the browser kept it
// back because the answer comes from another site.
func TestR4_LoginRenewsTheID(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	for _, strict := range []bool{false, true} {
		d := w.device()
		d.Post("/anonymous")
		planted := d.Cookie("__Host-sid")
		require.NotEmpty(t, planted)
		thief := d.Tab()
		back := d.back(d.toOP("/bff/login"))
		if strict {
			d.SetCookie("__Host-sid", "")
		}
		require.Equal(t, http.StatusFound, d.Get(back).StatusCode)
		require.NotEqual(t, planted, d.Cookie("__Host-sid"))
		d.requireSignedIn(true)
		require.Equal(t, http.StatusUnauthorized, thief.Get("/me").StatusCode)
		n, err := w.app.m.Count(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n, "strict %v: the planted session is gone", strict)

		first := d.Tab()
		back = d.back(d.toOP("/bff/login"))
		if strict {
			d.SetCookie("__Host-sid", "")
		}
		require.Equal(t, http.StatusFound, d.Get(back).StatusCode)
		require.Equal(t, http.StatusUnauthorized, first.Get("/me").StatusCode, "signed in again")
		d.requireSignedIn(true)
		d.Post("/bff/logout")
	}
}

// Several tabs may sign in at once; a page that begins logins all day does not fill
// the browser with cookies.
func TestManyLogins(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	one, two := d.toOP("/bff/login?returnTo=/one"), d.toOP("/bff/login?returnTo=/two")
	require.Equal(t, "/two", d.Get(d.back(two)).Header.Get("Location"))
	require.Equal(t, "/one", d.Get(d.back(one)).Header.Get("Location"))
	for range 50 {
		d.toOP("/bff/login")
	}
	require.LessOrEqual(t, len(d.Request(http.MethodGet, "/", "").Cookies()), 1+4)
	d.signIn()
}

func TestAnyInstanceEndsALogin(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	back := d.back(d.toOP("/bff/login"))
	w.app.Handler = w.instance(nil).Handler // the browser's handler is the instance
	require.Equal(t, http.StatusFound, d.Get(back).StatusCode)
	d.requireSignedIn(true)
}

// R16: no answer, no cookie and no log line has a token, a code or a secret.
func TestR16_TokensStayHere(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	at := d.toOP("/bff/login")
	back := d.back(at)
	res := d.Get(back)
	var seen strings.Builder
	fmt.Fprint(&seen, res.Header, res.Text)
	for _, path := range []string{"/me", "/token"} {
		a := d.Get(path)
		fmt.Fprint(&seen, a.Header, a.Text)
	}
	w.op.EndGrants("alice")
	w.clock.Advance(5 * time.Minute)
	a := d.Get("/token")
	fmt.Fprint(&seen, a.Header, a.Text, w.log.String())
	require.NotContains(t, seen.String(), mustQuery(t, back).Get("code"))
	require.NotContains(t, seen.String(), "app-secret")
	require.NotContains(t, seen.String(), "eyJ", "a JWT")

	// In the store they are sealed.
	d.signIn()
	var stored string
	page, err := w.app.m.ListActiveSessions(t.Context(), bff.Query{})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 1)
	entries, _, err := w.under.(bff.Lister).List(t.Context(), "myapp:", "", 10)
	require.NoError(t, err)
	for _, e := range entries {
		stored += string(e.Value)
	}
	require.Contains(t, stored, `"profile":{"email":"alice@example.com","name":"Alice"}`)
	require.NotContains(t, stored, "eyJ")
	require.NotContains(t, stored, `"rt"`)
}

// A provider that is down, slow or wrong costs an answer, not the application.
func TestProviderDown(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	w.op.Down(true)
	d := w.device()
	res := d.Get("/bff/login")
	status, kind := problem(t, res)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "provider-unavailable", kind)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.ErrorIs(t, w.app.c.Ready(t.Context()), oidc.ErrProvider)
	w.op.Down(false)
	back := d.back(d.toOP("/bff/login"))
	w.op.Fail(oidctest.Token, oidctest.Fault{Status: 500, Times: 1})
	status, _ = problem(t, d.Get(back))
	require.Equal(t, http.StatusServiceUnavailable, status)
	back = d.back(d.toOP("/bff/login"))
	w.op.Fail(oidctest.JWKS, oidctest.Fault{Status: 500, Times: 1})
	_, kind = problem(t, d.Get(back))
	require.Equal(t, "login-token", kind)
	d.signIn()
	w.op.RotateKeys(true)
	d.signIn()
}

func TestStoreDownAtLogin(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	back := d.back(d.toOP("/bff/login"))
	failing := failing(w)
	w.app.Handler = w.instance(func(i *instance) { i.m.Store = failing }).Handler
	failing.Fail(fmt.Errorf("down"))
	status, kind := problem(t, d.Get(back))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "store-unavailable", kind)
}

func TestClientChecks(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	for name, change := range map[string]func(c *oidc.Client){
		"no manager":                  func(c *oidc.Client) { c.Manager = nil },
		"no keys":                     func(c *oidc.Client) { c.Manager = bff.New() },
		"no secret":                   func(c *oidc.Client) { c.Secret = "" },
		"an issuer by plain HTTP":     func(c *oidc.Client) { c.Issuer = "http://id.example.com" },
		"an issuer with a user":       func(c *oidc.Client) { c.Issuer = "https://a:b@id.example.com" },
		"a callback by plain HTTP":    func(c *oidc.Client) { c.RedirectURL = "http://app.example.com/bff/callback" },
		"a page after by another way": func(c *oidc.Client) { c.PostLogoutURL = "javascript:alert(1)" },
	} {
		c := &oidc.Client{Manager: w.app.m, Issuer: w.op.Issuer(), ID: "app", Secret: "s", RedirectURL: appURL}
		change(c)
		require.Error(t, c.Check(), name)
	}
}
