package engine

import (
	"bytes"
	"unsafe"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/slab"
)

// The door: every read and write of the keyspace goes through the few
// functions in this file and in door_space.go. Operations (strings.go, keys.go,
// …) are written on it and know nothing of slabs, segments or the expire index.

// Type is what kind of value a key holds.
type Type uint8

// The types. None is the type of a missing key.
const (
	None Type = iota
	TString
	TList
	TSet
	THash
	TZSet
	TStream
)

// Encoding is how a value is kept, as OBJECT ENCODING tells it.
type Encoding uint8

// The encodings, of which an entry has room for 16.
const (
	EncRaw Encoding = iota
	EncInt
	EncEmbStr
	EncListpack
	EncListpackEx // of a hash whose fields have deadlines
	EncIntset
	// Objects, see object.go.
	EncHashtable
	EncSkiplist
	EncQuicklist
	EncStream
	EncHashtableEx // EncHashtable of a hash whose fields have deadlines
)

// isObject says whether a value kept so is an object; else it is packed.
func (e Encoding) isObject() bool { return e >= EncHashtable }

// place is one key's place in the unit's db, looked up once, then read or
// written. Its bytes point into the store and are good until the next write
// through the same Tx.
type place struct {
	key     []byte
	db      *db
	hash    uint64
	ref     slab.Ref // 0 when the key does not exist
	ent     entry
	at      dict.Place
	changes uint64 // db.changes when at was right
}

func (p *place) exists() bool { return p.ref != 0 }
func (p *place) typ() Type {
	if p.ref == 0 {
		return None
	}
	return p.ent.typ()
}
func (p *place) enc() Encoding { return p.ent.enc() }

// bytes is the packed value: a string's bytes.
func (p *place) bytes() []byte { return p.ent.val(&p.db.slab) }

// expireAt is when the key stops existing; Never for a key without expiry. Any
// number of milliseconds up to the highest int64 is a deadline that clients set.
func (p *place) expireAt() UnixMilli { return p.ent.at() }

// read looks key up for a reader: counts a keyspace hit or miss and touches the
// entry's LRU/LFU figures. An expired key does not exist (and is removed on
// the way, with its effect).
func (tx *Tx) read(key []byte) place {
	p := tx.find(key, !tx.eng.keeps())
	tx.countLookup(&p)
	if p.ref != 0 && !tx.noTouch {
		tx.touch(&p)
	}
	return p
}

// peek is read without touching or counting (TTL, OBJECT, TYPE, KEYS …).
func (tx *Tx) peek(key []byte) place { return tx.find(key, !tx.eng.keeps()) }

// write looks key up for a writer. Here is where a running snapshot saves the
// old content first.
func (tx *Tx) write(key []byte) place {
	p := tx.find(key, true)
	if p.ref != 0 {
		p.db.dict.Touch(p.at)
		if !tx.noTouch {
			tx.touch(&p)
		}
	}
	return p
}

// find looks key up. One that has expired does not exist, and is removed if it
// may be.
func (tx *Tx) find(key []byte, mayRemove bool) place {
	p := tx.eng.dbs[tx.db].lookup(key)
	if p.ref != 0 && p.ent.volatile() && p.ent.at() <= tx.past {
		if mayRemove {
			tx.expire(&p)
		} else {
			p.ref, p.ent = 0, entry{}
		}
	}
	if p.ref != 0 && p.ent.hasFieldsDue() {
		tx.findFieldsDue(&p, mayRemove)
	}
	return p
}

