package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coatcheck/bff"
)

// LogOut ends the request's session, here and its refresh token at the provider, and
// returns where the browser should go to end the provider's own session; "" for
// nowhere. It fails with bff.ErrStore: then the session may live on.
func (c *Client) LogOut(ctx context.Context) (redirect string, err error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	s := c.Manager.From(ctx)
	t, err := read(s)
	if errors.Is(err, bff.ErrStore) {
		return "", err
	}
	if err := c.Manager.SignOut(ctx); err != nil {
		return "", err
	}
	if t.ID == "" {
		return "", nil
	}
	c.revoke(ctx, t)
	return c.endSession(ctx, t.ID), nil
}

// endSession is the provider's address for ending its session.
func (c *Client) endSession(ctx context.Context, hint string) string {
	p, err := c.discover(ctx)
	if err != nil || p.meta.EndSession == "" {
		return ""
	}
	at, err := url.Parse(p.meta.EndSession)
	if err != nil {
		return ""
	}
	query := at.Query()
	query.Set("client_id", c.ID)
	query.Set("id_token_hint", hint)
	if c.PostLogoutURL != "" {
		query.Set("post_logout_redirect_uri", c.PostLogoutURL)
	}
	at.RawQuery = query.Encode()
	return at.String()
}

// End ends sessions by their handles and has the provider revoke their refresh tokens.
// It returns how many there were, and fails with bff.ErrStore.
func (c *Client) End(ctx context.Context, why bff.Reason, handles ...bff.Handle) (n int, err error) {
	return c.end(ctx, why, func(tokens) bool { return true }, handles)
}

func (c *Client) end(ctx context.Context, why bff.Reason, revoked func(tokens) bool, handles []bff.Handle) (n int, err error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	var all []tokens
	defer func() { c.revoke(ctx, all...) }()
	for _, h := range handles {
		var t tokens
		err := c.Manager.Visit(ctx, h, func(s *bff.Session) (err error) {
			t, err = read(s)
			return err
		})
		if errors.Is(err, bff.ErrStore) {
			return n, err
		}
		err = c.Manager.InvalidateSession(ctx, h, why) // also one whose tokens nobody can read
		if errors.Is(err, bff.ErrNoSession) {
			continue
		}
		if err != nil {
			return n, err
		}
		n++
		if t.Refresh != "" && revoked(t) {
			all = append(all, t)
		}
	}
	return n, nil
}

// revokeWithin bounds how long an answer waits for the provider.
const revokeWithin = 3 * time.Second

// revoke tells the provider that refresh tokens are needed no more. They are gone from
// here anyway: when it fails, they end by themselves.
func (c *Client) revoke(ctx context.Context, all ...tokens) {
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeWithin)
	defer cancel()
	p, err := c.discover(ctx)
	if err != nil || p.meta.Revocation == "" {
		return
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, t := range all {
		if t.Refresh == "" {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := c.revokeOne(ctx, p.meta.Revocation, t.Refresh); err != nil {
				_ = c.providerFailed(ctx, "revocation", err) // logged
			}
		})
	}
	wg.Wait()
}

