package server_test

import (
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// freePort is a port of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// answers says whether somebody at addr answers PING.
func answers(t *testing.T, addr string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	var reply [7]byte
	_, err = io.ReadFull(conn, reply[:])
	return err == nil && string(reply[:]) == "+PONG\r\n"
}

func TestPortAndBindChangeWhileListening(t *testing.T) {
	for _, goroutines := range []bool{false, true} {
		first, second := freePort(t), freePort(t)
		srv := servertest.Start(t, func(o *server.Options) {
			n, err := strconv.Atoi(first)
			require.NoError(t, err)
			o.Addr, o.Config.Port, o.Config.Bind, o.GoroutinePerConn = "", n, []string{"127.0.0.1"}, goroutines
		})
		c := newCaller(t, srv)
		require.True(t, answers(t, "127.0.0.1:"+first))
		old := newPeer(t, servertest.Dial(t, srv))
		old.ask("PING\r\n", "+PONG\r\n")

		c.says("+OK", "CONFIG", "SET", "port", second)
		require.True(t, answers(t, "127.0.0.1:"+second))
		require.False(t, answers(t, "127.0.0.1:"+first))
		old.ask("PING\r\n", "+PONG\r\n")
		require.Equal(t, "127.0.0.1:"+second, srv.Addr().String())

		c.says("+OK", "CONFIG", "SET", "bind", "*")
		require.True(t, answers(t, "127.0.0.2:"+second))
		c.says("+OK", "CONFIG", "SET", "bind", "127.0.0.2 127.0.0.1")
		require.True(t, answers(t, "127.0.0.1:"+second))
		require.True(t, answers(t, "127.0.0.2:"+second))

		taken, err := net.Listen("tcp", "127.0.0.1:"+first)
		require.NoError(t, err)
		c.says("-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.", "CONFIG", "SET", "port", first)
		c.says(`*[$"port" $"`+second+`"]`, "CONFIG", "GET", "port")
		require.True(t, answers(t, "127.0.0.1:"+second))
		require.True(t, answers(t, "127.0.0.2:"+second))
		require.NoError(t, taken.Close())
		c.says("-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.", "CONFIG", "SET", "bind", "no such host")
		require.True(t, answers(t, "127.0.0.1:"+second))
		c.says("-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to update TLS configuration. Check server logs.", "CONFIG", "SET", "tls-port", first)

		c.says("+OK", "CONFIG", "SET", "port", "0")
		require.False(t, answers(t, "127.0.0.1:"+second))
		require.Nil(t, srv.Addr())
		c.says("+OK", "CONFIG", "SET", "port", first)
		require.True(t, answers(t, "127.0.0.1:"+first))

		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		require.NoError(t, srv.Shutdown(ctx))
		cancel()
		require.False(t, answers(t, "127.0.0.1:"+first))
	}
}
