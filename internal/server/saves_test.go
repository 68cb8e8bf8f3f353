package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/disk/disktest"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// keeping is a server that keeps its data in dir, on fsys.
func keeping(t *testing.T, dir string, fsys disk.FS, change func(c *config.Config)) *server.Server {
	return servertest.Start(t, func(o *server.Options) {
		o.FS = fsys
		o.Config.Dir = dir
		if change != nil {
			change(o.Config)
		}
	})
}

func TestSavedDataAreThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	a := newPeer(t, servertest.Dial(t, keeping(t, dir, disk.OS{}, nil)))
	a.send("SET k v\r\nSAVE\r\nSET later x\r\n")
	a.expect("+OK\r\n+OK\r\n+OK\r\n")

	srv := keeping(t, dir, disk.OS{}, nil)
	require.NoError(t, srv.Load(context.Background()))
	b := newPeer(t, servertest.Dial(t, srv))
	b.send("GET k\r\nGET later\r\n")
	b.expect("$1\r\nv\r\n$-1\r\n")
	b.send("BGSAVE\r\nBGSAVE x\r\n")
	b.expect("+Background saving started\r\n-ERR syntax error\r\n")
	require.Eventually(t, func() bool { return srv.Snapshot().Persistence.Saves == 1 }, 10*time.Second, time.Millisecond)
}

// gate is a file system whose writes wait until it is opened.
type gate struct {
	disk.FS
	writing, open chan struct{}
}

type gatedFile struct {
	disk.File
	g *gate
}

func newGate() *gate {
	return &gate{disk.OS{}, make(chan struct{}, 1), make(chan struct{})}
}

func (g *gate) Create(name string) (disk.File, error) {
	f, err := g.FS.Create(name)
	return gatedFile{f, g}, err
}

func (f gatedFile) Write(b []byte) (int, error) {
	select {
	case f.g.writing <- struct{}{}:
	default:
	}
	<-f.g.open
	return f.File.Write(b)
}

// While the disk is slow, writers wait before the memory that a save needs grows
// beyond its share, readers do not; and the file shows the moment of its start.
func TestWritersWaitForTheDisk(t *testing.T) {
	dir := t.TempDir()
	g := newGate()
	srv := keeping(t, dir, g, nil)
	p := newPeer(t, servertest.Dial(t, srv))
	const keys, size = 30000, 300
	val := strings.Repeat("v", size)
	for i := range keys {
		p.send(fmt.Sprintf("SET k%d %s\r\n", i, val))
	}
	p.expect(strings.Repeat("+OK\r\n", keys))
	p.send("BGSAVE\r\n")
	p.expect("+Background saving started\r\n")
	<-g.writing // the disk is stuck with the first piece

	writer, reader := newPeer(t, servertest.Dial(t, srv)), newPeer(t, servertest.Dial(t, srv))
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range keys {
			writer.send(fmt.Sprintf("SET k%d new\r\n", i))
		}
		writer.expect(strings.Repeat("+OK\r\n", keys))
	}()
	require.Eventually(t, func() bool { // some client is held back
		h := srv.Engine().Lock()
		defer h.Unlock()
		return srv.Paused() > 0
	}, 10*time.Second, time.Millisecond)
	reader.ask("EXISTS k1\r\n", ":1\r\n")
	select {
	case <-written:
		t.Fatal("all was written while the disk stood still")
	default:
	}
	close(g.open)
	<-written
	require.Eventually(t, func() bool { return srv.Snapshot().Persistence.Saves >= 1 }, 10*time.Second, time.Millisecond)

	again := keeping(t, t.TempDir(), disk.OS{}, func(c *config.Config) { c.Dir = dir })
	require.NoError(t, again.Load(context.Background()))
}

// A save that fails makes writes fail, where the operator wants that, until one
// goes well.
func TestWritesAreRefusedWhileNothingCanBeSaved(t *testing.T) {
	f := &disktest.Faulty{FS: disk.OS{}}
	srv := keeping(t, t.TempDir(), f, func(c *config.Config) { c.Save = "3600 1" })
	p := newPeer(t, servertest.Dial(t, srv))
	f.Fail(1, 1000, errors.New("no space left on device"), true)
	p.send("SET k v\r\nSAVE\r\nSET k w\r\nGET k\r\n")
	p.expect("+OK\r\n-ERR the snapshot could not be written, the log says why\r\n-MISCONF Redis is configured")
	p.line()
	p.expect("$1\r\nv\r\n")
	require.True(t, srv.Snapshot().Persistence.LastFailed)
	p.send("CONFIG SET stop-writes-on-bgsave-error no\r\nSET k w\r\nCONFIG SET stop-writes-on-bgsave-error yes\r\n")
	p.expect("+OK\r\n+OK\r\n+OK\r\n")
	f.Fail(1, 0, nil, false)
	p.send("SAVE\r\nSET k x\r\n")
	p.expect("+OK\r\n+OK\r\n")
}

func TestSavePoints(t *testing.T) {
	dir := t.TempDir()
	srv := keeping(t, dir, disk.OS{}, nil)
	p := newPeer(t, servertest.Dial(t, srv))
	p.send("CONFIG SET save \"1 2\"\r\nSET a 1\r\nSET b 2\r\n")
	p.expect("+OK\r\n+OK\r\n+OK\r\n")
	require.Eventually(t, func() bool { return srv.Snapshot().Persistence.Saves == 1 }, 10*time.Second, 10*time.Millisecond)
	// What was flushed does not come back.
	p.send("FLUSHALL\r\n")
	p.expect("+OK\r\n")
	require.Eventually(t, func() bool { return srv.Snapshot().Persistence.Saves == 2 }, 10*time.Second, 10*time.Millisecond)
}

// slowOpen lets a file be opened when the test says so.
type slowOpen struct {
	disk.FS
	opened chan struct{}
}

func (s slowOpen) Open(name string) (disk.File, error) {
	<-s.opened
	return s.FS.Open(name)
}

func TestClientsHearThatDataAreBeingLoaded(t *testing.T) {
	dir := t.TempDir()
	a := newPeer(t, servertest.Dial(t, keeping(t, dir, disk.OS{}, nil)))
	a.send("SET k v\r\nSAVE\r\n")
	a.expect("+OK\r\n+OK\r\n")
	fsys := slowOpen{disk.OS{}, make(chan struct{})}
	srv := keeping(t, dir, fsys, nil)
	loaded := make(chan error)
	go func() { loaded <- srv.Load(context.Background()) }()
	p := newPeer(t, servertest.Dial(t, srv))
	require.Eventually(t, func() bool { return srv.Snapshot().Persistence.Loading }, 10*time.Second, time.Millisecond)
	p.send("GET k\r\nPING\r\nLASTSAVE\r\n")
	p.expect("-LOADING Redis is loading the dataset in memory\r\n-LOADING Redis is loading the dataset in memory\r\n:")
	p.line()
	close(fsys.opened)
	require.NoError(t, <-loaded)
	p.send("GET k\r\n")
	p.expect("$1\r\nv\r\n")
}

func TestWithoutADirectoryNothingIsKept(t *testing.T) {
	p := newPeer(t, servertest.Dial(t, servertest.Start(t, nil)))
	p.send("SAVE\r\nBGSAVE\r\n")
	p.expect("-ERR This server keeps its data in memory only: it was started without a directory\r\n" +
		"-ERR This server keeps its data in memory only: it was started without a directory\r\n")
}
