package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/disk/disktest"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// logging is a server with an append-only log in dir, which it has loaded.
func logging(t *testing.T, dir string, fsys disk.FS, change func(c *config.Config)) *server.Server {
	srv := keeping(t, dir, fsys, func(c *config.Config) {
		c.AOF.On = true
		if change != nil {
			change(c)
		}
	})
	require.NoError(t, srv.Load(context.Background()))
	return srv
}

// end shuts a server down.
func end(t *testing.T, srv *server.Server) {
	require.NoError(t, srv.Shutdown(context.Background()))
}

// ask sends lines and returns the first line of each reply; what follows is read when
// it is a string.
func ask(t *testing.T, srv *server.Server, lines ...string) []string {
	p := newPeer(t, servertest.Dial(t, srv))
	var out []string
	for _, line := range lines {
		p.send(line + "\r\n")
		got := strings.TrimSuffix(p.line(), "\r\n")
		var n int
		if _, err := fmt.Sscanf(got, "$%d", &n); err == nil && n >= 0 {
			p.bytes(n + 2)
		}
		out = append(out, got)
	}
	return out
}

// bytes reads so many.
func (p *peer) bytes(n int) string {
	p.t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(p.r, b)
	require.NoError(p.t, err)
	return string(b)
}

// silent sees that nothing comes for a moment.
func (p *peer) silent() {
	p.t.Helper()
	require.NoError(p.t, p.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err := p.r.Peek(1)
	require.ErrorIs(p.t, err, os.ErrDeadlineExceeded)
	require.NoError(p.t, p.SetDeadline(time.Now().Add(20*time.Second)))
}

// persisted is a field of INFO.
func persisted(t *testing.T, srv *server.Server, field string) string {
	p := newPeer(t, servertest.Dial(t, srv))
	p.send("INFO persistence\r\n")
	var n int
	_, err := fmt.Sscanf(p.line(), "$%d", &n)
	require.NoError(t, err)
	for _, line := range strings.Split(p.bytes(n+2), "\r\n") {
		if val, ok := strings.CutPrefix(line, field+":"); ok {
			return val
		}
	}
	return ""
}

func eventually(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, 20*time.Second, time.Millisecond)
}

func TestLoggedDataAreThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	a := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{"+OK", ":1", "+OK", "+QUEUED", "+QUEUED", "*2"}, ask(t, a, "SET k v", "INCR n", "MULTI", "SET m 1", "INCR m", "EXEC"))
	require.Equal(t, "1", persisted(t, a, "aof_enabled"))
	require.NotEqual(t, "0", persisted(t, a, "aof_current_size"))
	end(t, a)
	b := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{"$1", ":2", ":3"}, ask(t, b, "GET k", "INCR n", "INCR m"))
	end(t, b)
	c := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{":3", ":4"}, ask(t, c, "INCR n", "INCR m"))
	require.NoFileExists(t, filepath.Join(dir, "dump.rdb"))
	for path, mode := range map[string]os.FileMode{"appendonlydir": os.ModeDir | 0o700, "appendonlydir/appendonly.aof.1.incr.aof": 0o600, "appendonlydir/appendonly.aof.manifest": 0o600} {
		got, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, got.Mode(), path)
	}
}

// A snapshot is the first base where appendonly is new.
func TestASnapshotBecomesTheBase(t *testing.T) {
	dir := t.TempDir()
	a := keeping(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{"+OK", "+OK"}, ask(t, a, "SET k v", "SAVE"))
	end(t, a)
	b := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{"$1", "+OK"}, ask(t, b, "GET k", "SET l w"))
	end(t, b)
	require.NoError(t, os.Remove(filepath.Join(dir, "dump.rdb")))
	c := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{"$1", "$1"}, ask(t, c, "GET k", "GET l"))
}

// The log is turned on and off while clients write; what was there when it was on is
// there afterwards.
func TestTheLogIsTurnedOnAndOff(t *testing.T) {
	dir := t.TempDir()
	a := keeping(t, dir, disk.OS{}, nil)
	require.NoError(t, a.Load(context.Background()))
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		p := newPeer(t, servertest.Dial(t, a))
		n := 0
		for {
			select {
			case <-stop:
				done <- n
				return
			default:
				p.send("INCR n\r\n")
				p.expect(fmt.Sprintf(":%d\r\n", n+1))
				n++
			}
		}
	}()
	for range 4 {
		require.Equal(t, []string{"+OK"}, ask(t, a, "CONFIG SET appendonly yes"))
		eventually(t, func() bool {
			return persisted(t, a, "aof_rewrite_in_progress") == "0" && persisted(t, a, "aof_base_size") != "0"
		})
		require.Equal(t, []string{"+OK"}, ask(t, a, "CONFIG SET appendonly no"))
		require.Equal(t, "0", persisted(t, a, "aof_enabled"))
	}
	require.Equal(t, []string{"+OK"}, ask(t, a, "CONFIG SET appendonly yes"))
	close(stop)
	n := <-done
	eventually(t, func() bool {
		return persisted(t, a, "aof_rewrite_in_progress") == "0" && persisted(t, a, "aof_base_size") != "0"
	})
	end(t, a)
	b := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{fmt.Sprintf(":%d", n+1)}, ask(t, b, "INCR n"))
	names, err := os.ReadDir(filepath.Join(dir, "appendonlydir"))
	require.NoError(t, err)
	require.Len(t, names, 3, "old files are removed")
}

