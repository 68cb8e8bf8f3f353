package server_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/bff/server"
)

// load is Load of variables, "NAME=value".
func load(vars ...string) (*server.Config, error) { return server.Load(vars) }

var (
	secret = strings.Repeat("s", 32)
	keys   = "k:" + base64.StdEncoding.EncodeToString(make([]byte, 32))
)

func TestDefaultsStart(t *testing.T) {
	c, err := load()
	require.NoError(t, err)
	require.Equal(t, "http://localhost:3000", c.PublicURL.String())
	require.Len(t, c.Warnings, 1, "nobody can sign in")
	require.NotNil(t, c.Manager.Keys)
	s, err := server.New(c)
	require.NoError(t, err)
	s.Drain()
}

// Each rule refuses what it says, by its name.
func TestRules(t *testing.T) {
	idp := []string{"BFF_OIDC_ISSUER=https://id.example.com", "BFF_OIDC_CLIENT_ID=a", "BFF_OIDC_CLIENT_SECRET=b"}
	redis := []string{"SESSION_STORE=redis", "SESSION_SECRET=" + secret}
	with := func(base []string, more ...string) []string { return append(append([]string{}, base...), more...) }
	broken := map[string][][]string{
		"unknown-variable": {{"BFF_ADDRESS=:1"}, {"SESSION_COOKIE_SAME_SITE=lax"}, {"BFF_ADDR_FILE=/x"}},
		"dev-login-loopback": {
			{"BFF_DEV_LOGIN=1", "BFF_ADDR=:3000"}, {"BFF_DEV_LOGIN=1", "BFF_ADDR=0.0.0.0:3000"}, {"BFF_DEV_LOGIN=1", "BFF_ADDR=192.0.2.1:3000"},
			{"BFF_DEV_LOGIN=1", "BFF_ADDR=[::]:3000"}, {"BFF_DEV_LOGIN=1", "BFF_PUBLIC_URL=https://app.example.com"},
			{"BFF_DEV_LOGIN=1", "SESSION_TRUSTED_PROXIES=10.0.0.0/8"}, {"BFF_DEV_LOGIN=1", "BFF_ALLOWED_HOSTS=app.example.com"},
			with(idp, "BFF_DEV_LOGIN=1"),
		},
		"public-url-https": {{"BFF_PUBLIC_URL=http://app.example.com"}, {"BFF_PUBLIC_URL=http://localhost.example.com"}},
		"issuer-https":     {{"BFF_OIDC_ISSUER=http://id.example.com", "BFF_OIDC_CLIENT_ID=a", "BFF_OIDC_CLIENT_SECRET=b"}},
		"oidc-complete":    {{"BFF_OIDC_ISSUER=https://id.example.com"}, {"BFF_OIDC_CLIENT_ID=a", "BFF_OIDC_CLIENT_SECRET=b"}},
		"api-https":        {{"BFF_APIS=x=http://api.example.com"}, {"BFF_APIS=x=http://192.0.2.1"}},
		"tls-pair":         {{"BFF_TLS_CERT=x"}, {"BFF_TLS_KEY=x"}},
		"secret-needed":    {{"SESSION_STORE=redis"}},
		"secret-length":    {{"SESSION_SECRET=short"}, {"SESSION_SECRET=" + secret + ",short"}, {"SESSION_MODE=compatible", "SESSION_SECRET=short"}},
		"keys-needed":      {with(redis, idp...)},
		"cookie-secure": {
			{"SESSION_COOKIE_SECURE=false", "SESSION_COOKIE_NAME=sid", "BFF_PUBLIC_URL=https://app.example.com"},
			{"SESSION_COOKIE_SECURE=false", "SESSION_COOKIE_NAME=sid", "BFF_ADDR=:3000"},
		},
		"cookie-httponly": {{"SESSION_COOKIE_HTTPONLY=false"}},
		"cookie-samesite": {{"SESSION_COOKIE_SAMESITE=none"}, {"SESSION_COOKIE_SAMESITE=off"}},
		"timeouts":        {{"SESSION_LIFETIME=0"}, {"SESSION_LIFETIME=721h"}, {"SESSION_LIFETIME=1h", "SESSION_IDLE_TIMEOUT=2h"}},
		"admin-password": {
			{"BFF_ADMIN_USER=a"}, {"BFF_ADMIN_PASSWORD=correct horse battery"}, {"BFF_ADMIN_USER=admin", "BFF_ADMIN_PASSWORD=admin", "BFF_ADDR=:3000"},
			{"BFF_ADMIN_USER=admin", "BFF_ADMIN_PASSWORD=admin", "BFF_ADMIN_ADDR=:3001"},
		},
	}
	for _, rule := range server.Rules {
		require.NotEmpty(t, broken[rule.Name], "a test of rule %s", rule.Name)
		for _, vars := range broken[rule.Name] {
			_, err := server.Load(vars)
			var no *server.Refusal
			require.ErrorAs(t, err, &no, "%q", vars)
			require.Equal(t, rule.Name, no.Rule, "%q", vars)
			require.Contains(t, err.Error(), "refused by rule "+rule.Name)
		}
		delete(broken, rule.Name)
	}
	require.Empty(t, broken)
}

