package oidctest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
)

// app is an application made of the libraries that most use.
type app struct {
	t        *testing.T
	op       *oidctest.Provider
	clock    *bfftest.Clock
	conf     oauth2.Config
	verifier *oidc.IDTokenVerifier
	browser  *http.Client
}

func newApp(t *testing.T, opts oidctest.Options) *app {
	t.Helper()
	clock := bfftest.NewClock()
	opts.Clock = clock
	op := oidctest.Run(t, opts)
	provider, err := oidc.NewProvider(t.Context(), op.Issuer())
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &app{
		t: t, op: op, clock: clock,
		conf: oauth2.Config{
			ClientID: op.ClientID(), ClientSecret: op.ClientSecret(), Endpoint: provider.Endpoint(),
			RedirectURL: "https://app.example.com/callback", Scopes: []string{"openid"},
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: op.ClientID(), Now: clock.Now}),
		browser:  &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// authorize asks for a code and returns what the browser is sent back with.
func (a *app) authorize(opts ...oauth2.AuthCodeOption) url.Values {
	a.t.Helper()
	res, err := a.browser.Get(a.conf.AuthCodeURL("st", append([]oauth2.AuthCodeOption{oidc.Nonce("nc")}, opts...)...))
	require.NoError(a.t, err)
	defer res.Body.Close()
	require.Equal(a.t, http.StatusSeeOther, res.StatusCode)
	back, err := res.Location()
	require.NoError(a.t, err)
	require.Equal(a.t, "app.example.com", back.Host)
	return back.Query()
}

func (a *app) signIn() (*oauth2.Token, *oidc.IDToken) {
	a.t.Helper()
	verifier := oauth2.GenerateVerifier()
	back := a.authorize(oauth2.S256ChallengeOption(verifier))
	require.Equal(a.t, "st", back.Get("state"))
	require.Equal(a.t, a.op.Issuer(), back.Get("iss"))
	tok, err := a.conf.Exchange(a.t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	require.NoError(a.t, err)
	id, err := a.verifier.Verify(a.t.Context(), tok.Extra("id_token").(string))
	require.NoError(a.t, err)
	return tok, id
}

func (a *app) refresh(token string) (*oauth2.Token, error) {
	return a.conf.TokenSource(a.t.Context(), &oauth2.Token{RefreshToken: token}).Token()
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var re *oauth2.RetrieveError
	require.ErrorAs(t, err, &re)
	require.Equal(t, want, re.ErrorCode)
}

// Two libraries that know nothing of it get along with the provider.
func TestSignIn(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256"} {
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			t.Run(fmt.Sprint(alg, style), func(t *testing.T) {
				a := newApp(t, oidctest.Options{Algorithm: alg})
				a.conf.Endpoint.AuthStyle = style
				tok, id := a.signIn()
				require.Equal(t, "alice", id.Subject)
				require.Equal(t, "nc", id.Nonce)
				require.NoError(t, id.VerifyAccessToken(tok.AccessToken))
				user, ok := a.op.UserOf(tok.AccessToken)
				require.True(t, ok)
				require.Equal(t, "alice", user.Sub)
				a.clock.Advance(5 * time.Minute)
				_, ok = a.op.UserOf(tok.AccessToken)
				require.False(t, ok, "an access token ends by the clock")
			})
		}
	}
}

func TestWhatAuthorizeDemands(t *testing.T) {
	a := newApp(t, oidctest.Options{Clients: []oidctest.Client{{ID: "app", Secret: "s", RedirectURIs: []string{"https://app.example.com/callback"}}}})
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	require.Equal(t, "invalid_request", a.authorize().Get("error"), "no PKCE")
	require.Equal(t, "invalid_request", a.authorize(challenge, oauth2.SetAuthURLParam("code_challenge_method", "plain")).Get("error"))
	require.Equal(t, "invalid_request", a.authorize(challenge, oauth2.SetAuthURLParam("nonce", "")).Get("error"))
	require.Equal(t, "invalid_request", a.authorize(challenge, oauth2.SetAuthURLParam("state", "")).Get("error"))
	require.Equal(t, "invalid_request", a.authorize(challenge, oauth2.SetAuthURLParam("scope", "email")).Get("error"))
	require.Equal(t, "login_required", a.authorize(challenge, oauth2.SetAuthURLParam("prompt", "none")).Get("error"))
	for name, val := range map[string]string{"client_id": "nobody", "redirect_uri": "https://app.example.com/callback/"} {
		res, err := a.browser.Get(a.conf.AuthCodeURL("st", oidc.Nonce("nc"), challenge, oauth2.SetAuthURLParam(name, val)))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusBadRequest, res.StatusCode, "%s: nobody is sent there", name)
	}
}