// put creates or replaces the key at p with a packed value, of which it keeps a
// copy, and a deadline (Never for none). p shows the new entry afterwards.
// val may point into the store. No effect is announced. Without memory it panics
// with ErrNoMemory before anything changes.
func (tx *Tx) put(p *place, typ Type, enc Encoding, val []byte, at UnixMilli) {
	d := p.db
	if tx.eng.guard != nil {
		at = tx.admit(p, typ, val, at)
	}
	d.settle(p)
	sh := shapeOf(len(p.key), len(val), at)
	ref, apart := d.blocksFor(p, sh, val)
	if p.ref != 0 {
		d.forgetFields(p)
	}
	if sh.flags&flagApart != 0 {
		copy(d.slab.Bytes(apart), val)
		d.slab.Wrote(apart, 0, len(val))
	}
	tx.putBlocks(p, ref, apart, sh, typ, enc, val, at)
}

// blocksFor are the blocks for a new value at p: those it has where they suit.
func (d *db) blocksFor(p *place, sh shape, val []byte) (ref, apart slab.Ref) {
	size, apartSize := sh.size(), 0
	if sh.flags&flagApart != 0 {
		apartSize = len(val)
	}
	var mayStay, mayStayApart bool
	if p.ref != 0 {
		mayStay = d.slab.Fits(p.ref, size) && !d.within(p.ref, val) && !d.within(p.ref, p.key)
		if apart = p.ent.apart(); apart != 0 && apartSize > 0 {
			mayStayApart = d.slab.Fits(apart, apartSize) && !d.within(apart, val)
		}
	}
	old, oldApart := p.ref, apart
	if mayStay {
		size = 0
	}
	if mayStayApart {
		apartSize = 0
	}
	ref, apart = d.newBlocks(size, apartSize)
	if mayStay {
		ref = old
	}
	if mayStayApart {
		apart = oldApart
	}
	return ref, apart
}

// newBlocks allocates for an entry and for a value apart from it, as far as they
// are to have any bytes, both or none: without memory it panics with
// ErrNoMemory.
func (d *db) newBlocks(size, apartSize int) (ref, apart slab.Ref) {
	d.slab.Ready()
	if apartSize > 0 {
		apart = d.slab.Alloc(apartSize)
	}
	if size > 0 {
		var ok bool
		if ref, ok = d.slab.TryAlloc(size); !ok {
			if apart != 0 {
				d.slab.Free(apart)
			}
			panic(ErrNoMemory)
		}
	}
	return ref, apart
}

// putBlocks makes the key at p the entry in block ref, which may be the one it
// has, with its value in the block apart or, where that is 0, val.
func (tx *Tx) putBlocks(p *place, ref, apart slab.Ref, sh shape, typ Type, enc Encoding, val []byte, at UnixMilli) {
	d := p.db
	lru := tx.eng.newFigures(tx.now)
	var wasIndexed bool
	var indexed uint64
	var oldApart slab.Ref
	oldObject := p.handle()
	if p.ref != 0 {
		if tx.eng.lfu {
			lru = p.ent.lru()
		}
		if wasIndexed = p.ent.volatile(); wasIndexed {
			indexed = p.ent.indexed()
		}
		oldApart = p.ent.apart()
	}
	ent := d.entry(ref)
	ent.init(sh, typ, enc, lru, p.key)
	if apart != 0 {
		ent.setApart(apart)
	} else {
		copy(ent.tail(len(val)), val)
	}
	if ref != p.ref {
		d.replace(p, ref)
	}
	if oldApart != 0 && oldApart != apart {
		d.slab.Free(oldApart)
	}
	d.giveUp(oldObject)
	d.deadline(p, at, wasIndexed, indexed)
	d.fieldsMoved(p, Never)
}

// within says whether b points into block r.
func (d *db) within(r slab.Ref, b []byte) bool {
	from, at := uintptr(d.slab.Ptr(r)), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return len(b) > 0 && at >= from && at < from+uintptr(d.slab.Size(r))
}

