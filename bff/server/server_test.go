package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/connectredis"
)

func TestSession(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	status, kind := problem(t, d.get("/bff/session"))
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "no-session", kind)
	d.signIn()
	s := d.session()
	require.True(t, s.Authenticated)
	require.Equal(t, "alice", s.User.Sub)
	require.Equal(t, "Alice", s.User.Name)
	require.Len(t, s.Session.Handle, 20)
	require.Equal(t, a.clock.Now().Add(15*time.Minute), s.Session.IdleExpiresAt.Local())
	require.Equal(t, a.clock.Now().Add(12*time.Hour), s.Session.AbsoluteExpiresAt.Local())
	require.Equal(t, 900, s.Session.ExpiresIn)
	require.True(t, s.Session.CreatedAt.Equal(a.clock.Now()))
}

// R11: a look that says so is no use of the session; another is.
func TestR11_Slide(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.devLogin("alice")
	a.clock.Advance(5 * time.Minute)
	require.Equal(t, 600, d.session().Session.ExpiresIn)
	var s sessionAnswer
	d.get("/bff/session").JSON(t, &s)
	require.Equal(t, 900, s.Session.ExpiresIn)
	require.Equal(t, 900, d.session().Session.ExpiresIn)
	a.clock.Advance(15 * time.Minute)
	d.requireSignedIn(false)
}

func TestRefreshIsCapped(t *testing.T) {
	a := start(t, map[string]string{"SESSION_LIFETIME": "20m"}, nil)
	d := a.device()
	d.devLogin("alice")
	a.clock.Advance(10 * time.Minute)
	var s sessionAnswer
	res := d.post("/bff/session/refresh")
	require.Equal(t, http.StatusOK, res.StatusCode)
	res.JSON(t, &s)
	require.Equal(t, 600, s.Session.ExpiresIn)
	require.Equal(t, s.Session.AbsoluteExpiresAt, s.Session.IdleExpiresAt)
	a.clock.Advance(10 * time.Minute)
	require.Equal(t, http.StatusUnauthorized, d.post("/bff/session/refresh").StatusCode)
}

// R12, R22: logout is final, and the browser drops what it keeps.
func TestR22_Logout(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.signIn()
	thief := d.thief()
	thief.requireSignedIn(true)
	status, kind := problem(t, d.get("/bff/logout"))
	require.Equal(t, http.StatusMethodNotAllowed, status, "state is not changed by GET")
	require.Equal(t, "method", kind)
	res := d.post("/bff/logout")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, `"cache", "storage"`, res.Header.Get("Clear-Site-Data"))
	var out struct{ Redirect string }
	res.JSON(t, &out)
	require.Contains(t, out.Redirect, a.op.Issuer()+oidctest.EndSession)
	require.Empty(t, d.sid())
	thief.requireSignedIn(false)
	require.Zero(t, a.op.LiveGrants("alice"))
	after := d.get(out.Redirect)
	require.Equal(t, a.url+"/", after.Header.Get("Location"))

	other := a.device()
	other.devLogin("bob")
	other.post("/bff/logout").JSON(t, &out)
	require.Equal(t, "/", out.Redirect)
}

