package engine

import (
	"bytes"
	"math"
	"strconv"

	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/scoretree"
)

// Sorted sets: ranges. Whatever a range is told by, it is a row of ranks.

// RangeBy is what a range of a sorted set is told by.
type RangeBy uint8

// The ways to tell a range.
const (
	ByRank RangeBy = iota
	ByScore
	ByLex // by members, which makes sense where all scores are equal
)

// ScoreRange is the scores from Min to Max; an open end does not belong to it.
type ScoreRange struct {
	Min, Max         float64
	MinOpen, MaxOpen bool
}

// LexBound is an end of a LexRange.
type LexBound struct {
	Member []byte
	Open   bool // Member itself does not belong to it
	Inf    int8 // -1: before all members, 1: behind all
}

// LexRange is the members from Min to Max.
type LexRange struct{ Min, Max LexBound }

// ZSetRange is a part of a sorted set.
type ZSetRange struct {
	By RangeBy
	// Start and Stop are the first and the last rank, negative from the end; with
	// ByRank.
	Start, Stop int64
	Score       ScoreRange // with ByScore
	Lex         LexRange   // with ByLex
	// Reverse goes from high to low, and counts ranks from the highest score.
	Reverse bool
	// Offset members are passed over, and then at most Count taken; below 0: all,
	// or with a negative Offset none. Not with ByRank.
	Offset, Count int64
}

// All is the whole of a sorted set.
var All = ZSetRange{Stop: -1, Count: -1}

// isBelow and isAbove say on which side of the range a score lies.
func (r *ScoreRange) isBelow(s float64) bool { return s < r.Min || r.MinOpen && s == r.Min }
func (r *ScoreRange) isAbove(s float64) bool { return s > r.Max || r.MaxOpen && s == r.Max }

// isEmpty says that no score can be in it.
func (r *ScoreRange) isEmpty() bool {
	return r.Min > r.Max || r.Min == r.Max && (r.MinOpen || r.MaxOpen)
}

// compare is how member lies to the bound: below 0 before it.
func (b *LexBound) compare(member []byte) int {
	if b.Inf != 0 {
		return -int(b.Inf)
	}
	return bytes.Compare(member, b.Member)
}

func (r *LexRange) isBelow(member []byte) bool {
	c := r.Min.compare(member)
	return c < 0 || c == 0 && r.Min.Open
}

func (r *LexRange) isAbove(member []byte) bool {
	c := r.Max.compare(member)
	return c > 0 || c == 0 && r.Max.Open
}

// isEmpty says that no member can be in it.
func (r *LexRange) isEmpty() bool {
	switch {
	case r.Min.Inf > 0, r.Max.Inf < 0:
		return true
	case r.Min.Inf < 0, r.Max.Inf > 0:
		return false
	}
	c := bytes.Compare(r.Min.Member, r.Max.Member)
	return c > 0 || c == 0 && (r.Min.Open || r.Max.Open)
}

// span is a row of ranks: from the first to before to, and in a packed sorted set
// the offsets of these.
type span struct {
	from, to int
	at, end  int
}

func (s *span) len() int { return s.to - s.from }

// zsetSpan finds the members of a range.
func zsetSpan(p *place, r *ZSetRange) span {
	size := zsetLen(p)
	if r.By == ByRank {
		return packedOffsets(p, ranks(r, size))
	}
	s := span{}
	switch {
	case r.By == ByScore && r.Score.isEmpty(), r.By == ByLex && r.Lex.isEmpty():
	case p.object() != nil:
		s.from, s.to = p.object().(*zset).bounds(p.db, r)
	default:
		s = packedSpan(p.bytes(), r)
	}
	if r.Offset == 0 && r.Count < 0 {
		return s
	}
	return packedOffsets(p, limit(s, r))
}

// ranks is the span of a range by rank in so many members.
func ranks(r *ZSetRange, size int) span {
	n := int64(size)
	start, stop := r.Start, r.Stop
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	if stop = min(stop, n-1); start > stop {
		return span{}
	}
	if r.Reverse {
		start, stop = n-1-stop, n-1-start
	}
	return span{from: int(start), to: int(stop) + 1}
}

