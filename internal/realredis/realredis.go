// Package realredis runs a real redis-server for tests that compare with it.
package realredis

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/engine"
	"coatcheck/resp"
)

// Server is a running redis-server, stopped at the test's cleanup.
type Server struct {
	Socket string // its unix socket
	conn   net.Conn
	buf    []byte
}

// Start runs redis-server from PATH with the given flags, on a unix socket
// only, without saving. A machine without redis-server fails the test.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("the test compares with a real redis-server: %v", err)
	}
	dir := t.TempDir()
	sock := filepath.Join(dir, "s")
	cmd := exec.Command(path, append([]string{"--port", "0", "--unixsocket", sock, "--dir", dir, "--save", ""}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var log bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(out, &log))
	ready := false
	for !ready && lines.Scan() {
		ready = bytes.Contains(lines.Bytes(), []byte("ready to accept connections at "))
	}
	if !ready {
		t.Fatalf("redis-server did not start:\n%s", log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	s := &Server{Socket: sock}
	if s.conn, err = net.Dial("unix", sock); err != nil {
		t.Fatalf("dial redis-server: %v", err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	return s
}

// Do sends a command and returns its reply in the protocol's own bytes.
func (s *Server) Do(t testing.TB, args ...string) string {
	t.Helper()
	cmd := resp.AppendCommand(nil, args...)
	if err := s.conn.SetDeadline(engine.SystemClock{}.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.Write(cmd); err != nil {
		t.Fatalf("ask redis-server: %v", err)
	}
	for {
		if n := frame(s.buf); n > 0 {
			reply := string(s.buf[:n])
			s.buf = s.buf[n:]
			return reply
		}
		chunk := make([]byte, 64<<10)
		n, err := s.conn.Read(chunk)
		if err != nil {
			t.Fatalf("read from redis-server after %q: %v", args, err)
		}
		s.buf = append(s.buf, chunk[:n]...)
	}
}

// Strings sends a command whose reply is a flat array of strings.
func (s *Server) Strings(t testing.TB, args ...string) []string {
	t.Helper()
	v := s.value(t, args...)
	if v.Kind != '*' {
		t.Fatalf("%q answered %.200q, not an array", args, v.String())
	}
	var out []string
	for _, e := range v.Elems {
		out = append(out, e.Text)
	}
	return out
}

// Text sends a command whose reply is one string, status or error, and returns
// it without the protocol's marks.
func (s *Server) Text(t testing.TB, args ...string) string {
	t.Helper()
	return s.value(t, args...).Text
}

func (s *Server) value(t testing.TB, args ...string) resp.Value {
	t.Helper()
	v, err := resp.NewDecoder(strings.NewReader(s.Do(t, args...))).Decode()
	if err != nil {
		t.Fatalf("%q answered what is no RESP: %v", args, err)
	}
	return v
}

// frame is the length of the whole reply at the start of b, RESP3's too; 0 when
// some of it is missing.
func frame(b []byte) int {
	end := bytes.Index(b, []byte("\r\n"))
	if end < 1 {
		return 0
	}
	size, elems := end+2, 0
	n, err := strconv.Atoi(string(b[1:end]))
	switch b[0] {
	case '$', '=', '!':
		if err == nil && n >= 0 {
			size += n + 2
		}
	case '*', '~', '>':
		elems = n
	case '%':
		elems = 2 * n
	case '|': // an attribute, and what it is about
		elems = 2*n + 1
	}
	for ; elems > 0; elems-- {
		if size >= len(b) {
			return 0
		}
		next := frame(b[size:])
		if next == 0 {
			return 0
		}
		size += next
	}
	if size > len(b) {
		return 0
	}
	return size
}
