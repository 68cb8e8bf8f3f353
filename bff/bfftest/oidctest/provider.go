package oidctest

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"coatcheck/bff"
)

// User is somebody who can sign in.
type User struct {
	Sub   string
	Name  string
	Email string
	// Claims go into the ID token and userinfo beside those.
	Claims map[string]any
}

// Client is an application that is registered.
type Client struct {
	ID, Secret string
	// RedirectURIs are compared letter by letter; none: any will do.
	RedirectURIs []string
	// PostLogoutRedirectURIs are where end_session may lead; none: anywhere.
	PostLogoutRedirectURIs []string
	// BackchannelLogoutURI gets a logout token when a session ends; "": none.
	BackchannelLogoutURI string
}

// Clock tells the time; bfftest's does.
type Clock interface{ Now() time.Time }

// Options configure a Provider. The zero value works.
type Options struct {
	// Issuer is the provider's address without a slash at its end; Run knows it.
	Issuer string
	// Clients are the registered applications; none: one, "app" with "app-secret".
	Clients []Client
	// Clock is the time; nil: the machine's.
	Clock Clock
	// User signs in when nobody is asked; none: alice.
	User User
	// AskUser shows a page on which a name is typed, instead of signing User in.
	AskUser bool
	// CodeLife and its kin are how long what is issued is good; 0: a minute for
	// codes, 5 minutes for ID and access tokens, 8 hours for refresh tokens.
	CodeLife, IDTokenLife, AccessTokenLife, RefreshTokenLife time.Duration
	// Algorithm signs: "ES256", the default, or "RS256".
	Algorithm string
	// HTTPClient sends logout tokens; nil: one with a timeout.
	HTTPClient *http.Client
}

// Provider is an OpenID provider. It is an http.Handler; its methods may be called
// from any goroutine.
type Provider struct {
	opts Options
	mux  *http.ServeMux

	mu       sync.Mutex
	clients  map[string]*Client
	keys     []*signingKey // the last one signs
	sessions map[string]*session
	codes    map[string]*code
	access   map[string]*accessToken
	refresh  map[string]*refreshToken
	faults   map[string]*fault
	calls    map[string]int
	down     bool
	sent     []Delivery

	editIDToken  func(header, claims map[string]any)
	editRedirect func(params map[string]string)
}

// Run starts a provider that ends with the test.
func Run(t testing.TB, opts Options) *Provider {
	t.Helper()
	var p *Provider
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	if opts.Issuer == "" {
		opts.Issuer = "http://" + srv.Listener.Addr().String()
	}
	p = New(opts)
	srv.Start()
	t.Cleanup(func() {
		p.HealAll() // nothing is held any more
		srv.Close()
	})
	return p
}

// New makes a provider, which Options.Issuer must lead to.
func New(opts Options) *Provider {
	if len(opts.Clients) == 0 {
		opts.Clients = []Client{{ID: "app", Secret: "app-secret"}}
	}
	if opts.Clock == nil {
		opts.Clock = bff.SystemClock{}
	}
	if opts.User.Sub == "" {
		opts.User = User{Sub: "alice", Name: "Alice", Email: "alice@example.com"}
	}
	if opts.HTTPClient == nil {
		opts.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	for d, otherwise := range map[*time.Duration]time.Duration{
		&opts.CodeLife: time.Minute, &opts.IDTokenLife: 5 * time.Minute,
		&opts.AccessTokenLife: 5 * time.Minute, &opts.RefreshTokenLife: 8 * time.Hour,
	} {
		if *d == 0 {
			*d = otherwise
		}
	}
	p := &Provider{
		opts: opts, mux: http.NewServeMux(),
		clients: map[string]*Client{}, sessions: map[string]*session{}, codes: map[string]*code{},
		access: map[string]*accessToken{}, refresh: map[string]*refreshToken{},
		faults: map[string]*fault{}, calls: map[string]int{},
	}
	for _, c := range opts.Clients {
		p.clients[c.ID] = &c
	}
	p.keys = []*signingKey{newKey(opts.Algorithm)}
	p.routes()
	return p
}

// The endpoints, as Fail, Hold and Calls name them.
const (
	Discovery  = "/.well-known/openid-configuration"
	JWKS       = "/jwks"
	Authorize  = "/authorize"
	Token      = "/token"
	UserInfo   = "/userinfo"
	Revocation = "/revoke"
	EndSession = "/end_session"
)

func (p *Provider) routes() {
	for endpoint, handler := range map[string]http.HandlerFunc{
		Discovery: p.serveDiscovery, JWKS: p.serveJWKS, Authorize: p.serveAuthorize, Token: p.serveToken,
		UserInfo: p.serveUserInfo, Revocation: p.serveRevocation, EndSession: p.serveEndSession,
	} {
		p.mux.HandleFunc(endpoint, p.faulty(endpoint, handler))
	}
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Issuer is the provider's address, and its name.
func (p *Provider) Issuer() string { return p.opts.Issuer }

// ClientID is that of the first client.
func (p *Provider) ClientID() string { return p.opts.Clients[0].ID }

// ClientSecret is that of the first client.
func (p *Provider) ClientSecret() string { return p.opts.Clients[0].Secret }

// Register registers a client, or changes one.
func (p *Provider) Register(c Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[c.ID] = &c
}

// SetUser changes who signs in when nobody is asked.
func (p *Provider) SetUser(u User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opts.User = u
}

func (p *Provider) now() time.Time { return p.opts.Clock.Now() }

func (p *Provider) client(id string) *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients[id]
}

// session is somebody signed in at the provider, in one browser.
type session struct {
	cookie, sid string
	user        User
	at          time.Time
	clients     map[string]bool // who has been told of it
}

// Sessions are the ids of a user's sessions at the provider, sorted.
func (p *Provider) Sessions(sub string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for s := range maps.Values(p.sessions) {
		if s.user.Sub == sub {
			ids = append(ids, s.sid)
		}
	}
	slices.Sort(ids)
	return ids
}

// random is text that nobody guesses.
func random() string { return rand.Text() }