// limit cuts a span as Offset and Count say.
func limit(s span, r *ZSetRange) span {
	n := int64(s.len())
	if r.Offset < 0 || r.Offset >= n {
		return span{}
	}
	left := n - r.Offset
	if r.Count >= 0 {
		left = min(left, r.Count)
	}
	if r.Reverse {
		to := s.to - int(r.Offset)
		return span{from: to - int(left), to: to}
	}
	from := s.from + int(r.Offset)
	return span{from: from, to: from + int(left)}
}

// packedOffsets sets a span's offsets, if it is one of a packed sorted set.
func packedOffsets(p *place, s span) span {
	if p.object() != nil || s.len() <= 0 {
		return s
	}
	lp := p.bytes()
	s.at, _ = listpack.Seek(lp, 2*s.from)
	if s.end = listpack.End(lp); 2*s.to < listpack.Len(lp) {
		s.end, _ = listpack.Seek(lp, 2*s.to)
	}
	return s
}

// packedSpan walks to the members of a range by score or by member.
func packedSpan(lp []byte, r *ZSetRange) (s span) {
	var buf [20]byte
	at := listpack.First(lp)
	skip := func(past func(at, value int) bool) (n int) {
		for at < listpack.End(lp) {
			value := listpack.Next(lp, at)
			if !past(at, value) {
				break
			}
			n++
			at = listpack.Next(lp, value)
		}
		return n
	}
	if r.By == ByScore {
		s.from = skip(func(_, value int) bool { return r.Score.isBelow(packedScore(lp, value)) })
		s.at = at
		s.to = s.from + skip(func(_, value int) bool { return !r.Score.isAbove(packedScore(lp, value)) })
	} else {
		s.from = skip(func(at, _ int) bool { return r.Lex.isBelow(listpack.Get(lp, at).Bytes(&buf)) })
		s.at = at
		s.to = s.from + skip(func(at, _ int) bool { return !r.Lex.isAbove(listpack.Get(lp, at).Bytes(&buf)) })
	}
	s.end = at
	return s
}

// bounds finds the ranks of a range by score or by member.
func (z *zset) bounds(d *db, r *ZSetRange) (from, to int) {
	if r.By == ByScore {
		from = z.order.First(func(x scoretree.Item) bool { return !r.Score.isBelow(x.Score) })
		to = z.order.First(func(x scoretree.Item) bool { return r.Score.isAbove(x.Score) })
	} else {
		from = z.order.First(func(x scoretree.Item) bool { return !r.Lex.isBelow(elemName(d, x.Ref)) })
		to = z.order.First(func(x scoretree.Item) bool { return r.Lex.isAbove(elemName(d, x.Ref)) })
	}
	return from, max(from, to) // by member the order may not be the members'
}

// zsetEach calls visit with the members of a span, from the end with reverse, until
// it returns false. The bytes are good for the call.
func zsetEach(p *place, s span, reverse bool, visit func(member []byte, score float64) bool) {
	if s.len() <= 0 {
		return
	}
	if o := p.object(); o != nil {
		o.(*zset).each(p.db, s, reverse, visit)
		return
	}
	lp, buf := p.bytes(), &p.db.eng.digits
	if !reverse {
		for at := s.at; at < s.end; {
			value := listpack.Next(lp, at)
			if !visit(listpack.Get(lp, at).Bytes(buf), packedScore(lp, value)) {
				return
			}
			at = listpack.Next(lp, value)
		}
		return
	}
	for end := s.end; end > s.at; {
		value, _ := listpack.Prev(lp, end)
		at, _ := listpack.Prev(lp, value)
		if !visit(listpack.Get(lp, at).Bytes(buf), packedScore(lp, value)) {
			return
		}
		end = at
	}
}