// R13: users see and end their own sessions: one, the others, all.
func TestR13_Devices(t *testing.T) {
	a := start(t, nil, nil)
	phone, laptop, bob := a.device(), a.device(), a.device()
	phone.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1")
	phone.signIn()
	laptop.signIn()
	bob.devLogin("bob")
	list := func(d *device) (out []bff.Info) {
		var all struct{ Sessions []bff.Info }
		res := d.get("/bff/sessions")
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.NotContains(t, res.Text, strings.SplitN(d.sid(), ".", 2)[0][4:], "no id")
		res.JSON(t, &all)
		return all.Sessions
	}
	all := list(laptop)
	require.Len(t, all, 2)
	require.False(t, all[0].Current)
	require.True(t, all[1].Current)
	require.Contains(t, all[0].Label, "iPhone")
	require.Contains(t, all[1].Label, "Firefox")
	require.Equal(t, "127.0.0.0/24", all[0].Network)
	require.Equal(t, []string{"pwd"}, all[0].Methods)

	for _, h := range []string{"x", "..%2f", string(list(bob)[0].Handle), strings.Repeat("x", 600)} {
		status, kind := problem(t, laptop.delete("/bff/sessions/"+h))
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, "not-found", kind)
	}
	bob.requireSignedIn(true)
	require.Equal(t, http.StatusNoContent, laptop.delete("/bff/sessions/"+string(all[0].Handle)).StatusCode)
	phone.requireSignedIn(false)
	require.Equal(t, 1, a.op.LiveGrants("alice"))
	require.Equal(t, http.StatusNotFound, laptop.delete("/bff/sessions/"+string(all[0].Handle)).StatusCode)

	phone.signIn()
	require.JSONEq(t, `{"revoked":1}`, laptop.delete("/bff/sessions?except=current").Text)
	phone.requireSignedIn(false)
	laptop.requireSignedIn(true)
	require.Equal(t, http.StatusBadRequest, laptop.delete("/bff/sessions?except=mine").StatusCode)
	phone.signIn()
	res := laptop.delete("/bff/sessions")
	require.JSONEq(t, `{"revoked":2}`, res.Text)
	require.Empty(t, laptop.sid())
	phone.requireSignedIn(false)
	laptop.requireSignedIn(false)
	bob.requireSignedIn(true)
	require.Zero(t, a.op.LiveGrants("alice"))

	bob.devLogin("bob")
	require.Equal(t, http.StatusNoContent, bob.delete("/bff/sessions/"+string(list(bob)[0].Handle)).StatusCode)
	require.Empty(t, bob.sid(), "one's own session, by its handle")
}

// R17: no call of a script gets through without the header, nor from another site;
// nothing changes by GET.
func TestR17_CSRF(t *testing.T) {
	a := start(t, map[string]string{"BFF_APIS": "orders=http://127.0.0.1:1"}, nil)
	d := a.device()
	d.signIn()
	routes := map[string]string{
		"/bff/session": "GET", "/bff/session/refresh": "POST", "/bff/sessions": "GET DELETE", "/bff/sessions/x": "DELETE", "/bff/events": "GET",
		"/bff/logout": "POST", "/bff/dev/login": "POST", "/bff/api/orders/x": "GET POST DELETE", "/api/sessions": "GET", "/api/sessions/x": "DELETE",
		"/api/sessions/x/refresh": "POST", "/internal/sessions": "GET", "/internal/sessions/x": "DELETE",
	}
	forged := map[string]http.Header{
		"without the header":    {},
		"another value":         {"X-Csrf": {"true"}},
		"another site":          {"X-Csrf": {"1"}, "Sec-Fetch-Site": {"cross-site"}},
		"another host of ours":  {"X-Csrf": {"1"}, "Sec-Fetch-Site": {"same-site"}},
		"a foreign origin":      {"X-Csrf": {"1"}, "Origin": {"https://evil.example"}},
		"no origin to speak of": {"X-Csrf": {"1"}, "Origin": {"null"}},
		"a form of another site": {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Origin": {"https://evil.example"},
			"Content-Type": {"application/x-www-form-urlencoded"}},
	}
	for path, names := range routes {
		for _, method := range strings.Fields(names) {
			for name, header := range forged {
				req := d.request(method, path, "")
				req.Header = header.Clone()
				req.SetBasicAuth("root", "correct horse battery")
				status, kind := problem(t, d.send(req))
				require.Equal(t, http.StatusForbidden, status, "%s %s %s", method, path, name)
				require.Equal(t, "csrf", kind)
			}
		}
		if !strings.Contains(names, "GET") {
			require.Equal(t, http.StatusMethodNotAllowed, d.get(path).StatusCode, "GET %s", path)
		}
	}
	d.requireSignedIn(true)
	d.Header.Set("Sec-Fetch-Site", "same-origin")
	d.Header.Set("Origin", a.url)
	d.requireSignedIn(true)
}

