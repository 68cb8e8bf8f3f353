package server_test

import (
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
)

func stderrLogger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// What MONITOR shows of these commands is what a real server shows.
var watched = strings.Join([]string{
	"SET k v", "get k", "SELECT 3", `SET "a\x00\xff\n\r\t\\\a\b\"q" 'it s'`, "SELECT 0", "FOO", "GET", "GET a b", "AUTH x y", "auth secret", "HELLO 3 AUTH default x SETNAME bob",
	"HELLO 2", "CLIENT SETNAME me", "CLIENT ID", "CLIENT LIST ID 1", "CONFIG GET maxmemory", "SLOWLOG LEN", "PING", "ECHO ''", "INFO server", "COMMAND COUNT",
	"CLIENT REPLY SKIP", "PING", "DEL k nothing", "CLIENT NO-EVICT off", "OBJECT ENCODING k", "MEMORY USAGE k", "LATENCY RESET", "TIME", "RESET", "PING", "QUIT",
}, "\r\n") + "\r\n"

var stamp = regexp.MustCompile(`^\+\d+\.\d{6} \[(\d+) \S+\] `)

// monitored is what MONITOR showed while a client sent the watched commands.
func monitored(t *testing.T, dial func() *peer) []string {
	m, p := dial(), dial()
	m.ask("MONITOR\r\n", "+OK\r\n")
	p.send(watched)
	p.expectClosed()
	last := dial()
	last.send("ECHO end\r\n")
	var lines []string
	for {
		line := m.line()
		require.Regexp(t, stamp, line)
		line = stamp.ReplaceAllString(line, "[$1] ")
		if strings.Contains(line, `"end"`) {
			return lines
		}
		lines = append(lines, line)
	}
}

func TestMonitorShowsWhatRedisShows(t *testing.T) {
	redis := realredis.Start(t)
	want := monitored(t, func() *peer {
		conn, err := net.Dial("unix", redis.Socket)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return newPeer(t, conn)
	})
	require.Greater(t, len(want), 15)
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		require.Equal(t, want, monitored(t, dial))
	})
}

// A client in MONITOR sees its own commands in between their replies.
func TestMonitorOfItself(t *testing.T) {
	redis := realredis.Start(t)
	ask := func(p *peer) (lines []string) {
		p.send("MONITOR\r\nPING\r\nECHO a\r\nMONITOR\r\nGET k\r\nRESET\r\nPING\r\nQUIT\r\n")
		for _, line := range strings.SplitAfter(p.expectClosed(), "\r\n") {
			lines = append(lines, stamp.ReplaceAllString(line, "[$1] "))
		}
		return lines
	}
	conn, err := net.Dial("unix", redis.Socket)
	require.NoError(t, err)
	want := ask(newPeer(t, conn))
	conn.Close()
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		require.Equal(t, want, ask(dial()))
	})
}

var field = regexp.MustCompile(`([a-z-]+)=`)

// CLIENT LIST has the fields of a real server, in order, and those of 7.2.
func TestClientListFields(t *testing.T) {
	redis := realredis.Start(t)
	names := func(line string) (all []string) {
		for _, m := range field.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
		return all
	}
	want := append(names(redis.Text(t, "CLIENT", "LIST")), "lib-name", "lib-ver")
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("CLIENT SETINFO LIB-NAME lib\r\nclient setinfo lib-ver 1.2\r\nCLIENT SETNAME bob\r\nSELECT 2\r\n", "+OK\r\n+OK\r\n+OK\r\n+OK\r\n")
		p.ask("CLIENT SETINFO FOO x\r\n", "-ERR Unrecognized option 'FOO'\r\n")
		p.ask("CLIENT SETINFO LIB-NAME 'a b'\r\n", "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n")
		p.send("CLIENT LIST\r\n")
		line := p.bulk()
		require.Equal(t, want, names(line))
		for _, part := range []string{" name=bob ", " db=2 ", " cmd=client|list ", " user=default ", " resp=2 ", " lib-name=lib lib-ver=1.2\n", " flags=N ", " argv-mem=10 "} {
			require.Contains(t, line, part)
		}
	})
}
