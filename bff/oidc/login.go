package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"coatcheck/bff"
)

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// LocalPath says whether a text is a path of this site that a browser may be sent to:
// nothing that browsers could take for another site, and no letters that they drop.
func LocalPath(text string) bool {
	if text == "" || len(text) > 1024 || text[0] != '/' || strings.HasPrefix(text, "//") || strings.ContainsRune(text, '\\') {
		return false
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && !strings.HasPrefix(u.Path, "//")
}

// Login sends the browser to the provider: GET /bff/login?returnTo=/p. It is for
// navigations only; a script that comes here is told to send its user. It goes under
// Manager.Handler.
func (c *Client) Login(w http.ResponseWriter, r *http.Request) {
	if err := c.Check(); err != nil {
		panic(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	returnTo := r.URL.Query().Get("returnTo")
	if returnTo == "" {
		returnTo = "/"
	}
	switch mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest"); {
	case mode != "" && mode != "navigate", dest != "" && dest != "document":
		c.Fail(w, r, http.StatusForbidden, "not-a-navigation", "A login is begun by going there, not by a script or inside another page.")
		return
	case !LocalPath(returnTo) || strings.HasPrefix(returnTo, r.URL.Path):
		c.Fail(w, r, http.StatusBadRequest, "return-to", "returnTo must be a path of this site.")
		return
	}
	p, err := c.discover(r.Context())
	if err != nil {
		c.fails(w, r, err)
		return
	}
	t := transaction{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), ReturnTo: returnTo,
		Before: c.Manager.From(r.Context()).Handle(), Until: c.clock.Now().Add(loginLife).UnixMilli(),
	}
	name := c.loginName(t.State)
	value, err := c.boxes.seal(name, t)
	if err != nil {
		c.fails(w, r, err)
		return
	}
	c.makeRoom(w, r)
	c.setLogin(w, name, value)
	to := c.oauth(p).AuthCodeURL(t.State, goidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier))
	http.Redirect(w, r, to, http.StatusFound)
}

// refusal is why a callback is answered with 400.
type refusal struct{ kind, detail string }

func (e *refusal) Error() string { return "oidc: " + e.kind }

// Callback is where the provider sends the browser back to: GET /bff/callback. It
// signs the user in under a new id and sends the browser on. It goes under
// Manager.Handler.
func (c *Client) Callback(w http.ResponseWriter, r *http.Request) {
	if err := c.Check(); err != nil {
		panic(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address has a code in it
	to, err := c.callback(w, r)
	var no *refusal
	switch {
	case errors.As(err, &no):
		c.Logger.LogAttrs(r.Context(), slog.LevelInfo, "login refused", slog.String("why", no.kind))
		c.Fail(w, r, http.StatusBadRequest, no.kind, no.detail)
	case err != nil:
		c.fails(w, r, err)
	default:
		http.Redirect(w, r, to, http.StatusFound)
	}
}

func (c *Client) callback(w http.ResponseWriter, r *http.Request) (to string, err error) {
	query := r.URL.Query()
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			return "", &refusal{"login-parameters", "A parameter came twice."}
		}
	}
	t, err := c.takeLogin(w, r, query.Get("state"))
	if err != nil {
		return "", &refusal{"login-state", "No login that began in this browser lately belongs to that. Begin again."}
	}
	ctx := r.Context()
	p, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	if iss := query.Get("iss"); query.Has("iss") && iss != c.Issuer || p.meta.IssParam && iss == "" {
		return "", &refusal{"login-issuer", "The answer came from another identity provider than was asked."}
	}
	if query.Has("error") {
		return "", refused(query.Get("error"))
	}
	tok, id, err := c.exchange(ctx, p, query.Get("code"), t)
	if err != nil {
		return "", err
	}
	return t.ReturnTo, c.signIn(ctx, tok, id, t)
}

// refused is the provider's no. Only words that the standards have are repeated.
func refused(code string) error {
	known := []string{"access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required",
		"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable"}
	if !slices.Contains(known, code) {
		code = "an error of its own"
	}
	return &refusal{"login-refused", "The identity provider did not sign you in: " + code + "."}
}

// identity is what an ID token says.
type identity struct {
	Sub     string   `json:"sub"`
	SID     string   `json:"sid"`
	AZP     string   `json:"azp"`
	Nonce   string   `json:"nonce"`
	AMR     []string `json:"amr"`
	issued  time.Time
	profile map[string]json.RawMessage
}