// R26: scripts get 401, never a redirection.
func TestR26_ScriptsGet401(t *testing.T) {
	a := start(t, map[string]string{"BFF_APIS": "orders=http://127.0.0.1:1"}, nil)
	d := a.device()
	for _, path := range []string{"/bff/session", "/bff/sessions", "/bff/events", "/bff/api/orders/x", "/api/sessions"} {
		status, _ := problem(t, d.get(path))
		require.Equal(t, http.StatusUnauthorized, status, path)
	}
}

// R16: no answer of any route shows a token, a code or a secret.
func TestR16_NothingShowsTokens(t *testing.T) {
	a := start(t, map[string]string{"BFF_APIS": "orders=http://127.0.0.1:1"}, nil)
	d := a.device()
	d.signIn()
	var all strings.Builder
	for _, path := range []string{"/bff/session", "/bff/sessions", "/api/sessions", "/bff/api/orders/x", "/bff/nothing", "/"} {
		res := d.get(path)
		all.WriteString(res.Text)
		_ = res.Header.Write(&all)
	}
	req := d.request("GET", "/internal/sessions", "")
	req.SetBasicAuth("root", "correct horse battery")
	all.WriteString(d.send(req).Text + a.log.String())
	require.NotContains(t, all.String(), "eyJ")
	require.NotContains(t, all.String(), "app-secret")
	require.NotContains(t, all.String(), "battery")
	id := strings.SplitN(strings.TrimPrefix(d.sid(), "s%3A"), ".", 2)[0]
	require.Len(t, id, 32)
	require.NotContains(t, all.String(), id)
}

// R22, R6 and the headers that keep pages in their place.
func TestR22_Headers(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.signIn()
	for _, path := range []string{"/", "/app.js", "/style.css", "/bff/session", "/bff/login", "/bff/callback", "/nothing.txt", "/healthz", "/bff/nothing", "/some/view"} {
		res := d.get(path)
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"), path)
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), path)
		require.Contains(t, res.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		require.NotContains(t, res.Header.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "no-referrer", res.Header.Get("Referrer-Policy"), path)
		require.Equal(t, "max-age=31536000", res.Header.Get("Strict-Transport-Security"), path)
	}
}

// Another name in Host is another site: no page of it becomes ours.
func TestWrongHost(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	for _, host := range []string{"evil.example", "localhost.evil.example", "app.example.com", "127.0.0.1", "127.0.0.1:1", "user@" + strings.TrimPrefix(a.url, "https://")} {
		req := d.request("GET", "/", "")
		req.Host = host
		res := d.send(req)
		if host == "user@"+strings.TrimPrefix(a.url, "https://") {
			require.NotEqual(t, http.StatusOK, res.StatusCode)
			continue
		}
		status, kind := problem(t, res)
		require.Equal(t, http.StatusMisdirectedRequest, status, host)
		require.Equal(t, "host", kind)
	}
	req := d.request("GET", "/healthz", "")
	req.Host = "10.0.0.7"
	require.Equal(t, http.StatusOK, d.send(req).StatusCode, "who probes has no name")
	req = d.request("GET", "/", "")
	req.Host = strings.Replace(strings.TrimPrefix(a.url, "https://"), "127.0.0.1", "LOCALHOST", 1)
	require.Equal(t, http.StatusOK, d.send(req).StatusCode)
}

// A cookie that another host of the domain tossed opens nothing, and does not stand in
// the way of a login.
func TestCookieTossing(t *testing.T) {
	a := start(t, nil, nil)
	mallory, victim := a.device(), a.device()
	mallory.devLogin("mallory")
	for _, name := range []string{"sid", "__host-sid", "connect.sid"} { // browsers let nobody toss __Host-sid
		req := victim.request("GET", "/bff/session", "")
		req.Header.Set("Cookie", name+"="+mallory.sid())
		require.Equal(t, http.StatusUnauthorized, victim.send(req).StatusCode)
	}
	// A made-up id is never adopted (R2).
	req := victim.request("POST", "/bff/dev/login", `{"sub":"victim"}`)
	req.Header.Set("Cookie", "__Host-sid=s%3Aplanted.AAAA")
	res := victim.send(req)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NotContains(t, victim.sid(), "planted")
	// Nor one in an address (R5).
	require.Equal(t, http.StatusUnauthorized, a.device().get("/bff/session?sid="+mallory.sid()).StatusCode)
}

