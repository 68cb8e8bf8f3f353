// Package aof keeps the commands that change the keyspace in files, Redis 7's: a
// manifest, a base and increments in a directory of their own. It writes them beside
// clients, and runs them again at a start. It knows the engine, the command table and
// the file system, not clients.
package aof

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/disk"
	"coatcheck/internal/propagate"
)

// Policy says when what was written is made durable (appendfsync).
type Policy uint8

// The policies.
const (
	EverySecond Policy = iota
	Never              // the system does, when it likes
)

// Log is a sink that writes what happens into the last increment of a log. Effects are
// collected under the engine's lock, and a goroutine writes and syncs them off it.
type Log struct {
	// Guarded by the engine's lock: the unit that runs.
	enc propagate.Encoder

	mu      sync.Mutex
	pending []byte // whole units
	policy  Policy
	err     error // why the last write or sync failed
	size    int64 // of the increment, as far as it is whole

	// The writer's own.
	fs   disk.FS
	file disk.File
	path string
	// firm is how much of the file stays whatever fails; kept are the batches behind
	// it, of which so many bytes are written.
	firm    int64
	kept    []byte
	written int
	broken  bool // a write or sync failed: the file is to be cut back to firm
	wake    chan struct{}
	quit    chan struct{}
	done    chan struct{}
}

// syncEvery is how often EverySecond syncs, and how long a disk that has failed is left
// alone.
const syncEvery = time.Second

// Open opens a log for writing. Where there is none it begins one, without a base: the
// engine is to be empty then. Close ends it.
func Open(files Files, policy Policy) (*Log, error) {
	m, err := readManifest(files)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrNoManifest) {
		err = files.FS.MakeDir(files.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the append-only log: %w", err)
	}
	if len(m.incrs) == 0 {
		seq := max(m.base.seq, 1)
		m.incrs = []part{{name: fmt.Sprintf("%s.%d.incr.aof", files.Name, seq), seq: seq, kind: incr}}
		if err := create(files, &m); err != nil {
			return nil, fmt.Errorf("begin an append-only log: %w", err)
		}
	}
	f, err := files.FS.Append(files.path(m.incrs[len(m.incrs)-1].name))
	if err != nil {
		return nil, fmt.Errorf("open the append-only file: %w", err)
	}
	l := &Log{
		policy: policy, fs: files.FS, file: f, path: files.path(m.incrs[len(m.incrs)-1].name),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	if l.size, err = f.Size(); err != nil {
		f.Close()
		return nil, fmt.Errorf("open the append-only file: %w", err)
	}
	l.firm = l.size
	go l.run()
	return l, nil
}

// create makes the last increment of a manifest, and then the manifest that tells of
// it.
func create(files Files, m *manifest) error {
	f, err := files.FS.Create(files.path(m.incrs[len(m.incrs)-1].name))
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	name := files.manifestName()
	return disk.Replace(files.FS, files.path(name), "temp-"+name, func(f disk.File) error {
		_, err := f.Write(m.text())
		return err
	})
}

// Wants implements engine.Sink.
func (l *Log) Wants() engine.Wants { return engine.Wants{Argv: true} }

// Effect implements engine.Sink.
func (l *Log) Effect(_ *engine.Tx, e *engine.Effect) {
	l.enc.Effect(e)
}

// EndUnit implements engine.UnitSink.
func (l *Log) EndUnit(*engine.Tx) {
	if l.enc.Commands() == 0 {
		return
	}
	l.mu.Lock()
	l.pending = l.enc.AppendUnit(l.pending)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// State is how a log is doing.
type State struct {
	Size    int64 // of the increment, in bytes
	Pending int   // bytes that are to be written
	Err     error // why the last write failed; nil when all is well
}

// State may be asked by any goroutine.
func (l *Log) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return State{l.size, len(l.pending), l.err}
}

// Close writes and syncs what is left. The log must be no sink any more.
func (l *Log) Close() error {
	close(l.quit)
	<-l.done
	return l.State().Err
}

// run writes what comes until Close.
func (l *Log) run() {
	defer close(l.done)
	tick := make(chan struct{}, 1)
	for {
		stop := engine.SystemClock{}.AfterFunc(syncEvery, func() { tick <- struct{}{} })
		for ticked := false; !ticked; {
			select {
			case <-l.wake:
				if !l.broken { // else the tick tries again
					l.note(l.write())
				}
			case <-tick:
				l.note(l.flush(l.isSynced()))
				ticked = true
			case <-l.quit:
				stop()
				l.note(errors.Join(l.flush(true), l.file.Close()))
				return
			}
		}
	}
}

func (l *Log) isSynced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.policy == EverySecond
}

// note takes down how a write went, and how long the file is.
func (l *Log) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err, l.size = err, l.firm+int64(l.written)
}

// flush writes what is pending; with sync it makes it durable.
func (l *Log) flush(sync bool) error {
	if err := l.write(); err != nil || !sync || l.written == 0 {
		return err
	}
	if err := l.file.Sync(); err != nil {
		l.broken = true // the system may have dropped what it could not write
		return fmt.Errorf("sync the append-only file: %w", err)
	}
	l.settle()
	return nil
}

// settle says that all that is written stays.
func (l *Log) settle() {
	l.firm += int64(l.written)
	l.written, l.kept = 0, l.kept[:0]
	if cap(l.kept) > 4<<20 {
		l.kept = nil
	}
}

// write writes what is pending as one batch, behind those that failed before. What a
// failed write has left is cut off first.
func (l *Log) write() error {
	l.mu.Lock()
	batch, synced := l.pending, l.policy == EverySecond
	l.pending = nil
	l.mu.Unlock()
	if len(batch) > 0 {
		l.kept = append(appendMark(l.kept, batch), batch...)
	}
	if l.broken {
		if err := l.fs.Truncate(l.path, l.firm); err != nil {
			return fmt.Errorf("cut the append-only file back: %w", err)
		}
		l.broken, l.written = false, 0
	}
	if l.written == len(l.kept) {
		return nil
	}
	if _, err := l.file.Write(l.kept[l.written:]); err != nil {
		l.broken = true
		return fmt.Errorf("write the append-only file: %w", err)
	}
	if l.written = len(l.kept); !synced {
		l.settle()
	}
	return nil
}