// A rewrite goes on beside writers, and loses nothing.
func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	a := logging(t, dir, disk.OS{}, func(c *config.Config) { c.AOF.Sync = "always" })
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p := newPeer(t, servertest.Dial(t, a))
			for j := range 300 {
				p.send(fmt.Sprintf("INCR n%d\r\n", i))
				p.expect(fmt.Sprintf(":%d\r\n", j+1))
			}
		})
	}
	for range 3 {
		require.Equal(t, []string{"+Background append only file rewriting started"}, ask(t, a, "BGREWRITEAOF"))
		eventually(t, func() bool { return persisted(t, a, "aof_rewrite_in_progress") == "0" })
		require.Equal(t, "ok", persisted(t, a, "aof_last_bgrewrite_status"))
	}
	wg.Wait()
	require.Equal(t, "3", persisted(t, a, "aof_rewrites"))
	end(t, a)
	b := logging(t, dir, disk.OS{}, nil)
	for i := range 4 {
		require.Equal(t, []string{":301"}, ask(t, b, fmt.Sprintf("INCR n%d", i)))
	}
}

func TestRewriteBySize(t *testing.T) {
	a := logging(t, t.TempDir(), disk.OS{}, func(c *config.Config) { c.AOF.RewriteMinSize, c.AOF.RewritePercentage = 5000, 100 })
	eventually(t, func() bool {
		ask(t, a, "SET k "+strings.Repeat("x", 1000))
		return persisted(t, a, "aof_rewrites") != "0"
	})
}

// While the log can't be written, writes are refused; then they are served again, and
// nothing that was acknowledged is lost.
func TestWritesAreRefusedWhileTheLogCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	faulty := &disktest.Faulty{FS: disk.OS{}}
	a := logging(t, dir, faulty, nil)
	require.Equal(t, []string{"+OK"}, ask(t, a, "SET k v"))
	faulty.Fail(1, 1<<30, syscall.ENOSPC, true)
	n := 0
	eventually(t, func() bool {
		got := ask(t, a, "INCR n")[0]
		if got == fmt.Sprintf(":%d", n+1) {
			n++
			return false
		}
		require.Equal(t, "-MISCONF Errors writing to the AOF file: No space left on device", got)
		return true
	})
	require.Equal(t, "err", persisted(t, a, "aof_last_write_status"))
	require.Equal(t, []string{"$1", "-MISCONF Errors writing to the AOF file: No space left on device"}, ask(t, a, "GET k", "PING"))
	faulty.Fail(1, 0, nil, false)
	eventually(t, func() bool { return persisted(t, a, "aof_last_write_status") == "ok" })
	n++
	require.Equal(t, []string{fmt.Sprintf(":%d", n), "+PONG"}, ask(t, a, "INCR n", "PING"))
	end(t, a)
	b := logging(t, dir, disk.OS{}, nil)
	require.Equal(t, []string{fmt.Sprintf(":%d", n+1)}, ask(t, b, "INCR n"))
}

// syncGate is a file system whose syncs of increments wait until they are let through.
type syncGate struct {
	disk.FS
	asked, open chan struct{}
}

type syncGateFile struct {
	disk.File
	g *syncGate
}

func (g *syncGate) Append(name string) (disk.File, error) {
	f, err := g.FS.Append(name)
	return syncGateFile{f, g}, err
}

func (f syncGateFile) Sync() error {
	f.g.asked <- struct{}{}
	<-f.g.open
	return f.File.Sync()
}