// R4: the id of before the login is dead after it.
func TestR4_SessionFixation(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.devLogin("mallory") // planted in the victim's browser
	planted := d.thief()
	d.signIn()
	planted.requireSignedIn(false)
	require.Equal(t, "alice", d.session().User.Sub)
}

func TestDevLogin(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	res := d.do("POST", "/bff/dev/login", `{"sub":"alice","name":"A","roles":["admin","user"]}`)
	require.Equal(t, http.StatusOK, res.StatusCode)
	s := d.session()
	require.Equal(t, "alice", s.User.Sub)
	require.Equal(t, "A", s.User.Name)
	require.Equal(t, []string{"admin", "user"}, s.User.Roles)
	for body, want := range map[string]int{
		`{}`: 400, `{"sub":""}`: 400, `{"sub":7}`: 400, `{"sub":"a","x":1}`: 400, `[]`: 400, `{"sub":"a"}{"sub":"b"}`: 400, ``: 415,
		`{"sub":"` + strings.Repeat("a", 256) + `"}`: 400, `{"sub":"a","name":"` + strings.Repeat("a", 9000) + `"}`: 400,
	} {
		require.Equal(t, want, d.do("POST", "/bff/dev/login", body).StatusCode, body)
	}
	req := d.request("POST", "/bff/dev/login", `{"sub":"a"}`)
	req.Header.Set("Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, d.send(req).StatusCode)
	require.Contains(t, a.cfg.Warnings[0], "BFF_DEV_LOGIN is on")

	off := start(t, map[string]string{"BFF_DEV_LOGIN": ""}, nil)
	require.Equal(t, http.StatusNotFound, off.device().do("POST", "/bff/dev/login", `{"sub":"a"}`).StatusCode)
}

// R20, R21 over the whole server: the provider ends its session, and ours ends.
func TestR20_Backchannel(t *testing.T) {
	a := start(t, nil, nil)
	d, other := a.device(), a.device()
	d.signIn()
	other.signIn()
	for _, bad := range a.op.BadLogoutTokens("alice", a.op.Sessions("alice")[0]) {
		sent := a.op.SendLogout(t.Context(), "", bad.Token)
		require.Equal(t, http.StatusBadRequest, sent.Status, bad.Name)
	}
	d.requireSignedIn(true)
	told := a.op.LogOut(t.Context(), sidAtOP(t, d))
	require.Len(t, told, 1)
	require.Equal(t, http.StatusOK, told[0].Status)
	d.requireSignedIn(false)
	other.requireSignedIn(true)
}

// sidAtOP is the provider's id of a device's session.
func sidAtOP(t *testing.T, d *device) string {
	info, err := d.a.cfg.Manager.Inspect(t.Context(), bff.Handle(d.session().Session.Handle))
	require.NoError(t, err)
	return info.IDPSession
}

// The routes of session guides: ids with and without the prefix, as handles or as
// session ids; only one's own.
func TestCompatibleRoutes(t *testing.T) {
	a := start(t, nil, nil)
	one, two, bob := a.device(), a.device(), a.device()
	one.devLogin("alice")
	two.devLogin("alice")
	bob.devLogin("bob")
	var list struct{ Sessions []string }
	one.get("/api/sessions").JSON(t, &list)
	require.Len(t, list.Sessions, 2)
	require.Contains(t, list.Sessions, "myapp:"+two.session().Session.Handle)
	id := func(d *device) string {
		sid, _, err := connectredis.Verify(d.sid(), a.cfg.Manager.Secrets...)
		require.NoError(t, err)
		return sid
	}
	for _, name := range []func() string{
		func() string { return two.session().Session.Handle }, func() string { return "myapp:" + two.session().Session.Handle },
		func() string { return id(two) }, func() string { return "myapp:" + id(two) },
	} {
		name := name()
		var s struct {
			ExpiresIn int
			Handle    string
		}
		res := one.do("POST", "/api/sessions/"+name+"/refresh", `{"newTTL":1200}`)
		require.Equal(t, http.StatusOK, res.StatusCode, res.Text)
		res.JSON(t, &s)
		require.Equal(t, 1200, s.ExpiresIn)
		require.Equal(t, http.StatusNotFound, bob.do("POST", "/api/sessions/"+name+"/refresh", `{"newTTL":1200}`).StatusCode)
		require.Equal(t, http.StatusNotFound, bob.delete("/api/sessions/"+name).StatusCode)
		require.Equal(t, http.StatusNoContent, one.delete("/api/sessions/"+name).StatusCode)
		two.requireSignedIn(false)
		two.devLogin("alice")
	}
	for _, body := range []string{`{"newTTL":0}`, `{"newTTL":-1}`, `{"newTTL":1e300}`, `{"newTTL":"x"}`, `{}`, `{"newTTL":null}`} {
		require.Equal(t, http.StatusBadRequest, one.do("POST", "/api/sessions/"+one.session().Session.Handle+"/refresh", body).StatusCode, body)
	}
	var s struct{ ExpiresIn int }
	one.do("POST", "/api/sessions/"+one.session().Session.Handle+"/refresh", `{"newTTL":999999}`).JSON(t, &s)
	require.Equal(t, 12*3600, s.ExpiresIn, "the absolute deadline holds")
}

// R13, R25: admins list and end anybody's sessions; nobody else does.
func TestR25_Internal(t *testing.T) {
	a := start(t, nil, nil)
	alice, bob := a.device(), a.device()
	alice.devLogin("alice")
	bob.devLogin("bob")
	as := func(user, password, method, path string) bfftest.Answer {
		req := a.device().request(method, path, "")
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		return a.device().send(req)
	}
	const pw = "correct horse battery"
	for _, c := range [][2]string{{"", ""}, {"root", ""}, {"", pw}, {"root", pw + "x"}, {"ROOT", pw}, {"bob", pw}} {
		res := as(c[0], c[1], "GET", "/internal/sessions")
		status, _ := problem(t, res)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, res.Header.Get("WWW-Authenticate"), "Basic")
	}
	require.Equal(t, http.StatusUnauthorized, alice.get("/internal/sessions").StatusCode, "a user is no admin")
	var list struct {
		Sessions []string
		Next     string
	}
	as("root", pw, "GET", "/internal/sessions").JSON(t, &list)
	require.Len(t, list.Sessions, 2)
	list.Sessions = nil
	as("root", pw, "GET", "/internal/sessions?user=bob").JSON(t, &list)
	require.Equal(t, []string{"myapp:" + bob.session().Session.Handle}, list.Sessions)
	for _, limit := range []string{"0", "-1", "1001", "x"} {
		require.Equal(t, http.StatusBadRequest, as("root", pw, "GET", "/internal/sessions?limit="+limit).StatusCode)
	}
	require.Equal(t, http.StatusNotFound, as("root", pw, "DELETE", "/internal/sessions/x").StatusCode)
	require.Equal(t, http.StatusNoContent, as("root", pw, "DELETE", "/internal/sessions/"+list.Sessions[0]).StatusCode)
	bob.requireSignedIn(false)
	alice.requireSignedIn(true)
	require.Contains(t, a.log.String(), "session ended by an admin")

	for range 10 {
		as("root", "wrong", "GET", "/internal/sessions")
	}
	res := as("root", pw, "GET", "/internal/sessions")
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode, "also with the right one")
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	a.clock.Advance(time.Minute)
	require.Equal(t, http.StatusOK, as("root", pw, "GET", "/internal/sessions").StatusCode)

	none := start(t, map[string]string{"BFF_ADMIN_USER": "", "BFF_ADMIN_PASSWORD": ""}, nil)
	req := none.device().request("GET", "/internal/sessions", "")
	req.SetBasicAuth("", "")
	require.Equal(t, http.StatusForbidden, none.device().send(req).StatusCode)
}

