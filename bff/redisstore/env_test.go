package redisstore_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/redisstore"
	"coatcheck/internal/realredis"
)

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func client(t *testing.T, vars map[string]string) redis.UniversalClient {
	t.Helper()
	rdb, err := redisstore.Client(bff.NewEnv(lookup(vars)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// The guide's variables are enough.
func TestFromEnv(t *testing.T) {
	t.Parallel()
	p := realredis.Listen(t, "--requirepass", "changeit")
	host, port, err := net.SplitHostPort(p.Addr)
	require.NoError(t, err)
	m, err := bff.FromEnv(lookup(map[string]string{
		"SESSION_STORE": "redis", "REDIS_HOST": host, "REDIS_PORT": port, "REDIS_PASSWORD": "changeit", "SESSION_SECRET": "a secret",
	}), redisstore.Opener())
	require.NoError(t, err)
	_, b := site(t, m.Store)
	require.Equal(t, http.StatusOK, b.Get("/me").StatusCode)
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	opt := client(t, nil).(*redis.Client).Options()
	require.Equal(t, "localhost:6379", opt.Addr)
	require.True(t, opt.ContextTimeoutEnabled)
	require.Nil(t, opt.TLSConfig)

	opt = client(t, map[string]string{"REDIS_URL": "rediss://bob:hush@redis.example.com:7000/3"}).(*redis.Client).Options()
	require.Equal(t, "redis.example.com:7000", opt.Addr)
	require.Equal(t, []any{"bob", "hush", 3}, []any{opt.Username, opt.Password, opt.DB})
	require.Equal(t, "redis.example.com", opt.TLSConfig.ServerName)

	opt = client(t, map[string]string{"REDIS_URL": "redis://:hush@a:1/3", "REDIS_HOST": "b", "REDIS_DB": "5", "REDIS_PASSWORD": "other", "REDIS_TLS": "yes"}).(*redis.Client).Options()
	require.Equal(t, []any{"b:1", "other", 5}, []any{opt.Addr, opt.Password, opt.DB})
	require.NotNil(t, opt.TLSConfig)

	opt = client(t, map[string]string{"REDIS_URL": "unix:///run/redis.sock"}).(*redis.Client).Options()
	require.Equal(t, []any{"unix", "/run/redis.sock"}, []any{opt.Network, opt.Addr})

	nodes := client(t, map[string]string{"REDIS_CLUSTER": "a:1, b:2", "REDIS_PASSWORD": "hush"}).(*redis.ClusterClient).Options()
	require.Equal(t, []string{"a:1", "b:2"}, nodes.Addrs)
	require.Equal(t, "hush", nodes.Password)
}

func TestClientRefuses(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for want, vars := range map[string]map[string]string{
		"REDIS_DB":              {"REDIS_DB": "x"},
		"REDIS_TLS=":            {"REDIS_TLS": "perhaps"},
		"REDIS_URL":             {"REDIS_URL": "http://:hush@x"},
		"one of them":           {"REDIS_SENTINELS": "a:1", "REDIS_CLUSTER": "b:1"},
		"REDIS_SENTINEL_MASTER": {"REDIS_SENTINELS": "a:1"},
		"no REDIS_DB":           {"REDIS_CLUSTER": "a:1", "REDIS_DB": "1"},
		"REDIS_TLS_CA":          {"REDIS_TLS": "1", "REDIS_TLS_CA": "/none"},
		"no certificate":        {"REDIS_TLS": "1", "REDIS_TLS_CA": empty},
		"REDIS_TLS_CERT":        {"REDIS_TLS": "1", "REDIS_TLS_CERT": empty},
	} {
		_, err := redisstore.Client(bff.NewEnv(lookup(vars)))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestSentinelFromEnv(t *testing.T) {
	t.Parallel()
	_, _, sentinel := realredis.Sentinel(t)
	rdb := client(t, map[string]string{"REDIS_SENTINELS": "127.0.0.1:" + strconv.Itoa(sentinel.Port), "REDIS_SENTINEL_MASTER": "mymaster"})
	require.NoError(t, rdb.Ping(t.Context()).Err())
}
