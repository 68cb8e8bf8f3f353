package server

import (
	"fmt"
	"os"
	"strings"
)

// Variable is a variable of the environment that configures the server.
type Variable struct {
	Name    string
	Default string // "" for none
	Help    string
	// Secret says that NAME_FILE may name a file with the value instead.
	Secret bool
}

// Variables are all of them. An API's name stands for <NAME>, in capitals and with
// underscores for hyphens.
var Variables = []Variable{
	{Name: "BFF_ADDR", Default: "127.0.0.1:3000", Help: "Where browsers are served."},
	{Name: "BFF_ADMIN_ADDR", Default: "127.0.0.1:3001", Help: "Where `/metrics`, health and `/internal/sessions` are served; `off`: nowhere."},
	{Name: "BFF_PUBLIC_URL", Default: "http://localhost:3000", Help: "How browsers call the application, as an origin. The port is that of `BFF_ADDR` where none is said."},
	{Name: "BFF_ALLOWED_HOSTS", Help: "More names that requests may have in Host, beside that of `BFF_PUBLIC_URL`."},
	{Name: "BFF_TLS_CERT", Help: "Certificate in PEM; with `BFF_TLS_KEY`, browsers are served by TLS."},
	{Name: "BFF_TLS_KEY", Help: "Its key in PEM."},
	{Name: "BFF_OIDC_ISSUER", Help: "The identity provider's address, letter by letter as it calls itself; without it nobody signs in by OpenID Connect."},
	{Name: "BFF_OIDC_CLIENT_ID", Help: "The application's id there."},
	{Name: "BFF_OIDC_CLIENT_SECRET", Help: "Its secret there.", Secret: true},
	{Name: "BFF_OIDC_SCOPES", Default: "profile,email", Help: "What is asked for beside `openid`, with commas between."},
	{Name: "BFF_OIDC_LOGOUT_TYPE", Default: "strict", Help: "`strict`: logout tokens must have the type `logout+jwt`; `any`: older providers' too."},
	{Name: "BFF_POST_LOGOUT_URL", Help: "Where the provider sends browsers after a logout; none: to `BFF_PUBLIC_URL`."},
	{Name: "BFF_APIS", Help: "APIs behind `/bff/api/<name>/`: `name=https://host/path`, with commas between."},
	{Name: "BFF_API_<NAME>_PATHS", Help: "Paths of that API that are allowed, with commas between; one with a slash at its end allows what is below. None: all."},
	{Name: "BFF_API_<NAME>_METHODS", Default: "GET,HEAD,POST,PUT,PATCH,DELETE", Help: "Methods of that API that are allowed."},
	{Name: "BFF_MAX_BODY", Default: "10485760", Help: "Bytes that a request to an API may have in its body."},
	{Name: "BFF_ADMIN_USER", Help: "Who may use `/internal/sessions`; without a user nobody may."},
	{Name: "BFF_ADMIN_PASSWORD", Help: "That user's password.", Secret: true},
	{Name: "BFF_DEV_LOGIN", Default: "false", Help: "`POST /bff/dev/login` signs in whoever is named. For development."},
	{Name: "BFF_STATIC_DIR", Help: "A directory with the application's pages; none: a small page of ours."},
	{Name: "BFF_CSP", Default: "ours", Help: "The Content-Security-Policy of those pages; `ours` allows nothing but this origin, and nothing inline."},
	{Name: "BFF_LOG_LEVEL", Default: "info", Help: "`debug`, `info`, `warn` or `error`. `debug` has a line for each call of the store."},
	{Name: "BFF_LOG_FORMAT", Default: "text", Help: "`text` or `json`."},
	{Name: "SESSION_STORE", Default: "in-memory", Help: "`in-memory`, or `redis`: any Redis from 6.2 on."},
	{Name: "SESSION_MODE", Default: "safe", Help: "`safe`, or `compatible`: cookie and JSON of express-session, shared with Node applications."},
	{Name: "SESSION_SECRET", Help: "Secrets with commas between; the first signs, all verify.", Secret: true},
	{Name: "SESSION_KEYS", Help: "Keys that seal tokens, `id:base64` with commas between, 32 bytes or more each; the first seals.", Secret: true},
	{Name: "SESSION_PREFIX", Default: "myapp:", Help: "What the keys of sessions begin with in the store."},
	{Name: "SESSION_IDLE_TIMEOUT", Default: "15m", Help: "Ends a session that nobody uses."},
	{Name: "SESSION_LIFETIME", Default: "12h", Help: "Ends a session however much it is used."},
	{Name: "SESSION_TOUCH_EVERY", Default: "1m", Help: "How much of the idle timeout may pass before a request moves the deadline again."},
	{Name: "SESSION_RENEW_GRACE", Default: "0s", Help: "How long an old id works after its session got a new one, other than by signing in."},
	{Name: "SESSION_MAX_PER_USER", Default: "0", Help: "Sessions that one user may have; 0: no bound."},
	{Name: "SESSION_AT_LIMIT", Default: "evict-oldest", Help: "`evict-oldest` or `refuse`."},
	{Name: "SESSION_STORE_TIMEOUT", Default: "250ms", Help: "Bounds each call of the store."},
	{Name: "SESSION_MAX_MEMORY", Default: "0", Help: "Bytes for sessions in memory; 0: no bound."},
	{Name: "SESSION_COOKIE_NAME", Default: "__Host-sid", Help: "The cookie's name."},
	{Name: "SESSION_COOKIE_DOMAIN", Help: "Its domain; none: this host alone."},
	{Name: "SESSION_COOKIE_PATH", Default: "/", Help: "Its path."},
	{Name: "SESSION_COOKIE_SECURE", Default: "true", Help: "Whether it goes by HTTPS only."},
	{Name: "SESSION_COOKIE_HTTPONLY", Default: "true", Help: "Whether scripts cannot read it."},
	{Name: "SESSION_COOKIE_SAMESITE", Default: "strict", Help: "`strict`, `lax`, `none` or `off`."},
	{Name: "SESSION_COOKIE_PARTITIONED", Default: "false", Help: "For pages that are embedded in others."},
	{Name: "SESSION_COOKIE_PERSISTENT", Default: "false", Help: "Whether it outlives the browser."},
	{Name: "SESSION_TRUSTED_PROXIES", Help: "Networks whose X-Forwarded-For and X-Forwarded-Proto count."},
	{Name: "SESSION_TRUSTED_ORIGINS", Help: "Origins whose pages may send requests across: `https://app.example.com`."},
	{Name: "REDIS_HOST", Default: "localhost", Help: "The Redis of `SESSION_STORE=redis`."},
	{Name: "REDIS_PORT", Default: "6379", Help: "Its port."},
	{Name: "REDIS_USERNAME", Help: "Who signs in there; none: the default user."},
	{Name: "REDIS_PASSWORD", Help: "With what.", Secret: true},
	{Name: "REDIS_DB", Default: "0", Help: "Its database."},
	{Name: "REDIS_URL", Help: "`redis://` or `rediss://` with all of that; what else is set wins.", Secret: true},
	{Name: "REDIS_TLS", Default: "false", Help: "Whether to speak TLS."},
	{Name: "REDIS_TLS_CA", Help: "Who signed its certificate, in PEM."},
	{Name: "REDIS_TLS_CERT", Help: "Our certificate, in PEM."},
	{Name: "REDIS_TLS_KEY", Help: "Its key, in PEM."},
	{Name: "REDIS_TLS_SERVER_NAME", Help: "The name in its certificate, when it is not the host."},
	{Name: "REDIS_SENTINELS", Help: "`host:port` of Sentinels, with commas between."},
	{Name: "REDIS_SENTINEL_MASTER", Help: "The name that they know the master by."},
	{Name: "REDIS_SENTINEL_PASSWORD", Help: "The Sentinels' own password.", Secret: true},
	{Name: "REDIS_CLUSTER", Help: "`host:port` of some of a Cluster's servers."},
}

