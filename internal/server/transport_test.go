package server_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/server"
)

// logged is what a server has written to its log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) into(o *server.Options) { o.Logger = slog.New(slog.NewTextHandler(l, nil)) }

// until waits for something that can be seen.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 20*time.Second, 2*time.Millisecond, what)
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func TestCommandsInPieces(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		for _, b := range []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\nGET k\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n") {
			p.send(string(b))
		}
		p.expect("+OK\r\n" + bulk("hello") + bulk(""))
	})
}

func TestBigValues(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		value := strings.Repeat("0123456789abcdef", 5<<16)
		p.ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n"+bulk(value), "+OK\r\n")
		p.ask("GET k\r\nPING\r\n", bulk(value)+"+PONG\r\n")
	})
}

// A client may send everything before it reads anything: replies wait on our
// side, as in Redis.
func TestPipelineSentBeforeRead(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		value := strings.Repeat("v", 1000)
		const n = 20000
		p.ask("SET k "+value+"\r\n", "+OK\r\n")
		p.send(strings.Repeat("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", n))
		p.expect(strings.Repeat(bulk(value), n))
	})
}

func TestSlowReaderIsClosed(t *testing.T) {
	for _, limit := range []struct {
		name string
		config.OutputLimit
	}{{"hard", config.OutputLimit{Hard: 8 << 20}}, {"soft", config.OutputLimit{Soft: 8 << 20}}} {
		t.Run(limit.name, func(t *testing.T) {
			var log logged
			each(t, func(o *server.Options) {
				log.into(o)
				o.Config.OutputLimits[config.ClassNormal] = limit.OutputLimit
			}, func(t *testing.T, srv *server.Server, dial func() *peer) {
				slow, other := dial(), dial()
				other.ask("SET k "+strings.Repeat("v", 60000)+"\r\n", "+OK\r\n")
				id := slow.id()
				slow.send(strings.Repeat("GET k\r\n", 500))
				other.ask("PING\r\n", "+PONG\r\n")
				other.untilGone(id)
				require.Contains(t, log.String(), "reached its output buffer limit")
				require.Contains(t, log.String(), "limit="+limit.name)
				require.Contains(t, log.String(), fmt.Sprintf("id=%d ", id))
			})
		})
	}
}

// id asks for the client's number.
func (p *peer) id() (id int) {
	p.t.Helper()
	p.send("CLIENT ID\r\n")
	_, err := fmt.Sscanf(p.line(), ":%d", &id)
	require.NoError(p.t, err)
	return id
}

// bulk reads a bulk string.
func (p *peer) bulk() string {
	p.t.Helper()
	var n int
	_, err := fmt.Sscanf(p.line(), "$%d", &n)
	require.NoError(p.t, err)
	b := make([]byte, n+2)
	for at := 0; at < len(b); {
		m, err := p.r.Read(b[at:])
		require.NoError(p.t, err)
		at += m
	}
	return string(b[:n])
}

// untilGone waits until the server has no client of that number.
func (p *peer) untilGone(id int) {
	p.t.Helper()
	for range 20000 {
		p.send(fmt.Sprintf("CLIENT LIST ID %d\r\n", id))
		if p.bulk() == "" {
			return
		}
	}
	require.Fail(p.t, "client is still there", "id %d", id)
}

// Before it authenticates, a client cannot make us keep replies that it does not
// read (CVE-2025-21605).
func TestUnauthenticatedRepliesAreBounded(t *testing.T) {
	var log logged
	each(t, func(o *server.Options) { log.into(o); o.Config.RequirePass = "secret" },
		func(t *testing.T, srv *server.Server, dial func() *peer) {
			p := dial()
			p.ask("AUTH secret\r\n", "+OK\r\n")
			greedy := dial()
			greedy.ask("PING\r\n", "-NOAUTH Authentication required.\r\n")
			many := []byte(strings.Repeat("PING\r\n", 1000))
			for range 2000 {
				if _, err := greedy.Write(many); err != nil {
					break
				}
			}
			until(t, "only one client is left", func() bool { return srv.Counts().Clients == 1 })
			require.Contains(t, log.String(), "limit=unauthenticated")
			p.ask("PING\r\n", "+PONG\r\n")
		})
}

