package aof

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/disk"
)

// writer is the side of a log that has the file. All of it is guarded by fileMu, but
// for what is below info.
type writer struct {
	fileMu sync.Mutex
	file   disk.File
	// firm is how much of the file stays whatever fails; kept are the batches behind
	// it, of which so many bytes are written.
	firm    int64
	kept    []byte
	written int
	taken   int64 // position behind kept
	// dirty: something was written since the last sync. broken: a write or sync
	// failed, and the file is to be cut back to firm.
	dirty, broken bool
	stop          func() // of the timer of the next tick; nil: there is none
	tick          chan struct{}
	toldSynced    int64 // what Hooks.Synced was last called for

	info    sync.Mutex
	size    int64 // of the file
	held    int   // bytes that are kept
	syncing bool
	slow    int64 // syncs that took longer than slowSync
}

const (
	// syncEvery is how often EverySecond syncs, and how long a disk that has failed is
	// left alone.
	syncEvery = time.Second
	// slowSync is a sync that held up others, as Redis counts them.
	slowSync = 2 * time.Second
)

// cut is where a new file begins.
type cut struct {
	before []byte // what is still for the old one
	end    int64  // position
	file   disk.File
	done   chan struct{} // closed when the new file is in use
}

// start makes a log that appends to a file of so many bytes, and starts its goroutine.
// Positions go on from one.
func start(file disk.File, size, from int64, policy Policy, hooks Hooks) *Log {
	l := &Log{hooks: hooks, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	l.policy.Store(uint32(policy))
	l.file, l.firm, l.size = file, size, size
	l.logged, l.taken = from, from
	l.at.Store(from)
	l.synced.Store(from)
	l.tick = make(chan struct{}, 1)
	go l.run()
	return l
}

// switchTo has all that is logged from now on go to another, empty file. The caller
// holds the engine's lock, between units. The channel is closed when the old file is
// whole, synced and closed. It must not be called again before.
func (l *Log) switchTo(file disk.File) <-chan struct{} {
	l.enc.Reset()
	l.mu.Lock()
	c := &cut{before: l.pending, end: l.logged, file: file, done: make(chan struct{})}
	l.cut, l.pending = c, nil
	l.mu.Unlock()
	l.wakeUp()
	return c.done
}

// Flush writes what is pending, unless the log's own goroutine has to. The caller holds
// no lock.
func (l *Log) Flush() {
	if !l.fresh.Load() {
		return
	}
	if l.effective() == Always || !l.fileMu.TryLock() {
		l.wakeUp()
		return
	}
	var err error
	if !l.broken { // else the tick tries again
		err = l.write()
	}
	if len(l.kept) > maxUnsynced {
		l.wakeUp()
	}
	l.release(err)
}

// run writes and syncs what comes until Close.
func (l *Log) run() {
	defer close(l.done)
	for {
		select {
		case <-l.wake:
			l.awake.Store(false)
			l.work(false)
		case <-l.tick:
			l.work(true)
		case <-l.quit:
			l.last()
			return
		}
	}
}

// work writes what is pending and syncs where the policy, or the time, wants it.
func (l *Log) work(due bool) {
	l.fileMu.Lock()
	if due {
		l.stop = nil
	}
	l.mu.Lock()
	asked := l.asked
	l.asked = nil
	l.mu.Unlock()
	if l.broken && !due && len(asked) == 0 {
		l.release(l.Err())
		return
	}
	err := l.write()
	policy := l.effective()
	if err == nil && (policy == Always || len(asked) > 0 || policy == EverySecond && (due || len(l.kept) > maxUnsynced)) {
		err = l.sync()
	}
	l.release(err)
	for _, then := range asked {
		then(err)
	}
}

// last writes and syncs for the last time.
func (l *Log) last() {
	l.fileMu.Lock()
	err := l.write()
	if err == nil {
		err = l.sync()
	}
	err = errors.Join(err, l.file.Close())
	l.mu.Lock()
	if l.cut != nil { // what is for the new file is lost with what is for the old one
		l.cut.file.Close()
	}
	l.mu.Unlock()
	l.dirty, l.broken = false, false
	l.release(err)
	if l.stop != nil {
		l.stop()
	}
}

// sync makes what was written durable.
func (l *Log) sync() error {
	if !l.dirty {
		l.synced.Store(l.taken)
		return nil
	}
	l.setSyncing(true)
	began := engine.SystemClock{}.Now()
	err := l.file.Sync()
	took := engine.SystemClock{}.Now().Sub(began)
	l.setSyncing(false)
	if took > slowSync {
		l.info.Lock()
		l.slow++
		l.info.Unlock()
	}
	if err != nil {
		l.broken = true // the system may have dropped what it could not write
		return fmt.Errorf("sync the append-only file: %w", err)
	}
	l.dirty = false
	l.settle()
	l.synced.Store(l.taken)
	return nil
}

func (l *Log) setSyncing(on bool) {
	l.info.Lock()
	defer l.info.Unlock()
	l.syncing = on
}

// settle says that all that is written stays.
func (l *Log) settle() {
	l.firm += int64(l.written)
	l.written, l.kept = 0, l.kept[:0]
	if cap(l.kept) > maxUnsynced {
		l.kept = nil
	}
}

// write writes what is pending as one batch, behind those that failed before. What a
// failed write has left is cut off first. Where a new file begins, the old one is synced
// and closed.
func (l *Log) write() error {
	for {
		c := l.take()
		if err := l.writeKept(); err != nil {
			return err
		}
		if c == nil {
			return nil
		}
		if err := l.turnOver(c); err != nil {
			return err
		}
	}
}

// take moves what is pending to what is kept. It returns where a new file begins behind
// that, if one does.
func (l *Log) take() *cut {
	l.mu.Lock()
	batch, c := l.pending, l.cut
	if c != nil {
		batch, c.before, l.taken = c.before, nil, c.end
	} else {
		l.pending, l.spare, l.taken = l.spare[:0], nil, l.logged
		l.fresh.Store(false)
	}
	l.mu.Unlock()
	if len(batch) > 0 {
		l.kept = append(appendMark(l.kept, batch), batch...)
	}
	if cap(batch) > 0 && cap(batch) <= keptSpare && c == nil {
		l.mu.Lock()
		l.spare = batch[:0]
		l.mu.Unlock()
	}
	return c
}

func (l *Log) writeKept() error {
	if l.broken {
		if err := l.file.Truncate(l.firm); err != nil {
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
	l.written, l.dirty = len(l.kept), true
	if l.effective() == Never {
		l.settle()
	}
	return nil
}

// turnOver goes on in a new file.
func (l *Log) turnOver(c *cut) error {
	l.setSyncing(true)
	err := l.file.Sync()
	l.setSyncing(false)
	if err != nil {
		l.broken = true
		return fmt.Errorf("sync the append-only file: %w", err)
	}
	l.dirty = false
	l.settle()
	l.synced.Store(c.end)
	l.file.Close() // what it could say, the sync has said
	l.file, l.firm = c.file, 0
	l.mu.Lock()
	l.cut = nil
	l.mu.Unlock()
	close(c.done)
	return nil
}

// release gives fileMu back, takes down how a write went, and tells those who wait for
// something.
func (l *Log) release(err error) {
	if l.stop == nil && (l.broken || l.dirty && l.effective() == EverySecond) {
		l.stop = engine.SystemClock{}.AfterFunc(syncEvery, func() {
			select {
			case l.tick <- struct{}{}:
			default:
			}
		})
	}
	kept := len(l.kept)
	l.info.Lock()
	l.size, l.held = l.firm+int64(l.written), kept
	l.info.Unlock()
	before := l.failed.Load()
	if err != nil {
		l.failed.Store(&err)
	} else if before != nil {
		l.failed.Store(nil)
	}
	changed := err == nil && before != nil || err != nil && (before == nil || (*before).Error() != err.Error())
	synced := l.synced.Load()
	moved := l.tell.Swap(false) || synced != l.toldSynced
	l.toldSynced = synced
	freed := l.measure(kept)
	l.fileMu.Unlock()
	if changed {
		l.hooks.State(err)
	}
	if moved {
		l.hooks.Synced()
	}
	if freed {
		l.hooks.Freed()
	}
}

// measure finds out whether the disk is behind, and says whether it no longer is.
func (l *Log) measure(kept int) (freed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := kept + len(l.pending)
	if l.cut != nil {
		n += len(l.cut.before)
	}
	was := l.behind.Load()
	is := n > maxBehind || was && n > maxBehind/2
	l.behind.Store(is)
	return was && !is
}

// State is how a log is doing.
type State struct {
	Size    int64 // of the increment, in bytes
	Pending int   // bytes that are in memory: to be written, or to be synced
	Syncing bool
	Slow    int64 // syncs that took long
	Err     error // why the last write failed; nil when all is well
}

// State may be asked by any goroutine.
func (l *Log) State() State {
	l.mu.Lock()
	pending := len(l.pending)
	l.mu.Unlock()
	l.info.Lock()
	defer l.info.Unlock()
	return State{l.size, pending + l.held, l.syncing, l.slow, l.Err()}
}