// The store is down: 503 with Retry-After within 300 ms on routes of sessions, others
// live, no cookie is cleared, and all is well again afterwards.
func TestStoreDown(t *testing.T) {
	var store *bfftest.Store
	a := start(t, map[string]string{"SESSION_SECRET": secret}, func(a *app) {
		store = bfftest.NewStore(a.under)
		a.cfg.Manager.Store = pinged{store}
	})
	d := a.device()
	d.signIn()
	for _, hang := range []bool{false, true} {
		store.Hang(hang)
		if !hang {
			store.Fail(errors.New("down"))
		}
		for _, path := range []string{"/bff/session", "/bff/events", "/bff/logout"} {
			method := "GET"
			if path == "/bff/logout" {
				method = "POST"
			}
			begun := time.Now()
			res := d.do(method, path, "")
			status, kind := problem(t, res)
			require.Equal(t, http.StatusServiceUnavailable, status, path)
			require.Equal(t, "store-unavailable", kind)
			require.NotEmpty(t, res.Header.Get("Retry-After"))
			require.Empty(t, res.Header.Values("Set-Cookie"))
			require.Less(t, time.Since(begun), 5*time.Second)
		}
		require.Equal(t, http.StatusOK, d.get("/").StatusCode)
		require.Equal(t, http.StatusOK, d.get("/healthz").StatusCode)
		require.Equal(t, http.StatusServiceUnavailable, d.get("/readyz").StatusCode)
		store.Hang(false)
		store.Fail(nil)
		d.requireSignedIn(true)
		require.Equal(t, http.StatusOK, d.get("/readyz").StatusCode)
	}
}

