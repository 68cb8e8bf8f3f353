package engine

import (
	"coatcheck/engine/errs"
	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// Hashes: fields and their values. A small one is packed (hash_packed.go), a large
// one an object (hash_object.go); what is here and in the other files works on
// both. Fields may have deadlines (hash_expire.go, hash_due.go): one that has come
// makes the field missing.

// hashField is where a field is, and what belongs to it: good until the next
// write.
type hashField struct {
	// packed: offsets of the field, its value, and what follows the two and the
	// deadline
	at, value, end int
	// object
	slot dict.Place
	ref  slab.Ref

	due UnixMilli // Never for none
}

// hashAt says whether there is a hash at p. It fails with errs.WrongType when
// there is something else.
func hashAt(p *place) (ok bool, err error) {
	switch p.typ() {
	case None:
		return false, nil
	case THash:
		return true, nil
	}
	return false, errs.WrongType
}

// hashFind looks a field of the hash at p up.
func (tx *Tx) hashFind(p *place, field []byte) (f hashField, ok bool) {
	if o := p.object(); o != nil {
		f.slot, f.ref, ok = o.(*hash).find(p.db, field)
		if !ok {
			return f, false
		}
		f.due = hashElemDue(p.db, f.ref)
	} else {
		lp, stride := p.bytes(), hashStride(p.enc())
		if f.at, ok = listpack.Find(lp, listpack.First(lp), field, stride-1); !ok {
			return f, false
		}
		f.value = listpack.Next(lp, f.at)
		f.end, f.due = tupleEnd(lp, f.value, stride)
	}
	return f, f.due == Never || f.due > tx.past
}

// hashValue is the value of a field, good until the unit's next operation.
func (tx *Tx) hashValue(p *place, f *hashField) []byte {
	if f.ref != 0 {
		val, _ := hashElem(p.db, f.ref)
		return val
	}
	return listpack.Get(p.bytes(), f.value).Bytes(&tx.numbers[0])
}

// hashLen is the number of fields of the hash at p.
func (tx *Tx) hashLen(p *place) int { return p.fields(tx.past) }

// fields is how many fields the hash at p has that live at now.
func (p *place) fields(now UnixMilli) int {
	if o := p.object(); o != nil {
		h := o.(*hash)
		return h.len() - h.passed(now)
	}
	lp, stride := p.bytes(), hashStride(p.enc())
	n := listpack.Len(lp) / stride
	if stride > 2 {
		_, gone := packedPassed(lp, now)
		n -= gone
	}
	return n
}

// hashEach calls visit for every field of the hash at p until that returns
// false. The bytes are good for the call; visit must not use tx.
func (tx *Tx) hashEach(p *place, visit func(field, value []byte, due UnixMilli) bool) {
	p.eachField(tx.past, &tx.numbers, visit)
}

// eachField is hashEach for those that live at now. Integers become text in numbers.
func (p *place) eachField(now UnixMilli, numbers *[2][20]byte, visit func(field, value []byte, due UnixMilli) bool) {
	if o := p.object(); o != nil {
		o.(*hash).all(func(r slab.Ref) bool {
			val, due := hashElem(p.db, r)
			if due != Never && due <= now {
				return true
			}
			return visit(elemName(p.db, r), val, due)
		})
		return
	}
	lp, stride := p.bytes(), hashStride(p.enc())
	at := listpack.First(lp)
	if stride > 2 {
		at, _ = packedPassed(lp, now)
	}
	for end := listpack.End(lp); at < end; {
		field := listpack.Get(lp, at).Bytes(&numbers[0])
		at = listpack.Next(lp, at)
		value := listpack.Get(lp, at).Bytes(&numbers[1])
		next, due := tupleEnd(lp, at, stride)
		if !visit(field, value, due) {
			return
		}
		at = next
	}
}

// HashGet returns the value of a field of the hash at key, and whether there is
// one. The bytes are good until the unit's next operation.
//
// It fails with errs.WrongType when key holds another type. O(1); in a packed
// hash O(fields), as with all that look one up.
func (tx *Tx) HashGet(key, field []byte) (val []byte, ok bool, err error) {
	p := tx.read(key)
	if ok, err = hashAt(&p); !ok {
		return nil, false, err
	}
	f, ok := tx.hashFind(&p, field)
	if !ok {
		return nil, false, nil
	}
	return tx.hashValue(&p, &f), true, nil
}

// HashGetMany calls visit with the value of each field in turn, as one look-up
// of key. It fails with errs.WrongType, before any call, when key holds another
// type.
func (tx *Tx) HashGetMany(key []byte, fields [][]byte, visit func(val []byte, ok bool)) error {
	p := tx.read(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	for _, field := range fields {
		if !ok {
			visit(nil, false)
			continue
		}
		if f, has := tx.hashFind(&p, field); has {
			visit(tx.hashValue(&p, &f), true)
		} else {
			visit(nil, false)
		}
	}
	return nil
}

// HashLen is the number of fields of the hash at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) HashLen(key []byte) (int, error) {
	p := tx.read(key)
	if ok, err := hashAt(&p); !ok {
		return 0, err
	}
	return tx.hashLen(&p), nil
}

// HashEach calls begin with the number of fields of the hash at key, 0 without
// one, and then visit with each, until that returns false: in the order in which
// it is kept. due is the field's deadline, Never for none. The bytes are good for
// the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type.
func (tx *Tx) HashEach(key []byte, begin func(n int), visit func(field, value []byte, due UnixMilli) bool) error {
	p := tx.read(key)
	ok, err := hashAt(&p)
	switch {
	case err != nil:
		return err
	case !ok:
		begin(0)
		return nil
	}
	begin(tx.hashLen(&p))
	tx.hashEach(&p, visit)
	return nil
}

// HashSet sets fields of the hash at key, given as field and value in turn,
// creating it when absent, and returns how many of them are new. It keeps copies.
// A field that is set has no deadline any more.
//
// It fails with errs.WrongType when key holds another type. Effect: "hset" (Redis
// t_hash.c, hsetCommand). O(1) a field.
func (tx *Tx) HashSet(key []byte, pairs ...[]byte) (added int, err error) {
	p := tx.write(key)
	if _, err := hashAt(&p); err != nil {
		return 0, err
	}
	added = tx.hashSetAll(&p, pairs, false)
	tx.changedHash(&p, "hset", len(pairs)/2, "HSET", pairs...)
	return added, nil
}

// HashSetNew sets a field of the hash at key, creating it when absent, unless the
// field exists, and returns whether it did.
//
// It fails with errs.WrongType when key holds another type. Effect: "hset". O(1).
func (tx *Tx) HashSetNew(key, field, value []byte) (done bool, err error) {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return false, err
	}
	if ok {
		if _, has := tx.hashFind(&p, field); has {
			return false, nil
		}
	}
	pair := [2][]byte{field, value}
	tx.hashSetAll(&p, pair[:], false)
	tx.changedHash(&p, "hset", 1, "HSET", pair[:]...)
	return true, nil
}

