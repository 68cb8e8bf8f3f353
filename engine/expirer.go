package engine

import (
	"runtime"
	"time"

	"coatcheck/engine/internal/expireindex"
)

// Active expiry. A timer sleeps until the first deadline of the expire indexes,
// then a goroutine of the clock takes the lock and removes what is due, a slice
// at a time, so that others wait no longer than for a batch of commands.

const (
	// expireSlice is how many index items are handled under the lock in one go,
	// and expireTime how long that may take: large values take longer. The
	// clock is asked every expireGlance items.
	expireSlice  = 200
	expireGlance = 25
	expireTime   = 500 * time.Microsecond
	// noDeadline is beyond what the index holds.
	noDeadline UnixMilli = 1<<63 - 1
)

// expirer is the timer and what it knows.
type expirer struct {
	// next is a lower bound of the first deadline in any db's index.
	next UnixMilli
	// armed is when the timer goes off, noDeadline when it is not set.
	armed UnixMilli
	stop  func()
	off   bool
	buf   []expireindex.Item
}

func newExpirer() expirer { return expirer{next: noDeadline, armed: noDeadline} }

// hear tells of a new deadline in an index.
func (x *expirer) hear(at UnixMilli) {
	if at < x.next {
		x.next = at
	}
}

// arm sets the timer for the first deadline. Called before the lock is released.
func (e *Engine) arm() {
	x := &e.expirer
	if x.next >= x.armed || x.off || e.keeps() || e.closed {
		return
	}
	if x.stop != nil {
		x.stop()
	}
	x.armed = x.next
	wait := time.UnixMilli(int64(x.next)).Sub(e.clock.Now())
	x.stop = e.clock.AfterFunc(max(wait, 0), e.expireDue)
}

// expireDue runs when the timer goes off.
func (e *Engine) expireDue() {
	for {
		h := e.Lock()
		if e.closed || e.keeps() || e.expirer.off {
			h.Unlock()
			return
		}
		start := e.clock.Now()
		more := h.expireSome(UnixMilli(start.UnixMilli()))
		e.stats.ExpireTime += e.cycle("expire-cycle", start)
		if more {
			e.stats.ExpireCapped++
		}
		h.Unlock()
		if !more {
			return
		}
		runtime.Gosched()
	}
}

// expireSome removes a slice of what is due and says whether there is more.
func (h Held) expireSome(now UnixMilli) (more bool) {
	e := h.eng
	x := &e.expirer
	x.armed, x.next = noDeadline, noDeadline
	tx := h.BeginAt(0, now)
	defer tx.End()
	if x.buf == nil {
		x.buf = make([]expireindex.Item, 0, expireGlance)
	}
	start := e.clock.Now()
	left := expireSlice
	for n, d := range e.dbs {
		tx.db = n
		for d.due.Len() > 0 && left > 0 {
			items := d.due.PopDue(uint64(tx.now), x.buf)
			tx.comeDue(d, items)
			left -= len(items)
			if len(items) < expireGlance {
				break
			}
			if e.clock.Now().Sub(start) >= expireTime {
				left = 0
			}
		}
		left -= tx.fieldsComeDue(d, left, start)
		for _, index := range []*expireindex.Index{d.due, d.fields} {
			if first, ok := index.First(); ok {
				x.hear(UnixMilli(first.At))
			}
		}
		if left <= 0 {
			// Dbs that were not looked at may have a deadline just as early.
			x.next = min(x.next, tx.now)
			return true
		}
	}
	return false
}

// comeDue handles items that were taken out of d's index: their keys expire, or
// get an item for the deadline they have by now.
func (tx *Tx) comeDue(d *db, items []expireindex.Item) {
	for _, item := range items {
		p, ok := d.owner(item)
		if !ok {
			panic("engine: the expire index knows a key that does not exist")
		}
		if at := p.ent.at(); at > tx.now {
			d.index(&p, at)
			continue
		}
		tx.eng.stats.Expired++
		tx.eng.stats.Lateness.Add(time.Duration(tx.now-p.ent.at()) * time.Millisecond)
		d.discard(&p)
		tx.announceLoss(ClassExpired, "expired", p.key)
		tx.endUnit()
	}
}

// owner is the place of the entry that the item is about.
func (d *db) owner(item expireindex.Item) (p place, ok bool) {
	at, s, ok := d.dict.Seek(item.Hash << 16)
	for ; ok; at, s, ok = d.dict.Following(at) {
		e := d.entry(s.Ref())
		if !e.volatile() || e.indexed() != item.At {
			continue
		}
		p = place{key: e.key(), db: d, ref: s.Ref(), ent: e, at: at, changes: d.changes}
		if p.hash = d.hash(p.key); p.hash>>16 == item.Hash {
			return p, true
		}
	}
	return place{}, false
}

// SetActiveExpire turns the timer off or on. Keys that have expired are gone for
// readers either way.
func (h Held) SetActiveExpire(on bool) {
	x := &h.eng.expirer
	x.off = !on
	if on {
		x.next = 0 // look
	} else {
		x.disarm()
	}
}

// Replay begins or ends the running again, at times of the caller's choice, of what
// happened before: meanwhile keys do not expire by themselves, and those that are used
// count as used now. The guard is not asked, and of the sinks only those hear that are
// a ReplaySink.
func (h Held) Replay(on bool) {
	h.eng.replaying = on
	h.eng.useGuard()
	h.eng.sumWants()
	h.SetActiveExpire(!on)
}

// Pause stops the keyspace from changing by itself, or lets it again: while it is
// on, keys that expire are gone for readers, but are removed, with their effect,
// only afterwards, and none are evicted. Commands that write are for the caller
// to hold back.
func (h Held) Pause(on bool) {
	h.eng.paused = on
	if on {
		h.eng.expirer.disarm()
	}
	h.eng.expirer.next = 0
}

// Follow says whether the keyspace follows another one, whose changes it repeats: while
// it does, keys and fields that expire are gone for readers, and stay until the other
// one says so. Unless evicts, none are evicted either. Whoever repeats a change says so
// by Tx.Repeat.
func (h Held) Follow(on, evicts bool) {
	e := h.eng
	e.following, e.evicts = on, evicts
	if on {
		e.expirer.disarm()
	}
	e.expirer.next = 0
}

// keeps says whether what has expired is to stay.
func (e *Engine) keeps() bool { return e.paused || e.following }

// Repeat has the unit repeat a change of a keyspace that this one follows, where no
// deadline had come yet.
func (tx *Tx) Repeat() { tx.past = 0 }

func (x *expirer) disarm() {
	if x.stop != nil {
		x.stop()
	}
	x.stop, x.armed = nil, noDeadline
}
