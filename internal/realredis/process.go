package realredis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/resp"
)

// Process is a redis-server on a TCP port of its own on 127.0.0.1, which can be
// killed and started again. It is stopped at the test's cleanup.
type Process struct {
	Addr string // "127.0.0.1:49152"
	Port int

	t    testing.TB
	dir  string
	args []string // after the program's name
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has ended
	log  lockedBuffer
}

// Listen runs redis-server with the given flags, without saving.
func Listen(t testing.TB, flags ...string) *Process {
	t.Helper()
	p := newProcess(t)
	p.args = append([]string{"--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--dir", p.dir, "--save", "", "--daemonize", "no"}, flags...)
	p.Start()
	return p
}

func newProcess(t testing.TB) *Process {
	port := freePort(t)
	p := &Process{Addr: fmt.Sprintf("127.0.0.1:%d", port), Port: port, t: t, dir: t.TempDir()}
	t.Cleanup(p.Kill)
	return p
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Start starts the server, again after a Kill, on the same port. It returns when
// the server answers.
func (p *Process) Start() {
	p.t.Helper()
	p.cmd = exec.Command("redis-server", p.args...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start redis-server: %v", err)
	}
	cmd, done := p.cmd, make(chan struct{})
	p.done = done
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		close(done)
	}()
	p.Until("redis-server answers", func() bool {
		select {
		case <-done:
			p.t.Fatalf("redis-server ended:\n%s", p.log.String())
		default:
		}
		v, err := p.try("PING")
		return err == nil && (v.Text == "PONG" || strings.HasPrefix(v.Text, "NOAUTH"))
	})
}

// Kill ends the server at once, as a crash does. It may be called again.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	p.cmd = nil
}

// Text sends a command on a connection of its own and returns its reply, which is
// one string, status, number or error, without the protocol's marks.
func (p *Process) Text(args ...string) string {
	p.t.Helper()
	v, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("%q: %v\n%s", args, err, p.log.String())
	}
	return v.Text
}

// Shows says whether a command's reply contains text. Without a reply, as from a server
// that sends its clients away when it becomes a master, it does not.
func (p *Process) Shows(text string, args ...string) bool {
	v, err := p.try(args...)
	return err == nil && strings.Contains(v.Text, text)
}

func (p *Process) try(args ...string) (v resp.Value, err error) {
	conn, err := net.DialTimeout("tcp", p.Addr, time.Second)
	if err != nil {
		return v, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return v, err
	}
	if _, err := conn.Write(resp.AppendCommand(nil, args...)); err != nil {
		return v, err
	}
	return resp.NewDecoder(conn).Decode()
}

// Until waits for something that can be seen.
func (p *Process) Until(what string, cond func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("waited in vain: %s\n%s", what, p.log.String())
		}
	}
}

// Cluster runs a Redis Cluster of that many masters, without replicas.
func Cluster(t testing.TB, masters int) []*Process {
	t.Helper()
	const slots = 16384
	var all []*Process
	for i := range masters {
		p := Listen(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePort(t)), "--cluster-node-timeout", "2000",
			"--cluster-require-full-coverage", "yes")
		first, last := i*slots/masters, (i+1)*slots/masters-1
		p.want("OK", "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last))
		p.want("OK", "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		all = append(all, p)
	}
	for _, p := range all[1:] {
		bus := all[0].args[flagAt(all[0].args, "--cluster-port")+1]
		p.want("OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(all[0].Port), bus)
	}
	for _, p := range all {
		p.Until("the cluster is whole", func() bool {
			info := p.Text("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters))
		})
	}
	return all
}

func flagAt(args []string, flag string) int {
	for i, a := range args {
		if a == flag {
			return i
		}
	}
	return -1
}

// want sends a command and fails the test at another reply.
func (p *Process) want(reply string, args ...string) {
	p.t.Helper()
	if got := p.Text(args...); got != reply {
		p.t.Fatalf("%q answered %q", args, got)
	}
}

// Sentinel runs a master, a replica of it, and a sentinel that watches over them
// under the name "mymaster".
func Sentinel(t testing.TB) (master, replica, sentinel *Process) {
	t.Helper()
	master = Listen(t)
	replica = Listen(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port))
	sentinel = newProcess(t)
	conf := filepath.Join(sentinel.dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor mymaster 127.0.0.1 %d 1\n"+
		"sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 5000\n", sentinel.Port, sentinel.dir, master.Port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel.args = []string{conf, "--sentinel"}
	sentinel.Start()
	replica.Until("the replica is in step", func() bool {
		return replica.Shows("master_link_status:up", "INFO", "replication")
	})
	sentinel.Until("the sentinel knows the replica", func() bool {
		return sentinel.Shows("status=ok,address=127.0.0.1:"+strconv.Itoa(master.Port)+",slaves=1", "INFO", "sentinel")
	})
	return master, replica, sentinel
}

// lockedBuffer is what a process has written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var errTooMuch = errors.New("the process writes too much")

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 1<<20 {
		return 0, errTooMuch
	}
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
