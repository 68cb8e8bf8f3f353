package server_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// transports are the ways a client can reach a server; every test of what goes
// over a connection runs on each.
var transports = []struct {
	name   string
	change func(o *server.Options)
	dial   func(t testing.TB, srv *server.Server) net.Conn
}{
	{"loops", nil, servertest.Dial},
	{"goroutines", func(o *server.Options) { o.GoroutinePerConn = true }, servertest.Dial},
	{"pipe", func(o *server.Options) { o.Addr = "" }, dialPipe},
}

func dialPipe(t testing.TB, srv *server.Server) net.Conn {
	t.Helper()
	conn, err := srv.Dial(context.Background(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// peer is a client of a test: it sends text and expects text.
type peer struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return &peer{t, conn, bufio.NewReader(conn)}
}

func (p *peer) send(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.Conn, text)
	require.NoError(p.t, err)
}

func (p *peer) expect(text string) {
	p.t.Helper()
	b := make([]byte, len(text))
	n, err := io.ReadFull(p.r, b)
	require.Equal(p.t, text, string(b[:n]))
	require.NoError(p.t, err)
}

func (p *peer) ask(text, want string) {
	p.t.Helper()
	p.send(text)
	p.expect(want)
}

func (p *peer) line() string {
	p.t.Helper()
	line, err := p.r.ReadString('\n')
	require.NoError(p.t, err)
	return line
}

// expectClosed waits until the server closes the connection; what it sent
// before is returned.
func (p *peer) expectClosed() string {
	p.t.Helper()
	b, err := io.ReadAll(p.r)
	if err != nil {
		require.ErrorContains(p.t, err, "reset")
	}
	return string(b)
}

// each runs a test on every transport.
func each(t *testing.T, change func(o *server.Options), test func(t *testing.T, srv *server.Server, dial func() *peer)) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			srv := servertest.Start(t, func(o *server.Options) {
				if tr.change != nil {
					tr.change(o)
				}
				if change != nil {
					change(o)
				}
			})
			test(t, srv, func() *peer { return newPeer(t, tr.dial(t, srv)) })
		})
	}
}

func TestCommands(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("PING\r\n", "+PONG\r\n")
		p.ask("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", "$2\r\nhi\r\n")
		p.ask("SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n")
		p.ask("foo bar 'a b'\r\n", "-ERR unknown command 'foo', with args beginning with: 'bar' 'a b' \r\n")
		p.ask("QUIT\r\n", "+OK\r\n")
		require.Empty(t, p.expectClosed())
	})
}
