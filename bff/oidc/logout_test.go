package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/connectredis"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// sid is the session id in a device's cookie.
func sid(t *testing.T, d *device) string {
	t.Helper()
	id, _, err := connectredis.Verify(d.Cookie("__Host-sid"), w0(d)...)
	require.NoError(t, err)
	return id
}

func w0(d *device) [][]byte { return d.w.app.m.Secrets }

func TestLogout(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	thief := d.Tab()
	res := d.Post("/bff/logout")
	require.Equal(t, http.StatusOK, res.StatusCode)
	at, err := url.Parse(res.Text)
	require.NoError(t, err)
	require.Equal(t, w.op.Issuer()+oidctest.EndSession, at.Scheme+"://"+at.Host+at.Path)
	require.Equal(t, "app", at.Query().Get("client_id"))
	require.Equal(t, http.StatusUnauthorized, thief.Get("/me").StatusCode)
	require.Zero(t, w.op.LiveGrants("alice"), "the refresh token is revoked")
	require.Equal(t, "/", d.back(res.Text))
	require.Empty(t, w.op.Sessions("alice"))
	require.Equal(t, http.StatusOK, d.Post("/bff/logout").StatusCode, "twice is no error")
}

// A provider that is down keeps nobody from signing out.
func TestLogoutWithProviderDown(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	w.op.Down(true)
	res := d.Post("/bff/logout")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, res.Text, oidctest.EndSession)
	d.requireSignedIn(false)
}

func TestLogoutWithStoreDown(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	store := failing(w)
	w.app.Handler = w.instance(func(i *instance) { i.m.Store = store }).Handler
	d := w.device()
	d.signIn()
	store.Fail(errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, d.Post("/bff/logout").StatusCode)
	require.NotEmpty(t, d.Cookie("__Host-sid"), "the session may live, and its cookie stays")
	store.Fail(nil)
	require.Equal(t, http.StatusOK, d.Post("/bff/logout").StatusCode)
}

// R20: each kind of wrong logout token gets 400 and ends nothing.
func TestR20_BadLogoutTokens(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	for _, bad := range w.op.BadLogoutTokens("alice", w.op.Sessions("alice")[0]) {
		t.Run(bad.Name, func(t *testing.T) {
			res := w.backchannel(bad.Token)
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
			require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
			d.requireSignedIn(true)
		})
	}
	require.NotContains(t, w.log.String(), "eyJ", "refused tokens are not logged")
}

// R20: a sid ends the one session, a sub without a sid all of the user's.
func TestR20_WhatALogoutTokenEnds(t *testing.T) {
	for name, c := range map[string]struct {
		logout func(w *world) oidctest.Logout
		alive  []bool // alice's first device, her second, bob's
	}{
		"sub and sid": {func(w *world) oidctest.Logout {
			return oidctest.Logout{Sub: "alice", SID: idpSession(w, 0)}
		}, []bool{false, true, true}},
		"sid alone":                {func(w *world) oidctest.Logout { return oidctest.Logout{SID: idpSession(w, 0)} }, []bool{false, true, true}},
		"sub alone":                {func(w *world) oidctest.Logout { return oidctest.Logout{Sub: "alice"} }, []bool{false, false, true}},
		"another's sid":            {func(w *world) oidctest.Logout { return oidctest.Logout{Sub: "bob", SID: idpSession(w, 0)} }, []bool{true, true, true}},
		"a sid that nobody has":    {func(w *world) oidctest.Logout { return oidctest.Logout{SID: "x"} }, []bool{true, true, true}},
		"a user that nobody knows": {func(w *world) oidctest.Logout { return oidctest.Logout{Sub: "carol"} }, []bool{true, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oidctest.Options{})
			devices := []*device{w.device(), w.device(), w.device()}
			for i, d := range devices {
				w.op.SetUser(oidctest.User{Sub: []string{"alice", "alice", "bob"}[i]})
				d.signIn()
			}
			res := w.backchannel(w.op.LogoutToken(c.logout(w)))
			require.Equal(t, http.StatusOK, res.StatusCode, "R21: also when nothing matched: %s", res.Text)
			require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
			for i, alive := range c.alive {
				devices[i].requireSignedIn(alive)
			}
		})
	}
}

// idpSession is the provider's session of the nth session here, oldest first.
func idpSession(w *world, n int) string {
	i := 0
	for info, err := range w.app.m.All(w.t.Context(), query("alice")) {
		require.NoError(w.t, err)
		if i == n {
			return info.IDPSession
		}
		i++
	}
	w.t.Fatal("no such session")
	return ""
}

// R20: a jti is good once, on whichever instance, for as long as the token is.
func TestR20_Replay(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	token := w.op.LogoutToken(oidctest.Logout{Sub: "alice"})
	require.Equal(t, http.StatusOK, w.backchannel(token).StatusCode)
	w.clock.Advance(time.Second)
	d := w.device()
	d.signIn()
	require.Equal(t, http.StatusBadRequest, w.backchannel(token).StatusCode)
	w.app.Handler = w.instance(nil).Handler
	require.Equal(t, http.StatusBadRequest, w.backchannel(token).StatusCode)
	w.clock.Advance(2 * time.Minute)
	require.Equal(t, http.StatusBadRequest, w.backchannel(token).StatusCode)
	d.requireSignedIn(true)
}

