package engine

import (
	"math"
	"slices"
	"strconv"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/scoretree"
	"coatcheck/engine/internal/slab"
)

// Sorted sets: members with scores, in the order of these and, among equal ones,
// of the members' bytes. A small one is packed (zset_packed.go), a large one an
// object (zset_object.go); what is here and in the other files works on both.

// Scored is a member of a sorted set with its score.
type Scored struct {
	Member []byte
	Score  float64
}

// zmember is where a member is, and its score: good until the next write.
type zmember struct {
	score float64
	at    int        // packed: its offset
	slot  dict.Place // object
	ref   slab.Ref
}

// zsetAt says whether there is a sorted set at p. It fails with errs.WrongType
// when there is something else.
func zsetAt(p *place) (ok bool, err error) {
	switch p.typ() {
	case None:
		return false, nil
	case TZSet:
		return true, nil
	}
	return false, errs.WrongType
}

// zsetFind looks a member of the sorted set at p up.
func zsetFind(p *place, member []byte) (e zmember, ok bool) {
	if o := p.object(); o != nil {
		if e.slot, e.ref, ok = o.(*zset).find(p.db, member); ok {
			e.score = memberScore(p.db, e.ref)
		}
		return e, ok
	}
	return packedFind(p.bytes(), member)
}

// zsetLen is the number of members of the sorted set at p.
func zsetLen(p *place) int {
	if o := p.object(); o != nil {
		return o.elements()
	}
	return packedPairs(p.bytes())
}

// ScoreCond is what a new score must be for a member to get it.
type ScoreCond uint8

// The conditions on scores; a member that is new gets any.
const (
	AnyScore ScoreCond = iota
	IfGreater
	IfLess
)

// ZSetAddOptions are the choices of ZSetAdd.
type ZSetAddOptions struct {
	If    Cond      // about the members: IfMissing only adds, IfExists only updates
	Score ScoreCond // about the scores
	// Incr adds the score to what the member has.
	Incr bool
	// Argv is the command that repeats it, for sinks; nil: one is made.
	Argv [][]byte
}

// ZSetAddResult is what ZSetAdd did.
type ZSetAddResult struct {
	Added, Updated int
	// Done says that the last member has got the score asked for, new or not;
	// Score is what it has then.
	Done  bool
	Score float64
}

// ZSetAdd gives members of the sorted set at key scores, creating it when absent,
// as far as the options let it. It keeps copies. No score may be NaN.
//
// It fails with errs.WrongType when key holds another type, and with errs.ScoreNaN
// when with Incr a sum is no number. Effect: "zadd", or "zincr" with Incr (Redis
// t_zset.c, zaddGenericCommand). O(log n) a member.
func (tx *Tx) ZSetAdd(key []byte, opt ZSetAddOptions, elems ...Scored) (res ZSetAddResult, err error) {
	p := tx.write(key)
	ok, err := zsetAt(&p)
	if err != nil || len(elems) == 0 {
		return res, err
	}
	if !ok && opt.If == IfExists {
		return res, nil
	}
	isNew := !ok
	rest := tx.zsetPrepare(&p, elems)
	if isNew {
		res = ZSetAddResult{Added: len(elems) - len(rest), Done: true, Score: elems[0].Score}
	}
	for i := range rest {
		if err = tx.zsetAddOne(&p, &rest[i], &opt, &res); err != nil {
			break
		}
	}
	if p.object() != nil {
		p.resized()
	}
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	if n := res.Added + res.Updated; n > 0 {
		event := "zadd"
		if opt.Incr {
			event = "zincr"
		}
		tx.changedZSet(&p, event, n, func() [][]byte { return zaddArgv(key, opt, elems) })
	}
	return res, err
}

