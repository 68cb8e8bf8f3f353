package bfftest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Browser sends requests to a handler and keeps the cookies that it is given, also
// Secure ones: its requests come by HTTPS.
type Browser struct {
	// Header is sent with each request; "User-Agent" may stand there.
	Header http.Header
	// RemoteAddr is where requests come from, "192.0.2.1:1234" when empty.
	RemoteAddr string

	t       testing.TB
	handler http.Handler
	cookies []*http.Cookie // in the order in which they came
}

// NewBrowser is a browser without cookies.
func NewBrowser(t testing.TB, handler http.Handler) *Browser {
	return &Browser{Header: http.Header{}, t: t, handler: handler}
}

// Tab is another browser with the same cookies: requests that began before others
// changed them.
func (b *Browser) Tab() *Browser {
	tab := NewBrowser(b.t, b.handler)
	tab.Header, tab.RemoteAddr = b.Header.Clone(), b.RemoteAddr
	tab.cookies = append(tab.cookies, b.cookies...)
	return tab
}

// Answer is a response.
type Answer struct {
	*http.Response
	Text string // the body
}

// JSON reads the body into dst.
func (a Answer) JSON(t testing.TB, dst any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.Text), dst), a.Text)
}

// Get sends GET path.
func (b *Browser) Get(path string) Answer { return b.Do(http.MethodGet, path, "") }

// Post sends POST path without a body.
func (b *Browser) Post(path string) Answer { return b.Do(http.MethodPost, path, "") }

// Do sends a request and returns the whole response. A panic of the handler is
// the caller's.
func (b *Browser) Do(method, path, body string) Answer {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, b.Request(method, path, body))
	return b.Took(w.Result())
}

// Request is what Do sends.
func (b *Browser) Request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "https://app.example.com"+path, strings.NewReader(body))
	r.Header = b.Header.Clone()
	if b.RemoteAddr != "" {
		r.RemoteAddr = b.RemoteAddr
	}
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// Took keeps the cookies of a response, and reads it.
func (b *Browser) Took(res *http.Response) Answer {
	b.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	for _, c := range res.Cookies() {
		b.drop(c.Name)
		if c.Value != "" {
			b.cookies = append(b.cookies, c)
		}
	}
	return Answer{res, string(body)}
}

func (b *Browser) drop(name string) {
	var keep []*http.Cookie
	for _, c := range b.cookies {
		if c.Name != name {
			keep = append(keep, c)
		}
	}
	b.cookies = keep
}

// Cookie is the value of a cookie, as it is sent; "" without one.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie puts a cookie of the test's own in, "" takes it away.
func (b *Browser) SetCookie(name, value string) {
	b.drop(name)
	if value != "" {
		b.cookies = append(b.cookies, &http.Cookie{Name: name, Value: value})
	}
}
