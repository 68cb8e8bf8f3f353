package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"coatcheck/bff"
)

// Client is an application registered at an OpenID provider. Set its fields and use
// it; they must not change after that, and then it is safe for concurrent use.
type Client struct {
	// Manager keeps the sessions. It must have Keys: tokens are sealed.
	Manager *bff.Manager
	// Issuer is the provider's address, letter by letter as it calls itself. It
	// must be https, but on this machine.
	Issuer string
	// ID and Secret are the application's at the provider.
	ID, Secret string
	// RedirectURL is where Callback is served, as registered at the provider.
	RedirectURL string
	// PostLogoutURL is where the provider sends the browser after a logout; "": it
	// stays there.
	PostLogoutURL string
	// Scopes are asked for beside "openid".
	Scopes []string
	// Profile names claims of the ID token that ProfileOf returns; nil: name,
	// email, roles.
	Profile []string
	// HTTPClient talks to the provider; nil: one with a timeout of ten seconds.
	HTTPClient *http.Client
	// Notes are what instances tell each other; nil: there is one instance.
	Notes Notes
	// Ahead is how long before its end an access token is renewed; 0: 30 seconds.
	Ahead time.Duration
	// LockFor is how long an instance that has vanished keeps others from
	// renewing tokens; 0: 5 seconds.
	LockFor time.Duration
	// AnyLogoutType takes logout tokens whose header does not say "logout+jwt",
	// as providers before that was agreed on send them.
	AnyLogoutType bool
	// Logger hears of what fails, without tokens; nil: slog.Default.
	Logger *slog.Logger
	// Fail answers requests that failed; nil: a problem of RFC 9457.
	Fail func(w http.ResponseWriter, r *http.Request, status int, kind, detail string)

	ready sync.Once
	wrong error
	clock bff.Clock
	boxes *boxes

	mu       sync.Mutex
	provider *provider
	flights  map[bff.Handle]chan struct{} // renewals under way here
}

// What operations fail with beside the errors of package bff.
var (
	// ErrProvider is for a provider that does not answer, or not as it should.
	ErrProvider = errors.New("oidc: the identity provider does not answer")
	// ErrNoToken is for sessions without tokens: signed in by other ways.
	ErrNoToken = errors.New("oidc: the session has no tokens")
	// ErrTokenEnded is for an access token that has ended and that no refresh
	// token renews.
	ErrTokenEnded = errors.New("oidc: the access token has ended")
)

// Check says what is wrong with the fields. The other methods panic or fail with it.
func (c *Client) Check() error {
	c.ready.Do(func() { c.wrong = c.start() })
	return c.wrong
}

func (c *Client) start() error {
	if err := c.validate(); err != nil {
		return err
	}
	if c.clock = c.Manager.Clock; c.clock == nil {
		c.clock = bff.SystemClock{}
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if c.Notes == nil {
		c.Notes = NewNotes(c.clock)
	}
	if c.Logger == nil {
		c.Logger = cmp.Or(c.Manager.Logger, slog.Default())
	}
	if c.Fail == nil {
		c.Fail = func(w http.ResponseWriter, _ *http.Request, status int, kind, detail string) {
			bff.WriteProblem(w, status, kind, detail)
		}
	}
	if c.Profile == nil {
		c.Profile = []string{"name", "email", "roles"}
	}
	c.Ahead, c.LockFor = cmp.Or(c.Ahead, 30*time.Second), cmp.Or(c.LockFor, 5*time.Second)
	c.flights = map[bff.Handle]chan struct{}{}
	var err error
	c.boxes, err = newBoxes(c.Manager.Secrets)
	return err
}

func (c *Client) validate() error {
	if c.Manager == nil {
		return errors.New("oidc: a client needs a Manager")
	}
	if err := c.Manager.Check(); err != nil {
		return err
	}
	if c.Manager.Keys == nil {
		return errors.New("oidc: the Manager needs Keys, which seal tokens")
	}
	if c.ID == "" || c.Secret == "" {
		return errors.New("oidc: a confidential client has an ID and a Secret")
	}
	if err := checkURL("Issuer", c.Issuer); err != nil {
		return err
	}
	if err := checkURL("RedirectURL", c.RedirectURL); err != nil {
		return err
	}
	if c.PostLogoutURL != "" {
		return checkURL("PostLogoutURL", c.PostLogoutURL)
	}
	return nil
}

// checkURL says what is wrong with an address of ours or of the provider: plain HTTP
// stays on this machine.
func checkURL(name, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("oidc: %s %q is no address", name, text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())) {
		return fmt.Errorf("oidc: %s %q must be https", name, text)
	}
	return nil
}

