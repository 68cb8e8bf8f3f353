// Package proxy passes requests of signed-in users on to the APIs that an application
// allows, with the user's access token in the place of the cookie.
//
// An API is reached under a name, and nothing that a request says leads elsewhere: not
// its path, its Host, nor a header. What an API answers cannot act as the application:
// its cookies, its CORS headers and its pages are disarmed. Event streams and
// WebSockets go through, and end when the session does.
//
// A Proxy goes under Manager.Require and Manager.Protect.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"coatcheck/bff"
)

// Upstream is an API that requests may go to.
type Upstream struct {
	// Name is its part of the path.
	Name string
	// URL is where it is; a path in it stands before that of requests.
	URL *url.URL
	// Methods are those that go through; none: GET, HEAD, POST, PUT, PATCH, DELETE.
	Methods []string
	// Paths are what paths must be, or begin with where one ends with a slash;
	// none: all. They are paths at the upstream, behind that of URL.
	Paths []string
}

// Proxy is an http.Handler. Set its fields and use it; they must not change then.
type Proxy struct {
	Manager *bff.Manager
	// Prefix is what paths begin with, before the upstream's name: "/bff/api/".
	Prefix    string
	Upstreams []Upstream
	// Token is the access token of the request's session, "" for none; nil: none.
	Token func(ctx context.Context) (string, error)
	// PublicURL is how browsers call the application; upstreams are told.
	PublicURL *url.URL
	// MaxBody bounds the bodies of requests; 0: 10 MiB.
	MaxBody int64
	// Transport sends requests; nil: one that heeds no HTTP_PROXY, and waits for
	// 30 seconds.
	Transport http.RoundTripper
	// Logger hears of upstreams that fail; nil: slog.Default.
	Logger *slog.Logger
	// Fail answers when Token fails; nil: the Manager's ErrorHandler.
	Fail func(w http.ResponseWriter, r *http.Request, err error)

	ready  sync.Once
	wrong  error
	routes map[string]*route
}

// route is an Upstream at work.
type route struct {
	Upstream
	proxy *httputil.ReverseProxy
}

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Check says what is wrong with the fields; ServeHTTP panics with it.
func (p *Proxy) Check() error {
	p.ready.Do(func() { p.wrong = p.start() })
	return p.wrong
}

func (p *Proxy) start() error {
	if err := p.Manager.Check(); err != nil {
		return err
	}
	if p.Transport == nil {
		p.Transport = newTransport()
	}
	if p.Fail == nil {
		p.Fail = p.Manager.ErrorHandler
	}
	p.Logger = cmp.Or(p.Logger, slog.Default())
	p.MaxBody = cmp.Or(p.MaxBody, 10<<20)
	p.routes = map[string]*route{}
	for _, u := range p.Upstreams {
		if err := u.check(); err != nil {
			return err
		}
		if len(u.Methods) == 0 {
			u.Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
		}
		if p.routes[u.Name] != nil {
			return fmt.Errorf("proxy: two upstreams %q", u.Name)
		}
		p.routes[u.Name] = p.route(u)
	}
	return nil
}

func (u Upstream) check() error {
	switch {
	case !nameRule.MatchString(u.Name):
		return fmt.Errorf("proxy: %q is no name for an upstream: small letters, digits and hyphens", u.Name)
	case u.URL == nil || u.URL.Host == "" || u.URL.Scheme != "http" && u.URL.Scheme != "https":
		return fmt.Errorf("proxy: upstream %s has no address like https://api.example.com", u.Name)
	case u.URL.User != nil || u.URL.RawQuery != "" || u.URL.Fragment != "":
		return fmt.Errorf("proxy: the address of upstream %s has more than a host and a path", u.Name)
	}
	for _, path := range u.Paths {
		if !strings.HasPrefix(path, "/") || !isPlain(path) {
			return fmt.Errorf("proxy: upstream %s: %q is no path", u.Name, path)
		}
	}
	return nil
}

func newTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, DisableCompression: true, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// route makes the way to an upstream.
func (p *Proxy) route(u Upstream) *route {
	rt := &route{Upstream: u}
	rt.proxy = &httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { p.rewrite(u, pr) },
		ModifyResponse: func(res *http.Response) error { return p.disarm(u, res) },
		Transport:      p.Transport,
		ErrorLog:       slog.NewLogLogger(p.Logger.Handler(), slog.LevelDebug),
		ErrorHandler:   func(w http.ResponseWriter, r *http.Request, err error) { p.failed(u, w, r, err) },
	}
	return rt
}

// tokenKey finds the access token in a request's context.
type tokenKey struct{}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.Check(); err != nil {
		panic(err)
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), p.Prefix)
	if !ok || !isPlain(rest) {
		bff.WriteProblem(w, http.StatusBadRequest, "path", "The path has parts that could lead elsewhere.")
		return
	}
	name, path, _ := strings.Cut(rest, "/")
	rt := p.routes[name]
	if rt == nil || !rt.allows("/"+path) {
		bff.WriteProblem(w, http.StatusNotFound, "no-such-api", "No API is offered there.")
		return
	}
	if !slices.Contains(rt.Methods, r.Method) {
		w.Header().Set("Allow", strings.Join(rt.Methods, ", "))
		bff.WriteProblem(w, http.StatusMethodNotAllowed, "method", "The API is not offered by that method.")
		return
	}
	if up := r.Header.Values("Upgrade"); len(up) > 1 || len(up) == 1 && !strings.EqualFold(up[0], "websocket") {
		bff.WriteProblem(w, http.StatusBadRequest, "upgrade", "WebSockets are the only upgrade.")
		return
	}
	token := ""
	if p.Token != nil {
		var err error
		if token, err = p.Token(r.Context()); err != nil {
			p.Fail(w, r, err)
			return
		}
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, p.MaxBody)
	}
	rt.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, token)))
}

// allows says whether a path, as it came, is offered.
func (rt *route) allows(escaped string) bool {
	if len(rt.Paths) == 0 {
		return true
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return false
	}
	for _, allowed := range rt.Paths {
		if path == allowed || strings.HasSuffix(allowed, "/") && strings.HasPrefix(path, allowed) {
			return true
		}
	}
	return false
}

// maxDecodings is how often a path is decoded in search of something hidden.
const maxDecodings = 4

// isPlain says whether a path, as it came, means to every server what it means to us,
// also to one that decodes it again.
func isPlain(escaped string) bool {
	slashes := strings.Count(escaped, "/")
	for range maxDecodings {
		if !isFlat(escaped) || strings.Count(escaped, "/") != slashes {
			return false
		}
		decoded, err := url.PathUnescape(escaped)
		if err != nil || decoded == escaped {
			return true // nobody decodes it further
		}
		escaped = decoded
	}
	return false
}

