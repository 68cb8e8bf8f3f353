package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every command that the server took in before it ended was answered whole, and
// the process ends with 0.
func TestSIGTERMUnderLoad(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%")
	var clients sync.WaitGroup
	began := make(chan struct{}, 20)
	for n := range 20 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			replies := bufio.NewReader(conn)
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(conn, "SET k%d v%d EX 100\r\nGET k%d\r\n", n, i, n); err != nil {
					return
				}
				want := fmt.Sprintf("+OK\r\n$%d\r\nv%d\r\n", len(fmt.Sprintf("v%d", i)), i)
				got := make([]byte, len(want))
				read, err := io.ReadFull(replies, got)
				if err != nil {
					// Ended: after whole replies only.
					if rest := string(got[:read]); rest != "" && rest != "+OK\r\n" {
						t.Errorf("a reply was cut: %q", rest)
					}
					return
				}
				if string(got) != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if i == 10 {
					began <- struct{}{}
				}
			}
		}()
	}
	for range 20 {
		<-began
	}
	p.terminate()
	clients.Wait()
}

func TestSIGINT(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	require.Equal(t, "PONG", p.cli("ping"), "a hang-up is nothing")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, p.wait())
}

func TestShutdownCommand(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%")
	require.Empty(t, p.cli("shutdown", "nosave"))
	require.Zero(t, p.wait())
	require.Contains(t, p.stdout.String(), "ready to exit")
}

// A client that does not read holds the end up for shutdown-timeout at most, and
// not at all after a second signal.
func TestClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		timeout string
		again   bool
		status  int
	}{{"1", false, 0}, {"3600", true, 1}} {
		p := start(t, "--port", "%PORT%", "--shutdown-timeout", c.timeout)
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		require.NoError(t, err)
		defer conn.Close()
		p.cli("set", "big", strings.Repeat("x", 100_000))
		p.askForMore(conn)
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		select {
		case <-p.stdout.saw("Received a signal"):
		case <-time.After(patience):
			t.Fatal("the signal is not seen")
		}
		if c.again {
			require.Eventually(t, func() bool {
				select {
				case <-p.done:
					return true
				default:
					_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have just ended
					return false
				}
			}, patience, 100*time.Millisecond)
		}
		require.Equal(t, c.status, p.wait(), "%s%s", p.stdout, p.stderr)
	}
}

// askForMore asks for more of the key big than buffers between here and the server
// hold, and waits until the server has it all ready.
func (p *process) askForMore(conn net.Conn) {
	p.t.Helper()
	_, err := io.WriteString(conn, strings.Repeat("GET big\r\n", 500))
	require.NoError(p.t, err)
	require.Eventually(p.t, func() bool {
		return strings.Contains(p.cli("info", "commandstats"), "cmdstat_get:calls=500,")
	}, patience, 5*time.Millisecond)
}

func TestWeb(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := start(t, "--port", "%PORT%", "--metrics-addr", fmt.Sprint(port))
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	get := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get(base + path)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(body)
	}
	status, body := get("/healthz")
	require.Equal(t, "200 ok\n", fmt.Sprint(status, " ", body))
	status, body = get("/readyz")
	require.Equal(t, "200 ready\n", fmt.Sprint(status, " ", body))
	p.cli("set", "myapp:1", "x", "ex", "900")
	status, body = get("/metrics")
	require.Equal(t, 200, status)
	require.Contains(t, body, "\nredis_up 1\n")
	require.Contains(t, body, `redis_commands_total{cmd="set"} 1`)
	require.Contains(t, body, "\ncoatcheck_keys{db=\"0\"} 1\n")
	status, _ = get("/debug/pprof/")
	require.Equal(t, 404, status, "profiles only when asked for")
	status, _ = get("/")
	require.Equal(t, 404, status)
	res, err := http.Post(base+"/healthz", "text/plain", nil)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 405, res.StatusCode)
	require.Contains(t, p.stdout.String(), fmt.Sprintf("curl http://127.0.0.1:%d/metrics", port))

	taken := fmt.Sprintf("127.0.0.1:%d", port)
	failed, _, stderr := once(t, nil, "--port", "%PORT%", "--metrics-addr", taken)
	require.Equal(t, 1, failed)
	require.Contains(t, stderr, "metrics-addr: listen tcp "+taken)

	// Not without being asked.
	quiet := start(t, "--port", "%PORT%")
	require.NotContains(t, quiet.stdout.String(), "metrics")
}

func TestReadyzWhileDraining(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := start(t, "--port", "%PORT%", "--metrics-addr", fmt.Sprint(port), "--shutdown-timeout", "3600")
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	require.NoError(t, err)
	defer conn.Close()
	p.cli("set", "big", strings.Repeat("x", 100_000))
	p.askForMore(conn)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == 503
	}, patience, 5*time.Millisecond, p.stdout)
	conn.Close()
	require.Zero(t, p.wait())
}

func TestPprof(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	start(t, "--port", "%PORT%", "--metrics-addr", fmt.Sprint(port), "--pprof", "yes")
	res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/goroutine?debug=1", port))
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
}

func TestTellsSystemd(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "n")
	ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer ln.Close()
	p := launch(t, []string{"NOTIFY_SOCKET=" + socket}, "--port", "%PORT%")
	hear := func() string {
		t.Helper()
		require.NoError(t, ln.SetReadDeadline(time.Now().Add(patience)))
		buf := make([]byte, 100)
		n, err := ln.Read(buf)
		require.NoError(t, err)
		return string(buf[:n])
	}
	require.Equal(t, "READY=1", hear())
	require.Equal(t, "PONG", p.cli("ping"))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, "STOPPING=1", hear())
	require.Zero(t, p.wait())
}

// timeout(1) signals its program, and then the group that it is in.
func TestASignalThatComesTwice(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	require.Zero(t, p.wait(), p.stderr)
}
