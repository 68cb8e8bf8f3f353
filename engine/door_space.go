package engine

import (
	"bytes"
	"encoding/binary"
	"time"

	"coatcheck/engine/internal/dict"
)

// The part of the door that sees more than one key: the other dbs, walks, and
// what the keyspace knows of an entry beside its value. A place belongs to the
// db that the unit was on when it was looked up.

// on puts the unit on another db, which exists, and returns the one before.
func (tx *Tx) on(db int) (before int) {
	before, tx.db = tx.db, db
	return before
}

// databases is the number of dbs.
func (tx *Tx) databases() int { return len(tx.eng.dbs) }

// count is the number of keys in the unit's db, with the expired ones that
// have not been removed yet.
func (tx *Tx) count() int { return tx.eng.dbs[tx.db].dict.Len() }

// maxCursor is the highest cursor that scan gives out or makes sense of.
const maxCursor = dict.End - 1

// scan visits the unit's db in hash order from cursor on (0: its start) until
// at least n keys were seen, and returns where to go on, 0 at the end. Every
// key that exists from the first to the last of a row of calls is visited. Keys
// that share a position are visited in one call. The visitor gets expired keys
// too, must not write, and sees an entry as peek would.
func (tx *Tx) scan(cursor uint64, n int, visit func(p *place)) (next uint64) {
	d := tx.eng.dbs[tx.db]
	return walk(d.dict, cursor, n, d.warm, func(s dict.Slot) {
		p := d.placeOf(s)
		visit(&p)
	})
}

// walk is scan over any table. ahead is told of slots that are about to be
// visited.
func walk(t *dict.Dict, cursor uint64, n int, ahead func([]dict.Slot), visit func(dict.Slot)) (next uint64) {
	if cursor > maxCursor {
		return 0
	}
	seen, last := 0, ^uint32(0)
	for pos := uint32(cursor); pos < dict.End; {
		slots, after := t.From(pos)
		ahead(slots[:min(len(slots), max(n-seen, 0))])
		for _, s := range slots {
			if seen >= n && s.Tag() != last {
				return uint64(s.Tag())
			}
			visit(s)
			last = s.Tag()
			seen++
		}
		pos = after
	}
	return 0
}

// warm reads a byte of each slot's entry. The processor fetches what is not in
// its caches for many of these at a time; a walk that looks at one entry after
// the other waits for each.
func (d *db) warm(slots []dict.Slot) {
	var sum byte
	for _, s := range slots {
		sum += *(*byte)(d.slab.Ptr(s.Ref()))
	}
	d.warmth = sum
}

// random is the place of a key chosen by tx.Rand, an expired one perhaps; not
// ok when the db is empty. The entry is not touched.
func (tx *Tx) random() (p place, ok bool) {
	d := tx.eng.dbs[tx.db]
	s, ok := d.dict.Random(tx.eng.rand)
	if !ok {
		return place{}, false
	}
	return d.placeOf(s), true
}

// expire removes the key at p, whose deadline has come or those of all its
// fields, with its effect.
func (tx *Tx) expire(p *place) {
	if at := p.ent.at(); at == Never || at > tx.past {
		tx.expireFields(p, maxInt)
		return
	}
	tx.eng.stats.Expired++
	tx.eng.stats.Lateness.Add(time.Duration(tx.now-p.ent.at()) * time.Millisecond)
	tx.remove(p)
	tx.announceLoss(ClassExpired, "expired", p.key)
}

// flush empties a db and returns how many keys it had. No effect is announced.
// The memory goes back to the system off the lock.
func (tx *Tx) flush(db int) int {
	old := tx.eng.dbs[db]
	n := old.dict.Len()
	if n > 0 {
		tx.eng.dbs[db] = newDB(tx.eng)
		if !tx.eng.snapshot.takeOver(old) {
			tx.eng.reaper.closeDB(old)
		}
	}
	return n
}

// swap exchanges the keyspaces of two dbs. No effect is announced.
func (tx *Tx) swap(a, b int) {
	dbs := tx.eng.dbs
	dbs[a], dbs[b] = dbs[b], dbs[a]
}

// transfer moves the entry at src, value and deadline, to key in db, where
// nothing is; src shows a missing key afterwards. Other places are stale. No
// effect is announced.
func (tx *Tx) transfer(src *place, db int, key []byte) {
	from, to := src.db, tx.eng.dbs[db]
	dst := to.lookup(key)
	tx.copyEntry(src, &dst, true)
	from.settle(src)
	if src.ent.volatile() {
		from.unindex(src, src.ent.indexed())
	}
	from.forgetFields(src)
	switch { // what has gone with its block, or under its handle
	case src.ent.apart() != 0:
		src.ent.setApart(0)
	case src.handle() != 0 && from == to:
		src.setHandle(0)
	}
	from.discard(src)
}

// duplicate puts a copy of the entry at src, value and deadline, under key in
// db, where nothing is. Places are stale afterwards. No effect is announced.
func (tx *Tx) duplicate(src *place, db int, key []byte) {
	dst := tx.eng.dbs[db].lookup(key)
	tx.copyEntry(src, &dst, false)
}

