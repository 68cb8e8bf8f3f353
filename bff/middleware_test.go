package bff_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func TestPanicCommitsNothing(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	before := x.stored(b)
	x.handle("/panic", func(_ http.ResponseWriter, r *http.Request) error {
		require.NoError(t, x.m.From(r.Context()).Put("a", 1))
		panic("of the handler")
	})
	require.PanicsWithValue(t, "of the handler", func() { b.Post("/panic") })
	require.Equal(t, before, x.stored(b))
	require.PanicsWithValue(t, "of the handler", func() { x.browser().Post("/panic") })
	n, err := x.m.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// It is stored before the first byte is out.
func TestCommitBeforeTheFirstByte(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	sid := x.sid(b)
	x.handle("/write", func(w http.ResponseWriter, r *http.Request) error {
		require.NoError(t, x.m.From(r.Context()).Put("a", "early"))
		rec, err := x.m.Store.Find(r.Context(), "myapp:"+sid)
		require.NoError(t, err)
		require.NotContains(t, string(rec.Value), "early")
		w.WriteHeader(http.StatusAccepted)
		rec, err = x.m.Store.Find(r.Context(), "myapp:"+sid)
		require.NoError(t, err)
		require.Contains(t, string(rec.Value), "early")
		require.NoError(t, x.m.From(r.Context()).Put("b", "late")) // stored at the end
		require.ErrorIs(t, x.m.SignIn(r.Context(), bff.Identity{User: "bob"}), bff.ErrTooLate)
		require.ErrorIs(t, x.m.Renew(r.Context()), bff.ErrTooLate)
		return nil
	})
	require.Equal(t, http.StatusAccepted, b.Post("/write").StatusCode)
	require.Contains(t, x.stored(b), "late")
	// An informational status is no first byte.
	x.handle("/hints", func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusEarlyHints)
		return x.m.From(r.Context()).Put("a", "after hints")
	})
	res := stream(t, x.live(), b, "/hints")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, x.stored(b), "after hints")
	// Without a session it is too late for a cookie.
	x.handle("/late", func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return x.m.From(r.Context()).Put("a", 1)
	})
	late := x.browser().Post("/late")
	require.Equal(t, http.StatusOK, late.StatusCode)
	require.Empty(t, late.Header.Get("Set-Cookie"))
	require.Contains(t, x.log.String(), "was not stored")
}

func TestSave(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	sid := x.sid(b)
	x.handle("/save", func(w http.ResponseWriter, r *http.Request) error {
		require.NoError(t, x.m.From(r.Context()).Put("a", "saved"))
		require.NoError(t, x.m.Save(r.Context()))
		rec, err := x.m.Store.Find(r.Context(), "myapp:"+sid)
		require.NoError(t, err)
		require.Contains(t, string(rec.Value), "saved")
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	})
	require.Equal(t, http.StatusSeeOther, b.Post("/save").StatusCode)
}

func TestProtect(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) { m.TrustedOrigins = []string{"https://trusted.example.com"} })
	h := x.m.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, test := range map[string]struct {
		method, header string
		want           int
	}{
		"without the header":      {"POST", "", 403},
		"a wrong header":          {"POST", "X-CSRF: 2", 403},
		"reads, too":              {"GET", "", 403},
		"with it":                 {"POST", "X-CSRF: 1", 200},
		"reads with it":           {"GET", "X-CSRF: 1", 200},
		"from our own page":       {"DELETE", "X-CSRF: 1\nSec-Fetch-Site: same-origin", 200},
		"from another site":       {"POST", "X-CSRF: 1\nSec-Fetch-Site: cross-site", 403},
		"reads of another site":   {"GET", "X-CSRF: 1\nSec-Fetch-Site: cross-site", 403},
		"from a sibling":          {"POST", "X-CSRF: 1\nSec-Fetch-Site: same-site", 403},
		"another origin":          {"POST", "X-CSRF: 1\nOrigin: https://evil.example.net", 403},
		"our origin":              {"POST", "X-CSRF: 1\nOrigin: https://app.example.com", 200},
		"an origin that we trust": {"POST", "X-CSRF: 1\nSec-Fetch-Site: same-site\nOrigin: https://trusted.example.com", 200},
	} {
		b := bfftest.NewBrowser(t, h)
		for line := range strings.SplitSeq(test.header, "\n") {
			if k, v, ok := strings.Cut(line, ": "); ok {
				b.Header.Set(k, v)
			}
		}
		res := b.Do(test.method, "/", "")
		require.Equal(t, test.want, res.StatusCode, name)
		if test.want == 403 {
			require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		}
	}
}

