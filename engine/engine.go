// Package engine is the store itself: the keyspace, its types, expiry,
// eviction and the effects that tell others of changes. It knows neither RESP
// nor sockets nor files.
package engine

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// Options configure an Engine. The zero value works.
type Options struct {
	// Databases is the number of numbered dbs; 0 means 16.
	Databases int
	// Clock and Rand are the machine's own when nil.
	Clock Clock
	Rand  Rand
	// Poison overwrites freed memory and panics when it is written to later.
	// For tests.
	Poison bool
}

// Engine is a keyspace under one lock. Execution units run one after another.
type Engine struct {
	mu        sync.Mutex
	suspended bool      // a unit, see Suspend
	resumed   sync.Cond // told when it is not any more
	clock     Clock
	rand      Rand
	seed      maphash.Seed // of the dicts' hash: keys cannot be made to collide
	dbs       []*db
	tx        Tx
	effect    Effect
	sinks     []attached
	guard     Guard  // nil: nobody is asked
	chosen    Guard  // the guard, but while there is a replay
	warmer    Warmer // the guard, if it is one
	wants     Wants  // of all sinks together
	units     bool   // some sink hears of units' ends
	stats     Stats
	limits    Limits
	lfu       bool // the policy counts uses
	peak      int64
	outside   int64 // memory in use beside the keyspace
	expirer   expirer
	evictor   evictor
	reaper    reaper
	snapshot  *Snapshot        // the one that runs
	hashes    [WarmKeys]uint64 // that Warm works on
	digits    [20]byte         // an integer of a packed value, for whoever visits its elements
	digging   func()           // stops the timer of digLater; nil: there is none
	poison    bool             // tests: freed memory must not be written to
	closed    bool
	paused    bool // see Pause
	following bool // see Follow
	evicts    bool // although it follows
	replaying bool // see Replay

	atUnlock []func(Held) // see BeforeUnlock

	onCycle func(event string, took time.Duration) // nil: nobody asks

	maxString int64 // see SetMaxString
	packing   Packing
}

// New makes an empty engine.
func New(opts Options) *Engine {
	if opts.Databases == 0 {
		opts.Databases = 16
	}
	if opts.Clock == nil {
		opts.Clock = SystemClock{}
	}
	if opts.Rand == nil {
		opts.Rand = NewRand(uint64(opts.Clock.Now().UnixNano()))
	}
	e := &Engine{
		clock: opts.Clock, rand: opts.Rand, seed: maphash.MakeSeed(), poison: opts.Poison,
		dbs: make([]*db, opts.Databases), limits: DefaultLimits, packing: DefaultPacking, expirer: newExpirer(),
	}
	for i := range e.dbs {
		e.dbs[i] = newDB(e)
	}
	e.tx.eng, e.tx.effect = e, &e.effect
	e.resumed.L = &e.mu
	return e
}

// Close stops the engine's timer and gives its memory back. Nobody may use the
// engine afterwards. Closing twice does nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		e.expirer.disarm()
		if e.evictor.later != nil {
			e.evictor.later()
		}
		if e.digging != nil {
			e.digging()
		}
		if s := e.snapshot; s != nil {
			s.End(Held{e})
		}
		for _, d := range e.dbs {
			e.reaper.closeDB(d)
		}
		e.dbs = nil
	}
	e.mu.Unlock()
	e.reaper.wait()
}

// ErrClosed is what Do says of an engine that was closed.
var ErrClosed = errors.New("engine: closed")

// Clock is the clock the engine was made with.
func (e *Engine) Clock() Clock { return e.clock }

// Held is the engine while its lock is held. It is the only way to a Tx.
type Held struct{ eng *Engine }

// Lock takes the engine's lock, for a batch of units. It waits while a unit is
// suspended.
func (e *Engine) Lock() Held {
	e.mu.Lock()
	for e.suspended {
		e.resumed.Wait()
	}
	return Held{e}
}

// LockSuspended is Lock, also while a unit is suspended (IsSuspended): then the caller
// may not touch the keyspace.
func (e *Engine) LockSuspended() Held {
	e.mu.Lock()
	return Held{e}
}

// Suspend leaves the running unit open while the lock is let go, for a caller who goes on
// with it later, after LockSuspended and Resume. Meanwhile Lock waits.
func (h Held) Suspend() { h.eng.suspended = true }

// Resume ends what Suspend began.
func (h Held) Resume() {
	h.eng.suspended = false
	h.eng.resumed.Broadcast()
}