// R21: refresh tokens are revoked, but those for offline access.
func TestR21_RefreshTokens(t *testing.T) {
	for _, offline := range []bool{false, true} {
		w := newWorld(t, oidctest.Options{})
		if offline {
			w.app.Handler = w.instance(func(i *instance) { i.c.Scopes = []string{"offline_access"} }).Handler
		}
		d := w.device()
		d.signIn()
		require.Equal(t, http.StatusOK, w.backchannel(w.op.LogoutToken(oidctest.Logout{Sub: "alice"})).StatusCode)
		d.requireSignedIn(false)
		want := 0
		if offline {
			want = 1
		}
		require.Equal(t, want, w.op.LiveGrants("alice"), "offline %v", offline)
	}
}

func TestR21_Requests(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	token := w.op.LogoutToken(oidctest.Logout{Sub: "alice"})
	b := bfftest.NewBrowser(t, w.app)
	form := url.Values{"logout_token": {token}}.Encode()
	b.Header.Set("Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, b.Do(http.MethodPost, "/bff/backchannel", form).StatusCode)
	b.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusBadRequest, b.Do(http.MethodPost, "/bff/backchannel?"+form, "").StatusCode, "a token in the address")
	require.Equal(t, http.StatusBadRequest, b.Do(http.MethodPost, "/bff/backchannel", form+"&"+form).StatusCode)
	require.Equal(t, http.StatusBadRequest, b.Do(http.MethodPost, "/bff/backchannel", form+"&pad="+strings.Repeat("x", 17<<10)).StatusCode)
	b.Header.Set("X-CSRF", "")
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusOK, b.Do(http.MethodPost, "/bff/backchannel", form).StatusCode, "it comes from elsewhere")
}

// A provider that sends its older kind of token is for an option.
func TestAnyLogoutType(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	old := func(typ any) string {
		return w.op.LogoutToken(oidctest.Logout{Sub: "alice", Edit: func(header, _ map[string]any) {
			if header["typ"] = typ; typ == nil {
				delete(header, "typ")
			}
		}})
	}
	require.Equal(t, http.StatusBadRequest, w.backchannel(old(nil)).StatusCode)
	require.Equal(t, http.StatusOK, w.backchannel(old("application/LOGOUT+JWT")).StatusCode)
	w.app.Handler = w.instance(func(i *instance) { i.c.AnyLogoutType = true }).Handler
	require.Equal(t, http.StatusOK, w.backchannel(old(nil)).StatusCode)
	require.Equal(t, http.StatusOK, w.backchannel(old("JWT")).StatusCode)
	require.Equal(t, http.StatusBadRequest, w.backchannel(old("at+jwt")).StatusCode)
}

// A logout that overtakes the login it ends: between the provider's yes and the
// callback.
func TestLogoutOvertakesTheLogin(t *testing.T) {
	for name, logout := range map[string]func(w *world) oidctest.Logout{
		"by sid": func(w *world) oidctest.Logout { return oidctest.Logout{SID: w.op.Sessions("alice")[0]} },
		"by sub": func(*world) oidctest.Logout { return oidctest.Logout{Sub: "alice"} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oidctest.Options{})
			d := w.device()
			back := d.back(d.toOP("/bff/login"))
			issued := w.clock.Now()
			w.op.EditIDToken(func(_, claims map[string]any) { claims["iat"] = issued.Unix() })
			w.clock.Advance(2 * time.Second)
			require.Equal(t, http.StatusOK, w.backchannel(w.op.LogoutToken(logout(w))).StatusCode)
			_, kind := problem(t, d.Get(back))
			require.Equal(t, "login-ended", kind)
			d.requireSignedIn(false)
			n, err := w.app.m.Count(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
			w.op.EditIDToken(nil)
			d.atOP.Jar = nil // another session at the provider
			d.signIn()
		})
	}
}

func TestBackchannelWithStoreDown(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	store := failing(w)
	w.app.Handler = w.instance(func(i *instance) { i.m.Store = listing{store, w} }).Handler
	d := w.device()
	d.signIn()
	token := w.op.LogoutToken(oidctest.Logout{Sub: "alice"})
	store.Fail(fmt.Errorf("down"))
	res := w.backchannel(token)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	store.Fail(nil)
	require.Equal(t, http.StatusOK, w.backchannel(token).StatusCode)
	d.requireSignedIn(false)
}

func query(user string) bff.Query { return bff.Query{User: user} }

// listing is a store of tests that lists, too.
type listing struct {
	*bfftest.Store
	w *world
}

func (l listing) List(ctx context.Context, prefix, cursor string, n int) ([]bff.Entry, string, error) {
	return l.w.under.(bff.Lister).List(ctx, prefix, cursor, n)
}

func (l listing) Count(ctx context.Context, prefix string) (int, error) {
	return l.w.under.(bff.Lister).Count(ctx, prefix)
}
