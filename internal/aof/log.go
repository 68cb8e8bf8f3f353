// Package aof keeps the commands that change the keyspace in files, Redis 7's: a
// manifest, a base and increments in a directory of their own. It writes them beside
// clients, replaces them by a new base, and runs them again at a start. It knows the
// engine, the command table and the file system, not clients.
package aof

import (
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"coatcheck/engine"
	"coatcheck/internal/propagate"
)

// How a write becomes durable. The sink collects the commands of a unit under the
// engine's lock and, when it ends, puts them behind those that are pending. Writing them
// is for whoever held the lock (Flush, which costs a system call and no other goroutine)
// or for the log's own goroutine, which alone syncs. A position is how many bytes of
// commands were logged up to there, since the log was opened; what is durable is told as
// a position, and so is what a reply has to wait for.
//
// What was written since the last sync is kept in memory, since a sync that fails leaves
// nobody the wiser: the file is cut back to where it is known to be good, and all that
// came since is written again.

// Policy says when what was written is made durable (appendfsync).
type Policy uint32

// The policies.
const (
	EverySecond Policy = iota
	Never              // the system does, when it likes
	Always             // before anybody is told that it is done
)

// Limits of memory, in bytes.
const (
	// maxUnsynced is how much is kept before it is synced ahead of time.
	maxUnsynced = 8 << 20
	// maxBehind is how much may be neither synced nor given up before those who write
	// have to wait.
	maxBehind = 32 << 20
	keptSpare = 1 << 20
)

// Hooks tell a log's owner what happens. They are called from the log's own goroutine
// or from Flush, without any lock.
type Hooks struct {
	// Synced: Log.Synced or Log.Acked has moved on.
	Synced func()
	// Freed: Behind has become false.
	Freed func()
	// State: a write or sync has failed, or, with nil, the first since went well.
	State func(err error)
}

// Log is a sink that writes what happens into the last increment of a log.
type Log struct {
	// Guarded by the engine's lock.
	enc       propagate.Encoder
	notes     []byte // annotation lines for the unit that runs
	inline    bool   // whoever holds the lock calls Flush afterwards
	stamps    bool   // aof-timestamp-enabled
	stampedAt int64  // second of the last stamp

	mu      sync.Mutex
	pending []byte // whole units
	spare   []byte
	cut     *cut              // pending begins a new file
	asked   []func(err error) // by Sync
	logged  int64             // position behind pending

	fresh  atomic.Bool  // there is something pending
	at     atomic.Int64 // logged, to be read without mu
	synced atomic.Int64
	policy atomic.Uint32
	lazy   atomic.Bool // no syncs for the time being
	behind atomic.Bool
	tell   atomic.Bool // Hooks.Synced is to be called
	failed atomic.Pointer[error]

	writer
	hooks Hooks
	awake atomic.Bool // the goroutine has been told
	wake  chan struct{}
	quit  chan struct{}
	done  chan struct{}
}

// SetPolicy changes when syncs happen.
func (l *Log) SetPolicy(p Policy) {
	l.policy.Store(uint32(p))
	l.tell.Store(true)
	l.wakeUp()
}

// SetLazy leaves syncing to the system for a while (no-appendfsync-on-rewrite).
func (l *Log) SetLazy(on bool) {
	if l.lazy.Swap(on) != on {
		l.tell.Store(true)
		l.wakeUp()
	}
}

func (l *Log) effective() Policy {
	if l.lazy.Load() {
		return Never
	}
	return Policy(l.policy.Load())
}

// SetStamps has the time stand before units, in a line that Redis passes over, once a
// second (aof-timestamp-enabled). The caller holds the engine's lock.
func (l *Log) SetStamps(on bool) { l.stamps = on }

// SetInline says that whoever holds the engine's lock will call Flush when he has let
// go of it: then nobody is woken.
func (l *Log) SetInline(on bool) { l.inline = on }

// Wants implements engine.Sink.
func (l *Log) Wants() engine.Wants { return engine.Wants{Argv: true} }

// Effect implements engine.Sink.
func (l *Log) Effect(_ *engine.Tx, e *engine.Effect) { l.enc.Effect(e) }

// EndUnit implements engine.UnitSink.
func (l *Log) EndUnit(tx *engine.Tx) {
	if l.enc.Commands() == 0 && len(l.notes) == 0 {
		return
	}
	l.stamp(tx.Now())
	l.mu.Lock()
	before := len(l.pending)
	l.pending = append(l.pending, l.notes...)
	l.pending = l.enc.AppendUnit(l.pending)
	l.logged += int64(len(l.pending) - before)
	l.at.Store(l.logged)
	l.fresh.Store(true)
	if len(l.pending) > maxBehind {
		l.behind.Store(true)
	}
	l.mu.Unlock()
	l.notes = l.notes[:0]
	if !l.inline {
		l.wakeUp()
	}
}

func (l *Log) stamp(now engine.UnixMilli) {
	if second := int64(now) / 1000; l.stamps && second > l.stampedAt {
		l.stampedAt = second
		line := append(strconv.AppendInt([]byte("#TS:"), second, 10), "\r\n"...)
		l.notes = append(line, l.notes...)
	}
}

func (l *Log) wakeUp() {
	if !l.awake.Swap(true) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// At is the position behind all that was logged.
func (l *Log) At() int64 { return l.at.Load() }

// Synced is the position up to which all is durable.
func (l *Log) Synced() int64 { return l.synced.Load() }

// Acked is the position up to which those who wrote may be told so.
func (l *Log) Acked() int64 {
	if l.effective() == Always {
		return l.synced.Load()
	}
	return math.MaxInt64
}

// Behind says whether those who write should wait until Freed is called, as the disk
// takes less than they bring.
func (l *Log) Behind() bool { return l.behind.Load() }

// Err is why the log can't be written; nil when it can.
func (l *Log) Err() error {
	if p := l.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Sync makes all durable that was logged before, whatever the policy, and calls then how
// that went: from the log's goroutine, or never when the log is closed meanwhile.
func (l *Log) Sync(then func(err error)) {
	l.mu.Lock()
	l.asked = append(l.asked, then)
	l.mu.Unlock()
	l.wakeUp()
}

// Close writes and syncs what is left. The log must be no sink any more.
func (l *Log) Close() error {
	close(l.quit)
	<-l.done
	return l.Err()
}
