package coatchecktest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"coatcheck/coatchecktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

func client(t testing.TB, srv *coatchecktest.Server) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestExpiryHappensExactlyThen(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	require.NoError(t, rdb.Set(ctx, "session", "x", 15*time.Minute).Err())

	srv.Advance(15*time.Minute - time.Millisecond)
	require.Equal(t, "x", rdb.Get(ctx, "session").Val())
	require.Equal(t, time.Millisecond, srv.TTL("session"))
	require.Empty(t, srv.Events("expired"))

	srv.Advance(time.Millisecond)
	require.ErrorIs(t, rdb.Get(ctx, "session").Err(), redis.Nil)
	require.False(t, srv.Exists("session"))
}

// However many expire at one moment, none is left after it.
func TestSetTimeGoesBackToo(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.SetEX("k", "v", time.Minute)
	at := srv.Now()
	srv.SetTime(at.Add(-time.Hour))
	require.Equal(t, time.Hour+time.Minute, srv.TTL("k"))
	srv.SetTime(at.Add(time.Hour))
	require.False(t, srv.Exists("k"))
}

func TestDirectAccess(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.Set("a", "1")
	srv.SetEX("b", "2", time.Minute)
	srv.DB(1).Set("c", "3")

	value, ok := srv.Get("a")
	require.Equal(t, "1", value)
	require.True(t, ok)
	_, ok = srv.Get("nosuch")
	require.False(t, ok)
	srv.CheckGet("a", "1")
	srv.DB(1).CheckGet("c", "3")

	require.Equal(t, []string{"a", "b"}, srv.Keys())
	require.Equal(t, []string{"b"}, srv.Keys("[b-z]"))
	require.Equal(t, "string", srv.Type("a"))
	require.Equal(t, "none", srv.Type("c"))
	require.Equal(t, time.Minute, srv.TTL("b"))
	require.Zero(t, srv.TTL("a"))
	require.True(t, srv.SetTTL("a", time.Hour))
	require.Equal(t, time.Hour, srv.TTL("a"))
	require.True(t, srv.SetTTL("a", 0))
	require.Zero(t, srv.TTL("a"))
	require.False(t, srv.SetTTL("nosuch", time.Hour))
	require.Equal(t, 1, srv.Del("a", "nosuch"))
	require.False(t, srv.Exists("a"))

	srv.FlushDB()
	require.Empty(t, srv.Keys())
	require.Equal(t, []string{"c"}, srv.DB(1).Keys())
	srv.FlushAll()
	require.Empty(t, srv.DB(1).Keys())
	require.Zero(t, srv.CommandCount(), "none of this was a command")
}

func TestDump(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.SetEX("myapp:2", `{"user":"anna"}`, 15*time.Minute)
	srv.Set("myapp:1", "two\nlines")
	srv.DB(5).Set("über", "größe")
	require.Equal(t, `myapp:1 (string)
    "two\nlines"
myapp:2 (string, 15m0s)
    {"user":"anna"}
`, srv.Dump())
	require.Equal(t, "database 0\n"+srv.Dump()+"database 5\nüber (string)\n    größe\n", srv.DumpAll())
}

func TestRequireAuth(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.RequireAuth("secret")
	require.ErrorContains(t, client(t, srv).Ping(ctx).Err(), "NOAUTH")
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), Password: "secret"})
	defer rdb.Close()
	require.NoError(t, rdb.Ping(ctx).Err())
	srv.RequireAuth("")
	require.NoError(t, client(t, srv).Ping(ctx).Err())
}

func TestRequireUser(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.RequireUser("anna", "secret")
	require.ErrorContains(t, client(t, srv).Ping(ctx).Err(), "NOAUTH")
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), Username: "anna", Password: "secret"})
	defer rdb.Close()
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err())
	require.Equal(t, "anna", rdb.Do(ctx, "ACL", "WHOAMI").Val())
}

func TestPasswordOption(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t, coatchecktest.Password("secret"))
	require.ErrorContains(t, client(t, srv).Ping(ctx).Err(), "NOAUTH")
}

func TestRestartKeepsAddressAndData(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	require.NoError(t, rdb.Set(ctx, "k", "v", time.Minute).Err())
	addr := srv.Addr()

	srv.Stop()
	require.Error(t, rdb.Get(ctx, "k").Err())
	_, err := net.Dial("tcp", addr)
	require.ErrorContains(t, err, "connection refused")
	_, err = srv.Dial(ctx, "", "")
	require.ErrorContains(t, err, "stopped")
	require.Zero(t, srv.Connections())
	srv.CheckGet("k", "v")

	srv.Restart()
	require.Equal(t, addr, srv.Addr())
	require.Equal(t, "v", rdb.Get(ctx, "k").Val())
	require.Equal(t, addr, srv.Host()+":"+srv.Port())
}

func TestTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer web.Close()
	srv := coatchecktest.Run(t, coatchecktest.TLS(&tls.Config{Certificates: web.TLS.Certificates}))
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), TLSConfig: &tls.Config{RootCAs: roots}})
	defer rdb.Close()
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err())
	srv.CheckGet("k", "v")
}

func TestPipeOnly(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t, coatchecktest.PipeOnly())
	require.Empty(t, srv.Addr())
	rdb := redis.NewClient(&redis.Options{Dialer: srv.Dial})
	defer rdb.Close()
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err())
	srv.CheckGet("k", "v")
}