// IsLoopback says whether a host is this machine: by its name or its address, without
// asking anybody.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// provider is what discovery told.
type provider struct {
	*goidc.Provider
	verifier *goidc.IDTokenVerifier
	meta     metadata
}

// metadata are the parts of it that go-oidc does not know.
type metadata struct {
	EndSession string   `json:"end_session_endpoint"`
	Revocation string   `json:"revocation_endpoint"`
	IssParam   bool     `json:"authorization_response_iss_parameter_supported"`
	PKCE       []string `json:"code_challenge_methods_supported"`
	Auth       []string `json:"token_endpoint_auth_methods_supported"`
}

// authStyle is how the client says who it is. It is not tried out: a code or a refresh
// token that is sent twice is a stolen one.
func (m metadata) authStyle() oauth2.AuthStyle {
	if len(m.Auth) > 0 && !slices.Contains(m.Auth, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// discover is what the provider tells of itself. It is asked until it has answered
// once.
func (c *Client) discover(ctx context.Context) (*provider, error) {
	c.mu.Lock()
	have := c.provider
	c.mu.Unlock()
	if have != nil {
		return have, nil
	}
	p, err := goidc.NewProvider(c.withHTTP(ctx), c.Issuer)
	if err != nil {
		return nil, c.providerFailed(ctx, "discovery", err)
	}
	found := &provider{Provider: p}
	if err := p.Claims(&found.meta); err != nil {
		return nil, c.providerFailed(ctx, "discovery", err)
	}
	if len(found.meta.PKCE) > 0 && !slices.Contains(found.meta.PKCE, "S256") {
		return nil, c.providerFailed(ctx, "discovery", errors.New("the provider does not do PKCE with S256"))
	}
	if err := found.check(); err != nil {
		return nil, c.providerFailed(ctx, "discovery", err)
	}
	found.verifier = p.VerifierContext(c.withHTTP(context.Background()), &goidc.Config{ClientID: c.ID, Now: c.clock.Now})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.provider = found
	return found, nil
}

// check looks at where the provider has secrets and browsers sent.
func (p *provider) check() error {
	ep := p.Endpoint()
	for name, at := range map[string]string{"authorization_endpoint": ep.AuthURL, "token_endpoint": ep.TokenURL} {
		if err := checkURL(name, at); err != nil {
			return err
		}
	}
	for name, at := range map[string]string{"end_session_endpoint": p.meta.EndSession, "revocation_endpoint": p.meta.Revocation} {
		if at == "" {
			continue
		}
		if err := checkURL(name, at); err != nil {
			return err
		}
	}
	return nil
}

// Ready asks the provider for its metadata, once: it fails while it never answered.
func (c *Client) Ready(ctx context.Context) error {
	if err := c.Check(); err != nil {
		return err
	}
	_, err := c.discover(ctx)
	return err
}

func (c *Client) withHTTP(ctx context.Context) context.Context {
	return goidc.ClientContext(ctx, c.HTTPClient)
}

func (c *Client) oauth(p *provider) *oauth2.Config {
	scopes := []string{goidc.ScopeOpenID}
	for _, s := range c.Scopes {
		if s != goidc.ScopeOpenID {
			scopes = append(scopes, s)
		}
	}
	at := p.Endpoint()
	at.AuthStyle = p.meta.authStyle()
	return &oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: at, RedirectURL: c.RedirectURL, Scopes: scopes}
}

// providerFailed logs what went wrong with the provider and returns ErrProvider. What
// an answer said beside its error code is not logged: it may have tokens in it.
func (c *Client) providerFailed(ctx context.Context, doing string, err error) error {
	text := err.Error()
	if re := (*oauth2.RetrieveError)(nil); errors.As(err, &re) {
		text = fmt.Sprintf("status %d, error %q", re.Response.StatusCode, re.ErrorCode)
	}
	c.Logger.LogAttrs(ctx, slog.LevelWarn, "identity provider failed", slog.String("doing", doing), slog.String("err", text))
	return fmt.Errorf("%w: %s", ErrProvider, doing)
}

// fails answers with an error of this package or of bff.
func (c *Client) fails(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrProvider):
		w.Header().Set("Retry-After", "2")
		c.Fail(w, r, http.StatusServiceUnavailable, "provider-unavailable", "The identity provider does not answer at the moment.")
	case errors.Is(err, ErrTokenEnded):
		c.Fail(w, r, http.StatusUnauthorized, "token-ended", "Sign in again: the access token has ended.")
	default:
		c.Manager.ErrorHandler(w, r, err)
	}
}

// WriteError answers a request with an error of this package or of bff.
func (c *Client) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if wrong := c.Check(); wrong != nil {
		panic(wrong)
	}
	c.fails(w, r, err)
}
