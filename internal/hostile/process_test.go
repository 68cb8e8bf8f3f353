package hostile

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"coatcheck/engine"
	"coatcheck/resp"
)

const (
	password = "changeit"
	// patience bounds every wait for what should happen at once.
	patience = 30 * time.Second
	// dataDB is the db that nobody attacks: what is in it must stay as it is.
	dataDB = 9
	mib    = 1 << 20
	// slack is what memory may differ by before and after an attack: arenas,
	// pools, and pages that the runtime has not given back yet.
	slack = 24 * mib
)

// process is a server that asks for a password.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string
	output log
	ctl    *conn
	before state
}

// log is what the process has written.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// state is what an attack must leave as it was.
type state struct {
	rss                     int64
	fds, goroutines, digest int
	clients                 int
}

// start runs a server with some data in it.
func start(t *testing.T, flags ...string) *process {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().(*net.TCPAddr)
	require.NoError(t, ln.Close())
	p := &process{t: t, addr: addr.String()}
	args := []string{"--port", strconv.Itoa(addr.Port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "",
		"--requirepass", password, "--enable-debug-command", "yes", "--loglevel", "warning"}
	p.cmd = exec.Command(binary, append(args, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	require.NoError(t, p.cmd.Start())
	done := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // it is killed below, or has crashed
		close(done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-done
		if t.Failed() {
			text := p.output.String()
			t.Logf("the server said:\n%s", text[:min(len(text), 4000)])
		}
	})
	p.until("it listens", func() bool {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	p.ctl = p.user()
	p.seed()
	p.settle()
	return p
}

// seed makes a key of each type in the db that stays as it is.
func (p *process) seed() {
	c := p.ctl
	c.ok("SELECT", strconv.Itoa(dataDB))
	for i := range 200 {
		n := strconv.Itoa(i)
		c.do("SET", "myapp:"+n, `{"user":"`+n+`"}`, "EX", "100000")
		c.do("RPUSH", "list", n, "element"+n)
		c.do("HSET", "hash", "f"+n, n)
		c.do("SADD", "set", "m"+n)
		c.do("ZADD", "zset", n, "m"+n)
		c.do("XADD", "stream", n+"-1", "f", n)
	}
}

// digest is a hash of all that is in the db that stays as it is.
func (p *process) digest() int {
	h := fnv.New64a()
	for _, key := range append([]string{"list", "hash", "set", "zset", "stream"}, p.sessions()...) {
		v := p.ctl.do("DUMP", key)
		fmt.Fprintf(h, "%s=%s;", key, v.Text)
	}
	return int(h.Sum64())
}

func (p *process) sessions() (keys []string) {
	for i := range 200 {
		keys = append(keys, "myapp:"+strconv.Itoa(i))
	}
	return keys
}

// settle takes down what the next attack must leave as it was.
func (p *process) settle() {
	p.until("what was started has ended", func() bool {
		p.ctl.ok("MEMORY", "PURGE")
		now := p.state()
		calm := now.fds == p.before.fds && now.goroutines == p.before.goroutines && now.rss >= p.before.rss-mib
		p.before = now
		return calm
	})
	p.before.digest = p.digest()
}

// settleIn is settle in a db, after something was set up elsewhere.
func (p *process) settleIn(db int) {
	p.ctl.ok("SELECT", strconv.Itoa(db))
	p.settle()
}

func (p *process) state() state {
	return state{rss: p.status("VmRSS"), fds: p.fds(), goroutines: p.goroutines(), clients: p.clients()}
}

// status is a figure of /proc in bytes.
func (p *process) status(name string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(p.t, err)
	m := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+) kB$`).FindSubmatch(b)
	require.NotNil(p.t, m, "%s of\n%s", name, b)
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	require.NoError(p.t, err)
	return kb << 10
}

func (p *process) fds() int {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	require.NoError(p.t, err)
	return len(all)
}

var goroutinesLine = regexp.MustCompile(`goroutines: (\d+)`)

func (p *process) goroutines() int {
	m := goroutinesLine.FindStringSubmatch(p.ctl.do("MEMORY", "MALLOC-STATS").Text)
	require.NotNil(p.t, m)
	n, err := strconv.Atoi(m[1])
	require.NoError(p.t, err)
	return n
}

func (p *process) clients() int { return int(p.info("connected_clients")) }

// info is a figure of INFO.
func (p *process) info(field string) int64 {
	_, rest, found := strings.Cut(p.ctl.do("INFO", "everything").Text, "\n"+field+":")
	require.True(p.t, found, field)
	text, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(p.t, err, field)
	return n
}

// cpu is the CPU time that the server has used.
func (p *process) cpu() time.Duration {
	var ts unix.Timespec
	// The kernel's own encoding of a process' CPU clock (clock_getcpuclockid).
	require.NoError(p.t, unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|2), &ts))
	return time.Duration(ts.Nano())
}

// until waits for something that can be seen.
func (p *process) until(what string, cond func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// attack runs f, which may take the server up to most bytes more memory, and looks
// whether the server stands.
func (p *process) attack(t *testing.T, name string, most int64, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		outer := p.t
		p.t, p.ctl.t = t, t
		defer func() { p.t, p.ctl.t = outer, outer }()
		// The kernel forgets the highest resident memory so far.
		require.NoError(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0))
		f(t)
		if t.Failed() {
			return
		}
		p.stands(most)
	})
}

// stands wants the server as it was before.
func (p *process) stands(most int64) {
	p.alive()
	peak := p.status("VmHWM") - p.before.rss
	require.Less(p.t, peak, most+slack, "bytes at most")
	var now state
	defer func() {
		if p.t.Failed() {
			p.t.Logf("before %+v, now %+v", p.before, now)
		}
	}()
	p.until("memory, descriptors, goroutines and clients are as they were", func() bool {
		p.ctl.ok("MEMORY", "PURGE")
		now = p.state()
		return now.rss < p.before.rss+slack && now.fds <= p.before.fds && now.clients <= p.before.clients &&
			now.goroutines <= p.before.goroutines+1 // the one that purges
	})
	require.Equal(p.t, p.before.digest, p.digest(), "the data are not as they were")
	require.NotContains(p.t, p.output.String(), "failed inside")
}

// alive wants an answer on a new connection before the server has worked for
// another second: whatever else the machine has to do.
func (p *process) alive() {
	p.t.Helper()
	began := p.cpu()
	c := p.user()
	require.Equal(p.t, "PONG", c.do("PING").Text)
	c.Close()
	require.Less(p.t, p.cpu()-began, time.Second, "the answer came late")
}

// conn is a client's connection.
type conn struct {
	*net.TCPConn
	t   *testing.T
	buf *bufio.Reader // what dec reads from
	dec *resp.Decoder
}

// guest is a client that has not said who it is.
func (p *process) guest() *conn { return dial(p.t, p.addr) }

// user is a client that may do everything.
func (p *process) user() *conn {
	c := p.guest()
	c.ok("AUTH", password)
	return c
}

func dial(t *testing.T, addr string) *conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	require.NoError(t, c.SetDeadline(engine.SystemClock{}.Now().Add(10*patience)))
	t.Cleanup(func() { _ = c.Close() })
	buf := bufio.NewReaderSize(c, 64<<10)
	return &conn{TCPConn: c.(*net.TCPConn), t: t, buf: buf, dec: resp.NewDecoder(buf)}
}

// send writes bytes; that the server has closed the connection is no failure.
func (c *conn) send(b string) {
	c.t.Helper()
	if _, err := c.Write([]byte(b)); err != nil && !isClosed(err) {
		c.t.Fatalf("send: %v", err)
	}
}

func isClosed(err error) bool {
	return strings.Contains(err.Error(), syscall.EPIPE.Error()) || strings.Contains(err.Error(), syscall.ECONNRESET.Error())
}

// do sends a command and returns its reply.
func (c *conn) do(args ...string) resp.Value {
	c.t.Helper()
	c.send(string(resp.AppendCommand(nil, args...)))
	return c.reply()
}

func (c *conn) reply() resp.Value {
	c.t.Helper()
	v, err := c.dec.Decode()
	require.NoError(c.t, err)
	return v
}

func (c *conn) ok(args ...string) {
	c.t.Helper()
	require.Equal(c.t, "OK", c.do(args...).Text, "%.200q", args)
}

// rest is everything that still comes until the server closes the connection.
func (c *conn) rest() string {
	var b bytes.Buffer
	_, err := b.ReadFrom(c.buf)
	if err != nil && !isClosed(err) {
		c.t.Fatalf("read: %v", err)
	}
	return b.String()
}

// closed waits until the server has closed the connection.
func (c *conn) closed() { c.rest() }
