package bff

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Opener opens a kind of store for FromEnv. The packages of the stores have them:
// redisstore.Opener, memstore.Opener. That way the core knows none of them.
type Opener struct {
	// Name is what SESSION_STORE calls it: "redis", "in-memory".
	Name string
	// Open reads what it needs of the environment. It need not reach a server:
	// one that is down now may be up later.
	Open func(env Env) (Store, error)
}

// FromEnv is a Manager as the environment says; lookup is os.LookupEnv. What is not
// set is as New has it, or Compatible with SESSION_MODE=compatible.
//
//	SESSION_STORE         in-memory (the default), redis, or another Opener's name
//	SESSION_MODE          safe (the default) or compatible: cookie and JSON of express-session
//	SESSION_SECRET        secrets with commas between them; the first signs, all verify
//	SESSION_KEYS          keys of sealed members, "id:base64,…"; the first seals
//	SESSION_PREFIX        of the keys in the store, "myapp:"
//	SESSION_IDLE_TIMEOUT, SESSION_LIFETIME, SESSION_TOUCH_EVERY, SESSION_RENEW_GRACE
//	                      "15m", "12h", or a number of seconds; a lifetime of 0 has no end
//	SESSION_MAX_PER_USER, SESSION_AT_LIMIT
//	                      a number, and evict-oldest or refuse
//	SESSION_STORE_TIMEOUT "250ms"
//	SESSION_COOKIE_NAME, SESSION_COOKIE_DOMAIN, SESSION_COOKIE_PATH
//	SESSION_COOKIE_SECURE, SESSION_COOKIE_HTTPONLY, SESSION_COOKIE_PARTITIONED, SESSION_COOKIE_PERSISTENT
//	                      true or false
//	SESSION_COOKIE_SAMESITE strict, lax, none, or off
//	SESSION_TRUSTED_PROXIES, SESSION_TRUSTED_ORIGINS
//	                      networks and origins with commas between them
//
// What the stores read stands with their Openers. In safe mode with another cookie
// domain the name must not begin with "__Host-". The error names the variable.
func FromEnv(lookup func(string) (string, bool), stores ...Opener) (*Manager, error) {
	e := Env{lookup}
	m := New()
	switch mode := e.String("SESSION_MODE", "safe"); mode {
	case "safe":
	case "compatible":
		m = Compatible()
		m.Prefix = "myapp:"
	default:
		return nil, fmt.Errorf("bff: SESSION_MODE=%s: safe and compatible are what there is", mode)
	}
	for _, read := range []func(Env) error{m.readSecrets, m.readTimes, m.readLimits, m.readCookie, m.readTrust} {
		if err := read(e); err != nil {
			return nil, fmt.Errorf("bff: %w", err)
		}
	}
	var err error
	if m.Store, err = openStore(e, stores); err != nil {
		return nil, err
	}
	return m, m.rehearse()
}

// rehearse says what Check will, and leaves m as it is: its Logger and Metrics are
// still to be set.
func (m *Manager) rehearse() error {
	try := &Manager{
		Store: m.Store, Codec: m.Codec, UserPaths: m.UserPaths, Secrets: m.Secrets, Keys: m.Keys, Prefix: m.Prefix, Cookie: m.Cookie,
		IdleTimeout: m.IdleTimeout, Lifetime: m.Lifetime, TouchEvery: m.TouchEvery, RenewGrace: m.RenewGrace,
		MaxPerUser: m.MaxPerUser, StoreTimeout: m.StoreTimeout, RecheckEvery: m.RecheckEvery, TrustedOrigins: m.TrustedOrigins,
	}
	return try.start()
}

// openStore opens what SESSION_STORE names; nil is the Manager's own.
func openStore(e Env, stores []Opener) (Store, error) {
	name := e.String("SESSION_STORE", "in-memory")
	if name == "memory" {
		name = "in-memory"
	}
	for _, o := range stores {
		if o.Name == name {
			s, err := o.Open(e)
			if err != nil {
				return nil, fmt.Errorf("bff: SESSION_STORE=%s: %w", name, err)
			}
			return s, nil
		}
	}
	if name == "in-memory" {
		return nil, nil
	}
	return nil, fmt.Errorf("bff: SESSION_STORE=%s: no such store was given to FromEnv", name)
}

func (m *Manager) readSecrets(e Env) error {
	for _, s := range e.List("SESSION_SECRET") {
		m.Secrets = append(m.Secrets, []byte(s))
	}
	var keys []Key
	for i, entry := range e.List("SESSION_KEYS") {
		id, text, ok := strings.Cut(entry, ":")
		secret, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return fmt.Errorf("SESSION_KEYS: entry %d is not id:base64", i+1) // without the secret
		}
		keys = append(keys, Key{id, secret})
	}
	if len(keys) == 0 {
		return nil
	}
	var err error
	if m.Keys, err = NewKeyring(keys...); err != nil {
		return fmt.Errorf("SESSION_KEYS: %w", err)
	}
	return nil
}

