package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
)

func withMaxMemory(policy string) func(o *server.Options) {
	return func(o *server.Options) {
		o.Config.MaxMemory, o.Config.MaxMemoryPolicy = 8<<20, policy
	}
}

const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"

// What clients have sent and not finished counts as memory in use.
func TestClientBuffersCountAgainstMaxMemory(t *testing.T) {
	each(t, withMaxMemory("noeviction"), func(t *testing.T, _ *server.Server, dial func() *peer) {
		greedy, p := dial(), dial()
		p.ask("SET k v\r\n", "+OK\r\n")
		greedy.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$30000000\r\n" + strings.Repeat("x", 20_000_000))
		require.Eventually(t, func() bool {
			p.send("SET k v\r\n")
			return p.line() == oom
		}, 10*time.Second, time.Millisecond)
		p.ask("GET k\r\n", "$1\r\nv\r\n")
		require.NoError(t, greedy.Close())
		require.Eventually(t, func() bool {
			p.send("SET k v\r\n")
			return p.line() == "+OK\r\n"
		}, 10*time.Second, time.Millisecond)
	})
}

func TestMaxMemory(t *testing.T) {
	each(t, withMaxMemory("allkeys-lru"), func(t *testing.T, _ *server.Server, dial func() *peer) {
		p := dial()
		for i := range 300 {
			p.ask(fmt.Sprintf("SETRANGE key:%d 50000 x\r\n", i), ":50001\r\n")
		}
		p.ask("STRLEN key:299\r\n", ":50001\r\n")
		p.send("DBSIZE\r\n")
		require.Regexp(t, `^:1[3-5]\d\r\n$`, p.line()) // of 52 to 56 KB each
		p.ask("CONFIG SET maxmemory-policy noeviction\r\n", "+OK\r\n")
		p.ask("CONFIG SET maxmemory 1mb\r\nSET k v\r\nEXISTS k\r\n", "+OK\r\n"+oom+":0\r\n")
	})
}