// live is a site on a socket.
func (x *site) live() *httptest.Server {
	srv := httptest.NewTLSServer(x.h)
	x.t.Cleanup(srv.Close)
	return srv
}

// stream begins a request with a browser's cookies and returns its response.
func stream(t *testing.T, srv *httptest.Server, b *bfftest.Browser, path string) *http.Response {
	t.Helper()
	r := b.Request(http.MethodGet, path, "")
	out, err := http.NewRequestWithContext(t.Context(), r.Method, srv.URL+path, nil)
	require.NoError(t, err)
	out.Header = r.Header
	res, err := srv.Client().Do(out)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// events adds a route that streams until the session ends.
func (x *site) events(causes chan error) {
	x.handle("/events", func(w http.ResponseWriter, r *http.Request) error {
		if err := x.m.From(r.Context()).Err(); err != nil {
			return err
		}
		rc := http.NewResponseController(w)
		if err := rc.SetWriteDeadline(time.Time{}); err != nil {
			return err
		}
		_, _ = io.WriteString(w, "ready\n")
		if err := rc.Flush(); err != nil {
			return err
		}
		<-r.Context().Done()
		cause := context.Cause(r.Context())
		if errors.Is(cause, bff.ErrRevoked) || errors.Is(cause, bff.ErrExpired) {
			_, err := io.WriteString(w, "more\n")
			require.Error(t0(x), err, "the response is over")
			require.NoError(t0(x), x.m.Farewell(r.Context(), []byte("over\n")))
			require.Error(t0(x), x.m.Farewell(r.Context(), []byte("again\n")))
		}
		causes <- cause
		return nil
	})
}

func t0(x *site) *testing.T { return x.t }

// Streams end with their session, whoever ends it.
func TestStreamsEndWithTheSession(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(x *site, b *bfftest.Browser)
		want error
	}{
		"logout": {func(_ *site, b *bfftest.Browser) { b.Tab().Post("/logout") }, bff.ErrRevoked},
		"operator": {func(x *site, b *bfftest.Browser) {
			require.NoError(x.t, x.m.InvalidateSession(x.t.Context(), x.m.HandleOf(x.sid(b)), bff.ReasonRevoked))
		}, bff.ErrRevoked},
		"another program": {func(x *site, b *bfftest.Browser) {
			_, err := x.m.Store.Delete(x.t.Context(), bff.ReasonDeleted, "myapp:"+x.sid(b))
			require.NoError(x.t, err)
		}, bff.ErrRevoked},
		"idle": {func(x *site, _ *bfftest.Browser) { x.clock.Advance(15*time.Minute + time.Millisecond) }, bff.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSite(t)
			causes := make(chan error, 1)
			x.events(causes)
			srv := x.live()
			b := x.signedIn("alice")
			res := stream(t, srv, b, "/events")
			in := bufio.NewReader(res.Body)
			line, err := in.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "ready\n", line)
			test.end(x, b)
			line, err = in.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "over\n", line)
			_, err = in.ReadByte()
			require.ErrorIs(t, err, io.EOF)
			require.ErrorIs(t, <-causes, test.want)
		})
	}
}