func (m *Manager) readTimes(e Env) error {
	return e.durations(map[string]*time.Duration{
		"SESSION_IDLE_TIMEOUT": &m.IdleTimeout, "SESSION_LIFETIME": &m.Lifetime, "SESSION_TOUCH_EVERY": &m.TouchEvery,
		"SESSION_RENEW_GRACE": &m.RenewGrace, "SESSION_STORE_TIMEOUT": &m.StoreTimeout,
	})
}

func (m *Manager) readLimits(e Env) (err error) {
	m.Prefix = e.String("SESSION_PREFIX", m.Prefix)
	if m.MaxPerUser, err = e.Int("SESSION_MAX_PER_USER", m.MaxPerUser); err != nil {
		return err
	}
	switch policy := e.String("SESSION_AT_LIMIT", "evict-oldest"); policy {
	case "evict-oldest":
		m.AtLimit = EvictOldest
	case "refuse":
		m.AtLimit = Refuse
	default:
		return fmt.Errorf("SESSION_AT_LIMIT=%s: evict-oldest and refuse are what there is", policy)
	}
	return nil
}

func (m *Manager) readCookie(e Env) error {
	c := &m.Cookie
	c.Name, c.Path = e.String("SESSION_COOKIE_NAME", c.Name), e.String("SESSION_COOKIE_PATH", c.Path)
	c.Domain = e.String("SESSION_COOKIE_DOMAIN", c.Domain)
	for name, to := range map[string]*bool{
		"SESSION_COOKIE_SECURE": &c.Secure, "SESSION_COOKIE_HTTPONLY": &c.HTTPOnly,
		"SESSION_COOKIE_PARTITIONED": &c.Partitioned, "SESSION_COOKIE_PERSISTENT": &c.Persistent,
	} {
		var err error
		if *to, err = e.Bool(name, *to); err != nil {
			return err
		}
	}
	site, ok := e.lookup("SESSION_COOKIE_SAMESITE")
	if !ok || site == "" {
		return nil
	}
	modes := map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode, "off": 0}
	mode, ok := modes[strings.ToLower(site)]
	if !ok {
		return fmt.Errorf("SESSION_COOKIE_SAMESITE=%s: strict, lax, none and off are what there is", site)
	}
	c.SameSite = mode
	return nil
}

func (m *Manager) readTrust(e Env) error {
	for _, text := range e.List("SESSION_TRUSTED_PROXIES") {
		p, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); err != nil && addrErr == nil {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return fmt.Errorf("SESSION_TRUSTED_PROXIES: %q is no network", text)
		}
		m.TrustedProxies = append(m.TrustedProxies, p.Masked())
	}
	m.TrustedOrigins = append(m.TrustedOrigins, e.List("SESSION_TRUSTED_ORIGINS")...)
	return nil
}

// Env reads variables of the environment; an empty one counts as not set.
type Env struct {
	lookup func(string) (string, bool)
}

// NewEnv reads by lookup, which has the shape of os.LookupEnv.
func NewEnv(lookup func(string) (string, bool)) Env { return Env{lookup} }

// String is a variable, or otherwise.
func (e Env) String(name, otherwise string) string {
	if v, ok := e.lookup(name); ok && v != "" {
		return v
	}
	return otherwise
}

// List is a variable's parts between commas, without spaces around them and
// without empty ones.
func (e Env) List(name string) (parts []string) {
	for part := range strings.SplitSeq(e.String(name, ""), ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Int is a variable that is a number.
func (e Env) Int(name string, otherwise int) (int, error) {
	text := e.String(name, "")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is no number", name, text)
	}
	return n, nil
}

// Bool is a variable that is true or false, in strconv.ParseBool's words or as yes,
// no, on, off.
func (e Env) Bool(name string, otherwise bool) (bool, error) {
	text := strings.ToLower(e.String(name, ""))
	switch text {
	case "":
		return otherwise, nil
	case "yes", "on":
		return true, nil
	case "no", "off":
		return false, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%s=%s is neither true nor false", name, text)
	}
	return b, nil
}

// Duration is a variable like "15m"; a bare number counts seconds.
func (e Env) Duration(name string, otherwise time.Duration) (time.Duration, error) {
	text := e.String(name, "")
	if text == "" {
		return otherwise, nil
	}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is no duration like 15m, and no number of seconds", name, text)
	}
	return d, nil
}

func (e Env) durations(vars map[string]*time.Duration) error {
	for name, to := range vars {
		d, err := e.Duration(name, *to)
		if err != nil {
			return err
		}
		*to = d
	}
	return nil
}