// pinged is a store that can be asked whether it is there.
type pinged struct{ *bfftest.Store }

func (p pinged) Ping(ctx context.Context) error {
	_, err := p.Find(ctx, "ping")
	if errors.Is(err, bff.ErrNoSession) {
		return nil
	}
	return err
}

func TestReadiness(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	require.Equal(t, "ready\n", d.get("/readyz").Text)
	a.s.Drain()
	require.Equal(t, http.StatusServiceUnavailable, d.get("/readyz").StatusCode)
	require.Equal(t, http.StatusOK, d.get("/healthz").StatusCode)
}

func TestPages(t *testing.T) {
	a := start(t, map[string]string{"BFF_APIS": "orders=http://127.0.0.1:1"}, nil)
	d := a.device()
	d.Header.Set("Accept", "text/html")
	for path, want := range map[string]string{
		"/": "text/html", "/index.html": "text/html", "/app.js": "text/javascript", "/style.css": "text/css", "/p": "text/html", "/a/view": "text/html",
	} {
		res := d.get(path)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		require.Contains(t, res.Header.Get("Content-Type"), want, path)
	}
	require.Contains(t, d.get("/").Text, `name="bff-apis" content="orders"`)
	require.NotContains(t, d.get("/").Text, "{{")
	for _, path := range []string{"/nothing.js", "/.git", "/web/.x", "/../server.go", "/%2e%2e/server.go", "/bff/nothing", "/api/x", "/internal/x"} {
		res := d.get(path)
		require.NotEqual(t, http.StatusInternalServerError, res.StatusCode)
		require.NotContains(t, res.Text, "package server")
		if !strings.Contains(path, "..") && !strings.Contains(path, "%2e") && path != "/.git" {
			require.Equal(t, http.StatusNotFound, res.StatusCode, path)
		}
	}
	require.Equal(t, http.StatusMethodNotAllowed, d.post("/").StatusCode)
}

// A navigation that fails gets a page, without a word of what was sent.
func TestFailedNavigations(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.Header.Set("Accept", "text/html,*/*")
	d.Header.Set("Sec-Fetch-Mode", "navigate")
	d.Header.Set("Sec-Fetch-Dest", "document")
	res := d.get("/bff/callback?state=<script>alert(1)</script>&error=<script>")
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	require.Contains(t, res.Header.Get("Content-Type"), "text/html")
	require.NotContains(t, res.Text, "<script")
	require.Contains(t, res.Text, "Begin again")
}