// isFlat says whether a path has no parts that lead up, and none that are empty.
func isFlat(path string) bool {
	if strings.ContainsAny(path, "\\\x00") {
		return false
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, _, _ := strings.Cut(segment, ";") // servers that know parameters drop them first
		if name == "." || name == ".." || segment == "" && i > 0 && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// withheld are headers of requests that are ours, or that upstreams may take for the
// word of somebody they trust. Those that speak of one connection the standard library
// takes away, before ours are set.
var withheld = []string{
	"Cookie", "Authorization", "X-Csrf", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "Remote-User", "X-Remote-User", "X-Webauth-User", "X-User",
	"X-Host", "Via", "Forwarded", "Proxy-Authorization", "Client-Cert", "X-Client-Cert", "X-Ssl-Client-Cert",
}

// withheldBeginnings are those of more such headers.
var withheldBeginnings = []string{"X-Forwarded-", "X-Original-", "X-Rewrite-", "X-Auth-", "X-Envoy-", "X-Amzn-"}

func (p *Proxy) rewrite(u Upstream, pr *httputil.ProxyRequest) {
	out := pr.Out
	escaped := strings.TrimPrefix(pr.In.URL.EscapedPath(), p.Prefix+u.Name)
	if escaped == "" {
		escaped = "/"
	}
	if path, err := url.PathUnescape(escaped); err == nil { // it was parsed before
		out.URL.Path, out.URL.RawPath = path, escaped
	}
	pr.SetURL(u.URL)
	for name := range out.Header {
		if isWithheld(name) {
			delete(out.Header, name)
		}
	}
	pr.SetXForwarded()
	if p.PublicURL != nil {
		out.Header.Set("X-Forwarded-Host", p.PublicURL.Host)
		out.Header.Set("X-Forwarded-Proto", p.PublicURL.Scheme)
	}
	if token, _ := pr.In.Context().Value(tokenKey{}).(string); token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
}

// isWithheld says whether a header stays here. Servers that hand headers on as
// variables take an underscore for a hyphen.
func isWithheld(name string) bool {
	if strings.Contains(name, "_") {
		return true
	}
	canonical := http.CanonicalHeaderKey(name)
	for _, beginning := range withheldBeginnings {
		if strings.HasPrefix(canonical, beginning) {
			return true
		}
	}
	return slices.Contains(withheld, canonical)
}

// disarmed are headers of answers that would act on the whole application.
var disarmed = []string{
	"Set-Cookie", "Clear-Site-Data", "Strict-Transport-Security", "Service-Worker-Allowed", "Www-Authenticate", "Refresh", "Alt-Svc",
	"Report-To", "Reporting-Endpoints", "Nel", "Content-Security-Policy-Report-Only", "X-Frame-Options", "Public-Key-Pins", "Expect-Ct",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Private-Network",
}

// disarm takes from an answer what would act as the application: it comes from our
// origin, and is not ours.
func (p *Proxy) disarm(u Upstream, res *http.Response) error {
	h := res.Header
	for _, name := range disarmed {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if to := h.Get("Location"); to != "" {
		if mapped, ok := p.mapped(u, res.Request.URL, to); ok {
			h.Set("Location", mapped)
		} else {
			h.Del("Location") // a script must not be led to where its cookies are
		}
	}
	return nil
}

// mapped is a redirection within an upstream as browsers must follow it; not ok for
// one that leads out of it.
func (p *Proxy) mapped(u Upstream, at *url.URL, to string) (string, bool) {
	target, err := at.Parse(to)
	if err != nil || target.Scheme != u.URL.Scheme || target.Host != u.URL.Host {
		return "", false
	}
	base := strings.TrimSuffix(u.URL.EscapedPath(), "/")
	rest, ok := strings.CutPrefix(target.EscapedPath(), base+"/")
	if !ok || !isPlain(rest) {
		return "", false
	}
	mapped := p.Prefix + u.Name + "/" + rest
	if target.RawQuery != "" {
		mapped += "?" + target.RawQuery
	}
	return mapped, true
}

// failed answers for an upstream that did not.
func (p *Proxy) failed(u Upstream, w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	var timeout net.Error
	cause := context.Cause(r.Context())
	switch {
	case errors.Is(cause, bff.ErrRevoked), errors.Is(cause, bff.ErrExpired):
		p.Manager.ErrorHandler(w, r, cause)
	case r.Context().Err() != nil: // the browser is gone
		panic(http.ErrAbortHandler)
	case errors.As(err, &large):
		bff.WriteProblem(w, http.StatusRequestEntityTooLarge, "too-large", "The request's body is too large.")
	case errors.As(err, &timeout) && timeout.Timeout():
		p.Logger.LogAttrs(r.Context(), slog.LevelWarn, "API timed out", slog.String("api", u.Name))
		bff.WriteProblem(w, http.StatusGatewayTimeout, "api-timeout", "The API did not answer in time.")
	default:
		p.Logger.LogAttrs(r.Context(), slog.LevelWarn, "API failed", slog.String("api", u.Name), slog.String("err", err.Error()))
		bff.WriteProblem(w, http.StatusBadGateway, "api-failed", "The API cannot be reached.")
	}
}