func TestCodes(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	verifier := oauth2.GenerateVerifier()
	code := func() string { return a.authorize(oauth2.S256ChallengeOption(verifier)).Get("code") }
	exchange := func(code string, opts ...oauth2.AuthCodeOption) error {
		_, err := a.conf.Exchange(t.Context(), code, opts...)
		return err
	}
	requireCode(t, "invalid_grant", exchange(code()))
	requireCode(t, "invalid_grant", exchange(code(), oauth2.VerifierOption(oauth2.GenerateVerifier())))
	requireCode(t, "invalid_grant", exchange(code(), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("redirect_uri", "https://other.example.com")))
	late := code()
	a.clock.Advance(time.Minute)
	requireCode(t, "invalid_grant", exchange(late, oauth2.VerifierOption(verifier)))

	twice := code()
	tok, err := a.conf.Exchange(t.Context(), twice, oauth2.VerifierOption(verifier))
	require.NoError(t, err)
	requireCode(t, "invalid_grant", exchange(twice, oauth2.VerifierOption(verifier)))
	_, err = a.refresh(tok.RefreshToken)
	requireCode(t, "invalid_grant", err) // what the code gave is gone, too

	a.conf.ClientSecret = "wrong"
	requireCode(t, "invalid_client", exchange(code(), oauth2.VerifierOption(verifier)))
}

func TestRefreshTokensAreGoodOnce(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	first, _ := a.signIn()
	second, err := a.refresh(first.RefreshToken)
	require.NoError(t, err)
	require.NotEqual(t, first.RefreshToken, second.RefreshToken)
	require.Equal(t, 1, a.op.LiveGrants("alice"))
	_, err = a.refresh(first.RefreshToken)
	requireCode(t, "invalid_grant", err)
	_, err = a.refresh(second.RefreshToken)
	requireCode(t, "invalid_grant", err) // reuse ends them all
	require.Zero(t, a.op.LiveGrants("alice"))

	old, _ := a.signIn()
	a.clock.Advance(8 * time.Hour)
	_, err = a.refresh(old.RefreshToken)
	requireCode(t, "invalid_grant", err)
}

func TestRevocation(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	tok, _ := a.signIn()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.op.Issuer()+oidctest.Revocation+"?token=x", nil)
	require.NoError(t, err)
	req.SetBasicAuth("app", "app-secret")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, 1, a.op.LiveGrants("alice"), "the token in an address does not count")

	res, err = http.PostForm(a.op.Issuer()+oidctest.Revocation, url.Values{"token": {tok.RefreshToken}, "client_id": {"app"}, "client_secret": {"app-secret"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Zero(t, a.op.LiveGrants("alice"))
	_, ok := a.op.UserOf(tok.AccessToken)
	require.False(t, ok)
}

func TestKeysRotate(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	tok, _ := a.signIn()
	old := tok.Extra("id_token").(string)
	a.op.RotateKeys(false)
	a.signIn()
	_, err := a.verifier.Verify(t.Context(), old)
	require.NoError(t, err)
	a.op.RotateKeys(true)
	a.signIn()
	_, err = a.verifier.Verify(t.Context(), old)
	require.Error(t, err)
}

func TestFaults(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	tok, _ := a.signIn()
	a.op.Fail(oidctest.Token, oidctest.Fault{Status: 400, Error: "invalid_grant", Times: 1})
	_, err := a.refresh(tok.RefreshToken)
	requireCode(t, "invalid_grant", err)
	a.op.Fail(oidctest.Token, oidctest.Fault{Status: 500})
	_, err = a.refresh(tok.RefreshToken)
	require.ErrorContains(t, err, "500")
	a.op.Heal(oidctest.Token)
	a.op.Down(true)
	_, err = a.refresh(tok.RefreshToken)
	require.ErrorContains(t, err, "EOF")
	a.op.Down(false)

	held := a.op.Hold(oidctest.Token)
	before := a.op.Calls(oidctest.Token)
	done := make(chan error)
	go func() { _, err := a.refresh(tok.RefreshToken); done <- err }()
	<-held.Arrived
	require.Equal(t, before+1, a.op.Calls(oidctest.Token))
	held.Release()
	require.NoError(t, <-done)
}

func TestEditsReachTheApplication(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	a.op.EditRedirect(func(params map[string]string) { params["iss"] = "https://evil.example" })
	require.Equal(t, "https://evil.example", a.authorize(oauth2.S256ChallengeOption("v")).Get("iss"))
	a.op.EditRedirect(nil)
	a.op.EditIDToken(func(_, claims map[string]any) { claims["sub"] = "mallory" })
	_, id := a.signIn()
	require.Equal(t, "mallory", id.Subject)
}

// With AskUser somebody types a name.
func TestAskUser(t *testing.T) {
	a := newApp(t, oidctest.Options{AskUser: true})
	at := a.conf.AuthCodeURL("st", oidc.Nonce("nc"), oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	res, err := a.browser.Get(at)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	parsed, err := url.Parse(at)
	require.NoError(t, err)
	form := parsed.Query()
	form.Set("user", "<b>bob</b>")
	res, err = a.browser.PostForm(a.op.Issuer()+oidctest.Authorize, form)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Len(t, a.op.Sessions("<b>bob</b>"), 1)
}

// receiver is an application's back-channel endpoint.
func receiver(t *testing.T, a *app) *[]string {
	t.Helper()
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.PostFormValue("logout_token")) }))
	t.Cleanup(srv.Close)
	a.op.Register(oidctest.Client{ID: "app", Secret: "app-secret", BackchannelLogoutURI: srv.URL, PostLogoutRedirectURIs: []string{"https://app.example.com/"}})
	return &got
}