func (z *zset) each(d *db, s span, reverse bool, visit func(member []byte, score float64) bool) {
	first := s.from
	if reverse {
		first = s.to - 1
	}
	at := z.order.At(first)
	for range s.len() {
		x := at.Item()
		if !visit(elemName(d, x.Ref), x.Score) {
			return
		}
		if reverse {
			at.Prev()
		} else {
			at.Next()
		}
	}
}

// ZSetRange calls begin with the number of members in a range of the sorted set at
// key, 0 without one, and then visit with each in order, until that returns false.
// The bytes are good for the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type.
// O(log n) and O(1) a member.
func (tx *Tx) ZSetRange(key []byte, r *ZSetRange, begin func(n int), visit func(member []byte, score float64) bool) error {
	p := tx.read(key)
	ok, err := zsetAt(&p)
	switch {
	case err != nil:
		return err
	case !ok:
		begin(0)
		return nil
	}
	s := zsetSpan(&p, r)
	begin(s.len())
	zsetEach(&p, s, r.Reverse, visit)
	return nil
}

// ZSetCount is the number of members in a range of the sorted set at key.
//
// It fails with errs.WrongType when key holds another type. O(log n).
func (tx *Tx) ZSetCount(key []byte, r *ZSetRange) (int, error) {
	p := tx.read(key)
	if ok, err := zsetAt(&p); !ok {
		return 0, err
	}
	s := zsetSpan(&p, r)
	return s.len(), nil
}

// ZSetRemoveRange removes the members in a range of the sorted set at key, and
// returns how many there were. argv is the command that repeats it, for sinks.
//
// It fails with errs.WrongType when key holds another type. Effects:
// "zremrangebyrank", "zremrangebyscore" or "zremrangebylex", and "del" when none is
// left. O(log n) a member.
func (tx *Tx) ZSetRemoveRange(key []byte, r *ZSetRange, argv ...[]byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := zsetAt(&p); !ok {
		return 0, err
	}
	s := zsetSpan(&p, r)
	if s.len() <= 0 {
		return 0, nil
	}
	tx.zsetCut(&p, s)
	event := [...]string{ByRank: "zremrangebyrank", ByScore: "zremrangebyscore", ByLex: "zremrangebylex"}[r.By]
	tx.zsetShrunk(&p, event, s.len(), func() [][]byte { return argv })
	return s.len(), nil
}

// zsetCut takes the members of a span out.
func (tx *Tx) zsetCut(p *place, s span) {
	if o := p.object(); o != nil {
		o.(*zset).removeRanks(p.db, s.from, s.len())
		return
	}
	tx.packedReplace(p, s.at, s.end, 2*s.len())
}

// ZSetEnd is an end of a sorted set.
type ZSetEnd uint8

// The ends.
const (
	Lowest ZSetEnd = iota
	Highest
)

// ZSetPop removes at most n members from an end of the sorted set at key: it calls
// begin with how many, and visit with each, the outermost first. The bytes are good
// for the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type.
// Effects: "zpopmin" or "zpopmax", and "del" when none is left. O(log n) a member.
func (tx *Tx) ZSetPop(key []byte, end ZSetEnd, n int64, begin func(n int), visit func(member []byte, score float64) bool) error {
	p := tx.write(key)
	ok, err := zsetAt(&p)
	switch {
	case err != nil:
		return err
	case !ok || n <= 0:
		begin(0)
		return nil
	}
	r := ZSetRange{Stop: min(n, math.MaxInt32) - 1, Reverse: end == Highest}
	s := zsetSpan(&p, &r)
	begin(s.len())
	zsetEach(&p, s, r.Reverse, visit)
	tx.zsetCut(&p, s)
	event, verb := "zpopmin", "ZPOPMIN"
	if end == Highest {
		event, verb = "zpopmax", "ZPOPMAX"
	}
	tx.zsetShrunk(&p, event, s.len(), func() [][]byte {
		return [][]byte{[]byte(verb), key, strconv.AppendInt(nil, int64(s.len()), 10)}
	})
	return nil
}
