package server_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stream is an open /bff/events.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (d *device) stream() *stream {
	d.a.t.Helper()
	req := d.request("GET", "/bff/events", "")
	res, err := d.client.Do(req)
	require.NoError(d.a.t, err)
	d.a.t.Cleanup(func() { res.Body.Close() })
	require.Equal(d.a.t, http.StatusOK, res.StatusCode)
	require.Equal(d.a.t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(d.a.t, "no-store", res.Header.Get("Cache-Control"))
	return &stream{d.a.t, bufio.NewScanner(res.Body)}
}

// next is the next event; "" at the end.
func (s *stream) next() (name string, data struct{ ExpiresIn int }) {
	for s.lines.Scan() {
		line := s.lines.Text()
		if val, ok := strings.CutPrefix(line, "event: "); ok {
			name = val
		}
		if val, ok := strings.CutPrefix(line, "data: "); ok {
			require.NoError(s.t, json.Unmarshal([]byte(val), &data))
		}
		if line == "" && name != "" {
			return name, data
		}
	}
	return "", data
}

func (s *stream) require(want string) struct{ ExpiresIn int } {
	s.t.Helper()
	name, data := s.next()
	require.Equal(s.t, want, name)
	return data
}

// Row 8: tabs hear what becomes of their session, and streams close with it. An open
// stream does not keep the session.
func TestEventsTellOfExpiry(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.devLogin("alice")
	s := d.stream()
	require.Equal(t, 900, s.require("ready").ExpiresIn)
	a.clock.Advance(14 * time.Minute)
	require.LessOrEqual(t, s.require("expiring").ExpiresIn, 60)
	require.Equal(t, http.StatusOK, d.post("/bff/session/refresh").StatusCode)
	require.Equal(t, 900, s.require("refreshed").ExpiresIn)
	a.clock.Advance(14 * time.Minute)
	s.require("expiring")
	a.clock.Advance(time.Minute)
	s.require("expired")
	s.require("")
	d.requireSignedIn(false)
}

func TestEventsTellOfTheEnd(t *testing.T) {
	for name, end := range map[string]func(a *app, d, other *device){
		"logout":              func(_ *app, d, _ *device) { d.thief().post("/bff/logout") },
		"from another device": func(_ *app, _, other *device) { other.delete("/bff/sessions?except=current") },
		"back-channel logout": func(a *app, d, _ *device) { a.op.LogOut(a.t.Context(), sidAtOP(a.t, d)) },
		"an admin":            func(a *app, d, _ *device) { a.asAdmin("DELETE", "/internal/sessions/"+d.session().Session.Handle) },
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, nil, nil)
			d, other := a.device(), a.device()
			d.signIn()
			other.signIn()
			s := d.stream()
			s.require("ready")
			end(a, d, other)
			s.require("revoked")
			s.require("")
		})
	}
}

func (a *app) asAdmin(method, path string) {
	req := a.device().request(method, path, "")
	req.SetBasicAuth("root", "correct horse battery")
	require.Equal(a.t, http.StatusNoContent, a.device().send(req).StatusCode)
}

// Streams end when the server goes down, and say nothing of the session.
func TestEventsEndWithTheServer(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	d.devLogin("alice")
	s := d.stream()
	s.require("ready")
	a.s.Drain()
	s.require("")
	d.requireSignedIn(true)
}

// What an attacker may choose comes out as JSON, never as lines of the stream.
func TestHostileTexts(t *testing.T) {
	a := start(t, nil, nil)
	d := a.device()
	evil := "</script><script>alert(1)</script>\r\n\r\nevent: revoked\ndata: {}\u2028\x00"
	d.Header.Set("User-Agent", "<script>alert(1)</script>")
	body, err := json.Marshal(map[string]any{"sub": evil, "name": evil, "roles": []string{evil}})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, d.do("POST", "/bff/dev/login", string(body)).StatusCode)
	require.Equal(t, evil, d.session().User.Sub)
	require.NotContains(t, d.get("/bff/session").Text, "<script")
	require.NotContains(t, d.get("/bff/sessions").Text, "<script")
	s := d.stream()
	s.require("ready")
	d.get("/api/sessions/" + url.PathEscape(evil))
	require.NotContains(t, a.log.String(), "\r\n\r\nevent")
	d.thief().post("/bff/logout")
	s.require("revoked")
}

// A WebSocket's handshake has no header of ours: its Origin decides.
func TestHandshakeOrigin(t *testing.T) {
	a := start(t, map[string]string{"BFF_APIS": "orders=http://127.0.0.1:1"}, nil)
	d := a.device()
	d.devLogin("alice")
	for origin, want := range map[string]int{
		a.url: http.StatusBadGateway, "https://evil.example": http.StatusForbidden, "null": http.StatusForbidden, "": http.StatusForbidden,
	} {
		req := d.request("GET", "/bff/api/orders/ws", "")
		req.Header.Del("X-CSRF")
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		require.Equal(t, want, d.send(req).StatusCode, origin)
	}
}