func TestLogoutTellsApplications(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	got := receiver(t, a)
	tok, id := a.signIn()
	sids := a.op.Sessions("alice")
	require.Len(t, sids, 1)
	told := a.op.LogOut(t.Context(), sids[0])
	require.Len(t, told, 1)
	require.Equal(t, http.StatusOK, told[0].Status)
	logout, err := a.verifier.VerifyLogout(t.Context(), (*got)[0])
	require.NoError(t, err)
	require.Equal(t, sids[0], logout.SessionID)
	require.Equal(t, id.Subject, logout.Subject)
	_, err = a.refresh(tok.RefreshToken)
	requireCode(t, "invalid_grant", err)
	require.Empty(t, a.op.Sessions("alice"))
}

func TestOfflineAccessOutlivesTheLogout(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	a.conf.Scopes = append(a.conf.Scopes, "offline_access")
	tok, _ := a.signIn()
	a.op.LogOut(t.Context(), a.op.Sessions("alice")[0])
	_, err := a.refresh(tok.RefreshToken)
	require.NoError(t, err)
}

func TestEndSession(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	got := receiver(t, a)
	tok, _ := a.signIn()
	get := func(params url.Values) *http.Response {
		res, err := a.browser.Get(a.op.Issuer() + oidctest.EndSession + "?" + params.Encode())
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res
	}
	hint := tok.Extra("id_token").(string)
	require.Equal(t, http.StatusBadRequest, get(url.Values{"id_token_hint": {hint + "x"}}).StatusCode)
	require.Equal(t, http.StatusBadRequest, get(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}}).StatusCode)
	require.Empty(t, *got)
	res := get(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.example.com/"}, "state": {"s"}})
	require.Equal(t, "https://app.example.com/?state=s", res.Header.Get("Location"))
	require.Len(t, *got, 1)
	require.Empty(t, a.op.Sessions("alice"))
}

// A library that checks most finds most of them out; one that checks nothing would
// be found out by all.
func TestBadLogoutTokensAreBad(t *testing.T) {
	a := newApp(t, oidctest.Options{})
	seen := map[string]bool{}
	heeded := map[string]bool{}
	for _, bad := range a.op.BadLogoutTokens("alice", "sid") {
		require.False(t, seen[bad.Name], bad.Name)
		seen[bad.Name] = true
		if _, err := a.verifier.VerifyLogout(t.Context(), bad.Token); err == nil {
			heeded[bad.Name] = true
		}
	}
	require.Greater(t, len(seen), 30)
	// What go-oidc leaves to its caller.
	require.Equal(t, map[string]bool{
		"an event that is no object": true, "an event that is null": true, "no iat": true, "a stale iat": true, "an iat to come": true,
		"typ of a plain JWT": true, "typ of an access token": true,
	}, heeded)
	good := a.op.LogoutToken(oidctest.Logout{Sub: "alice", SID: "sid"})
	_, err := a.verifier.VerifyLogout(t.Context(), good)
	require.NoError(t, err)
}

func Example() {
	op := oidctest.New(oidctest.Options{Issuer: "http://127.0.0.1:9000"}) // in a test: oidctest.Run(t, oidctest.Options{})
	srv := httptest.NewServer(op)
	defer srv.Close()
	res, err := http.Get(srv.URL + oidctest.Discovery)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode, op.Issuer(), op.ClientID())
	// A test has the next refresh fail like this:
	op.Fail(oidctest.Token, oidctest.Fault{Status: 400, Error: "invalid_grant", Times: 1})
	// and sends a logout token like this, once the client has a BackchannelLogoutURI:
	d := op.SendLogout(context.Background(), "", op.LogoutToken(oidctest.Logout{Sub: "alice"}))
	fmt.Println(d.Err)
	// Output:
	// 200 http://127.0.0.1:9000 app
	// oidctest: client "app" has no BackchannelLogoutURI
}
