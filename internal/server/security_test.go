package server_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
)

// Inputs that ended or starved other stores before a client had said who it is,
// on every transport. Those with one right answer are in
// testdata/transcripts/protocol.

// held is the memory in use, without garbage.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Announced numbers reserve nothing, from clients that have authenticated or
// need not either (CVE-2021-32675).
func TestAnnouncementsReserveNothing(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		last := dial()
		last.ask("PING\r\n", "+PONG\r\n")
		before := held()
		const each = 50
		for range each {
			dial().send("*1048576\r\n$3\r\nGET\r\n")
			dial().send("*2\r\n$3\r\nGET\r\n$536870912\r\nx")
		}
		until(t, "everything was read", func() bool { return strings.Count(clientList(last), " qbuf=0 ") == 1 })
		require.Less(t, (held()-before)/(2*each), int64(150<<10), "bytes a client")
		last.ask("PING\r\n", "+PONG\r\n")
	})
}

func clientList(p *peer) string {
	p.send("CLIENT LIST\r\n")
	return p.bulk()
}

// What a client leaves unread before it has authenticated is bounded, whatever
// it asks (CVE-2025-21605).
func TestUnreadErrorsBeforeAuthentication(t *testing.T) {
	for _, ask := range []string{"GET k\r\n", "AUTH wrong\r\n", "HELLO 9\r\n", "*1\r\n$1\r\nx\r\n", strings.Repeat("n", 120) + " " + strings.Repeat("a", 120) + "\r\n"} {
		each(t, func(o *server.Options) { o.Config.RequirePass = "secret" },
			func(t *testing.T, srv *server.Server, dial func() *peer) {
				p, greedy := dial(), dial()
				p.ask("AUTH secret\r\n", "+OK\r\n")
				before := held()
				many := []byte(strings.Repeat(ask, 1000))
				for range 500 {
					if _, err := greedy.Write(many); err != nil {
						break
					}
				}
				until(t, "the client is gone", func() bool { return srv.Counts().Clients == 1 })
				require.Less(t, held()-before, int64(8<<20))
				p.ask("PING\r\n", "+PONG\r\n")
			})
	}
}

// Random bytes, and random sequences of frames that are nearly right, end their
// connection at most (Dragonfly #1095, #6591, #6596, #6619; redcon).
func TestGarbage(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		for seed := range uint64(150) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			bad := dial()
			for range 30 {
				if _, err := bad.Write(garbage(rnd)); err != nil {
					break
				}
			}
			bad.Close()
			p.ask("PING\r\n", "+PONG\r\n")
		}
		until(t, "all are gone", func() bool { return srv.Counts().Clients == 1 })
	})
}

// garbage is a frame, whole, wrong or cut.
func garbage(rnd *rand.Rand) []byte {
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	number := func() string {
		return pick("0", "1", "2", "3", "-1", "-2", "10", "1048576", "2147483647", "9223372036854775800", "18446744073709551617", "x", "")
	}
	var b []byte
	for range rnd.IntN(6) {
		switch rnd.IntN(5) {
		case 0:
			b = fmt.Appendf(b, "%s%s\r\n", pick("*", "$", "~", "|", "%", ">", ":", "+", "_"), number())
		case 1:
			b = append(b, pick("GET k\r\n", "SET k v\r\n", "\"\r\n", "'\\'\r\n", "\r\n", "DEL k\n", "PING\r")...)
		case 2:
			b = append(b, bulk(pick("GET", "SET", "k", "", "HELLO", "3", "CLIENT", "KILL", "\x00"))...)
		case 3:
			for range rnd.IntN(100) {
				b = append(b, byte(rnd.Uint32()))
			}
		case 4:
			b = b[:rnd.IntN(len(b)+1)]
		}
	}
	return b
}

// Clients that break the protocol again and again don't starve others
// (CVE-2025-48367).
func TestProtocolErrorsStarveNobody(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("PING\r\n", "+PONG\r\n") // it has been accepted
		before := srv.Counts().Clients
		for range 300 {
			bad := dial()
			bad.send("*x\r\n")
			p.ask("PING\r\n", "+PONG\r\n")
			require.Equal(t, "-ERR Protocol error: invalid multibulk length\r\n", bad.expectClosed())
			bad.Close()
		}
		until(t, "all are gone", func() bool { return srv.Counts().Clients == before })
	})
}

// Patterns that take other matchers exponential time, or a stack as deep as
// they are long, are answered at once (CVE-2022-36021, CVE-2024-31228).
func TestHostilePatterns(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.ask("*3\r\n$3\r\nSET\r\n"+bulk(strings.Repeat("a", 50_000))+bulk("v"), "+OK\r\n")
		require.NoError(t, p.SetDeadline(time.Now().Add(60*time.Second)))
		for _, pattern := range []string{
			strings.Repeat("a*", 30) + "b", strings.Repeat("*?", 25_000) + "b", strings.Repeat("*", 50_000) + "b",
			strings.Repeat("[a-z]*", 5_000) + "b", strings.Repeat("[", 50_000), strings.Repeat("\\", 50_001),
		} {
			p.ask("*2\r\n$4\r\nKEYS\r\n"+bulk(pattern), "*0\r\n")
		}
	})
}