// IsSuspended says whether a unit is suspended.
func (h Held) IsSuspended() bool { return h.eng.suspended }

// Unlock ends the batch.
func (h Held) Unlock() {
	e := h.eng
	if e.suspended {
		e.mu.Unlock()
		return
	}
	if len(e.atUnlock) > 0 {
		h.endBatch()
	}
	e.arm()
	e.mu.Unlock()
}

// Begin starts an execution unit on a numbered db and freezes its time. The Tx
// is the engine's own, good until End.
//
// Begun while another unit runs (a command of an EXEC or of a script), it is a
// part of that one: it shares its time, and ends without the sinks being told of
// an end.
func (h Held) Begin(db int) *Tx {
	if h.eng.tx.depth > 0 {
		return h.BeginAt(db, 0)
	}
	return h.BeginAt(db, UnixMilli(h.eng.clock.Now().UnixMilli()))
}

// BeginAt is Begin for a caller who has just read the engine's clock.
func (h Held) BeginAt(db int, now UnixMilli) *Tx {
	tx := &h.eng.tx
	if tx.depth++; tx.depth > 1 {
		tx.outer = append(tx.outer, part{tx.db, tx.noTouch})
	} else {
		tx.now, tx.past = now, now
	}
	tx.db, tx.noTouch = db, false
	return tx
}

// End ends the unit, or the part of one.
func (tx *Tx) End() {
	if len(tx.shortened) > 0 {
		tx.tellShortened()
	}
	if tx.depth--; tx.depth > 0 {
		last := len(tx.outer) - 1
		p := tx.outer[last]
		tx.outer = tx.outer[:last]
		tx.db, tx.noTouch = p.db, p.noTouch
		return
	}
	tx.endUnit()
}

// Do runs fn as one execution unit on a numbered db. It does not roll back:
// what fn changed before an error stays, as in EXEC. It fails with errs.NoMemory
// when the system gives no more memory, and with ErrRefused when the guard refuses a change.
func (e *Engine) Do(db int, fn func(tx *Tx) error) (err error) {
	h := e.Lock()
	defer h.Unlock()
	if e.closed {
		return ErrClosed
	}
	defer noMemory(&err)
	tx := h.Begin(db)
	defer tx.End()
	return fn(tx)
}

// DoAt is Do at another time than the clock's.
func (e *Engine) DoAt(db int, now UnixMilli, fn func(h Held, tx *Tx) error) (err error) {
	h := e.Lock()
	defer h.Unlock()
	if e.closed {
		return ErrClosed
	}
	defer noMemory(&err)
	tx := h.BeginAt(db, now)
	defer tx.End()
	return fn(h, tx)
}

// Tx is an execution unit: what runs without interruption, at one time.
type Tx struct {
	eng *Engine
	db  int
	now UnixMilli
	// past is up to when deadlines have come: now, but for what Repeat is about.
	past UnixMilli
	// noTouch: look-ups leave the LRU/LFU figures alone.
	noTouch bool
	// effect is what sinks are shown, nil while they are.
	effect *Effect
	// depth is how many Begins wait for their End; outer is what the parts
	// around the innermost one work on.
	depth int
	outer []part
	// told: sinks that hear of units' ends have been told of an effect.
	told bool

	change    Change      // what the guard is asked about
	shortened []shortened // see tellShortened

	stashed []byte      // see stash
	scratch []byte      // of a packed value that is being made
	carried []byte      // an element on its way from one key to another
	scored  []Scored    // see Scored
	numbers [2][20]byte // where integers of listpacks become text
	walk    *streamWalk
}

// part is a unit within a unit.
type part struct {
	db      int
	noTouch bool
}

// Now is the unit's time; it stands still.
func (tx *Tx) Now() UnixMilli { return tx.now }

// InDB runs fn with another db as the unit's: for a sink that keeps an eye on one
// db, whichever the unit is on.
func (tx *Tx) InDB(db int, fn func()) {
	before := tx.on(db)
	defer tx.on(before)
	fn()
}

// DB is the number of the unit's db.
func (tx *Tx) DB() int { return tx.db }

// NoTouch says whether the unit's look-ups leave alone what eviction knows of
// entries, as CLIENT NO-TOUCH has it. Begin makes it false.
func (tx *Tx) NoTouch(on bool) { tx.noTouch = on }

// Rand is the unit's source of chance.
func (tx *Tx) Rand() Rand { return tx.eng.rand }