func TestQueryBufferLimit(t *testing.T) {
	var log logged
	each(t, func(o *server.Options) { log.into(o); o.Config.ClientQueryBufferLimit = 1 << 20 },
		func(t *testing.T, srv *server.Server, dial func() *peer) {
			p, other := dial(), dial()
			id := p.id()
			_, _ = p.Write([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n" + strings.Repeat("x", 2<<20)))
			other.untilGone(id)
			require.Contains(t, log.String(), "query buffer limit")
		})
}

func TestAttackIsClosedAndLogged(t *testing.T) {
	for _, text := range []string{"POST / HTTP/1.1\r\nPING\r\n", "Host: here\r\nPING\r\n", "*1\r\n$4\r\nPost\r\n"} {
		var log logged
		each(t, log.into, func(t *testing.T, srv *server.Server, dial func() *peer) {
			p := dial()
			p.send(text)
			require.Empty(t, p.expectClosed())
			require.Contains(t, log.String(), "Possible SECURITY ATTACK detected")
		})
	}
}

func TestProtocolErrorIsToldThenClosed(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.send("PING\r\n*1\r\n:3\r\n")
		require.Equal(t, "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n", p.expectClosed())
	})
}

func TestMaxClients(t *testing.T) {
	each(t, func(o *server.Options) { o.Config.MaxClients = 2 }, func(t *testing.T, srv *server.Server, dial func() *peer) {
		a, b := dial(), dial()
		a.ask("PING\r\n", "+PONG\r\n")
		b.ask("PING\r\n", "+PONG\r\n")
		require.Equal(t, "-ERR max number of clients reached\r\n", dial().expectClosed())
		id := b.id()
		b.Close()
		a.untilGone(id)
		dial().ask("PING\r\n", "+PONG\r\n")
	})
}

func TestIdleClientsAreClosed(t *testing.T) {
	each(t, func(o *server.Options) { o.Config.Timeout = 1 }, func(t *testing.T, srv *server.Server, dial func() *peer) {
		watching := dial()
		watching.ask("MONITOR\r\n", "+OK\r\n")
		p := dial()
		p.ask("PING\r\n", "+PONG\r\n")
		require.Empty(t, p.expectClosed())
		require.Eventually(t, func() bool { return srv.Counts().Clients == 1 }, 10*time.Second, time.Millisecond)
	})
}

func TestKill(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		me, other, third := dial(), dial(), dial()
		me.ask("PING\r\n", "+PONG\r\n")
		third.ask("PING\r\n", "+PONG\r\n")
		me.ask(fmt.Sprintf("CLIENT KILL ID %d\r\n", other.id()), ":1\r\n")
		require.Empty(t, other.expectClosed())
		me.ask("CLIENT KILL TYPE normal\r\n", ":1\r\n")
		require.Empty(t, third.expectClosed())
		me.ask("CLIENT KILL MAXAGE 1000\r\n", ":0\r\n")
		me.ask("CLIENT KILL MAXAGE 0\r\n", "-ERR maxage should be greater than 0\r\n")
		me.ask(fmt.Sprintf("CLIENT KILL ID %d SKIPME no\r\n", me.id()), ":1\r\n")
		require.Empty(t, me.expectClosed())
	})
}

func TestKillByAddress(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		me, other := dial(), dial()
		other.send("CLIENT INFO\r\n")
		var id int
		var addr string
		_, err := fmt.Sscanf(other.bulk(), "id=%d addr=%s ", &id, &addr)
		require.NoError(t, err)
		me.ask("CLIENT KILL "+addr+"\r\n", "+OK\r\n")
		require.Empty(t, other.expectClosed())
	})
}