// changedHash tells of a change of the hash at p that counts as n, with the verb
// and the words behind the key that repeat it.
func (tx *Tx) changedHash(p *place, event string, n int, verb string, words ...[]byte) {
	if tx.wantsArgv() {
		argv := append(make([][]byte, 0, 2+len(words)), []byte(verb), p.key)
		tx.announce(ClassHash, event, p.key, append(argv, words...)...)
	} else {
		tx.announce(ClassHash, event, p.key)
	}
	tx.eng.stats.Changes += int64(n - 1)
}

// HashDelete removes fields from the hash at key, and returns how many there
// were.
//
// It fails with errs.WrongType when key holds another type. Effects: "hdel", and
// "del" when none is left. O(1) a field.
func (tx *Tx) HashDelete(key []byte, fields ...[]byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := hashAt(&p); !ok {
		return 0, err
	}
	before := p.fieldsDue()
	for _, field := range fields {
		if f, ok := tx.hashFind(&p, field); ok {
			tx.hashRemove(&p, &f)
			n++
			if hashIsEmpty(&p) {
				break
			}
		}
	}
	if n > 0 {
		tx.hashShrunk(&p, before)
		tx.changedHash(&p, "hdel", n, "HDEL", fields...)
		tx.hashGone(&p)
	}
	return n, nil
}

// hashRemove takes a field out of the hash at p. The index of hashes does not
// hear of it.
func (tx *Tx) hashRemove(p *place, f *hashField) {
	if o := p.object(); o != nil {
		o.(*hash).removeField(p.db, f)
		return
	}
	tx.packedReplace(p, f.at, f.end, hashStride(p.enc()))
}

// hashIsEmpty says whether the hash at p has lost its last field.
func hashIsEmpty(p *place) bool {
	if o := p.object(); o != nil {
		return o.elements() == 0
	}
	return len(p.bytes()) == listpack.EmptySize
}

// hashShrunk is to be called when fields of the hash at p were removed, of which
// the first deadline was before: memory and index are put right, and an empty
// hash is removed. hashGone tells of that.
func (tx *Tx) hashShrunk(p *place, before UnixMilli) {
	tx.hashSettled(p, before)
	if hashIsEmpty(p) {
		tx.remove(p)
	}
}

// hashSettled is hashShrunk for a change after which the hash is not empty, or is
// removed by the caller.
func (tx *Tx) hashSettled(p *place, before UnixMilli) {
	if o := p.object(); o != nil {
		h := o.(*hash)
		if h.due != nil && h.due.Len() == 0 {
			h.due.Close()
			h.due = nil
			p.ent.setKind(THash, EncHashtable)
		}
		p.resized()
	}
	p.db.fieldsMoved(p, before)
}

// hashGone announces that the key at p is gone, if it is, after the effect that
// repeats it.
func (tx *Tx) hashGone(p *place) {
	if !p.exists() {
		tx.also(ClassGeneric, "del", p.key)
	}
}
