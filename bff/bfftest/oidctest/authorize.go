package oidctest

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const sessionCookie = "oidctest_session"

func (p *Provider) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	at := p.opts.Issuer
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         at,
		"authorization_endpoint":                         at + Authorize,
		"token_endpoint":                                 at + Token,
		"userinfo_endpoint":                              at + UserInfo,
		"jwks_uri":                                       at + JWKS,
		"revocation_endpoint":                            at + Revocation,
		"end_session_endpoint":                           at + EndSession,
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256", "RS256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"scopes_supported":                               []string{"openid", "profile", "email", "offline_access"},
		"claims_supported":                               []string{"sub", "name", "email", "sid", "auth_time", "amr"},
		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
	})
}

// request is what an application wants.
type request struct {
	client    *Client
	redirect  string
	state     string
	nonce     string
	challenge string
	scope     []string
}

// code is an authorization code.
type code struct {
	request
	session *session
	until   time.Time
	spent   *grant // what it was exchanged for
}

// EditRedirect has fn change the parameters with which browsers are sent back from
// now on: another state, another iss. nil changes nothing.
func (p *Provider) EditRedirect(fn func(params map[string]string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.editRedirect = fn
}

func (p *Provider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	req, fatal, wrong := p.readRequest(r)
	switch {
	case fatal != "":
		http.Error(w, fatal, http.StatusBadRequest) // nobody is sent to an address that is not registered
		return
	case wrong != "":
		p.sendBack(w, r, req, map[string]string{"error": "invalid_request", "error_description": wrong})
		return
	}
	s := p.sessionOf(r)
	prompt := r.FormValue("prompt")
	switch {
	case s == nil && prompt == "none":
		p.sendBack(w, r, req, map[string]string{"error": "login_required"})
		return
	case r.Method == http.MethodPost && r.PostFormValue("deny") != "":
		p.sendBack(w, r, req, map[string]string{"error": "access_denied", "error_description": "the user said no"})
		return
	case s == nil || prompt == "login":
		user, ok := p.whoIs(r)
		if !ok {
			p.askUser(w, r)
			return
		}
		s = p.signIn(w, user)
	}
	p.sendBack(w, r, req, map[string]string{"code": p.newCode(req, s)})
}

// readRequest checks a request. fatal is what keeps the browser from being sent
// back, wrong what it is sent back with.
func (p *Provider) readRequest(r *http.Request) (req request, fatal, wrong string) {
	req = request{
		client: p.client(r.FormValue("client_id")), redirect: r.FormValue("redirect_uri"), state: r.FormValue("state"),
		nonce: r.FormValue("nonce"), challenge: r.FormValue("code_challenge"), scope: strings.Fields(r.FormValue("scope")),
	}
	switch {
	case req.client == nil:
		return req, "unknown client_id", ""
	case req.redirect == "" || len(req.client.RedirectURIs) > 0 && !slices.Contains(req.client.RedirectURIs, req.redirect):
		return req, "redirect_uri is not registered", ""
	case r.FormValue("response_type") != "code":
		return req, "", "response_type must be code"
	case !slices.Contains(req.scope, "openid"):
		return req, "", "scope must have openid"
	case len(req.challenge) != 43 || r.FormValue("code_challenge_method") != "S256":
		return req, "", "PKCE with S256 is demanded"
	case req.state == "" || req.nonce == "":
		return req, "", "state and nonce are demanded"
	}
	return req, "", ""
}

func (p *Provider) sessionOf(r *http.Request) *session {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[c.Value]
}

// whoIs is who signs in; not ok when that must be asked first.
func (p *Provider) whoIs(r *http.Request) (User, bool) {
	if !p.opts.AskUser {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.opts.User, true
	}
	name := strings.TrimSpace(r.PostFormValue("user"))
	if r.Method != http.MethodPost || name == "" {
		return User{}, false
	}
	return User{Sub: name, Name: name, Email: url.QueryEscape(name) + "@example.com"}, true
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in for development</title>
<style>body{font:16px system-ui;max-width:22rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit;padding:.5rem;margin:.25rem 0}</style>
<h1>Sign in</h1><p>This provider is for development: any name will do, and no password is asked.</p>
<form method="post">{{range $k, $v := .}}<input type="hidden" name="{{$k}}" value="{{$v}}">{{end}}
<label>Name <input id="user" name="user" autocomplete="username" autofocus></label>
<button id="sign-in">Sign in</button> <button id="deny" name="deny" value="1">Deny</button></form></html>
`))

func (p *Provider) askUser(w http.ResponseWriter, r *http.Request) {
	hidden := map[string]string{}
	for name := range r.Form {
		if name != "user" && name != "deny" {
			hidden[name] = r.Form.Get(name)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = loginPage.Execute(w, hidden) // the browser may be gone
}

// signIn begins a session at the provider.
func (p *Provider) signIn(w http.ResponseWriter, user User) *session {
	s := &session{cookie: random(), sid: random(), user: user, at: p.now(), clients: map[string]bool{}}
	p.mu.Lock()
	p.sessions[s.cookie] = s
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: s.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return s
}

func (p *Provider) newCode(req request, s *session) string {
	text := random()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[text] = &code{request: req, session: s, until: p.now().Add(p.opts.CodeLife)}
	s.clients[req.client.ID] = true
	return text
}

// sendBack sends the browser back to the application.
func (p *Provider) sendBack(w http.ResponseWriter, r *http.Request, req request, params map[string]string) {
	params = maps.Clone(params)
	params["iss"] = p.opts.Issuer
	if req.state != "" {
		params["state"] = req.state
	}
	p.mu.Lock()
	edit := p.editRedirect
	p.mu.Unlock()
	if edit != nil {
		edit(params)
	}
	to, err := url.Parse(req.redirect)
	if err != nil {
		http.Error(w, "redirect_uri is no address", http.StatusBadRequest)
		return
	}
	query := to.Query()
	for name, val := range params {
		query.Set(name, val)
	}
	to.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}
