package bff

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"coatcheck/bff/connectredis"
)

// Cookie is how the session id travels. New and Compatible fill it in.
type Cookie struct {
	Name        string
	Domain      string // "" for the host alone; "__Host-" names demand that
	Path        string
	Secure      bool
	HTTPOnly    bool
	SameSite    http.SameSite // 0: the attribute is left out
	Partitioned bool          // for pages that are embedded in others
	// Persistent gives the cookie an Expires, moved with each touch; without it
	// the browser forgets the cookie when it ends.
	Persistent bool
	// OnlyHTTPS leaves out a Secure cookie in answers to requests over plain
	// HTTP, as express-session does. Manager.TrustedProxies says whose word on
	// that counts.
	OnlyHTTPS bool
}

// Limits of RFC 6265bis.
const (
	maxCookie    = 4096 // bytes of name and value
	maxAttribute = 1024
	maxExpiry    = 400 * 24 * time.Hour
)

// Validate says what browsers would refuse, or what breaks a promise of the
// name.
func (c Cookie) Validate() error {
	switch {
	case !isToken(c.Name):
		return fmt.Errorf("bff: %q is no name for a cookie", c.Name)
	case !isAttribute(c.Domain) || !isAttribute(c.Path):
		return errors.New("bff: a cookie's domain or path has a character that does not belong there, or is too long")
	case c.Path != "" && c.Path[0] != '/':
		return fmt.Errorf("bff: cookie path %q does not begin with /", c.Path)
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return errors.New("bff: a cookie with SameSite=None must be Secure")
	case c.Partitioned && !c.Secure:
		return errors.New("bff: a Partitioned cookie must be Secure")
	}
	return c.validatePrefix()
}

// validatePrefix holds the cookie to what its name promises.
func (c Cookie) validatePrefix() error {
	name := strings.ToLower(c.Name)
	if !strings.HasPrefix(name, "__") {
		return nil
	}
	host := strings.HasPrefix(name, "__host-")
	http := strings.HasPrefix(name, "__http-") || strings.HasPrefix(name, "__host-http-")
	switch {
	case (host || http || strings.HasPrefix(name, "__secure-")) && !c.Secure:
		return fmt.Errorf("bff: cookie %s must be Secure", c.Name)
	case host && (c.Domain != "" || c.Path != "/"):
		return fmt.Errorf("bff: cookie %s must have Path=/ and no Domain", c.Name)
	case http && !c.HTTPOnly:
		return fmt.Errorf("bff: cookie %s must be HttpOnly", c.Name)
	}
	return nil
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= maxAttribute
}

func isAttribute(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == ';' {
			return false
		}
	}
	return len(s) <= maxAttribute
}

// header is the Set-Cookie line for a value; expires is zero for a cookie that
// ends with the browser. The order of the attributes is that of express.
func (c Cookie) header(value string, expires time.Time) string {
	var b strings.Builder
	b.WriteString(c.Name + "=" + value)
	if c.Domain != "" {
		b.WriteString("; Domain=" + c.Domain)
	}
	if c.Path != "" {
		b.WriteString("; Path=" + c.Path)
	}
	if !expires.IsZero() {
		b.WriteString("; Expires=" + expires.UTC().Format(http.TimeFormat))
	}
	if c.HTTPOnly {
		b.WriteString("; HttpOnly")
	}
	if c.Secure {
		b.WriteString("; Secure")
	}
	if c.Partitioned {
		b.WriteString("; Partitioned")
	}
	switch c.SameSite {
	case http.SameSiteStrictMode:
		b.WriteString("; SameSite=Strict")
	case http.SameSiteLaxMode:
		b.WriteString("; SameSite=Lax")
	case http.SameSiteNoneMode:
		b.WriteString("; SameSite=None")
	}
	return b.String()
}

// stored is the cookie as connect-redis keeps it in the session. idle is 0 for a
// session that is not persistent.
func (c Cookie) stored(idle time.Duration) connectredis.Cookie {
	out := connectredis.Cookie{Partitioned: c.Partitioned, Secure: c.Secure, HTTPOnly: c.HTTPOnly, Domain: c.Domain, Path: c.Path}
	switch c.SameSite {
	case http.SameSiteStrictMode:
		out.SameSite = "strict"
	case http.SameSiteLaxMode:
		out.SameSite = "lax"
	case http.SameSiteNoneMode:
		out.SameSite = "none"
	}
	if idle > 0 {
		ms := idle.Milliseconds()
		out.OriginalMaxAge = &ms
	}
	return out
}

// client is where a request comes from, as far as it can be trusted.
type client struct {
	addr  netip.Addr // not valid when unknown
	https bool
	agent string
}

// clientOf looks behind the proxies that are trusted.
func (m *Manager) clientOf(r *http.Request) client {
	c := client{https: r.TLS != nil, agent: r.UserAgent()}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.addr = ap.Addr().Unmap()
	}
	if !m.trusts(c.addr) {
		return c
	}
	// As express does with trust proxy, the first entry counts.
	if proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); strings.EqualFold(strings.TrimSpace(proto), "https") {
		c.https = true
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if c.addr = hop.Unmap(); !m.trusts(c.addr) {
			break
		}
	}
	return c
}

func (m *Manager) trusts(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	for _, p := range m.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