// deadline writes the deadline of the entry at p, whose shape suits it, and lets
// the expire index know where it must. A later deadline than the indexed one is
// left for when that comes due.
func (d *db) deadline(p *place, at UnixMilli, wasIndexed bool, indexed uint64) {
	if at != Never {
		p.ent.setAt(max(at, 0))
		if wasIndexed && int64(indexed) <= int64(at) && p.ent.setIndexed(indexed) {
			return
		}
	}
	if wasIndexed {
		d.unindex(p, indexed)
	}
	if at != Never {
		d.index(p, at)
	}
}

// resize gives the packed value at p (created as an empty string without expiry
// where missing) n bytes, keeping what fits of the old ones and zeroing new
// ones, and returns them for writing. Values that grow again and again get room
// to spare.
func (tx *Tx) resize(p *place, enc Encoding, n int) []byte {
	d := p.db
	if p.ref == 0 {
		if n >= apartMin {
			return tx.sparse(p, enc, n)
		}
		tx.put(p, TString, enc, nil, Never)
	}
	d.slab.Ready()
	old := p.ent.valLen()
	d.fit(p, n, headroom(old, n))
	p.ent.setKind(p.ent.typ(), enc)
	b := p.bytes()
	if r := p.ent.apart(); r != 0 {
		d.slab.Zero(r, min(old, n), n)
		d.slab.Wrote(r, 0, n)
	} else {
		clear(b[min(old, n):])
	}
	return b
}

// fit makes the packed value at p, which exists, n bytes long: it keeps what fits
// of the old ones. Where it needs another block for that, it takes one with room
// for spare bytes more.
func (d *db) fit(p *place, n, spare int) {
	switch old := p.ent.valLen(); {
	case p.ent.apart() != 0 && n >= apartMin:
		d.resizeApart(p, old, n, spare)
	case n <= old || n < apartMin && d.room(p) >= n:
		if p.ent.apart() != 0 {
			d.reshape(p, shapeOf(p.ent.keyLen(), n, p.ent.at()), n)
		} else {
			p.ent.setValLen(n)
		}
	default:
		d.reshape(p, shapeOf(p.ent.keyLen(), n, p.ent.at()), n+spare)
	}
}

// trim moves the entry at p into a smaller block where it has become much
// shorter than its own.
func (d *db) trim(p *place) {
	if n := p.ent.valLen(); p.ent.apart() == 0 && d.room(p) > n+n/2+32 {
		d.reshape(p, shapeOf(p.ent.keyLen(), n, p.ent.at()), n)
	}
}

// sparse creates the missing key at p with n bytes of zeros in a block of their
// own, and returns them for writing.
func (tx *Tx) sparse(p *place, enc Encoding, n int) []byte {
	d, at := p.db, Never
	if tx.eng.guard != nil {
		at = tx.admit(p, TString, nil, at)
	}
	d.settle(p)
	sh := shapeOf(len(p.key), n, at)
	ref, apart := d.newBlocks(sh.size(), n)
	d.slab.Zero(apart, 0, n)
	d.slab.Wrote(apart, 0, n)
	tx.putBlocks(p, ref, apart, sh, TString, enc, nil, at)
	return p.bytes()
}

// headroom is what a value that grows from old to n bytes gets beyond: nothing
// when it has just come into being.
func headroom(old, n int) int {
	if old == 0 {
		return 0
	}
	return min(n/2+16, 1<<20)
}

// room is how many bytes of value the entry's own block can hold.
func (d *db) room(p *place) int {
	return d.slab.Size(p.ref) - int(p.ent.layout().key) - p.ent.keyLen()
}

// resizeApart changes the length of a value that has a block of its own.
func (d *db) resizeApart(p *place, old, n, spare int) {
	r := p.ent.apart()
	if size := d.slab.Size(r); n > size {
		r = d.slab.Resize(r, n+spare)
	} else if n < old && n < size/2 {
		r = d.slab.Resize(r, n)
	}
	p.ent.setApart(r)
	p.ent.setValLen(n)
}

