package oidctest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// logoutEvent is the member that makes a token a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// Logout is what a logout token says.
type Logout struct {
	Sub, SID string // one of them may be ""
	Client   string // its audience; "": the first client
	// Edit changes the token before it is signed. An "alg" of "none" or "HS256"
	// in the header signs like that, the latter with the client's secret, or
	// with Secret.
	Edit   func(header, claims map[string]any)
	Secret []byte
	// OtherKey signs with a key that nobody published, under the name of one that
	// was.
	OtherKey bool
}

// LogoutToken makes a logout token.
func (p *Provider) LogoutToken(l Logout) string {
	if l.Client == "" {
		l.Client = p.ClientID()
	}
	key, now := p.signingKey(), p.now()
	header := map[string]any{"alg": key.alg, "kid": key.kid, "typ": "logout+jwt"}
	claims := map[string]any{
		"iss": p.opts.Issuer, "aud": l.Client, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": random(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
	if l.Sub != "" {
		claims["sub"] = l.Sub
	}
	if l.SID != "" {
		claims["sid"] = l.SID
	}
	if l.Edit != nil {
		l.Edit(header, claims)
	}
	if l.OtherKey {
		key = newKey(key.alg)
	}
	secret := l.Secret
	if c := p.client(l.Client); secret == nil && c != nil {
		secret = []byte(c.Secret)
	}
	return key.sign(header, claims, secret)
}

// BadToken is a logout token that must not be heeded.
type BadToken struct {
	Name  string
	Token string
}

// BadLogoutTokens is one of each kind; all but for their fault they would end a
// session. A token that comes twice is for the test to send.
func (p *Provider) BadLogoutTokens(sub, sid string) []BadToken {
	good := Logout{Sub: sub, SID: sid}
	edited := func(name string, edit func(header, claims map[string]any)) BadToken {
		l := good
		l.Edit = edit
		return BadToken{name, p.LogoutToken(l)}
	}
	claim := func(name, claim string, val any) BadToken {
		return edited(name, func(_, claims map[string]any) {
			if claims[claim] = val; val == nil {
				delete(claims, claim)
			}
		})
	}
	now := p.now()
	all := []BadToken{
		claim("another issuer", "iss", "https://evil.example"),
		claim("issuer with a slash more", "iss", p.opts.Issuer+"/"),
		claim("no issuer", "iss", nil),
		claim("another audience", "aud", "another-app"),
		claim("no audience", "aud", nil),
		claim("no events", "events", nil),
		claim("other events", "events", map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}),
		claim("an event that is no object", "events", map[string]any{logoutEvent: true}),
		claim("an event that is null", "events", map[string]any{logoutEvent: nil}),
		claim("a nonce", "nonce", "n"),
		claim("an empty nonce", "nonce", ""),
		claim("no iat", "iat", nil),
		claim("a stale iat", "iat", now.Add(-time.Hour).Unix()),
		claim("an iat to come", "iat", now.Add(time.Hour).Unix()),
		claim("no exp", "exp", nil),
		claim("expired", "exp", now.Add(-2*time.Minute).Unix()),
		claim("no jti", "jti", nil),
		claim("an empty jti", "jti", ""),
		claim("a sub that is no text", "sub", 7),
		edited("neither sub nor sid", func(_, claims map[string]any) { delete(claims, "sub"); delete(claims, "sid") }),
		edited("alg none", func(header, _ map[string]any) { header["alg"] = "none" }),
		edited("alg HS256 with the client's secret", func(header, _ map[string]any) { header["alg"] = "HS256" }),
		edited("typ of a plain JWT", func(header, _ map[string]any) { header["typ"] = "JWT" }),
		edited("typ of an access token", func(header, _ map[string]any) { header["typ"] = "at+jwt" }),
		edited("a key that nobody knows", func(header, _ map[string]any) { header["kid"] = "nobody" }),
		edited("an unknown critical header", func(header, _ map[string]any) { header["crit"] = []string{"x"}; header["x"] = 1 }),
	}
	return append(all, p.forgedLogoutTokens(good)...)
}

