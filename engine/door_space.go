package engine

import (
	"cmp"
	"hash/maphash"
	"slices"
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
func (tx *Tx) count() int { return len(tx.eng.dbs[tx.db].m) }

// maxCursor is the highest cursor that scan gives out or makes sense of.
const maxCursor = 1<<53 - 1

// scan visits the unit's db in hash order from cursor on (0: its start) until
// at least n keys were seen, and returns where to go on, 0 at the end. Every
// key that exists from the first to the last of a row of calls is visited. Keys
// that share a position are visited in one call. The visitor gets expired keys
// too, must not write, and sees an entry as peek would.
func (tx *Tx) scan(cursor uint64, n int, visit func(p *place)) (next uint64) {
	if cursor > maxCursor {
		return 0
	}
	type at struct {
		pos uint64
		p   place
	}
	var all []at
	for k, e := range tx.eng.dbs[tx.db].m {
		if pos := max(1, maphash.String(scanSeed, k)>>11); pos >= cursor {
			all = append(all, at{pos, place{key: []byte(k), ent: e}})
		}
	}
	slices.SortFunc(all, func(a, b at) int { return cmp.Compare(a.pos, b.pos) })
	for i := range all {
		if i >= n && all[i].pos != all[i-1].pos {
			return all[i].pos
		}
		visit(&all[i].p)
	}
	return 0
}

var scanSeed = maphash.MakeSeed()

// random is the place of a key chosen by tx.Rand, an expired one perhaps; not
// ok when the db is empty. The entry is not touched.
func (tx *Tx) random() (p place, ok bool) {
	n := tx.count()
	if n == 0 {
		return place{}, false
	}
	i := tx.eng.rand.IntN(n)
	for k, e := range tx.eng.dbs[tx.db].m {
		if i--; i < 0 {
			return place{key: []byte(k), ent: e}, true
		}
	}
	panic("engine: a db counts more keys than it has")
}

// expire removes the key at p, whose deadline has come, with its effect.
func (tx *Tx) expire(p *place) { *p = tx.find(p.key) }

// flush empties a db and returns how many keys it had. No effect is announced.
func (tx *Tx) flush(db int) int {
	n := len(tx.eng.dbs[db].m)
	tx.eng.dbs[db] = newDB()
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
	e := src.ent
	tx.remove(src)
	tx.eng.dbs[db].m[string(key)] = e
}

// duplicate puts a copy of the entry at src, value and deadline, under key in
// db, where nothing is. Places are stale afterwards. No effect is announced.
func (tx *Tx) duplicate(src *place, db int, key []byte) {
	e := *src.ent
	e.val = append([]byte{}, e.val...)
	tx.eng.dbs[db].m[string(key)] = &e
}

// countLookup counts a keyspace hit or miss at p, and announces a miss, for
// look-ups by peek and write that stand for a reader's.
func (tx *Tx) countLookup(p *place) {
	if !p.exists() && tx.hears(ClassMissed) {
		tx.also(ClassMissed, "keymiss", p.key)
	}
}

// touch refreshes the LRU/LFU figures of the entry at p, which exists.
func (tx *Tx) touch(p *place) {}

// idle is the number of seconds since the entry at p was last touched.
func (tx *Tx) idle(p *place) int64 { return 0 }

// freq is the LFU counter of the entry at p, with its decay until now.
func (tx *Tx) freq(p *place) int { return 0 }

// lfu says whether the eviction policy counts use; then idle tells nothing, and
// otherwise freq does not.
func (tx *Tx) lfu() bool { return false }

// also tells the sinks of a further event of a change that another effect of
// the same operation counts and repeats ("expire" of a SET with a deadline,
// "new", "rename_from").
func (tx *Tx) also(c Class, event string, key []byte) {
	for _, s := range tx.eng.sinks {
		s.Effect(tx, &Effect{DB: tx.db, Class: c, Event: event, Key: key})
	}
}

// announceFrom is announce for a change of the unit's db whose argv is to run on
// another one.
func (tx *Tx) announceFrom(db int, c Class, event string, key []byte, argv ...[]byte) {
	for _, s := range tx.eng.sinks {
		s.Effect(tx, &Effect{DB: tx.db, Class: c, Event: event, Key: key, Argv: argv, ArgvDB: db})
	}
}

// announceSpace tells the sinks that a whole db changed (-1: all of them), which
// counts as n changes.
func (tx *Tx) announceSpace(db, n int, argv ...[]byte) {
	for _, s := range tx.eng.sinks {
		s.Effect(tx, &Effect{DB: db, Argv: argv})
	}
}