// reshape writes the entry at p anew with another shape, the same key and as
// much of the value as fits, in a block with room for room bytes of value.
func (d *db) reshape(p *place, sh shape, room int) {
	d.settle(p)
	old, oldRef := p.ent, p.ref
	val, apart := old.val(&d.slab), old.apart()
	apartSize := 0
	if sh.flags&flagApart != 0 && apart == 0 {
		apartSize = max(room, sh.valLen)
	}
	ref, newApart := d.newBlocks(sh.sizeFor(max(sh.valLen, min(room, apartMin-1))), apartSize)
	ent := d.entry(ref)
	ent.init(sh, old.typ(), old.enc(), old.lru(), old.key())
	switch {
	case sh.flags&flagApart == 0:
		copy(ent.tail(sh.valLen), val)
	case apart != 0:
		ent.setApart(apart)
		apart = 0
	default:
		ent.setApart(newApart)
		d.slab.Wrote(newApart, 0, copy(d.slab.Bytes(newApart), val))
	}
	if at := old.at(); sh.flags&flagVolatile != 0 && at != Never {
		ent.setAt(at) // or its caller does, when the shape is for another
		ent.setIndexed(old.indexed())
	}
	if d.within(oldRef, p.key) {
		p.key = ent.key()
	}
	p.ref, p.ent = ref, ent
	d.dict.SetRef(p.at, ref)
	if apart != 0 {
		d.slab.Free(apart)
	}
	d.slab.Free(oldRef)
}

// remove deletes the key at p, which exists. No effect is announced.
func (tx *Tx) remove(p *place) {
	d := p.db
	d.settle(p)
	if p.ent.volatile() {
		d.unindex(p, p.ent.indexed())
	}
	d.discard(p)
}

// discard takes the entry at p, which the expire index does not have, out of
// the dict and frees it. A key that points into it is copied first.
func (d *db) discard(p *place) {
	d.forgetFields(p)
	if d.within(p.ref, p.key) {
		p.key = bytes.Clone(p.key)
	}
	d.dict.Delete(p.at)
	d.changes++
	if r := p.ent.apart(); r != 0 {
		d.slab.Free(r)
	}
	d.giveUp(p.handle())
	d.slab.Free(p.ref)
	p.ref, p.ent = 0, entry{}
}

// setExpireAt changes the deadline of the key at p, which exists. A deadline in
// the past is for the caller to handle, and one that the guard makes earlier for
// reading it off p. No effect is announced.
func (tx *Tx) setExpireAt(p *place, at UnixMilli) {
	d := p.db
	if tx.eng.guard != nil {
		tx.change = Change{At: at}
		at = tx.allow(p)
	}
	d.settle(p)
	d.slab.Ready()
	wasIndexed, indexed := p.ent.volatile(), uint64(0)
	if wasIndexed {
		indexed = p.ent.indexed()
	}
	sh := shapeOf(p.ent.keyLen(), p.ent.valLen(), at)
	if sh.flags != p.ent.flags() {
		d.reshape(p, sh, 0)
	}
	d.deadline(p, at, wasIndexed, indexed)
}

// hears says whether any sink may want effects of this class on key. Announcing
// without asking is right too, only slower.
func (tx *Tx) hears(c Class, key []byte) bool {
	w := &tx.eng.wants
	return w.Events&c != 0 && bytes.HasPrefix(key, w.Prefix)
}

// wantsArgv says whether a sink wants the commands that repeat changes.
func (tx *Tx) wantsArgv() bool { return tx.eng.wants.Argv }

// WantsArgv is wantsArgv for callers of operations that take an Argv.
func (tx *Tx) WantsArgv() bool { return tx.wantsArgv() }

// announce tells the sinks of one effect on key, counts it as a change unless
// its class is ClassMissed, and passes argv (see Effect) on. Call wantsArgv before
// building one that costs.
func (tx *Tx) announce(c Class, event string, key []byte, argv ...[]byte) {
	tx.announceFrom(tx.db, c, event, key, argv...)
}
