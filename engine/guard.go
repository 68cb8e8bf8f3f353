package engine

import (
	"bytes"
	"errors"
	"hash/maphash"
)

// ErrRefused is what a unit panics with when the guard does not let a key change.
// The change that it was about has not happened. Do returns it as an error.
var ErrRefused = errors.New("engine: the guard refuses the change")

// Guard has a say in which keys come into being and in their deadlines. It is asked
// at the write door, under the lock, before anything changes.
type Guard interface {
	// Allow says whether the change may happen, and may make its At earlier. It
	// must not use tx but for its time.
	Allow(tx *Tx, c *Change) bool
}

// Warmer is a Guard that has the processor fetch what it will need to be asked about keys
// with these hashes, as Held.Warm does.
type Warmer interface {
	Guard
	Warm(db int, hashes []uint64)
}

// Hash is the hash by which the engine finds a key, the same in all dbs.
func (e *Engine) Hash(key []byte) uint64 { return maphash.Bytes(e.seed, key) }

// Change is what a Guard is asked about: a key that gets a value or a deadline. Its
// bytes are good until Allow returns.
type Change struct {
	DB     int
	Key    []byte
	Hash   uint64 // what Engine.Hash says of the key
	Exists bool   // it has a value already
	// Type is that of the new value, None where only the deadline changes. Value
	// is the new value where that is a string.
	Type  Type
	Value []byte
	// Old is the string that the key holds, nil where it is something else.
	Old []byte
	// From, unless nil, is the key, of FromDB, that the value comes from: RENAME,
	// COPY, MOVE.
	From   []byte
	FromDB int
	// At is the deadline that the key is to have, Never for none.
	At UnixMilli
}

// SetGuard has g asked from now on; nil: nobody is.
func (h Held) SetGuard(g Guard) {
	h.eng.chosen = g
	h.eng.useGuard()
}

// useGuard has the guard asked, but not about what happened before.
func (e *Engine) useGuard() {
	if e.guard = e.chosen; e.replaying {
		e.guard = nil
	}
	e.warmer, _ = e.guard.(Warmer)
}

// allow asks the guard, which there is, about tx.change at p, and returns the deadline
// that p is to have. A refusal is a panic with ErrRefused.
func (tx *Tx) allow(p *place) UnixMilli {
	c := &tx.change
	c.DB, c.Key, c.Hash, c.Exists = tx.numberOf(p.db), p.key, p.hash, p.ref != 0
	if p.changes == ^uint64(0) { // nobody has asked for its hash yet
		c.Hash = p.db.hash(p.key)
	}
	if !tx.eng.guard.Allow(tx, c) {
		panic(ErrRefused)
	}
	return c.At
}

// admit asks the guard about a value that p is to have. A deadline that becomes an
// earlier one is told of behind the change that it belongs to.
func (tx *Tx) admit(p *place, typ Type, val []byte, at UnixMilli) UnixMilli {
	c := &tx.change
	*c = Change{Type: typ, At: at}
	if typ == TString {
		c.Value = val
	}
	if p.typ() == TString {
		c.Old = p.bytes()
	}
	return tx.shorten(p, at, tx.allow(p))
}

// admitFrom is admit for the value of another place.
func (tx *Tx) admitFrom(src, dst *place, at UnixMilli) UnixMilli {
	tx.change = Change{Type: src.typ(), From: src.key, FromDB: tx.numberOf(src.db), At: at}
	return tx.shorten(dst, at, tx.allow(dst))
}

// admitAll asks the guard about keys, each followed by its string, before an
// operation sets the first of them.
func (tx *Tx) admitAll(pairs [][]byte) {
	if tx.eng.guard == nil {
		return
	}
	for i := 0; i < len(pairs); i += 2 {
		p := tx.peek(pairs[i])
		tx.change = Change{Type: TString, Value: pairs[i+1], At: Never}
		tx.allow(&p)
	}
}

// numberOf is the number of a db.
func (tx *Tx) numberOf(d *db) int {
	if tx.eng.dbs[tx.db] == d {
		return tx.db
	}
	for n, other := range tx.eng.dbs {
		if other == d {
			return n
		}
	}
	return -1
}

// shortened is a key whose deadline the guard made earlier, which is still to be told.
type shortened struct {
	db  int
	key []byte
	at  UnixMilli
}

func (tx *Tx) shorten(p *place, want, at UnixMilli) UnixMilli {
	if at != want {
		tx.shortened = append(tx.shortened, shortened{tx.numberOf(p.db), bytes.Clone(p.key), at})
	}
	return at
}

// tellShortened tells of deadlines that the guard made earlier, once the change that
// they belong to has been told with the command that repeats it.
func (tx *Tx) tellShortened() {
	due := tx.shortened
	tx.shortened = nil
	for _, s := range due {
		before := tx.on(s.db)
		if tx.wantsArgv() {
			tx.tell(Effect{DB: s.db, Class: ClassGeneric, Event: "expire", Key: s.key, Also: true, ArgvDB: s.db,
				Argv: [][]byte{[]byte("PEXPIREAT"), s.key, decimal(int64(s.at))}})
		} else {
			tx.also(ClassGeneric, "expire", s.key)
		}
		tx.on(before)
	}
}

// Account counts n more bytes in use outside the keyspace, as Held.Account does.
func (tx *Tx) Account(n int64) { tx.eng.outside += n }

// Glance is View for sinks: a key that has expired and was not removed yet does not
// exist, and stays.
func (tx *Tx) Glance(key []byte) (v View, ok bool) {
	p := tx.find(key, false)
	return View{p, tx.now, tx.past, tx.eng}, p.exists()
}

// HashField is the value of a field of the hash that is looked at, and whether it is
// one and has the field. The bytes are good until the keyspace changes.
func (tx *Tx) HashField(v *View, field []byte) (val []byte, ok bool) {
	if v.p.typ() != THash {
		return nil, false
	}
	f, ok := tx.hashFind(&v.p, field)
	if !ok {
		return nil, false
	}
	return tx.hashValue(&v.p, &f), true
}

// Size is what the entry occupies, in bytes, as MemoryOf has it.
func (v View) Size() int64 { return v.p.size() }
