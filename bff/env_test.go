package bff_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

// Memory by default, another store by its name.
func TestFromEnvChoosesTheStore(t *testing.T) {
	m, err := bff.FromEnv(env(nil))
	require.NoError(t, err)
	require.NoError(t, m.Check())
	require.Equal(t, "__Host-sid", m.Cookie.Name)
	require.Equal(t, 15*time.Minute, m.IdleTimeout)
	require.NoError(t, m.Store.Create(context.Background(), "myapp:a", bff.Record{}))

	m, err = bff.FromEnv(env(map[string]string{"SESSION_STORE": ""}))
	require.NoError(t, err, "empty is as good as not set")
	require.NoError(t, m.Check())
	require.NotNil(t, m.Store)

	store := bff.NewMapStore(bfftest.NewClock())
	redis := bff.Opener{Name: "redis", Open: func(e bff.Env) (bff.Store, error) {
		if e.String("REDIS_HOST", "localhost") == "nowhere" {
			return nil, errors.New("REDIS_HOST=nowhere")
		}
		return store, nil
	}}
	m, err = bff.FromEnv(env(map[string]string{"SESSION_STORE": "redis", "SESSION_SECRET": "a"}), redis)
	require.NoError(t, err)
	require.Equal(t, store, m.Store)
	_, err = bff.FromEnv(env(map[string]string{"SESSION_STORE": "redis", "REDIS_HOST": "nowhere"}), redis)
	require.ErrorContains(t, err, "REDIS_HOST=nowhere")
	_, err = bff.FromEnv(env(map[string]string{"SESSION_STORE": "redis"}))
	require.ErrorContains(t, err, "SESSION_STORE=redis")
}

func TestFromEnvReadsEverything(t *testing.T) {
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	m, err := bff.FromEnv(env(map[string]string{
		"SESSION_MODE": "compatible", "SESSION_SECRET": "new, old", "SESSION_KEYS": "k1:" + key, "SESSION_PREFIX": "app:",
		"SESSION_IDLE_TIMEOUT": "1800", "SESSION_LIFETIME": "0", "SESSION_TOUCH_EVERY": "30s", "SESSION_RENEW_GRACE": "5s",
		"SESSION_STORE_TIMEOUT": "100ms", "SESSION_MAX_PER_USER": "3", "SESSION_AT_LIMIT": "refuse",
		"SESSION_COOKIE_NAME": "sid", "SESSION_COOKIE_DOMAIN": ".local.com", "SESSION_COOKIE_PATH": "/app", "SESSION_COOKIE_SECURE": "no",
		"SESSION_COOKIE_HTTPONLY": "off", "SESSION_COOKIE_PERSISTENT": "false", "SESSION_COOKIE_SAMESITE": "Lax",
		"SESSION_TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.1", "SESSION_TRUSTED_ORIGINS": "https://a.example.com",
	}))
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("new"), []byte("old")}, m.Secrets)
	require.NotNil(t, m.Keys)
	require.Equal(t, "app:", m.Prefix)
	require.Equal(t, []time.Duration{30 * time.Minute, 0, 30 * time.Second, 5 * time.Second, 100 * time.Millisecond},
		[]time.Duration{m.IdleTimeout, m.Lifetime, m.TouchEvery, m.RenewGrace, m.StoreTimeout})
	require.Equal(t, 3, m.MaxPerUser)
	require.Equal(t, bff.Refuse, m.AtLimit)
	require.Equal(t, bff.Cookie{Name: "sid", Domain: ".local.com", Path: "/app", SameSite: http.SameSiteLaxMode, OnlyHTTPS: true}, m.Cookie)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}, m.TrustedProxies)
	require.Equal(t, []string{"https://a.example.com"}, m.TrustedOrigins)
	require.True(t, m.Shared && m.Passport)

	m, err = bff.FromEnv(env(map[string]string{"SESSION_MODE": "compatible"}))
	require.NoError(t, err)
	require.Equal(t, "myapp:", m.Prefix, "the guide's")
	require.Equal(t, "connect.sid", m.Cookie.Name)
}

// An error names the variable, and no secret.
func TestFromEnvRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"SESSION_MODE": "fast", "SESSION_STORE": "disk", "SESSION_KEYS": "hush", "SESSION_IDLE_TIMEOUT": "long", "SESSION_LIFETIME": "-x",
		"SESSION_MAX_PER_USER": "many", "SESSION_AT_LIMIT": "cry", "SESSION_COOKIE_SECURE": "perhaps", "SESSION_COOKIE_SAMESITE": "some",
		"SESSION_TRUSTED_PROXIES": "everybody",
	} {
		_, err := bff.FromEnv(env(map[string]string{name: value}))
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "hush")
	}
	_, err := bff.FromEnv(env(map[string]string{"SESSION_KEYS": "k1:" + base64.StdEncoding.EncodeToString([]byte("short"))}))
	require.ErrorContains(t, err, "SESSION_KEYS")
	_, err = bff.FromEnv(env(map[string]string{"SESSION_COOKIE_DOMAIN": ".local.com"}))
	require.ErrorContains(t, err, "__Host-sid", "a domain and a __Host- name do not go together")
}

// What no variable sets can be set after FromEnv.
func TestFromEnvLeavesTheRest(t *testing.T) {
	m, err := bff.FromEnv(func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	clock := bfftest.NewClock()
	m.Clock = clock
	b := bfftest.NewBrowser(t, m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, m.SignIn(r.Context(), bff.Identity{User: "alice"}))
		idle, _ := m.From(r.Context()).Deadlines()
		require.Equal(t, clock.Now().Add(15*time.Minute), idle)
	})))
	b.Post("/")
}
