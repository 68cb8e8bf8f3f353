// Package servertest starts servers for tests.
package servertest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/server"
)

// Start serves an empty store on a free port of the loopback, until the test
// ends. change, unless nil, may alter the options and their Config before.
func Start(t testing.TB, change func(o *server.Options)) *server.Server {
	t.Helper()
	cfg := config.New()
	cfg.Port = 0
	opts := server.Options{Config: cfg, Addr: "127.0.0.1:0"}
	if change != nil {
		change(&opts)
	}
	if opts.Engine == nil {
		opts.Engine = engine.New(engine.Options{Databases: cfg.Databases})
	}
	srv, err := server.New(opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, srv.Shutdown(ctx))
		opts.Engine.Close()
	})
	require.NoError(t, srv.Listen())
	return srv
}

// Dial connects to the server's socket.
func Dial(t testing.TB, srv *server.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// WaitBlocked waits until exactly n clients are blocked: by a command that waits
// for data, or by CLIENT PAUSE. It fails the test when that does not happen within
// ten seconds.
func WaitBlocked(t testing.TB, srv *server.Server, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return srv.Counts().Blocked == n }, 10*time.Second, time.Millisecond, "%d blocked clients", n)
}
