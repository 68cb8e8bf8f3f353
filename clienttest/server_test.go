package clienttest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// password is the one of the session guide.
const password = "changeit"

// patience bounds every wait for something that should happen at once.
const patience = 20 * time.Second

// server is a server process of one test.
type server struct {
	Host   string
	Port   int
	Socket string // the unix socket
	// TLSPort and Certs are set by withTLS.
	TLSPort int
	Certs   *certs

	bin  string
	dir  string
	conf string // extra directives
	proc *process
	t    *testing.T
}

// process is one run of a server.
type process struct {
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{} // closed when it has ended
	err  error         // how, after done
}

// Addr is host:port of the plain listener.
func (s *server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// TLSAddr is host:port of the TLS listener.
func (s *server) TLSAddr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.TLSPort)) }

// startServer starts the target with the guide's password on a free loopback
// port and a unix socket, plus the given redis.conf directives, and stops it
// when the test ends. The test fails if the server panicked, raced or did not
// end on SIGTERM.
func startServer(t *testing.T, directives ...string) *server {
	t.Helper()
	return startOf(t, target.bin, nil, directives)
}

// startTLSServer is startServer with a TLS listener beside the plain one.
func startTLSServer(t *testing.T, directives ...string) *server {
	t.Helper()
	return startOf(t, target.bin, newCerts(t), directives)
}

// startPeer starts the redis-server in PATH, to compare answers with.
func startPeer(t *testing.T, directives ...string) *server {
	t.Helper()
	return startOf(t, tool(t, "redis-server"), nil, directives)
}

func startOf(t *testing.T, bin string, c *certs, directives []string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "ct") // short: a unix socket's path has 107 bytes
	require.NoError(t, err)
	t.Cleanup(func() { removeAll(dir) })
	s := &server{
		Host: "127.0.0.1", Socket: filepath.Join(dir, "s.sock"), Certs: c,
		bin: bin, dir: dir, conf: strings.Join(directives, "\n"), t: t,
	}
	// Another process may take a free port before the server does.
	for range 5 {
		s.Port = freePort(t)
		if c != nil {
			s.TLSPort = freePort(t)
		}
		if err = s.start(); err == nil {
			break
		}
	}
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// start runs the server and waits until it says that it is ready.
func (s *server) start() error {
	conf := fmt.Sprintf("bind %s\nport %d\nrequirepass %s\nunixsocket %s\ndir %s\nsave \"\"\n%s\n",
		s.Host, s.Port, password, s.Socket, s.dir, s.conf)
	if s.Certs != nil {
		conf += fmt.Sprintf("tls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\ntls-auth-clients optional\n",
			s.TLSPort, s.Certs.ServerCert, s.Certs.ServerKey, s.Certs.CA)
	}
	file := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	p := &process{cmd: exec.Command(s.bin, file), done: make(chan struct{})}
	ready := make(chan struct{})
	p.log = &logBuffer{want: "Ready to accept connections", seen: ready}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Dir = s.dir
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	ownGroup(p.cmd)
	p.cmd.Cancel = nil
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	select {
	case <-ready:
		s.proc = p
		return nil
	case <-p.done:
		return fmt.Errorf("%s ended before it was ready: %w\n%s", s.bin, cmp.Or(p.err, errEnded), p.log)
	case <-time.After(patience):
		p.signal(syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("%s was not ready in %v\n%s", s.bin, patience, p.log)
	}
}

// Stop ends the server with SIGTERM and checks that it went in order. It may
// be called twice.
func (s *server) Stop() {
	p := s.proc
	if p == nil {
		return
	}
	s.proc = nil
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.signal(syscall.SIGQUIT) // Go prints its goroutines
		select {
		case <-p.done:
		case <-time.After(patience):
			p.signal(syscall.SIGKILL)
			<-p.done
		}
		s.t.Errorf("the server did not end on SIGTERM in %v", patience)
	}
	log := p.log.String()
	if p.err != nil {
		s.t.Errorf("the server ended with %v", p.err)
	}
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(log, bad) {
			s.t.Errorf("the server's log has %q", bad)
		}
	}
	if s.t.Failed() {
		s.t.Logf("the server's log:\n%s", tail(log, 8000))
	}
}

// Restart stops the server and starts it again at the same addresses.
func (s *server) Restart() error {
	s.Stop()
	return s.start()
}

// Admin is a connection of the test itself, to look at the server from the side.
func (s *server) Admin(t *testing.T) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: password, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { c.Close() })
	return c
}

var errEnded = errors.New("exit status 0")

// signal sends a signal to a process that may have ended already.
func (p *process) signal(sig os.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(err)
	}
}

// freePort is a loopback port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// logBuffer keeps what a process writes and closes seen when want came by.
type logBuffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	want string
	seen chan struct{}
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Write(p)
	if b.seen != nil && strings.Contains(b.buf.String(), b.want) {
		close(b.seen)
		b.seen = nil
	}
	return len(p), nil
}

// String is everything so far.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// tool is the path of a program the tests need. A missing one fails the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: .ci/install-deps installs what the tests need (%v)", name, err)
	}
	return path
}

// command runs a program to its end, within a minute, and returns what it
// wrote to its standard output; it fails the test on a bad exit.
func command(t *testing.T, stdin io.Reader, name string, args ...string) string {
	t.Helper()
	out, errOut, err := tryCommand(t, stdin, name, args...)
	require.NoError(t, err, "%s %q\n%s\n%s", name, args, tail(out, 4000), tail(errOut, 4000))
	return out
}

// tryCommand is command without the failure.
func tryCommand(t *testing.T, stdin io.Reader, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool(t, name), args...)
	ownGroup(cmd)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errOut
	err = cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	return out.String(), errOut.String(), err
}

// lines runs a program that does not end by itself. Its lines come over the
// channel, which is closed when the program ends, at the end of the test at
// the latest.
func lines(t *testing.T, name string, args ...string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, tool(t, name), args...)
	ownGroup(cmd)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ch := make(chan string, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(ch)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			select {
			case ch <- sc.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		cmd.Wait() //nolint:errcheck // it was killed
	})
	return ch
}

// nextLine waits for a line that ok accepts, and returns it.
func nextLine(t *testing.T, ch <-chan string, ok func(string) bool) string {
	t.Helper()
	deadline := time.After(patience)
	var seen []string
	for {
		select {
		case line, open := <-ch:
			if !open {
				t.Fatalf("the program ended after %q", seen)
			}
			if ok(line) {
				return line
			}
			seen = append(seen, line)
		case <-deadline:
			t.Fatalf("no such line in %v, only %q", patience, seen)
		}
	}
}

// eventually polls cond until it holds.
func eventually(t *testing.T, cond func() bool, what string, args ...any) {
	t.Helper()
	require.Eventuallyf(t, cond, patience, 5*time.Millisecond, what, args...)
}
