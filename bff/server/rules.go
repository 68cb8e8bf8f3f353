package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"coatcheck/bff"
	"coatcheck/bff/oidc"
)

// Refusal is why the server does not start.
type Refusal struct {
	Rule string // one of Rules
	Why  string
}

// Error implements error.
func (r *Refusal) Error() string { return "refused by rule " + r.Rule + ": " + r.Why }

// Rule is a combination of settings that the server does not start with.
type Rule struct {
	Name, Help string
}

// Rules are all of them.
var Rules = []Rule{
	{"unknown-variable", "A variable that begins with `BFF_` or `SESSION_COOKIE_` must exist: a misspelled setting would not hold."},
	{"dev-login-loopback", "`BFF_DEV_LOGIN` signs in anybody: only with `BFF_ADDR` and `BFF_PUBLIC_URL` on this machine, without trusted proxies, and not beside an `https` identity provider."},
	{"public-url-https", "`BFF_PUBLIC_URL` is `https`, but on this machine: the cookie and all else would go in the clear."},
	{"issuer-https", "`BFF_OIDC_ISSUER` is `https`, but on this machine."},
	{"oidc-complete", "`BFF_OIDC_ISSUER`, `BFF_OIDC_CLIENT_ID` and `BFF_OIDC_CLIENT_SECRET` come together: this is a confidential client."},
	{"api-https", "An API is reached by `https`, unless it is on this machine or in a private network: it gets access tokens."},
	{"tls-pair", "`BFF_TLS_CERT` and `BFF_TLS_KEY` come together."},
	{"secret-needed", "Sessions that outlive the process need `SESSION_SECRET`."},
	{"secret-length", "Each `SESSION_SECRET` has 32 letters or more; in compatible mode, where other applications have chosen them, 8."},
	{"keys-needed", "Tokens that are stored outside the process need `SESSION_KEYS`, which seal them."},
	{"cookie-secure", "`SESSION_COOKIE_SECURE=false` only with `BFF_PUBLIC_URL` by `http` on this machine."},
	{"cookie-httponly", "`SESSION_COOKIE_HTTPONLY=false` would give the session to any script."},
	{"cookie-samesite", "`SESSION_COOKIE_SAMESITE=none` or `off` only with `SESSION_TRUSTED_ORIGINS`, or in compatible mode."},
	{"timeouts", "`SESSION_LIFETIME` ends sessions within 30 days, and `SESSION_IDLE_TIMEOUT` is no longer than it."},
	{"admin-password", "`BFF_ADMIN_USER` has a `BFF_ADMIN_PASSWORD` of 12 letters or more, unless both listeners are on this machine."},
}

func refuse(rule, format string, args ...any) error {
	return &Refusal{rule, fmt.Sprintf(format, args...)}
}

// judge holds what was read to the rules, before the store is opened.
func (c *Config) judge(env bff.Env) error {
	for _, rule := range []func(bff.Env) error{c.judgePublic, c.judgeOIDC, c.judgeAPIs, c.judgeSecrets, c.judgeDevLogin, c.judgeAdmin} {
		if err := rule(env); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) onLoopback() bool { return isLoopback(c.Addr) }

// isLoopback says whether an address to listen at is reached from this machine only.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && isLoopbackListener(host)
}

func isLoopbackIP(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (c *Config) judgePublic(bff.Env) error {
	if c.PublicURL.Scheme != "https" && !oidc.IsLoopback(c.PublicURL.Hostname()) {
		return refuse("public-url-https", "BFF_PUBLIC_URL=%s is reached by plain HTTP from other machines.", c.PublicURL)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return refuse("tls-pair", "BFF_TLS_CERT and BFF_TLS_KEY: one of them is missing.")
	}
	return nil
}

func (c *Config) judgeOIDC(bff.Env) error {
	o := c.OIDC
	set := 0
	for _, val := range []string{o.Issuer, o.ClientID, o.ClientSecret} {
		if val != "" {
			set++
		}
	}
	if set != 0 && set != 3 {
		return refuse("oidc-complete", "Of BFF_OIDC_ISSUER, BFF_OIDC_CLIENT_ID and BFF_OIDC_CLIENT_SECRET only %d are set.", set)
	}
	u, err := url.Parse(o.Issuer)
	if o.Issuer != "" && (err != nil || u.Scheme != "https" && (u.Scheme != "http" || !oidc.IsLoopback(u.Hostname()))) {
		return refuse("issuer-https", "BFF_OIDC_ISSUER=%s is not https.", o.Issuer)
	}
	return nil
}

func (c *Config) judgeAPIs(bff.Env) error {
	for _, api := range c.APIs {
		if api.URL.Scheme == "http" && !isPrivate(api.URL.Hostname()) {
			return refuse("api-https", "BFF_APIS: %s is reached by plain HTTP at %s.", api.Name, api.URL.Host)
		}
	}
	return nil
}

// isPrivate says whether a host is of this machine or a private network: a name of one
// word is a container's.
func isPrivate(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host != "" && !strings.Contains(host, ".")
	}
	return addr.Unmap().IsLoopback() || addr.Unmap().IsPrivate()
}

