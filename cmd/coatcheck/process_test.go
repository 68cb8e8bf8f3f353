package main_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is the server, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "cc")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "coatcheck")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// patience bounds every wait for what should happen at once.
const patience = time.Minute

// process is a running server.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	port   int
	stdout *watched
	stderr *watched
	done   chan struct{}
}

// launch starts the binary with these arguments and variables; %PORT% in them is a
// free port. It does not wait for anything. What is left is killed at the end.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, port: freePort(t), stdout: newWatched(), stderr: newWatched(), done: make(chan struct{})}
	fill := strings.NewReplacer("%PORT%", fmt.Sprint(p.port))
	for i := range args {
		args[i] = fill.Replace(args[i])
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, e := range env {
		p.cmd.Env = append(p.cmd.Env, fill.Replace(e))
	}
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the test looks at the exit status
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// start is launch and waits until the server is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := launch(t, nil, args...)
	p.waitReady()
	return p
}

func (p *process) waitReady() {
	p.t.Helper()
	select {
	case <-p.stdout.saw("Ready to accept connections"):
	case <-p.done:
		p.t.Fatalf("it ended: %s\n%s", p.stdout, p.stderr)
	case <-time.After(patience):
		p.t.Fatalf("it is not ready: %s\n%s", p.stdout, p.stderr)
	}
}

// wait returns the exit status once the process has ended.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("it does not end: %s\n%s", p.stdout, p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// terminate ends the process by SIGTERM and wants it to go in order.
func (p *process) terminate() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(p.t, p.wait(), "%s\n%s", p.stdout, p.stderr)
}

// cli runs redis-cli against the port with these arguments.
func (p *process) cli(args ...string) string {
	p.t.Helper()
	return cli(p.t, append([]string{"-p", fmt.Sprint(p.port)}, args...)...)
}

func cli(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("redis-cli", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// once runs the binary to its end.
func once(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	p := launch(t, env, args...)
	status = p.wait()
	return status, p.stdout.String(), p.stderr.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// watched is output in which tests wait for words.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wants map[string]chan struct{}
}

func newWatched() *watched { return &watched{wants: map[string]chan struct{}{}} }

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	w.look()
	return len(b), nil
}

func (w *watched) look() {
	for words, seen := range w.wants {
		if bytes.Contains(w.text.Bytes(), []byte(words)) {
			close(seen)
			delete(w.wants, words)
		}
	}
}

// saw is closed once the words have come.
func (w *watched) saw(words string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := make(chan struct{})
	w.wants[words] = seen
	w.look()
	return seen
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
