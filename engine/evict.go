package engine

import (
	"math"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/expireindex"
)

// Eviction. Before a command runs, MakeRoom removes keys until the memory in use
// is below the limit. Which key was used least is not known exactly: a few are
// drawn by chance, and the best candidates of all draws so far are kept in a
// pool, as Redis does. Deadlines are in order already, so volatile-ttl looks at
// the first few of the expire index instead.

const (
	poolSize = 16
	// evictAtLeast is how many keys one call of MakeRoom removes when more
	// memory is missing than commands have taken since the one before: the
	// limit was lowered. The rest goes step by step.
	evictAtLeast = 128
)

// evictor is what eviction keeps between calls.
type evictor struct {
	pool [poolSize]candidate // by score, the best candidate last
	n    int
	// nextDB is where a random policy takes the next key.
	nextDB int
	// before is the memory in use when MakeRoom last returned.
	before int64
	// later says that a timer is set to go on evicting.
	later func()
	buf   [poolSize]expireindex.Item
}

// candidate is a key that may go. It may have gone meanwhile.
type candidate struct {
	score uint64
	db    int
	key   []byte
}

// MakeRoom evicts keys until no more memory is in use than the limit allows. It
// is called before each command, in no unit. When a lower limit has just been
// set it removes a part, at least as much as commands take, and a timer the
// rest.
//
// It fails with errs.OOM when the policy leaves no key to evict: commands that
// need memory are to be refused then. Effects: "evicted".
func (h Held) MakeRoom() error {
	e := h.eng
	limit := e.limits.MaxMemory
	if limit <= 0 || e.paused || e.following && !e.evicts {
		return nil
	}
	used := e.used()
	var err error
	if used > limit {
		for _, d := range e.dbs {
			d.digAll()
		}
		used = e.used()
	}
	if used > limit {
		if e.limits.Policy == NoEviction {
			return errs.OOM
		}
		start := e.clock.Now()
		tx := h.BeginAt(0, UnixMilli(start.UnixMilli()))
		err = tx.evict(used, limit)
		tx.End()
		e.stats.EvictTime += e.cycle("eviction-cycle", start)
		used = e.used()
	}
	e.evictor.before = used
	return err
}

// evict removes keys while more than limit bytes are in use.
func (tx *Tx) evict(used, limit int64) error {
	e := tx.eng
	mayStopAt := used - 4*max(used-e.evictor.before, 0)
	for n := 0; used > limit; n++ {
		if n >= evictAtLeast && used <= mayStopAt {
			e.evictLater()
			return nil
		}
		p, db, ok := tx.victim()
		if !ok {
			return errs.OOM
		}
		tx.db = db
		tx.eng.stats.Evicted++
		tx.remove(&p)
		p.db.digAll()
		tx.announceLoss(ClassEvicted, "evicted", p.key)
		tx.endUnit()
		used = e.used()
	}
	return nil
}

// evictLater goes on with eviction soon, whether commands come or not.
func (e *Engine) evictLater() {
	if e.evictor.later != nil || e.closed {
		return
	}
	e.evictor.later = e.clock.AfterFunc(0, func() {
		h := e.Lock()
		defer h.Unlock()
		if e.evictor.later = nil; !e.closed {
			_ = h.MakeRoom() // commands will be told
		}
	})
}

// victim chooses the next key to go, and its db; not ok when there is none.
func (tx *Tx) victim() (p place, db int, ok bool) {
	switch tx.eng.limits.Policy {
	case VolatileTTL:
		return tx.firstDue()
	case AllKeysRandom, VolatileRandom:
		return tx.anyKey()
	}
	return tx.leastUsed()
}

// draw is a key of d by chance, a volatile one if the policy says so.
func (d *db) draw() (p place, ok bool) {
	switch d.eng.limits.Policy {
	case VolatileLRU, VolatileLFU, VolatileRandom:
		item, ok := d.due.Random(d.eng.rand)
		if !ok {
			return place{}, false
		}
		return d.owner(item)
	}
	s, ok := d.dict.Random(d.eng.rand)
	if !ok {
		return place{}, false
	}
	return d.placeOf(s), true
}

// anyKey is any key, from one db after another.
func (tx *Tx) anyKey() (p place, db int, ok bool) {
	e := tx.eng
	for range e.dbs {
		db = e.evictor.nextDB % len(e.dbs)
		e.evictor.nextDB = db + 1
		if p, ok = e.dbs[db].draw(); ok {
			return p, db, true
		}
	}
	return place{}, 0, false
}

// leastUsed is the best candidate of the pool, after more have been drawn.
func (tx *Tx) leastUsed() (p place, db int, ok bool) {
	e := tx.eng
	v := &e.evictor
	for range 1000 {
		found := false
		for n, d := range e.dbs {
			for range max(e.limits.Samples, 1) {
				p, ok := d.draw()
				if !ok {
					break
				}
				found = true
				v.offer(e.score(p.ent, tx.now), n, p.key)
			}
		}
		if !found {
			return place{}, 0, false
		}
		for v.n > 0 {
			v.n--
			c := &v.pool[v.n]
			p := e.dbs[c.db].lookup(c.key)
			if p.exists() && (p.ent.volatile() || !e.limits.Policy.volatileOnly()) {
				return p, c.db, true
			}
		}
	}
	return tx.anyKey()
}

func (p Policy) volatileOnly() bool {
	return p == VolatileLRU || p == VolatileLFU || p == VolatileRandom || p == VolatileTTL
}

// score is how well an entry would be missed: the higher, the less.
func (e *Engine) score(ent entry, now UnixMilli) uint64 {
	if e.lfu {
		return 255 - uint64(e.decayed(ent.lru(), now))
	}
	return uint64(idleSeconds(ent.lru(), now))
}

// offer puts a key into the pool unless all there are better or it is one of
// them. It keeps a copy.
func (v *evictor) offer(score uint64, db int, key []byte) {
	for i := range v.pool[:v.n] {
		if c := &v.pool[i]; c.db == db && string(c.key) == string(key) {
			return
		}
	}
	at := 0
	for at < v.n && v.pool[at].score < score {
		at++
	}
	var buf []byte
	if v.n < poolSize {
		buf = v.pool[v.n].key
		copy(v.pool[at+1:v.n+1], v.pool[at:v.n])
		v.n++
	} else {
		if at == 0 {
			return
		}
		at--
		buf = v.pool[0].key
		copy(v.pool[:at], v.pool[1:at+1])
	}
	if cap(buf) > 1<<10 {
		buf = nil
	}
	v.pool[at] = candidate{score, db, append(buf[:0], key...)}
}

// firstDue is the volatile key that expires first, or nearly: the first items
// of the index may have been given later deadlines, and are moved there.
func (tx *Tx) firstDue() (p place, db int, ok bool) {
	e := tx.eng
	first := uint64(math.MaxUint64)
	for n, d := range e.dbs {
		if item, some := d.due.First(); some && item.At < first {
			first, db, ok = item.At, n, true
		}
	}
	if !ok {
		return place{}, 0, false
	}
	d := e.dbs[db]
	items := d.due.PopDue(expireindex.Max, e.evictor.buf[:0:min(poolSize, max(e.limits.Samples, 1))])
	for _, item := range items {
		q, _ := d.owner(item)
		d.index(&q, q.ent.at())
		if p.ref == 0 || q.ent.at() < p.ent.at() {
			p = q
		}
	}
	return p, db, true
}
