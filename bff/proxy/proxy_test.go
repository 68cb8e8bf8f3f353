package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/proxy"
)

// site is an application with a proxy before an API, over sockets.
type site struct {
	t      *testing.T
	m      *bff.Manager
	p      *proxy.Proxy
	url    string
	cookie string
	seen   chan *http.Request // what came to the API
	api    func(http.ResponseWriter, *http.Request)
}

func newSite(t *testing.T, change func(s *site)) *site {
	t.Helper()
	s := &site{t: t, m: bff.New(), seen: make(chan *http.Request, 100)}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.seen <- r
		if s.api != nil {
			s.api(w, r)
		}
	}))
	t.Cleanup(upstream.Close)
	at, err := url.Parse(upstream.URL)
	require.NoError(t, err)
	at.Path = "/base"
	s.p = &proxy.Proxy{
		Manager: s.m, Prefix: "/bff/api/", Upstreams: []proxy.Upstream{{Name: "orders", URL: at}},
		Token: func(context.Context) (string, error) { return "the-token", nil },
	}
	if change != nil {
		change(s)
	}
	require.NoError(t, s.p.Check())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = s.m.SignIn(r.Context(), bff.Identity{User: "alice"})
	})
	inner := s.m.Require(s.p)
	srv := httptest.NewServer(s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bff/api/") {
			inner.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	s.url = srv.URL
	res, err := http.Post(s.url+"/login", "", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	s.cookie = res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	return s
}

// send writes a request as it is and returns the answer: clients tidy up what an
// attacker would not.
func (s *site) send(text string) (*http.Response, string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n"))
	require.NoError(s.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res, string(body)
}

func (s *site) get(path string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: app.example.com", "Cookie: " + s.cookie, "Connection: close"}, headers...)
	return s.send(strings.Join(lines, "\n") + "\n\n")
}

// R18: only what is listed, the cookie removed, the token attached.
func TestR18_Proxy(t *testing.T) {
	s := newSite(t, nil)
	res, _ := s.get("/bff/api/orders/v1/a%20b?x=1&y=%2F")
	require.Equal(t, http.StatusOK, res.StatusCode)
	r := <-s.seen
	require.Equal(t, "/base/v1/a%20b?x=1&y=%2F", r.RequestURI)
	require.Equal(t, "Bearer the-token", r.Header.Get("Authorization"))
	require.Empty(t, r.Header.Values("Cookie"))
	require.NotEqual(t, "app.example.com", r.Host, "the upstream's own name")
	require.Equal(t, "app.example.com", r.Header.Get("X-Forwarded-Host"))
	require.Equal(t, "127.0.0.1", r.Header.Get("X-Forwarded-For"))

	for _, path := range []string{"/bff/api/other/v1", "/bff/api/", "/bff/api/ORDERS/x", "/bff/api/orders.evil.example/x", "/bff/api/orders@evil.example/"} {
		res, body := s.get(path)
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
		require.Contains(t, body, "no-such-api")
	}
	s.cookie = "x=y"
	res, _ = s.get("/bff/api/orders/v1")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Empty(t, s.seen)
}

func TestR18_AllowedPathsAndMethods(t *testing.T) {
	s := newSite(t, func(s *site) {
		s.p.Upstreams[0].Paths, s.p.Upstreams[0].Methods = []string{"/v1/", "/health"}, []string{"GET"}
	})
	for path, want := range map[string]int{
		"/v1/x": 200, "/v1/": 200, "/health": 200, "/v1": 404, "/v2/x": 404, "/health/x": 404, "/": 404, "": 404, "/V1/x": 404, "/%76%31/x": 200,
	} {
		res, _ := s.get("/bff/api/orders" + path)
		require.Equal(t, want, res.StatusCode, path)
	}
	for _, method := range []string{"POST", "DELETE", "TRACE", "OPTIONS", "PROPFIND"} {
		res, _ := s.send(method + " /bff/api/orders/v1/x HTTP/1.1\nHost: a\nCookie: " + s.cookie + "\nConnection: close\n\n")
		require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, method)
		require.Equal(t, "GET", res.Header.Get("Allow"))
	}
}

// No path leads out of an upstream's own.
func TestPathTraversal(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{
		"/../admin", "/v1/../../admin", "/v1/..", "/.", "/./x", "/%2e%2e/admin", "/%2E%2e/admin", "/.%2e/admin", "/v1/%2f..%2fadmin", "/..%2fadmin",
		"/..%5cadmin", "/..\\admin", "/%252e%252e/admin", "/%252fadmin", "/%25252e%25252e/x", "/..;/admin", "/..;x=y/admin", "/.;/x", "//evil.example/x",
		"/v1//x", "/x%00y", "/v1/%2e", "/v1/x%5cy", "/v1/%2F", "/%25%32%65/", "/%25%32%65%25%32%65/x", "/%2525252525252e/",
	} {
		res, _ := s.get("/bff/api/orders" + path)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, path)
	}
	require.Empty(t, s.seen)
	for _, path := range []string{"/..x", "/x..", "/...", "/a;b=c", "/", "/v1/", "/100%25", "/a%25zz"} {
		res, _ := s.get("/bff/api/orders" + path)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		require.Equal(t, "/base"+path, (<-s.seen).RequestURI)
	}
	// An absolute address as a proxy gets it leads nowhere else either.
	res, _ := s.get("http://evil.example/bff/api/orders/x")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NotEqual(t, "evil.example", (<-s.seen).Host)
}

