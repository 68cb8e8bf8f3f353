package oidctest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what a user let an application do, and the tokens that came of it.
type grant struct {
	client  *Client
	session *session
	nonce   string
	scope   []string
	dead    bool
}

func (g *grant) offline() bool { return slices.Contains(g.scope, "offline_access") }

type accessToken struct {
	grant *grant
	until time.Time
}

// refreshToken is good once. Who uses it again has stolen it, or was stolen from:
// its grant ends.
type refreshToken struct {
	grant *grant
	until time.Time
	spent bool
}

// EditIDToken has fn change the header and claims of ID tokens from now on. nil
// changes nothing.
func (p *Provider) EditIDToken(fn func(header, claims map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.editIDToken = fn
}

func oauthError(w http.ResponseWriter, status int, code, description string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="oidctest"`)
	}
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// authenticate is the client that sent a request: by basic authentication or by
// parameters, not by both.
func (p *Provider) authenticate(w http.ResponseWriter, r *http.Request) *Client {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		oauthError(w, http.StatusMethodNotAllowed, "invalid_request", "POST is demanded")
		return nil
	}
	id, secret, basic := r.BasicAuth()
	switch posted := r.PostFormValue("client_secret"); {
	case basic && posted != "":
		oauthError(w, http.StatusBadRequest, "invalid_request", "two ways of authentication")
		return nil
	case basic:
		var errID, errSecret error
		id, errID = url.QueryUnescape(id)
		if secret, errSecret = url.QueryUnescape(secret); errID != nil || errSecret != nil {
			id = ""
		}
	default:
		id, secret = r.PostFormValue("client_id"), posted
	}
	c := p.client(id)
	if c == nil || c.Secret == "" || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 0 {
		oauthError(w, http.StatusUnauthorized, "invalid_client", "unknown client, or wrong secret")
		return nil
	}
	return c
}

func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	c := p.authenticate(w, r)
	if c == nil {
		return
	}
	var g *grant
	var wrong string
	switch kind := r.PostFormValue("grant_type"); kind {
	case "authorization_code":
		g, wrong = p.exchange(c, r.PostForm)
	case "refresh_token":
		g, wrong = p.useRefresh(c, r.PostFormValue("refresh_token"))
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", kind)
		return
	}
	if wrong != "" {
		oauthError(w, http.StatusBadRequest, "invalid_grant", wrong)
		return
	}
	writeJSON(w, http.StatusOK, p.issue(g))
}

// exchange takes a code. One that comes twice ends what it was exchanged for.
func (p *Provider) exchange(c *Client, form url.Values) (g *grant, wrong string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.codes[form.Get("code")]
	if known == nil || known.client.ID != c.ID {
		return nil, "unknown code"
	}
	if known.spent != nil {
		known.spent.dead = true
		return nil, "the code was used before"
	}
	known.spent = &grant{client: c, session: known.session, nonce: known.nonce, scope: known.scope}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !p.now().Before(known.until):
		return nil, "the code has expired"
	case form.Get("redirect_uri") != known.redirect:
		return nil, "another redirect_uri"
	case subtle.ConstantTimeCompare([]byte(b64(sum[:])), []byte(known.challenge)) == 0:
		return nil, "code_verifier does not fit"
	}
	return known.spent, ""
}

func (p *Provider) useRefresh(c *Client, text string) (g *grant, wrong string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := p.refresh[text]
	switch {
	case token == nil || token.grant.client.ID != c.ID:
		return nil, "unknown refresh token"
	case token.spent:
		token.grant.dead = true
		return nil, "the refresh token was used before"
	case token.grant.dead || !p.now().Before(token.until):
		return nil, "the refresh token has ended"
	}
	token.spent = true
	return token.grant, ""
}

// issue makes the tokens of a grant.
func (p *Provider) issue(g *grant) map[string]any {
	access, refresh := random(), random()
	now := p.now()
	p.mu.Lock()
	p.access[access] = &accessToken{g, now.Add(p.opts.AccessTokenLife)}
	p.refresh[refresh] = &refreshToken{grant: g, until: now.Add(p.opts.RefreshTokenLife)}
	p.mu.Unlock()
	return map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(p.opts.AccessTokenLife / time.Second),
		"refresh_token": refresh, "id_token": p.idToken(g, access, now), "scope": strings.Join(g.scope, " "),
	}
}

func (p *Provider) idToken(g *grant, access string, now time.Time) string {
	key := p.signingKey()
	half := sha256.Sum256([]byte(access))
	header := map[string]any{"alg": key.alg, "kid": key.kid, "typ": "JWT"}
	claims := g.session.user.claims()
	for name, val := range map[string]any{
		"iss": p.opts.Issuer, "aud": g.client.ID, "iat": now.Unix(), "exp": now.Add(p.opts.IDTokenLife).Unix(),
		"auth_time": g.session.at.Unix(), "nonce": g.nonce, "sid": g.session.sid, "amr": []string{"pwd"}, "at_hash": b64(half[:16]),
	} {
		claims[name] = val
	}
	p.mu.Lock()
	edit := p.editIDToken
	p.mu.Unlock()
	if edit != nil {
		edit(header, claims)
	}
	return key.sign(header, claims, []byte(g.client.Secret))
}

func (u User) claims() map[string]any {
	claims := map[string]any{"sub": u.Sub, "name": u.Name, "email": u.Email}
	for name, val := range u.Claims {
		claims[name] = val
	}
	return claims
}

// UserOf is whose access token that is; not ok when it is none, or good no more.
func (p *Provider) UserOf(access string) (User, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := p.access[access]
	if token == nil || token.grant.dead || !p.now().Before(token.until) {
		return User{}, false
	}
	return token.grant.session.user, true
}

func (p *Provider) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	user, ok := p.UserOf(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, user.claims())
}

// serveRevocation is RFC 7009: a token that nobody knows is no error.
func (p *Provider) serveRevocation(w http.ResponseWriter, r *http.Request) {
	c := p.authenticate(w, r)
	if c == nil {
		return
	}
	text := r.PostFormValue("token")
	p.mu.Lock()
	if t := p.refresh[text]; t != nil && t.grant.client.ID == c.ID {
		t.grant.dead = true
	}
	if t := p.access[text]; t != nil && t.grant.client.ID == c.ID {
		delete(p.access, text)
	}
	p.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// EndGrants ends all refresh and access tokens of a user: invalid_grant is what
// applications get from then on.
func (p *Provider) EndGrants(sub string) {
	p.endGrants(func(g *grant) bool { return g.session.user.Sub == sub })
}

func (p *Provider) endGrants(which func(*grant) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.refresh {
		t.grant.dead = t.grant.dead || which(t.grant)
	}
}

// LiveGrants is how many of a user's grants still have a refresh token that works.
func (p *Provider) LiveGrants(sub string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, t := range p.refresh {
		if t.grant.session.user.Sub == sub && !t.spent && !t.grant.dead && p.now().Before(t.until) {
			n++
		}
	}
	return n
}
