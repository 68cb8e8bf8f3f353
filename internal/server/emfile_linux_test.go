package server_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// Without file descriptors a server goes on serving whom it has, does not spin,
// and accepts again when some are free. The server runs in a process of its own.
func TestOutOfFileDescriptors(t *testing.T) {
	if kind := os.Getenv("SERVE_WITH_FEW_FILES"); kind != "" {
		serveWithFewFiles(t, kind == "goroutines")
		return
	}
	for _, kind := range []string{"loops", "goroutines"} {
		t.Run(kind, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestOutOfFileDescriptors$", "-test.v")
			cmd.Env = append(os.Environ(), "SERVE_WITH_FEW_FILES="+kind)
			stdin, err := cmd.StdinPipe()
			require.NoError(t, err)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			var log logged
			cmd.Stderr = &log
			require.NoError(t, cmd.Start())
			defer func() { _ = cmd.Wait() }()
			defer stdin.Close()
			addr := ""
			for lines := bufio.NewScanner(stdout); addr == "" && lines.Scan(); {
				if rest, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
					addr = rest
				}
			}
			dial := func() *peer {
				conn, err := net.Dial("tcp", addr)
				require.NoError(t, err)
				t.Cleanup(func() { conn.Close() })
				return newPeer(t, conn)
			}
			first := dial()
			first.ask("PING\r\n", "+PONG\r\n")
			var many []*peer
			for range 100 {
				many = append(many, dial())
			}
			until(t, "accepting rests", func() bool { return strings.Contains(log.String(), "cannot accept connections for now") })
			for range 100 {
				first.ask("PING\r\n", "+PONG\r\n")
			}
			require.Less(t, strings.Count(log.String(), "cannot accept"), 100, "it spins")
			for _, p := range many {
				p.Close()
			}
			dial().ask("PING\r\n", "+PONG\r\n")
		})
	}
}

// serveWithFewFiles serves until standard input ends.
func serveWithFewFiles(t *testing.T, goroutines bool) {
	srv := servertest.Start(t, func(o *server.Options) {
		o.GoroutinePerConn = goroutines
		o.Logger = stderrLogger()
	})
	few := syscall.Rlimit{Cur: 50, Max: 50}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	fmt.Fprintf(os.Stdout, "\nlistening on %s\n", srv.Addr())
	_, _ = os.Stdin.Read(make([]byte, 1))
}