// environment is the variables, those in files among them.
type environment map[string]string

// readEnvironment takes the variables of environ ("NAME=value") that are ours, and
// reads the files that some of them name.
func readEnvironment(environ []string) (environment, error) {
	env := environment{}
	for _, entry := range environ {
		if name, val, ok := strings.Cut(entry, "="); ok {
			env[name] = val
		}
	}
	for _, v := range Variables {
		file := env[v.Name+"_FILE"]
		if !v.Secret || file == "" {
			continue
		}
		if env[v.Name] != "" {
			return nil, fmt.Errorf("%s and %s_FILE: one of them", v.Name, v.Name)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", v.Name, err)
		}
		env[v.Name] = strings.TrimRight(string(text), "\r\n")
	}
	return env, env.known()
}

// known refuses variables of ours that do not exist: a setting that was misspelled is
// one that does not hold.
func (env environment) known() error {
	names := map[string]bool{}
	for _, v := range Variables {
		names[v.Name] = true
		names[v.Name+"_FILE"] = v.Secret
	}
	for name := range env {
		switch {
		case !strings.HasPrefix(name, "BFF_") && !strings.HasPrefix(name, "SESSION_"), names[name]:
		case strings.HasPrefix(name, "SESSION_") && !strings.HasPrefix(name, "SESSION_COOKIE_"): // desktops have some
		case strings.HasPrefix(name, "BFF_API_") && (strings.HasSuffix(name, "_PATHS") || strings.HasSuffix(name, "_METHODS")):
		default:
			return &Refusal{"unknown-variable", name + " is no variable of this server."}
		}
	}
	return nil
}

// lookup has the shape of os.LookupEnv.
func (env environment) lookup(name string) (string, bool) {
	val, ok := env[name]
	return val, ok
}