// forgedLogoutTokens have a right content and a wrong signature, or are no tokens.
func (p *Provider) forgedLogoutTokens(good Logout) []BadToken {
	confused := good
	der, err := x509.MarshalPKIXPublicKey(p.signingKey().private.Public())
	if err != nil {
		panic(err)
	}
	confused.Secret = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	confused.Edit = func(header, _ map[string]any) { header["alg"] = "HS256" }
	other := good
	other.OtherKey = true
	token := p.LogoutToken(good)
	parts := strings.Split(token, ".")
	var swapped Logout
	swapped.Sub = good.Sub + "x"
	foreign := strings.Split(p.LogoutToken(swapped), ".")
	session := &session{user: User{Sub: good.Sub}, sid: good.SID, at: p.now()}
	return []BadToken{
		{"alg HS256 with the public key", p.LogoutToken(confused)},
		{"signed by another key", p.LogoutToken(other)},
		{"the signature of another token", parts[0] + "." + parts[1] + "." + foreign[2]},
		{"no signature", parts[0] + "." + parts[1] + "."},
		{"two parts", parts[0] + "." + parts[1]},
		{"an ID token", p.idToken(&grant{client: p.client(p.ClientID()), session: session, nonce: "n"}, "x", p.now())},
		{"no token", "logout"},
		{"nothing", ""},
	}
}

// Delivery is a logout token that was sent.
type Delivery struct {
	Client string
	Token  string
	Status int   // of the answer
	Err    error // when there was none
}

// Sent are the logout tokens sent so far.
func (p *Provider) Sent() []Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// SendLogout posts a token to where a client wants it, "" for the first one.
func (p *Provider) SendLogout(ctx context.Context, client, token string) Delivery {
	if client == "" {
		client = p.ClientID()
	}
	d := Delivery{Client: client, Token: token}
	c := p.client(client)
	if c == nil || c.BackchannelLogoutURI == "" {
		d.Err = fmt.Errorf("oidctest: client %q has no BackchannelLogoutURI", client)
		return d
	}
	form := url.Values{"logout_token": {token}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(form.Encode()))
	if err != nil {
		d.Err = err
		return d
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.opts.HTTPClient.Do(req)
	if err != nil {
		d.Err = err
	} else {
		res.Body.Close()
		d.Status = res.StatusCode
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, d)
	return d
}

// LogOut ends a session at the provider, by its id, as an administrator does: its
// tokens are good no more, but those for offline access, and its applications are
// told.
func (p *Provider) LogOut(ctx context.Context, sid string) []Delivery {
	p.mu.Lock()
	var s *session
	for cookie, candidate := range p.sessions {
		if candidate.sid == sid {
			s = candidate
			delete(p.sessions, cookie)
		}
	}
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	p.endGrants(func(g *grant) bool { return g.session == s && !g.offline() })
	var told []Delivery
	for client := range s.clients {
		if c := p.client(client); c != nil && c.BackchannelLogoutURI != "" {
			told = append(told, p.SendLogout(ctx, client, p.LogoutToken(Logout{Sub: s.user.Sub, SID: s.sid, Client: client})))
		}
	}
	return told
}

// serveEndSession is RP-initiated logout.
func (p *Provider) serveEndSession(w http.ResponseWriter, r *http.Request) {
	claims := p.hint(r.FormValue("id_token_hint"))
	id := r.FormValue("client_id")
	if aud, ok := claims["aud"].(string); ok && id == "" {
		id = aud
	}
	if hint := r.FormValue("id_token_hint"); hint != "" && (claims == nil || claims["aud"] != id) {
		http.Error(w, "id_token_hint is not of this provider, or of another client", http.StatusBadRequest)
		return
	}
	c, to := p.client(id), r.FormValue("post_logout_redirect_uri")
	if to != "" && (c == nil || len(c.PostLogoutRedirectURIs) > 0 && !slices.Contains(c.PostLogoutRedirectURIs, to)) {
		http.Error(w, "post_logout_redirect_uri is not registered", http.StatusBadRequest)
		return
	}
	sid, _ := claims["sid"].(string)
	if s := p.sessionOf(r); s != nil && sid == "" {
		sid = s.sid
	}
	p.LogOut(r.Context(), sid)
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1})
	if to == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("You are logged out.\n")) // the browser may be gone
		return
	}
	if state := r.FormValue("state"); state != "" {
		to += "?" + url.Values{"state": {state}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