// Nothing that a browser or an attacker sends is taken for our word.
func TestHeaderSmuggling(t *testing.T) {
	s := newSite(t, nil)
	s.p.PublicURL = &url.URL{Scheme: "https", Host: "public.example.com"}
	names := []string{
		"Authorization: Basic x", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: evil", "X-Forwarded-User: root",
		"X-Forwarded-Prefix: /evil", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "X-Original-URL: /admin", "X-Rewrite-URL: /admin",
		"X-HTTP-Method-Override: DELETE", "Remote-User: root", "X_Forwarded_For: 6.6.6.6", "X-Auth-Request-User: root", "X-CSRF: 1",
		"Proxy-Authorization: Basic x", "Proxy-Connection: keep-alive", "TE: trailers, x", "True-Client-IP: 6.6.6.6", "Keep-Alive: x", "Cookie: a=b",
		"Connection: close, Authorization, X-Forwarded-For, X-Custom", "X-Custom: hop", "X-Kept: yes", "X-User: root", "Via: 1.1 evil",
	}
	res, _ := s.get("/bff/api/orders/x", names...)
	require.Equal(t, http.StatusOK, res.StatusCode)
	r := <-s.seen
	require.Equal(t, "yes", r.Header.Get("X-Kept"))
	got := r.Header.Clone()
	for _, own := range []string{"X-Kept", "User-Agent", "Accept-Encoding", "Te"} {
		got.Del(own)
	}
	require.Equal(t, http.Header{
		"Authorization":     {"Bearer the-token"}, // though Connection named it
		"X-Forwarded-For":   {"127.0.0.1"},
		"X-Forwarded-Host":  {"public.example.com"},
		"X-Forwarded-Proto": {"https"},
	}, got)

	// Two lengths are no request, and what follows is not taken for the next one.
	res, _ = s.send("POST /bff/api/orders/x HTTP/1.1\nHost: a\nCookie: " + s.cookie +
		"\nContent-Length: 4\nTransfer-Encoding: chunked\nConnection: close\n\n0\n\nGET /bff/api/orders/smuggled HTTP/1.1\nHost: a\n\n")
	if res.StatusCode == http.StatusOK {
		r := <-s.seen
		require.Equal(t, "/base/x", r.RequestURI)
		require.Empty(t, r.Header.Values("Content-Length"))
	}
	require.Empty(t, s.seen)
	for _, up := range []string{"h2c", "websocket, h2c", "TLS/1.0"} {
		res, _ = s.get("/bff/api/orders/x", "Connection: Upgrade", "Upgrade: "+up)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, up)
	}
	require.Empty(t, s.seen)
}