func TestPause(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		boss, writer, reader := dial(), dial(), dial()
		writer.ask("SET k 1\r\n", "+OK\r\n")
		boss.ask("CLIENT PAUSE 100000 WRITE\r\n", "+OK\r\n")
		reader.ask("GET k\r\n", bulk("1"))
		id := writer.id()
		writer.send("PING\r\nSET k 2\r\nGET k\r\n")
		writer.expect("+PONG\r\n")
		until(t, "the writer waits", func() bool { return srv.Counts().Blocked == 1 })
		boss.send(fmt.Sprintf("CLIENT LIST ID %d\r\n", id))
		require.Regexp(t, ` flags=(bU|b) .* cmd=set `, boss.bulk())
		reader.ask("GET k\r\n", bulk("1"))
		boss.ask("CLIENT UNPAUSE\r\n", "+OK\r\n")
		writer.expect("+OK\r\n" + bulk("2"))
		boss.ask("CLIENT PAUSE 50\r\n", "+OK\r\n")
		reader.ask("GET k\r\n", bulk("2")) // once the pause has ended by itself
		boss.ask("CLIENT PAUSE 100000 ALL\r\n", "+OK\r\n")
		writer.send("SET k 3\r\n")
		until(t, "the writer waits", func() bool { return srv.Counts().Blocked == 1 })
		writer.Close() // one that waits and hangs up is noticed
		until(t, "the writer has gone", func() bool { return srv.Counts().Clients == 2 })
		boss.ask("CLIENT UNPAUSE\r\nGET k\r\n", "+OK\r\n"+bulk("2"))
	})
}

// Shutdown sends what clients have not read yet.
func TestShutdownDrains(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p, idle := dial(), dial()
		idle.ask("PING\r\n", "+PONG\r\n")
		value := strings.Repeat("v", 16<<20)
		p.ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n"+bulk(value), "+OK\r\n")
		p.send("GET k\r\n")
		until(t, "the reply waits", func() bool { return srv.Stats.NetOut.Load() > 1000 })
		done := make(chan error)
		go func() { done <- srv.Shutdown(context.Background()) }()
		require.Empty(t, idle.expectClosed())
		got := p.expectClosed()
		require.Equal(t, len(bulk(value)), len(got))
		require.True(t, bulk(value) == got)
		require.NoError(t, <-done)
		_, err := srv.Dial(context.Background(), "", "")
		require.ErrorIs(t, err, server.ErrClosed)
		require.ErrorIs(t, srv.Listen(), server.ErrClosed)
	})
}

// Shutdown does not wait longer than its context for who does not read.
func TestShutdownGivesUp(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n"+bulk(strings.Repeat("v", 16<<20)), "+OK\r\n")
		p.send("GET k\r\n")
		until(t, "the reply waits", func() bool { return srv.Stats.NetOut.Load() > 1000 })
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, srv.Shutdown(ctx), context.DeadlineExceeded)
	})
}

func TestIntercept(t *testing.T) {
	each(t, func(o *server.Options) {
		o.Intercept = func(c server.ClientView, argv [][]byte) server.Verdict {
			switch string(argv[len(argv)-1]) {
			case "fail":
				return server.Verdict{Err: fmt.Errorf("ERR as ordered, %s db%d", c.Name, c.DB)}
			case "late":
				return server.Verdict{Delay: time.Millisecond}
			case "lateandfail":
				return server.Verdict{Delay: time.Millisecond, Err: fmt.Errorf("ERR late")}
			case "drop":
				return server.Verdict{Drop: true}
			}
			return server.Verdict{}
		}
	}, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("CLIENT SETNAME bob\r\nSELECT 3\r\n", "+OK\r\n+OK\r\n")
		p.ask("ECHO fail\r\nECHO late\r\nECHO lateandfail\r\nECHO x\r\n", "-ERR as ordered, bob db3\r\n"+bulk("late")+"-ERR late\r\n"+bulk("x"))
		p.send("ECHO x\r\nECHO drop\r\n")
		p.expectClosed()
	})
}