// zsetPrepare chooses how the sorted set at p is kept before members come, and
// makes it, of the first one, where it is missing. It returns those that are left to
// add (Redis t_zset.c, zsetTypeCreate and zsetTypeMaybeConvert of 7.2).
func (tx *Tx) zsetPrepare(p *place, elems []Scored) (rest []Scored) {
	many := int64(len(elems)) > tx.eng.packing.ZSetEntries
	if p.exists() {
		if many && p.object() == nil {
			tx.zsetUnpack(p)
		}
		return elems
	}
	first := elems[0]
	if !many && int64(len(first.Member)) <= tx.eng.packing.ZSetValue && len(first.Member) < maxPackedZSet {
		var lp []byte
		lp, rest = tx.packedOf(tx.scratch[:0], elems)
		tx.put(p, TZSet, EncListpack, lp, Never)
		tx.keepScratch(lp)
		return rest
	}
	z := newZSet(p.db)
	z.add(p.db, first.Member, first.Score)
	tx.putObject(p, TZSet, EncSkiplist, z, Never)
	return elems[1:]
}

// zsetAddOne is ZSetAdd for one member; the sorted set at p exists.
func (tx *Tx) zsetAddOne(p *place, x *Scored, opt *ZSetAddOptions, res *ZSetAddResult) error {
	e, ok := zsetFind(p, x.Member)
	score := x.Score
	res.Done = false
	switch {
	case !ok && opt.If == IfExists, ok && opt.If == IfMissing:
		return nil
	case !ok:
		tx.zsetInsert(p, x.Member, score)
		res.Added++
		res.Done, res.Score = true, score
		return nil
	case opt.Incr:
		if score += e.score; math.IsNaN(score) {
			return errs.ScoreNaN
		}
	}
	if opt.Score == IfGreater && score <= e.score || opt.Score == IfLess && score >= e.score {
		return nil
	}
	if score != e.score {
		tx.zsetMove(p, &e, x.Member, score)
		res.Updated++
	}
	res.Done, res.Score = true, score
	return nil
}

// zsetInsert adds a member that is not in the sorted set at p.
func (tx *Tx) zsetInsert(p *place, member []byte, score float64) {
	o := p.object()
	if o == nil && !tx.zsetFits(p, member) {
		tx.zsetUnpack(p)
		o = p.object()
	}
	if o != nil {
		o.(*zset).add(p.db, member, score)
		return
	}
	tx.packedInsert(p, member, score)
}

// zsetMove gives a member another score.
func (tx *Tx) zsetMove(p *place, e *zmember, member []byte, score float64) {
	if o := p.object(); o != nil {
		o.(*zset).move(p.db, e.ref, score)
		return
	}
	tx.packedMove(p, e, member, score)
}

// zaddArgv is the command that repeats a ZSetAdd.
func zaddArgv(key []byte, opt ZSetAddOptions, elems []Scored) [][]byte {
	if opt.Argv != nil {
		return opt.Argv
	}
	argv := [][]byte{[]byte("ZADD"), key}
	words := []struct {
		on   bool
		word string
	}{
		{opt.If == IfMissing, "NX"}, {opt.If == IfExists, "XX"}, {opt.Score == IfGreater, "GT"},
		{opt.Score == IfLess, "LT"}, {opt.Incr, "INCR"},
	}
	for _, w := range words {
		if w.on {
			argv = append(argv, []byte(w.word))
		}
	}
	for _, x := range elems {
		argv = append(argv, strconv.AppendFloat(nil, x.Score, 'g', -1, 64), x.Member)
	}
	return argv
}

// changedZSet tells of a change of the sorted set at p that counts as n; argv makes
// the command that repeats it.
func (tx *Tx) changedZSet(p *place, event string, n int, argv func() [][]byte) {
	if tx.wantsArgv() {
		tx.announce(ClassZSet, event, p.key, argv()...)
	} else {
		tx.announce(ClassZSet, event, p.key)
	}
	tx.eng.stats.Changes += int64(n - 1)
}