// With appendfsync always, replies of writes wait for the disk, one sync for several
// clients; reads do not.
func TestRepliesWaitForTheDisk(t *testing.T) {
	for _, dial := range []string{"socket", "pipe"} {
		t.Run(dial, func(t *testing.T) {
			g := &syncGate{disk.OS{}, make(chan struct{}, 100), make(chan struct{})}
			srv := logging(t, t.TempDir(), g, func(c *config.Config) { c.AOF.Sync = "always" })
			open := sync.OnceFunc(func() { close(g.open) })
			t.Cleanup(open) // before the server is closed, which syncs
			connect := func() *peer {
				if dial == "socket" {
					return newPeer(t, servertest.Dial(t, srv))
				}
				conn, err := srv.Dial(context.Background(), "", "")
				require.NoError(t, err)
				return newPeer(t, conn)
			}
			popper, a, b, reader := connect(), connect(), connect(), connect()
			popper.send("BLPOP l 0\r\n")
			servertest.WaitBlocked(t, srv, 1)
			a.send("RPUSH l x\r\n")
			<-g.asked // the first sync has begun
			b.send("SET k v\r\nGET k\r\nPING\r\n")
			reader.send("PING\r\n")
			reader.expect("+PONG\r\n")
			eventually(t, func() bool { reader.send("EXISTS k\r\n"); return reader.line() == ":1\r\n" })
			a.silent()
			b.silent()
			popper.silent()
			g.open <- struct{}{}
			a.expect(":1\r\n")
			popped := "*2\r\n$1\r\nl\r\n$1\r\nx\r\n"
			if dial == "socket" { // else the log may have begun between the push and the pop
				popper.expect(popped)
				popped = ""
			}
			<-g.asked
			b.silent()
			g.open <- struct{}{}
			popper.expect(popped)
			b.expect("+OK\r\n$1\r\nv\r\n+PONG\r\n")
			open() // no sync waits any more
			end(t, srv)
		})
	}
}

func TestWaitaof(t *testing.T) {
	g := &syncGate{disk.OS{}, make(chan struct{}, 100), make(chan struct{}, 100)}
	srv := logging(t, t.TempDir(), g, nil)
	p := newPeer(t, servertest.Dial(t, srv))
	p.send("WAITAOF 1 0 0\r\nSET k v\r\nWAITAOF 0 0 0\r\nMULTI\r\nWAITAOF 1 0 0\r\nEXEC\r\nWAITAOF 1 0 1\r\n")
	p.expect("*2\r\n:1\r\n:0\r\n+OK\r\n*2\r\n:0\r\n:0\r\n+OK\r\n+QUEUED\r\n*1\r\n*2\r\n:0\r\n:0\r\n*2\r\n:0\r\n:0\r\n")
	p.send("WAITAOF 1 0 0\r\n")
	servertest.WaitBlocked(t, srv, 1)
	g.open <- struct{}{}
	p.expect("*2\r\n:1\r\n:0\r\n")
	p.send("SET k v\r\nWAITAOF 1 0 0\r\n")
	p.expect("+OK\r\n")
	servertest.WaitBlocked(t, srv, 1)
	require.Equal(t, []string{"+OK"}, ask(t, srv, "CONFIG SET appendonly no"))
	p.expect("-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n")
	for range 50 {
		g.open <- struct{}{}
	}
}

// A slow disk holds those who write back before the memory grows.
func TestWritersWaitForTheLog(t *testing.T) {
	g := &syncGate{disk.OS{}, make(chan struct{}, 1000), make(chan struct{}, 1000)}
	srv := logging(t, t.TempDir(), g, nil)
	p := newPeer(t, servertest.Dial(t, srv))
	val := strings.Repeat("v", 1<<20)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 200 {
			p.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n" + val + "\r\n")
		}
		p.expect(strings.Repeat("+OK\r\n", 200))
	}()
	<-g.asked
	paused := func() bool {
		h := srv.Engine().Lock()
		defer h.Unlock()
		return srv.Paused() == 1
	}
	eventually(t, paused)
	require.Equal(t, []string{"+PONG"}, ask(t, srv, "PING"))
	for range 900 {
		g.open <- struct{}{}
	}
	<-sent
}

// Nobody else may use a directory that a server has.
func TestTheDirectoryIsLocked(t *testing.T) {
	dir := t.TempDir()
	logging(t, dir, disk.OS{}, nil)
	b := keeping(t, dir, disk.OS{}, func(c *config.Config) { c.AOF.On = true })
	require.ErrorIs(t, b.Load(context.Background()), disk.ErrLocked)
}

func TestDebugLoadAOF(t *testing.T) {
	a := logging(t, t.TempDir(), disk.OS{}, func(c *config.Config) { c.EnableDebugCommand = "yes" })
	require.Equal(t, []string{"+OK", ":1", "+OK", ":2", "+OK", ":3"}, ask(t, a, "SET k v", "INCR n", "DEBUG LOADAOF", "INCR n", "DEBUG LOADAOF", "INCR n"))
	require.Equal(t, []string{"+OK", "+QUEUED", "*1"}, ask(t, a, "MULTI", "DEBUG LOADAOF", "EXEC"))
}

// A log that fails at the end is told of.
func TestShutdownTellsOfLostChanges(t *testing.T) {
	faulty := &disktest.Faulty{FS: disk.OS{}}
	cfg := config.New()
	cfg.Port, cfg.Dir, cfg.AOF.On = 0, t.TempDir(), true
	srv := servertest.Start(t, func(o *server.Options) { o.FS, o.Config = faulty, cfg })
	require.NoError(t, srv.Load(context.Background()))
	faulty.Fail(1, 1<<30, syscall.EIO, false)
	require.Equal(t, []string{"+OK"}, ask(t, srv, "SET k v"))
	err := srv.Shutdown(context.Background())
	require.True(t, errors.Is(err, syscall.EIO), "%v", err)
}