// What an API answers does not act as the application.
func TestAnswersAreDisarmed(t *testing.T) {
	s := newSite(t, nil)
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Set-Cookie", "__Host-sid=planted; Path=/; Secure")
		h.Set("Access-Control-Allow-Origin", "https://evil.example")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Clear-Site-Data", `"*"`)
		h.Set("WWW-Authenticate", "Basic")
		h.Set("Content-Security-Policy", "default-src *")
		h.Set("Cache-Control", "public, max-age=9999")
		h.Set("Content-Type", "text/html")
		h.Set("X-Kept", "yes")
		_, _ = io.WriteString(w, "<script>alert(1)</script>")
	}
	res, body := s.get("/bff/api/orders/x")
	require.Equal(t, "<script>alert(1)</script>", body)
	require.Empty(t, res.Header.Values("Set-Cookie"))
	require.Empty(t, res.Header.Values("Access-Control-Allow-Origin"))
	require.Empty(t, res.Header.Values("Access-Control-Allow-Credentials"))
	require.Empty(t, res.Header.Values("Clear-Site-Data"))
	require.Empty(t, res.Header.Values("Www-Authenticate"))
	require.Equal(t, "yes", res.Header.Get("X-Kept"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Equal(t, []string{"default-src 'none'; frame-ancestors 'none'; sandbox"}, res.Header.Values("Content-Security-Policy"))
}

func TestRedirections(t *testing.T) {
	s := newSite(t, nil)
	var to string
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
	at := s.p.Upstreams[0].URL.String()
	for location, want := range map[string]string{
		"y": "/bff/api/orders/v1/y", "/base/z?q=1": "/bff/api/orders/z?q=1", at + "/w": "/bff/api/orders/w",
		"/admin": "", "https://evil.example/": "", "//evil.example/": "", "../../x": "", "javascript:alert(1)": "", "/base/%2e%2e/x": "",
	} {
		to = location
		res, _ := s.get("/bff/api/orders/v1/x")
		require.Equal(t, want, res.Header.Get("Location"), location)
	}
}

func TestUpstreamsThatFail(t *testing.T) {
	s := newSite(t, func(s *site) {
		s.p.MaxBody = 10
		s.p.Upstreams = append(s.p.Upstreams, proxy.Upstream{Name: "gone", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	})
	res, body := s.get("/bff/api/gone/x")
	require.Equal(t, http.StatusBadGateway, res.StatusCode)
	require.Contains(t, body, "api-failed")
	require.NotContains(t, body, "127.0.0.1")
	s.api = func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	res, body = s.send("POST /bff/api/orders/x HTTP/1.1\nHost: a\nCookie: " + s.cookie + "\nContent-Length: 11\nConnection: close\n\n01234567890")
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode, body)

	s = newSite(t, func(s *site) {
		s.p.Token = func(context.Context) (string, error) { return "", fmt.Errorf("%w: x", bff.ErrStore) }
	})
	res, _ = s.get("/bff/api/orders/x")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Empty(t, s.seen)
}

func TestUpstreamTimesOut(t *testing.T) {
	s := newSite(t, func(s *site) { s.p.Transport = late{} })
	res, body := s.get("/bff/api/orders/x")
	require.Equal(t, http.StatusGatewayTimeout, res.StatusCode, body)
}

type late struct{}

func (late) RoundTrip(*http.Request) (*http.Response, error) { return nil, timeout{errors.New("late")} }

type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// endSession ends the site's session as another device would.
func (s *site) endSession() {
	s.t.Helper()
	_, err := s.m.InvalidateUser(s.t.Context(), "alice")
	require.NoError(s.t, err)
}

// Event streams go through as they come, and close when the session ends.
func TestStreamsEndWithTheSession(t *testing.T) {
	s := newSite(t, nil)
	gone := make(chan struct{})
	s.api = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/bff/api/orders/events", nil)
	require.NoError(t, err)
	req.Header.Set("Cookie", s.cookie)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "data: one\n", line)
	s.endSession()
	_, err = io.ReadAll(lines)
	require.Error(t, err, "it is cut, not ended")
	<-gone
}

// A WebSocket is bytes both ways after a 101.
func TestWebSocketsEndWithTheSession(t *testing.T) {
	s := newSite(t, nil)
	gone := make(chan struct{})
	s.api = func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "websocket", r.Header.Get("Upgrade"))
		require.Equal(t, "Bearer the-token", r.Header.Get("Authorization"))
		require.Empty(t, r.Header.Get("Cookie"))
		conn, rw, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		defer close(gone)
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = rw.WriteString("echo " + line)
			_ = rw.Flush()
		}
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "GET /bff/api/orders/ws HTTP/1.1\r\nHost: a\r\nCookie: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", s.cookie)
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "echo hello\n", line)
	s.endSession()
	_, err = in.ReadString('\n')
	require.Error(t, err)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	var ne net.Error
	require.False(t, errors.As(err, &ne) && ne.Timeout(), "closed, not forgotten")
	<-gone
}

func TestChecks(t *testing.T) {
	at := &url.URL{Scheme: "https", Host: "api.example.com"}
	for name, up := range map[string][]proxy.Upstream{
		"no name":         {{URL: at}},
		"a path as name":  {{Name: "a/b", URL: at}},
		"no address":      {{Name: "a"}},
		"a file":          {{Name: "a", URL: &url.URL{Scheme: "file", Path: "/etc"}}},
		"a user":          {{Name: "a", URL: &url.URL{Scheme: "https", Host: "x", User: url.User("u")}}},
		"twice":           {{Name: "a", URL: at}, {Name: "a", URL: at}},
		"a relative path": {{Name: "a", URL: at, Paths: []string{"v1"}}},
		"a wild path":     {{Name: "a", URL: at, Paths: []string{"/../"}}},
	} {
		require.Error(t, (&proxy.Proxy{Manager: bff.New(), Upstreams: up}).Check(), name)
	}
}
