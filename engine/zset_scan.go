package engine

import (
	"coatcheck/engine/internal/slab"
)

// Sorted sets: walks and chance.

// ZSetWalk looks up the sorted set at key for a walk; not ok without one. It is good
// until the unit's next write.
//
// It fails with errs.WrongType when key holds another type.
func (tx *Tx) ZSetWalk(key []byte) (w ZSetWalk, ok bool, err error) {
	p := tx.read(key)
	ok, err = zsetAt(&p)
	return ZSetWalk{p}, ok, err
}

// ZSetWalk is a sorted set that Scan walks over.
type ZSetWalk struct{ p place }

// Encoding is how it is kept.
func (w *ZSetWalk) Encoding() Encoding { return w.p.enc() }

// Scan calls found for members from cursor on, which is 0 or what the step before
// returned, until about opt.Count were looked at; a packed one is done in one step. It
// returns where to go on, 0 at the end. Every member that is there during a whole walk
// is found at least once. found gets bytes that are good for the call; it must not use
// a Tx. O(Count).
func (w *ZSetWalk) Scan(cursor uint64, opt ScanOptions, found func(member []byte, score float64)) (next uint64) {
	all := opt.Match == nil || string(opt.Match) == "*"
	look := func(member []byte, score float64) bool {
		if all || Match(opt.Match, member) {
			found(member, score)
		}
		return true
	}
	d, o := w.p.db, w.p.object()
	if o == nil {
		zsetEach(&w.p, zsetSpan(&w.p, &All), false, look)
		return 0
	}
	n := opt.Count
	if n <= 0 {
		n = 10
	}
	return o.(*zset).scan(cursor, n, func(r slab.Ref) { look(elemName(d, r), memberScore(d, r)) })
}

// ZSetRandom calls begin with how many of the members of the sorted set at key will be
// chosen, at most n and all different, and then visit with each. The bytes are good for
// the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type. O(n log
// members), or O(members) when n is a large part of them or the sorted set is packed.
func (tx *Tx) ZSetRandom(key []byte, n int64, begin func(n int), visit func(member []byte, score float64)) error {
	p := tx.read(key)
	ok, err := zsetAt(&p)
	if err != nil {
		return err
	}
	size := 0
	if ok {
		size = zsetLen(&p)
	}
	left := int(min(n, int64(size)))
	begin(left)
	if left <= 0 {
		return nil
	}
	if o := p.object(); o != nil && left < size/3 {
		zsetRandomFew(tx.eng.rand, p.db, o.(*zset), left, visit)
		return nil
	}
	// One walk, from the highest as Redis', when all are wanted: each is chosen by its
	// chance among those that are left.
	zsetEach(&p, zsetSpan(&p, &All), true, func(member []byte, score float64) bool {
		if tx.eng.rand.IntN(size) < left {
			visit(member, score)
			left--
		}
		size--
		return left > 0
	})
	return nil
}

// zsetRandomFew draws again where a member was chosen before.
func zsetRandomFew(rand Rand, d *db, z *zset, n int, visit func(member []byte, score float64)) {
	tell := func(r slab.Ref) { visit(elemName(d, r), memberScore(d, r)) }
	if n == 1 {
		r, _ := z.random(rand)
		tell(r)
		return
	}
	chosen := make(map[slab.Ref]bool, n)
	for len(chosen) < n {
		if r, _ := z.random(rand); !chosen[r] {
			chosen[r] = true
			tell(r)
		}
	}
}

// ZSetSample is the sorted set at key as it is now, to choose members of again and
// again; nil without one. It keeps copies, and can be used in later units.
//
// It fails with errs.WrongType when key holds another type. O(members).
func (tx *Tx) ZSetSample(key []byte) (*ZSetSample, error) {
	p := tx.read(key)
	if ok, err := zsetAt(&p); !ok {
		return nil, err
	}
	s := &ZSetSample{rand: tx.eng.rand}
	zsetEach(&p, zsetSpan(&p, &All), false, func(member []byte, score float64) bool {
		s.at = append(s.at, len(s.names))
		s.names = append(s.names, member...)
		s.scores = append(s.scores, score)
		return true
	})
	return s, nil
}

// ZSetSample is what Tx.ZSetSample took.
type ZSetSample struct {
	rand   Rand
	names  []byte
	at     []int // where in names each member begins
	scores []float64
}

// Next is a member by chance, and its score.
func (s *ZSetSample) Next() (member []byte, score float64) {
	i := s.rand.IntN(len(s.at))
	end := len(s.names)
	if i+1 < len(s.at) {
		end = s.at[i+1]
	}
	return s.names[s.at[i]:end], s.scores[i]
}