func (c *Config) judgeSecrets(env bff.Env) error {
	secrets := env.List("SESSION_SECRET")
	if len(secrets) == 0 && !isLocal(env) {
		return refuse("secret-needed", "SESSION_STORE=%s without SESSION_SECRET.", env.String("SESSION_STORE", ""))
	}
	least := 32
	if env.String("SESSION_MODE", "safe") == "compatible" {
		least = 8
	}
	for i, s := range secrets {
		if len(s) < least {
			return refuse("secret-length", "SESSION_SECRET: number %d has %d letters, not %d.", i+1, len(s), least)
		}
		if len(s) < 32 {
			c.warn("SESSION_SECRET: number %d has fewer than 32 letters", i+1)
		}
	}
	if c.OIDC.Issuer != "" && !isLocal(env) && env.String("SESSION_KEYS", "") == "" {
		return refuse("keys-needed", "SESSION_STORE=%s and BFF_OIDC_ISSUER without SESSION_KEYS.", env.String("SESSION_STORE", ""))
	}
	return nil
}

func (c *Config) judgeDevLogin(env bff.Env) error {
	if !c.DevLogin {
		if c.OIDC.Issuer == "" {
			c.warn("nobody can sign in here: neither BFF_OIDC_ISSUER nor BFF_DEV_LOGIN is set")
		}
		return nil
	}
	switch {
	case !c.onLoopback():
		return refuse("dev-login-loopback", "BFF_DEV_LOGIN with BFF_ADDR=%s, which other machines reach.", c.Addr)
	case !oidc.IsLoopback(c.PublicURL.Hostname()):
		return refuse("dev-login-loopback", "BFF_DEV_LOGIN with BFF_PUBLIC_URL=%s, which is not this machine.", c.PublicURL)
	case len(c.Hosts) > 0:
		return refuse("dev-login-loopback", "BFF_DEV_LOGIN with BFF_ALLOWED_HOSTS.")
	case len(env.List("SESSION_TRUSTED_PROXIES")) > 0:
		return refuse("dev-login-loopback", "BFF_DEV_LOGIN with SESSION_TRUSTED_PROXIES: others come through them.")
	case strings.HasPrefix(c.OIDC.Issuer, "https:"):
		return refuse("dev-login-loopback", "BFF_DEV_LOGIN beside BFF_OIDC_ISSUER=%s.", c.OIDC.Issuer)
	}
	c.warn("BFF_DEV_LOGIN is on: whoever reaches %s signs in as anybody, without a password", c.Addr)
	return nil
}

// leastPassword is how many letters an admin's password has.
const leastPassword = 12

func (c *Config) judgeAdmin(bff.Env) error {
	local := c.onLoopback() && (c.AdminAddr == "" || isLoopback(c.AdminAddr))
	switch {
	case c.AdminUser == "" && c.AdminPassword == "":
		return nil
	case c.AdminUser == "" || c.AdminPassword == "":
		return refuse("admin-password", "BFF_ADMIN_USER and BFF_ADMIN_PASSWORD: one of them is missing.")
	case len(c.AdminPassword) < leastPassword && !local:
		return refuse("admin-password", "BFF_ADMIN_PASSWORD has fewer than %d letters, and other machines reach the server.", leastPassword)
	case len(c.AdminPassword) < leastPassword:
		c.warn("BFF_ADMIN_PASSWORD has fewer than %d letters", leastPassword)
	}
	return nil
}

// longestLife is the longest life of a session (NIST SP 800-63B-4, AAL1).
const longestLife = 30 * 24 * time.Hour

// judgeManager holds the Manager's settings to the rules.
func (c *Config) judgeManager(env bff.Env) error {
	m := c.Manager
	compatible := env.String("SESSION_MODE", "safe") == "compatible"
	switch {
	case !m.Cookie.HTTPOnly:
		return refuse("cookie-httponly", "SESSION_COOKIE_HTTPONLY=false.")
	case !m.Cookie.Secure && (c.PublicURL.Scheme == "https" || !c.onLoopback()):
		return refuse("cookie-secure", "SESSION_COOKIE_SECURE=false with BFF_PUBLIC_URL=%s and BFF_ADDR=%s.", c.PublicURL, c.Addr)
	case (m.Cookie.SameSite == http.SameSiteNoneMode || m.Cookie.SameSite == 0) && len(m.TrustedOrigins) == 0 && !compatible:
		return refuse("cookie-samesite", "The cookie goes along with requests of other sites, and none is trusted.")
	case m.Lifetime <= 0 || m.Lifetime > longestLife:
		return refuse("timeouts", "SESSION_LIFETIME=%s is not within 30 days.", m.Lifetime)
	case m.IdleTimeout > m.Lifetime:
		return refuse("timeouts", "SESSION_IDLE_TIMEOUT=%s is longer than SESSION_LIFETIME=%s.", m.IdleTimeout, m.Lifetime)
	}
	if m.Lifetime > 24*time.Hour {
		c.warn("SESSION_LIFETIME=%s: more than a day, see NIST SP 800-63B", m.Lifetime)
	}
	return nil
}

func (c *Config) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}