// ZSetRemove removes members from the sorted set at key, and returns how many there
// were.
//
// It fails with errs.WrongType when key holds another type. Effects: "zrem", and
// "del" when none is left. O(log n) a member.
func (tx *Tx) ZSetRemove(key []byte, members ...[]byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := zsetAt(&p); !ok {
		return 0, err
	}
	for _, member := range members {
		e, ok := zsetFind(&p, member)
		if !ok {
			continue
		}
		n++
		if o := p.object(); o != nil {
			o.(*zset).removeMember(p.db, &e)
		} else {
			tx.packedDelete(&p, &e)
		}
		if zsetLen(&p) == 0 {
			break
		}
	}
	if n > 0 {
		tx.zsetShrunk(&p, "zrem", n, func() [][]byte {
			return append([][]byte{[]byte("ZREM"), key}, members...)
		})
	}
	return n, nil
}

// zsetShrunk is to be called when members of the sorted set at p were removed: an
// empty one is removed, and both are told.
func (tx *Tx) zsetShrunk(p *place, event string, n int, argv func() [][]byte) {
	if p.object() != nil {
		p.resized()
	}
	gone := zsetLen(p) == 0
	if gone {
		tx.remove(p)
	}
	tx.changedZSet(p, event, n, argv)
	if gone {
		tx.also(ClassGeneric, "del", p.key)
	}
}

// ZSetScore returns the score of a member of the sorted set at key, and whether
// there is one.
//
// It fails with errs.WrongType when key holds another type. O(1); in a packed
// sorted set O(n), as with all that look one up.
func (tx *Tx) ZSetScore(key, member []byte) (score float64, ok bool, err error) {
	p := tx.read(key)
	if ok, err = zsetAt(&p); !ok {
		return 0, false, err
	}
	e, ok := zsetFind(&p, member)
	return e.score, ok, nil
}

// ZSetScores calls visit with the score of each member in turn, as one look-up of
// key; exists says whether there is a sorted set. It fails with errs.WrongType,
// before any call, when key holds another type.
func (tx *Tx) ZSetScores(key []byte, members [][]byte, begin func(exists bool), visit func(score float64, ok bool)) error {
	p := tx.read(key)
	ok, err := zsetAt(&p)
	if err != nil {
		return err
	}
	begin(ok)
	for _, member := range members {
		var e zmember
		has := false
		if ok {
			e, has = zsetFind(&p, member)
		}
		visit(e.score, has)
	}
	return nil
}

// ZSetLen is the number of members of the sorted set at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) ZSetLen(key []byte) (int, error) {
	p := tx.read(key)
	if ok, err := zsetAt(&p); !ok {
		return 0, err
	}
	return zsetLen(&p), nil
}

// ZSetRank returns the rank of a member of the sorted set at key, from 0 for the
// lowest or, with reverse, the highest score, and its score; not ok without a
// member.
//
// It fails with errs.WrongType when key holds another type. O(log n).
func (tx *Tx) ZSetRank(key, member []byte, reverse bool) (rank int, score float64, ok bool, err error) {
	p := tx.read(key)
	if ok, err = zsetAt(&p); !ok {
		return 0, 0, false, err
	}
	e, ok := zsetFind(&p, member)
	if !ok {
		return 0, 0, false, nil
	}
	if o := p.object(); o != nil {
		rank = o.(*zset).order.Rank(p.db, scoretree.Item{Score: e.score, Ref: e.ref})
	} else {
		rank = packedRank(p.bytes(), e.at)
	}
	if reverse {
		rank = zsetLen(&p) - 1 - rank
	}
	return rank, e.score, true, nil
}

// Scored is room for n members, for a caller that has to collect them before an
// operation. It is the caller's until the next call.
func (tx *Tx) Scored(n int) []Scored {
	if n > maxScored {
		return make([]Scored, 0, n)
	}
	clear(tx.scored[:cap(tx.scored)])
	tx.scored = slices.Grow(tx.scored[:0], n)
	return tx.scored[:0]
}

// maxScored is how much of that is kept.
const maxScored = 1024