// exchange gets tokens for a code and checks who they speak of.
func (c *Client) exchange(ctx context.Context, p *provider, code string, t transaction) (*oauth2.Token, identity, error) {
	if code == "" {
		return nil, identity{}, &refusal{"login-parameters", "There is no code."}
	}
	tok, err := c.oauth(p).Exchange(c.withHTTP(ctx), code, oauth2.VerifierOption(t.Verifier))
	var re *oauth2.RetrieveError
	if errors.As(err, &re) && re.Response.StatusCode < 500 {
		_ = c.providerFailed(ctx, "code exchange", err) // logged
		return nil, identity{}, &refusal{"login-code", "The identity provider did not take the code. Begin again."}
	}
	if err != nil {
		return nil, identity{}, c.providerFailed(ctx, "code exchange", err)
	}
	raw, _ := tok.Extra("id_token").(string)
	id, err := c.verify(ctx, p, raw, tok.AccessToken)
	if err != nil {
		c.Logger.LogAttrs(ctx, slog.LevelWarn, "ID token refused", slog.String("err", err.Error()))
		return nil, identity{}, &refusal{"login-token", "The identity provider's answer is not to be trusted."}
	}
	if !same(id.Nonce, t.Nonce) {
		return nil, identity{}, &refusal{"login-nonce", "The identity provider's answer belongs to another login."}
	}
	return tok, id, nil
}

// issuedAhead is how far clocks may differ.
const issuedAhead = 2 * time.Minute

// verify checks an ID token: signature, issuer, audience, times, who it was made for,
// and the access token that it came with.
func (c *Client) verify(ctx context.Context, p *provider, raw, access string) (identity, error) {
	if raw == "" {
		return identity{}, errors.New("there is none")
	}
	tok, err := p.verifier.Verify(c.withHTTP(ctx), raw)
	if err != nil {
		return identity{}, err
	}
	var id identity
	if err := tok.Claims(&id); err != nil {
		return identity{}, err
	}
	if err := tok.Claims(&id.profile); err != nil {
		return identity{}, err
	}
	id.issued = tok.IssuedAt
	switch {
	case id.Sub == "" || len(id.Sub) > 255:
		return identity{}, errors.New("no sub, or one that is too long")
	case id.AZP != "" && id.AZP != c.ID || id.AZP == "" && len(tok.Audience) > 1:
		return identity{}, errors.New("it was made for another client")
	case tok.IssuedAt.After(c.clock.Now().Add(issuedAhead)):
		return identity{}, errors.New("it was issued in the time to come")
	case tok.AccessTokenHash != "":
		if err := tok.VerifyAccessToken(access); err != nil {
			return identity{}, err
		}
	}
	return id, nil
}

// signIn makes the session that of the user, with the tokens in it.
func (c *Client) signIn(ctx context.Context, tok *oauth2.Token, id identity, t transaction) error {
	if gone, err := c.loggedOut(ctx, id); err != nil {
		return err
	} else if gone {
		return &refusal{"login-ended", "The login was ended at the identity provider meanwhile. Begin again."}
	}
	s := c.Manager.From(ctx)
	before := s.Handle()
	raw, _ := tok.Extra("id_token").(string)
	if err := s.Seal(tokensName, tokensOf(tok, tokens{ID: raw}).at(c.clock.Now())); err != nil {
		return err
	}
	if err := s.Put(profileName, c.profileIn(id)); err != nil {
		return err
	}
	if err := c.Manager.SignIn(ctx, bff.Identity{User: id.Sub, Session: id.SID, Methods: id.AMR}); err != nil {
		return err
	}
	// A strict cookie does not come along when the provider sends the browser
	// back: the session before is known from the login's beginning.
	if t.Before != "" && before == "" {
		if err := c.Manager.InvalidateSession(ctx, t.Before, bff.ReasonRenewed); err != nil && !errors.Is(err, bff.ErrNoSession) {
			return err
		}
	}
	// A logout token may have come between the look above and the sign-in.
	gone, err := c.loggedOut(ctx, id)
	if err == nil && gone {
		err = &refusal{"login-ended", "The login was ended at the identity provider meanwhile. Begin again."}
	}
	if err != nil {
		return errors.Join(err, c.Manager.SignOut(ctx))
	}
	return nil
}

// profileName is the session's member with claims that pages may see.
const profileName = "profile"

func (c *Client) profileIn(id identity) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, name := range c.Profile {
		if val, ok := id.profile[name]; ok {
			out[name] = val
		}
	}
	return out
}

// loggedOut says whether a back-channel logout has ended the login of an ID token
// before it became a session.
func (c *Client) loggedOut(ctx context.Context, id identity) (bool, error) {
	if id.SID != "" {
		text, err := c.Notes.Get(ctx, c.noteKey("ended-sid", id.SID))
		if err != nil || text != "" {
			return text != "", storeFailed(err)
		}
	}
	text, err := c.Notes.Get(ctx, c.noteKey("ended-sub", id.Sub))
	if err != nil || text == "" {
		return false, storeFailed(err)
	}
	at, err := strconv.ParseInt(text, 10, 64)
	return err == nil && id.issued.Unix() < at, nil
}

// storeFailed is an error of Notes in the words of bff.
func storeFailed(err error) error {
	if err == nil || errors.Is(err, bff.ErrStore) {
		return err
	}
	return fmt.Errorf("%w: %w", bff.ErrStore, err)
}
