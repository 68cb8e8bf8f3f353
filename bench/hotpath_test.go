//go:build linux

// Package bench holds the benchmarks of the whole path, from a command's bytes in
// a socket to its reply's. The programs beside it measure servers from outside.
package bench

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bench/driver"
	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/server"
)

const sessions = 10_000

// hotCommands are what session traffic consists of.
var hotCommands = []struct {
	name, workload string
	replyLen       int
}{
	{"GET", "read", len("$300\r\n") + 300 + len("\r\n")},
	{"SET", "write", len("+OK\r\n")},
	{"PEXPIRE", "touch", len(":1\r\n")},
}

// BenchmarkHotPath is a command's way through socket, loop, parser, gates, engine
// and back, and what it allocates on it (with everything else in the process):
// nothing, in steady state.
func BenchmarkHotPath(b *testing.B) {
	conn := filled(b)
	for _, c := range hotCommands {
		for _, depth := range []int{1, 16, 64} {
			b.Run(c.name+",depth="+strconv.Itoa(depth), func(b *testing.B) {
				asker := newAsker(c.workload, c.replyLen, depth)
				asker.ask(b, conn)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%depth == 0 {
						asker.ask(b, conn)
					}
				}
			})
		}
	}
}

// TestHotPathAllocatesNothing holds the level of the benchmark above: less than
// mostAllocs allocations a command.
func TestHotPathAllocatesNothing(t *testing.T) {
	conn := filled(t)
	const depth = 16
	for _, c := range hotCommands {
		asker := newAsker(c.workload, c.replyLen, depth)
		per := testing.AllocsPerRun(200, func() { asker.ask(t, conn) })
		require.Less(t, per/depth, mostAllocs, "%s: allocations a command", c.name)
	}
}

// asker sends batches of prepared commands and reads their replies.
type asker struct {
	batches [][]byte
	next    int
	replies []byte
}

func newAsker(workload string, replyLen, depth int) *asker {
	w, _ := driver.Named(load, workload)
	source := w.Source(0, 1)
	a := &asker{replies: make([]byte, depth*replyLen)}
	for range 64 {
		var batch []byte
		for range depth {
			batch, _ = source(batch)
		}
		a.batches = append(a.batches, batch)
	}
	return a
}

func (a *asker) ask(tb testing.TB, conn net.Conn) {
	if _, err := conn.Write(a.batches[a.next%len(a.batches)]); err != nil {
		tb.Fatal(err)
	}
	a.next++
	for got := 0; got < len(a.replies); {
		n, err := conn.Read(a.replies[got:])
		if err != nil {
			tb.Fatal(err)
		}
		got += n
	}
}

var load = driver.Sessions{Count: sessions, ValueSize: 300, TTL: time.Hour}

// filled connects to a new server with all sessions.
func filled(tb testing.TB) net.Conn {
	path := filepath.Join(tb.TempDir(), "s")
	serve(tb, path)
	fleet, err := driver.Connect("unix:"+path, 4, 1)
	require.NoError(tb, err)
	defer fleet.Close()
	res, err := fleet.Run(context.Background(), driver.Load{Workload: driver.Fill(load), Depth: 32})
	require.NoError(tb, err)
	require.NoError(tb, res.Err)
	require.Equal(tb, sessions, res.Ops)
	conn, err := net.Dial("unix", path)
	require.NoError(tb, err)
	tb.Cleanup(func() { conn.Close() })
	return conn
}

func serve(tb testing.TB, path string) {
	cfg := config.New()
	cfg.Port, cfg.UnixSocket = 0, path
	eng := engine.New(engine.Options{})
	srv, err := server.New(server.Options{Config: cfg, Engine: eng})
	require.NoError(tb, err)
	require.NoError(tb, srv.Listen())
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(tb, srv.Shutdown(ctx))
		eng.Close()
	})
}