// A stream goes on when the session gets another id, and ends with that.
func TestStreamsFollowARenewal(t *testing.T) {
	x := newSite(t)
	causes := make(chan error, 1)
	x.events(causes)
	srv := x.live()
	b := x.signedIn("alice")
	res := stream(t, srv, b, "/events")
	in := bufio.NewReader(res.Body)
	_, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.Post("/renew").StatusCode)
	x.clock.Advance(6 * time.Second) // it is looked up
	require.Empty(t, causes)
	b.Post("/logout")
	require.ErrorIs(t, <-causes, bff.ErrRevoked)
}

// A store that tells no events is asked every now and then.
func TestStreamsOfASilentStore(t *testing.T) {
	x := newCountingSite(t)
	causes := make(chan error, 1)
	x.events(causes)
	srv := x.live()
	b := x.signedIn("alice")
	res := stream(t, srv, b, "/events")
	_, err := bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(t, err)
	x.clock.Advance(5 * time.Second)
	require.Empty(t, causes)
	_, err = x.store.Delete(t.Context(), bff.ReasonDeleted, "myapp:"+x.sid(b))
	require.NoError(t, err)
	x.clock.Advance(5 * time.Second)
	require.ErrorIs(t, <-causes, bff.ErrExpired)
}

// Hijacked connections (WebSockets) work, and are closed with the session.
func TestHijackedConnectionsEndWithTheSession(t *testing.T) {
	x := newSite(t)
	held := make(chan net.Conn, 1)
	x.handle("/ws", func(w http.ResponseWriter, r *http.Request) error {
		require.NoError(t, x.m.From(r.Context()).Err())
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		_, _ = buf.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhello\n")
		require.NoError(t, buf.Flush())
		held <- conn
		return nil
	})
	srv := httptest.NewServer(x.h)
	defer srv.Close()
	b := x.signedIn("alice")
	dial := func() (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		r := b.Request(http.MethodGet, "/ws", "")
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "test")
		require.NoError(t, r.Write(conn))
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, r)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "hello\n", line)
		return conn, in
	}
	conn, in := dial()
	defer conn.Close()
	mine := <-held
	_, err := mine.Write([]byte("on\n"))
	require.NoError(t, err, "after the handler has returned")
	_, err = in.ReadString('\n')
	require.NoError(t, err)
	b.Tab().Post("/logout")
	_, err = in.ReadByte()
	require.Error(t, err)

	b = x.signedIn("bob")
	conn, _ = dial()
	defer conn.Close()
	require.NoError(t, (<-held).Close(), "closed by the handler: nothing is left to watch")
}

// What the ResponseWriter beneath cannot, ours cannot either.
func TestWriterIsAsAbleAsTheOneBeneath(t *testing.T) {
	type plain struct{ http.ResponseWriter }
	can := func(w http.ResponseWriter) (flush, hijack, push bool) {
		m := bff.New()
		m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, flush = w.(http.Flusher)
			_, hijack = w.(http.Hijacker)
			_, push = w.(http.Pusher)
		})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return flush, hijack, push
	}
	flush, hijack, push := can(plain{newRecorder()})
	require.False(t, flush || hijack || push)
	flush, hijack, push = can(newRecorder())
	require.True(t, flush)
	require.False(t, hijack || push)
	flush, hijack, push = can(struct {
		http.ResponseWriter
		http.Flusher
		http.Pusher
	}{newRecorder(), newRecorder(), nil})
	require.True(t, flush && push)
	require.False(t, hijack)
}

// Handler within Handler is one.
func TestHandlerTwice(t *testing.T) {
	x := newCountingSite(t)
	b := x.signedIn("alice")
	x.store.ForgetCalls()
	twice := bfftest.NewBrowser(t, x.m.Handler(x.h))
	twice.SetCookie("__Host-sid", b.Cookie("__Host-sid"))
	require.Equal(t, "alice", twice.Get("/me").Text)
	require.Equal(t, []string{"find"}, x.store.Calls())
}