// copyEntry makes the missing key at dst what src is. With take the value's own
// block, where there is one, moves over.
func (tx *Tx) copyEntry(src, dst *place, take bool) {
	from, to := src.db, dst.db
	at, val := src.ent.at(), src.bytes()
	if tx.eng.guard != nil {
		at = tx.admitFrom(src, dst, at)
	}
	if o := src.object(); o != nil && (!take || from != to) {
		var own [handleSize]byte
		h := to.adopt(o.clone(from, to))
		binary.LittleEndian.PutUint32(own[:], uint32(h))
		val = own[:]
		defer func() {
			if dst.ref == 0 { // no memory for the entry
				to.giveUp(h)
			}
		}()
	}
	sh := shapeOf(len(dst.key), len(val), at)
	apart, apartSize := src.ent.apart(), 0
	adopt := take && apart != 0 && to.slab.MayAdopt(&from.slab, apart)
	if apart != 0 && !adopt {
		apartSize = len(val)
	}
	ref, newApart := to.newBlocks(sh.size(), apartSize)
	ent := to.entry(ref)
	ent.init(sh, src.ent.typ(), src.ent.enc(), src.ent.lru(), dst.key)
	switch {
	case apart == 0:
		copy(ent.tail(len(val)), val)
	case adopt:
		ent.setApart(to.slab.Adopt(&from.slab, apart))
	default:
		to.slab.Wrote(newApart, 0, copy(to.slab.Bytes(newApart), val))
		ent.setApart(newApart)
		if take {
			from.slab.Free(apart)
		}
	}
	to.replace(dst, ref)
	to.deadline(dst, at, false, 0)
	to.fieldsMoved(dst, Never)
}

// countLookup counts a keyspace hit or miss at p, and announces a miss, for
// look-ups by peek and write that stand for a reader's.
func (tx *Tx) countLookup(p *place) {
	tx.countOnly(p)
	if p.ref == 0 && tx.hears(ClassMissed, p.key) {
		tx.also(ClassMissed, "keymiss", p.key)
	}
}

// countOnly is countLookup without announcing a miss.
func (tx *Tx) countOnly(p *place) {
	if p.ref != 0 {
		tx.eng.stats.Hits++
	} else {
		tx.eng.stats.Misses++
	}
}

// also tells the sinks of a further event of a change that another effect of
// the same operation counts and repeats ("expire" of a SET with a deadline,
// "new", "rename_from").
func (tx *Tx) also(c Class, event string, key []byte) {
	if tx.hears(c, key) {
		tx.tell(Effect{DB: tx.db, Class: c, Event: event, Key: key, Also: true})
	}
}

// announceFrom is announce for a change of the unit's db whose argv is to run on
// another one.
func (tx *Tx) announceFrom(db int, c Class, event string, key []byte, argv ...[]byte) {
	if c != ClassMissed {
		tx.eng.stats.Changes++
	}
	if tx.hears(c, key) || len(argv) > 0 && tx.wantsArgv() {
		tx.tell(Effect{DB: tx.db, Class: c, Event: event, Key: key, Argv: argv, ArgvDB: db})
	}
	if len(tx.shortened) > 0 && (len(argv) > 0 || !tx.wantsArgv()) {
		tx.tellShortened()
	}
}

// countMore counts n changes more than were announced.
func (tx *Tx) countMore(n int64) { tx.eng.stats.Changes += n }

// announceLoss tells the sinks of a key that the engine itself has removed,
// which does not count as a change.
func (tx *Tx) announceLoss(c Class, event string, key []byte) {
	switch {
	case tx.wantsArgv():
		tx.tell(Effect{DB: tx.db, Class: c, Event: event, Key: key, Argv: [][]byte{[]byte("DEL"), bytes.Clone(key)}, ArgvDB: tx.db})
	case tx.hears(c, key):
		tx.tell(Effect{DB: tx.db, Class: c, Event: event, Key: key})
	}
}

// announceRepeat tells only the sinks that want argv the command that repeats
// changes announced before without one: so it stands behind the DELs of expired
// keys that its keys came upon.
func (tx *Tx) announceRepeat(argv ...[]byte) {
	tx.tell(Effect{DB: tx.db, Class: ClassRepeat, Argv: argv, ArgvDB: tx.db})
	if len(tx.shortened) > 0 {
		tx.tellShortened()
	}
}

// repeat counts a change that is told of to nobody but those who repeat it.
func (tx *Tx) repeat(argv ...[]byte) {
	tx.eng.stats.Changes++
	if tx.wantsArgv() {
		tx.announceRepeat(argv...)
	}
}

// announceSpace tells the sinks that a whole db changed (-1: all of them), which
// counts as n changes.
func (tx *Tx) announceSpace(db, n int, argv ...[]byte) {
	tx.eng.stats.Changes += int64(n)
	if len(tx.eng.sinks) > 0 {
		tx.tell(Effect{DB: db, Argv: argv, ArgvDB: tx.db})
	}
}