// revokeOne is RFC 7009.
func (c *Client) revokeOne(ctx context.Context, at, token string) error {
	form := url.Values{"token": {token}, "token_type_hint": {"refresh_token"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	res, err := c.HTTPClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 4096)); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// maxLogoutToken bounds what is read of a logout request.
const maxLogoutToken = 16 << 10

// Backchannel is where the provider tells that a user signed out elsewhere: POST
// /bff/backchannel with a logout token. It answers 200 when it heeded the token, also
// when no session was left to end, and 400 when the token is not to be trusted; 503
// when the store does not answer, and then the same token may come again.
func (c *Client) Backchannel(w http.ResponseWriter, r *http.Request) {
	if err := c.Check(); err != nil {
		panic(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		c.Fail(w, r, http.StatusMethodNotAllowed, "method", "POST is what there is.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		c.badLogout(w, r, errors.New("no form with a logout_token"))
		return
	}
	ctx := r.Context()
	p, err := c.discover(ctx)
	if err != nil {
		c.fails(w, r, err)
		return
	}
	l, err := c.verifyLogout(ctx, p, r.PostForm.Get("logout_token"))
	if err != nil {
		c.badLogout(w, r, err)
		return
	}
	n, err := c.heed(ctx, l)
	switch {
	case errors.Is(err, errReplayed):
		c.badLogout(w, r, err)
	case err != nil:
		c.fails(w, r, err)
	default:
		c.Logger.LogAttrs(ctx, slog.LevelInfo, "back-channel logout", slog.Int("sessions", n))
		w.WriteHeader(http.StatusOK)
	}
}

func (c *Client) badLogout(w http.ResponseWriter, r *http.Request, err error) {
	c.Logger.LogAttrs(r.Context(), slog.LevelWarn, "logout token refused", slog.String("err", err.Error()))
	c.Fail(w, r, http.StatusBadRequest, "logout-token", "The logout token is not valid.")
}

// logout is a logout token that was checked.
type logout struct {
	sub, sid, jti   string
	issued, expires time.Time
}

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// staleLogout is how old a logout token may be when it comes.
	staleLogout = 5 * time.Minute
	// longLogout is how long one may be valid: its jti is remembered as long.
	longLogout = time.Hour
)

// verifyLogout checks a logout token as section 2.6 of Back-Channel Logout has it.
func (c *Client) verifyLogout(ctx context.Context, p *provider, raw string) (logout, error) {
	if err := c.checkType(raw); err != nil {
		return logout{}, err
	}
	t, err := p.verifier.VerifyLogout(c.withHTTP(ctx), raw)
	if err != nil {
		return logout{}, err
	}
	var claims struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := t.Claims(&claims); err != nil {
		return logout{}, err
	}
	var event map[string]any
	if err := json.Unmarshal(claims.Events[logoutEvent], &event); err != nil || event == nil {
		return logout{}, errors.New("the event is no object")
	}
	now := c.clock.Now()
	switch {
	case t.IssuedAt.IsZero() || t.IssuedAt.Unix() <= 0:
		return logout{}, errors.New("no iat")
	case t.IssuedAt.After(now.Add(issuedAhead)):
		return logout{}, errors.New("it was issued in the time to come")
	case now.Sub(t.IssuedAt) > staleLogout:
		return logout{}, errors.New("it was issued too long ago")
	case t.Expiry.Sub(now) > longLogout:
		return logout{}, errors.New("it is valid for too long")
	case !now.Before(t.Expiry):
		return logout{}, errors.New("it has expired")
	}
	return logout{sub: t.Subject, sid: t.SessionID, jti: t.TokenID, issued: t.IssuedAt, expires: t.Expiry}, nil
}

// checkType looks at the header: a token made for something else is no logout token.
func (c *Client) checkType(raw string) error {
	head, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return errors.New("no JWT")
	}
	var header struct {
		Typ string `json:"typ"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return errors.New("no JWT")
	}
	typ := strings.TrimPrefix(strings.ToLower(header.Typ), "application/")
	if typ == "logout+jwt" || c.AnyLogoutType && (typ == "" || typ == "jwt") {
		return nil
	}
	return errors.New("its type is not logout+jwt")
}

var errReplayed = errors.New("its jti came before")

// noteKey is the key of a note about a name, which may be of any length and letters.
func (c *Client) noteKey(kind, name string) string {
	sum := sha256.Sum256([]byte(c.Issuer + "\x00" + c.ID + "\x00" + name))
	return kind + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// heed ends the sessions that a logout token speaks of. One that could not be heeded
// may come again.
func (c *Client) heed(ctx context.Context, l logout) (n int, err error) {
	key := c.noteKey("jti", l.jti)
	fresh, err := c.Notes.Claim(ctx, key, "seen", l.expires.Sub(c.clock.Now())+issuedAhead)
	if err != nil {
		return 0, storeFailed(err)
	}
	if !fresh {
		return 0, errReplayed
	}
	if n, err = c.endOf(ctx, l); err != nil {
		_ = c.Notes.Release(context.WithoutCancel(ctx), key, "seen") // the store is down, most likely
	}
	return n, err
}

func (c *Client) endOf(ctx context.Context, l logout) (int, error) {
	// First the note: a login of that session may be on its way, see loggedOut.
	kind, name, text := "ended-sid", l.sid, "1"
	if name == "" {
		kind, name, text = "ended-sub", l.sub, strconv.FormatInt(l.issued.Unix(), 10)
	}
	if err := c.Notes.Put(ctx, c.noteKey(kind, name), text, loginLife); err != nil {
		return 0, storeFailed(err)
	}
	handles, err := c.matching(ctx, l)
	if err != nil {
		return 0, err
	}
	return c.end(ctx, bff.ReasonBackchannel, func(t tokens) bool { return !offline(t) }, handles)
}

// matching are the sessions of a logout token: with a sid the one, else all of the
// user. Without a sub that takes a walk over all sessions.
func (c *Client) matching(ctx context.Context, l logout) (handles []bff.Handle, err error) {
	for info, err := range c.Manager.All(ctx, bff.Query{User: l.sub, Limit: 1000}) {
		if err != nil {
			return nil, err
		}
		if l.sid == "" || info.IDPSession == l.sid {
			handles = append(handles, info.Handle)
		}
	}
	return handles, nil
}

// offline says whether the user let the application go on without him.
func offline(t tokens) bool { return slices.Contains(strings.Fields(t.Scope), "offline_access") }
