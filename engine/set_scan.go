package engine

import "coatcheck/engine/internal/slab"

// Sets: walks and chance.

// SetWalk looks up the set at key for a walk, as a reader; not ok without one. It is
// good until the unit's next operation.
//
// It fails with errs.WrongType when key holds another type.
func (tx *Tx) SetWalk(key []byte) (w SetWalk, ok bool, err error) {
	p := tx.read(key)
	ok, err = setAt(&p)
	return SetWalk{p}, ok, err
}

// SetWalk is a set that Scan walks over.
type SetWalk struct{ p place }

// Scan calls found for members from cursor on, which is 0 or what the step before
// returned, until about opt.Count were looked at; a packed set is done in one step. It
// returns where to go on, 0 at the end. Every member that is there during a whole walk
// is found at least once. found gets bytes that are good for the call; it must not use
// a Tx. O(Count).
func (w *SetWalk) Scan(cursor uint64, opt ScanOptions, found func(member []byte)) (next uint64) {
	all := opt.Match == nil || string(opt.Match) == "*"
	look := func(member []byte) bool {
		if all || Match(opt.Match, member) {
			found(member)
		}
		return true
	}
	o := w.p.object()
	if o == nil {
		setEach(&w.p, look)
		return 0
	}
	n := opt.Count
	if n <= 0 {
		n = 10
	}
	return o.(*set).scan(cursor, n, func(r slab.Ref) { look(elemName(w.p.db, r)) })
}

// SetRandom calls begin with how many of the members of the set at key will be chosen,
// at most n and all different, and then visit with each. The bytes are good for the
// call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type. O(n), or
// O(members) when n is a large part of them or the set is packed.
func (tx *Tx) SetRandom(key []byte, n int64, begin func(n int), visit func(member []byte)) error {
	p := tx.read(key)
	ok, err := setAt(&p)
	if err != nil {
		return err
	}
	size := 0
	if ok {
		size = setLen(&p)
	}
	left := int(min(n, int64(size)))
	begin(left)
	if left <= 0 {
		return nil
	}
	if left == 1 {
		_, member := tx.setRandom(&p)
		visit(member)
		return nil
	}
	if o := p.object(); o != nil && left < size/3 {
		setRandomFew(tx.eng.rand, p.db, o.(*set), left, visit)
		return nil
	}
	// One walk: each member is chosen by its chance among those that are left.
	setEach(&p, func(member []byte) bool {
		if tx.eng.rand.IntN(size) < left {
			visit(member)
			left--
		}
		size--
		return left > 0
	})
	return nil
}

// setRandomFew draws again where a member was chosen before.
func setRandomFew(rand Rand, d *db, s *set, n int, visit func(member []byte)) {
	chosen := make(map[slab.Ref]bool, n)
	for len(chosen) < n {
		if r, _ := s.random(rand); !chosen[r] {
			chosen[r] = true
			visit(elemName(d, r))
		}
	}
}

// SetSample is the set at key as it is now, to choose members of again and again; nil
// without one. It keeps copies, and can be used in later units.
//
// It fails with errs.WrongType when key holds another type. O(members).
func (tx *Tx) SetSample(key []byte) (*SetSample, error) {
	p := tx.read(key)
	if ok, err := setAt(&p); !ok {
		return nil, err
	}
	s := &SetSample{newSample(tx.eng.rand)}
	setEach(&p, func(member []byte) bool {
		s.add(member)
		return true
	})
	return s, nil
}

// SetSample is what Tx.SetSample took.
type SetSample struct{ sample }

// Next is a member by chance, good until the next call.
func (s *SetSample) Next() []byte { return s.get(s.next(), 0) }
