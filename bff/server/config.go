package server

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"coatcheck/bff"
	"coatcheck/bff/memstore"
	"coatcheck/bff/proxy"
	"coatcheck/bff/redisstore"
)

// Config is what the server does. Load makes one.
type Config struct {
	Addr, AdminAddr string // AdminAddr "": no listener
	PublicURL       *url.URL
	Hosts           []string // that requests may have in Host, beside PublicURL's
	TLSCert, TLSKey string
	OIDC            OIDC
	APIs            []proxy.Upstream
	MaxBody         int64
	AdminUser       string // "": nobody
	AdminPassword   string
	DevLogin        bool
	StaticDir       string // "": the page of ours
	CSP             string
	LogLevel        slog.Level
	LogJSON         bool
	// Manager keeps the sessions. Its Logger, Metrics and Clock may still be set.
	Manager *bff.Manager
	// Warnings are what Load would not refuse, and does not like.
	Warnings []string
}

// OIDC is the identity provider, without an Issuer none.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Scopes                         []string
	AnyLogoutType                  bool
	PostLogoutURL                  string
}

// defaultCSP allows nothing but this origin, and nothing inline.
const defaultCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Load reads the configuration from variables ("NAME=value"). It fails with a *Refusal
// when it is not safe.
func Load(environ []string) (*Config, error) {
	vars, err := readEnvironment(environ)
	if err != nil {
		return nil, err
	}
	env := bff.NewEnv(vars.lookup)
	c := &Config{
		Addr: env.String("BFF_ADDR", "127.0.0.1:3000"), AdminAddr: env.String("BFF_ADMIN_ADDR", "127.0.0.1:3001"),
		Hosts: env.List("BFF_ALLOWED_HOSTS"), TLSCert: env.String("BFF_TLS_CERT", ""), TLSKey: env.String("BFF_TLS_KEY", ""),
		OIDC: OIDC{
			Issuer: env.String("BFF_OIDC_ISSUER", ""), ClientID: env.String("BFF_OIDC_CLIENT_ID", ""),
			ClientSecret: env.String("BFF_OIDC_CLIENT_SECRET", ""), Scopes: env.List("BFF_OIDC_SCOPES"),
		},
		AdminUser: env.String("BFF_ADMIN_USER", ""), AdminPassword: env.String("BFF_ADMIN_PASSWORD", ""),
		StaticDir: env.String("BFF_STATIC_DIR", ""), CSP: env.String("BFF_CSP", "ours"),
	}
	if c.AdminAddr == "off" {
		c.AdminAddr = ""
	}
	if c.CSP == "ours" {
		c.CSP = defaultCSP
	}
	if len(c.OIDC.Scopes) == 0 {
		c.OIDC.Scopes = []string{"profile", "email"}
	}
	for _, read := range []func(bff.Env) error{c.readWords, c.readPublic, c.readAPIs} {
		if err := read(env); err != nil {
			return nil, err
		}
	}
	if err := c.openManager(vars, env); err != nil {
		return nil, err
	}
	return c, nil
}

// openManager checks the rules and makes the Manager, in the order in which that makes
// sense: a rule has a name, what the Manager finds has none.
func (c *Config) openManager(vars environment, env bff.Env) (err error) {
	if err := c.judge(env); err != nil {
		return err
	}
	if c.Manager, err = bff.FromEnv(vars.lookup, memstore.Opener(), redisstore.Opener()); err != nil {
		return err
	}
	if c.Manager.Keys == nil && isLocal(env) {
		// The keys end with the process, as the sessions do.
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // it never fails
		if c.Manager.Keys, err = bff.NewKeyring(bff.Key{ID: "process", Secret: secret}); err != nil {
			return err
		}
	}
	return c.judgeManager(env)
}

func isLocal(env bff.Env) bool {
	name := env.String("SESSION_STORE", "in-memory")
	return name == "in-memory" || name == "memory"
}

// readWords reads the variables that have a few words to choose from.
func (c *Config) readWords(env bff.Env) (err error) {
	if c.DevLogin, err = env.Bool("BFF_DEV_LOGIN", false); err != nil {
		return err
	}
	switch kind := env.String("BFF_OIDC_LOGOUT_TYPE", "strict"); kind {
	case "strict":
	case "any":
		c.OIDC.AnyLogoutType = true
	default:
		return fmt.Errorf("BFF_OIDC_LOGOUT_TYPE=%s: strict and any are what there is", kind)
	}
	if err := c.LogLevel.UnmarshalText([]byte(env.String("BFF_LOG_LEVEL", "info"))); err != nil {
		return fmt.Errorf("BFF_LOG_LEVEL: %w", err)
	}
	switch format := env.String("BFF_LOG_FORMAT", "text"); format {
	case "text":
	case "json":
		c.LogJSON = true
	default:
		return fmt.Errorf("BFF_LOG_FORMAT=%s: text and json are what there is", format)
	}
	body, err := env.Int("BFF_MAX_BODY", 10<<20)
	if err == nil && body <= 0 {
		err = fmt.Errorf("BFF_MAX_BODY=%d: it must be positive", body)
	}
	c.MaxBody = int64(body)
	return err
}

func (c *Config) readPublic(env bff.Env) error {
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("BFF_ADDR=%s is no address like 127.0.0.1:3000", c.Addr)
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	text := env.String("BFF_PUBLIC_URL", scheme+"://localhost:"+port)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("BFF_PUBLIC_URL=%s is no origin like https://app.example.com", text)
	}
	u.Path = ""
	c.PublicURL = u
	c.OIDC.PostLogoutURL = env.String("BFF_POST_LOGOUT_URL", u.String()+"/")
	return nil
}

func (c *Config) readAPIs(env bff.Env) error {
	for _, entry := range env.List("BFF_APIS") {
		name, at, ok := strings.Cut(entry, "=")
		u, err := url.Parse(at)
		if !ok || err != nil {
			return fmt.Errorf("BFF_APIS: %q is not name=https://host/path", entry)
		}
		variable := "BFF_API_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		c.APIs = append(c.APIs, proxy.Upstream{
			Name: name, URL: u, Paths: env.List(variable + "_PATHS"), Methods: env.List(variable + "_METHODS"),
		})
	}
	return nil
}

// Logger is the logger that the configuration wants, on w.
func (c *Config) Logger(w interface{ Write([]byte) (int, error) }) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// hosts are what requests may have in Host, in small letters.
func (c *Config) hosts() map[string]bool {
	out := map[string]bool{}
	add := func(host string) {
		host = strings.ToLower(host)
		out[host] = true
		// Browsers leave out the port that the scheme has anyway.
		port := map[string]string{"http": "80", "https": "443"}[c.PublicURL.Scheme]
		if bare, ok := strings.CutSuffix(host, ":"+port); ok {
			out[bare] = true
		} else if _, _, err := net.SplitHostPort(host); err != nil {
			out[net.JoinHostPort(strings.Trim(host, "[]"), port)] = true
		}
	}
	add(c.PublicURL.Host)
	for _, h := range c.Hosts {
		add(h)
	}
	if host, port, err := net.SplitHostPort(c.Addr); err == nil && isLoopbackListener(host) {
		for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
			add(net.JoinHostPort(name, port))
		}
	}
	return out
}

func isLoopbackListener(host string) bool {
	return cmp.Or(host, "0.0.0.0") == "localhost" || isLoopbackIP(host)
}