func TestWhatRulesAllow(t *testing.T) {
	for _, vars := range [][]string{
		{"BFF_DEV_LOGIN=1"}, {"BFF_DEV_LOGIN=1", "BFF_ADDR=[::1]:3000"}, {"BFF_DEV_LOGIN=1", "BFF_ADDR=localhost:3000"},
		{"BFF_DEV_LOGIN=1", "BFF_OIDC_ISSUER=http://localhost:9000", "BFF_OIDC_CLIENT_ID=a", "BFF_OIDC_CLIENT_SECRET=b"},
		{"BFF_ADMIN_USER=admin", "BFF_ADMIN_PASSWORD=admin"}, {"BFF_ADDR=:3000"},
		{"BFF_APIS=a=http://127.0.0.1:1,b=http://10.1.2.3,c=http://api:8080/v1,d=https://api.example.com"},
		{"SESSION_STORE=redis", "SESSION_SECRET=" + secret, "SESSION_KEYS=" + keys, "BFF_OIDC_ISSUER=https://id.example.com", "BFF_OIDC_CLIENT_ID=a", "BFF_OIDC_CLIENT_SECRET=b"},
		{"SESSION_MODE=compatible", "SESSION_SECRET=keyboard cat", "SESSION_STORE=redis"},
		{"SESSION_COOKIE_SAMESITE=none", "SESSION_TRUSTED_ORIGINS=https://app.example.com"},
		{"SESSION_COOKIE_SECURE=false", "SESSION_COOKIE_NAME=sid"},
		{"SESSION_MANAGER=local/host:@/tmp/.ICE-unix/1"}, {"BFF_TLS_CERT=a", "BFF_TLS_KEY=b"},
	} {
		_, err := server.Load(vars)
		require.NoError(t, err, "%q", vars)
	}
}

func TestWrongValues(t *testing.T) {
	for _, v := range []string{
		"BFF_ADDR=3000", "BFF_PUBLIC_URL=localhost", "BFF_PUBLIC_URL=https://a/b", "BFF_PUBLIC_URL=https://a?x", "BFF_DEV_LOGIN=perhaps",
		"BFF_OIDC_LOGOUT_TYPE=x", "BFF_LOG_LEVEL=x", "BFF_LOG_FORMAT=x", "BFF_MAX_BODY=0", "BFF_APIS=x", "SESSION_IDLE_TIMEOUT=x",
		"SESSION_KEYS=x",
	} {
		_, err := load(v)
		require.Error(t, err, v)
		name, _, _ := strings.Cut(v, "=")
		require.ErrorContains(t, err, name)
		var no *server.Refusal
		require.False(t, errors.As(err, &no))
	}
	_, err := load("SESSION_STORE=file", "SESSION_SECRET="+secret)
	require.ErrorContains(t, err, "SESSION_STORE=file")
	for _, v := range []string{"BFF_APIS=UP=https://a.example", "BFF_APIS=a=ftp://b", "BFF_STATIC_DIR=/nowhere"} {
		c, err := load(v)
		require.NoError(t, err)
		_, err = server.New(c)
		require.Error(t, err, v)
	}
}

func TestSecretsInFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	c, err := load("SESSION_SECRET_FILE=" + file)
	require.NoError(t, err)
	require.Equal(t, []byte(secret), c.Manager.Secrets[0])
	_, err = load("SESSION_SECRET_FILE="+file, "SESSION_SECRET="+secret)
	require.ErrorContains(t, err, "one of them")
	_, err = load("SESSION_SECRET_FILE=/nowhere")
	require.ErrorContains(t, err, "SESSION_SECRET_FILE")
}

func TestAPIs(t *testing.T) {
	c, err := load("BFF_APIS=orders=https://a.example/v1, my-api=http://localhost:1", "BFF_API_MY_API_PATHS=/x/,/y", "BFF_API_MY_API_METHODS=GET")
	require.NoError(t, err)
	require.Len(t, c.APIs, 2)
	require.Equal(t, "https://a.example/v1", c.APIs[0].URL.String())
	require.Equal(t, []string{"/x/", "/y"}, c.APIs[1].Paths)
	require.Equal(t, []string{"GET"}, c.APIs[1].Methods)
}

// The page has the tables as they are. UPDATE_DOCS=1 writes them.
func TestDocs(t *testing.T) {
	const file = "../../docs/bff.md"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(text)
	for name, want := range map[string]string{"variables": server.Table(), "rules": server.RulesTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		before, rest, ok := strings.Cut(page, begin)
		require.True(t, ok, begin)
		got, after, ok := strings.Cut(rest, end)
		require.True(t, ok, end)
		if os.Getenv("UPDATE_DOCS") != "" {
			page = before + begin + want + end + after
			continue
		}
		require.Equal(t, want, got, "docs/bff.md: UPDATE_DOCS=1 go test ./bff/server -run TestDocs")
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	}
}
