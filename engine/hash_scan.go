package engine

import (
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// Hashes: walks and chance.

// HashWalk is a hash that was looked up to be scanned, good until the unit's next
// operation.
type HashWalk struct {
	tx *Tx
	p  place
}

// HashWalk looks the hash at key up, as a reader; not ok without one. It fails with
// errs.WrongType when key holds another type.
func (tx *Tx) HashWalk(key []byte) (w HashWalk, ok bool, err error) {
	p := tx.read(key)
	ok, err = hashAt(&p)
	return HashWalk{tx, p}, ok, err
}

// Scan calls found for fields from cursor on, which is 0 or what the step before
// returned, until about opt.Count were looked at; a packed hash is done in one step.
// It returns where to go on, 0 at the end. Every field that is there during a whole
// walk is found at least once. found gets bytes that are good for the call; it must
// not use the Tx. O(Count).
func (w *HashWalk) Scan(cursor uint64, opt ScanOptions, found func(field, value []byte)) (next uint64) {
	tx, p := w.tx, &w.p
	all := opt.Match == nil || string(opt.Match) == "*"
	look := func(field, value []byte, _ UnixMilli) bool {
		if all || Match(opt.Match, field) {
			found(field, value)
		}
		return true
	}
	o := p.object()
	if o == nil {
		tx.hashEach(p, look)
		return 0
	}
	n := opt.Count
	if n <= 0 {
		n = 10
	}
	return o.(*hash).scan(cursor, n, func(r slab.Ref) {
		if val, due := hashElem(p.db, r); due == Never || due > tx.past {
			look(elemName(p.db, r), val, due)
		}
	})
}

// HashRandom calls begin with how many of the fields of the hash at key will be
// chosen, at most n and all different, and then visit with each. The bytes are good
// for the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type.
// O(n), or O(fields) when n is a large part of them or the hash is packed.
func (tx *Tx) HashRandom(key []byte, n int64, begin func(n int), visit func(field, value []byte)) error {
	p := tx.read(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	size := 0
	if ok {
		size = tx.hashLen(&p)
	}
	left := int(min(n, int64(size)))
	begin(left)
	o := p.object()
	if left == 0 {
		return nil
	}
	if h, large := o.(*hash); large && left < size/3 && h.passed(tx.past) == 0 {
		tx.hashRandomFew(&p, h, left, visit)
		return nil
	}
	// One walk: each field is chosen by its chance among those that are left.
	tx.hashEach(&p, func(field, value []byte, _ UnixMilli) bool {
		if tx.eng.rand.IntN(size) < left {
			visit(field, value)
			left--
		}
		size--
		return left > 0
	})
	return nil
}

// hashRandomFew draws again where a field was chosen before.
func (tx *Tx) hashRandomFew(p *place, h *hash, n int, visit func(field, value []byte)) {
	if n == 1 {
		r, _ := h.random(tx.eng.rand)
		val, _ := hashElem(p.db, r)
		visit(elemName(p.db, r), val)
		return
	}
	chosen := make(map[slab.Ref]bool, n)
	for len(chosen) < n {
		r, _ := h.random(tx.eng.rand)
		if !chosen[r] {
			chosen[r] = true
			val, _ := hashElem(p.db, r)
			visit(elemName(p.db, r), val)
		}
	}
}

// HashSample is the hash at key as it is now, to choose fields of again and again;
// nil without one. It keeps copies, and can be used in later units.
//
// It fails with errs.WrongType when key holds another type. O(fields).
func (tx *Tx) HashSample(key []byte) (*HashSample, error) {
	p := tx.read(key)
	if ok, err := hashAt(&p); !ok {
		return nil, err
	}
	s := &HashSample{newSample(tx.eng.rand)}
	tx.hashEach(&p, func(field, value []byte, _ UnixMilli) bool {
		s.add(field, value)
		return true
	})
	return s, nil
}

// HashSample is what Tx.HashSample took.
type HashSample struct{ sample }

// Next is a field by chance, and its value, good until the next call.
func (s *HashSample) Next() (field, value []byte) {
	at := s.next()
	return s.get(at, 0), s.get(listpack.Next(s.lp, at), 1)
}
