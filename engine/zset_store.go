package engine

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"unsafe"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/listpack"
)

// Sorted sets out of others: unions, intersections and differences, also of plain
// sets, whose members have the score 1, and whole values.

// ZSetInputs are the values of several keys, to make a sorted set of. They, and the
// bytes of what is made of them, are good until the unit's next write.
type ZSetInputs struct{ all []zinput }

type zinput struct {
	p      place
	size   int
	weight float64
}

// ZSetInputs looks up the sorted sets and plain sets at keys. A missing key is an
// empty one.
//
// It fails with errs.WrongType when a key holds another type.
func (tx *Tx) ZSetInputs(keys [][]byte) (*ZSetInputs, error) {
	in := &ZSetInputs{all: make([]zinput, len(keys))}
	for i, key := range keys {
		z := &in.all[i]
		z.p, z.weight = tx.read(key), 1
		switch z.p.typ() {
		case None:
		case TZSet:
			z.size = zsetLen(&z.p)
		case TSet:
			z.size = setLen(&z.p)
		default:
			return nil, errs.WrongType
		}
	}
	return in, nil
}

// Weigh gives the inputs the factors that their scores are multiplied by.
func (in *ZSetInputs) Weigh(weights []float64) {
	for i, w := range weights {
		in.all[i].weight = w
	}
}

// find is the score of a member of the input.
func (z *zinput) find(member []byte) (score float64, ok bool) {
	switch z.p.typ() {
	case TZSet:
		e, ok := zsetFind(&z.p, member)
		return e.score, ok
	case TSet:
		return 1, setHas(&z.p, member)
	}
	return 0, false
}

// each calls visit with every member, whose bytes stay good, until it returns false.
func (z *zinput) each(visit func(member []byte, score float64) bool) {
	switch z.p.typ() {
	case TZSet:
		zsetEach(&z.p, zsetSpan(&z.p, &All), false, func(member []byte, score float64) bool {
			return visit(z.p.keep(member), score)
		})
	case TSet:
		setEach(&z.p, func(member []byte) bool { return visit(z.p.keep(member), 1) })
	}
}

// weighed is a score times the input's weight; what is no number is 0.
func (z *zinput) weighed(score float64) float64 {
	if score *= z.weight; math.IsNaN(score) {
		return 0
	}
	return score
}

// Aggregate is what becomes of the scores that a member has in several inputs.
type Aggregate uint8

// The ways to aggregate.
const (
	Sum Aggregate = iota
	Min
	Max
)

func (a Aggregate) of(x, y float64) float64 {
	switch a {
	case Min:
		return min(x, y)
	case Max:
		return max(x, y)
	}
	if x += y; math.IsNaN(x) { // of infinities
		return 0
	}
	return x
}

// bySize sorts the inputs, the smallest first: sums depend on the order.
func (in *ZSetInputs) bySize() {
	slices.SortStableFunc(in.all, func(a, b zinput) int { return cmp.Compare(a.size, b.size) })
}

// textOf is b as a string, as long as b stays.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Union is what is in any input, in order. O(n) and sorting it.
func (in *ZSetInputs) Union(how Aggregate) []Scored {
	in.bySize()
	var rows []Scored
	at := map[string]int{}
	for i := range in.all {
		z := &in.all[i]
		z.each(func(member []byte, score float64) bool {
			score = z.weighed(score)
			if have, ok := at[textOf(member)]; ok {
				rows[have].Score = how.of(rows[have].Score, score)
				return true
			}
			at[textOf(member)] = len(rows)
			rows = append(rows, Scored{member, score})
			return true
		})
	}
	return inOrder(rows)
}

// Inter is what is in all inputs, in order. O(n·inputs), n of the smallest, and
// sorting it.
func (in *ZSetInputs) Inter(how Aggregate) []Scored {
	var rows []Scored
	in.inter(how, func(member []byte, score float64) bool {
		rows = append(rows, Scored{member, score})
		return true
	})
	return inOrder(rows)
}

// InterLen is the number of members in all inputs, at most limit where that is above
// 0.
func (in *ZSetInputs) InterLen(limit int64) (n int64) {
	in.inter(Sum, func([]byte, float64) bool {
		n++
		return n != limit
	})
	return n
}

func (in *ZSetInputs) inter(how Aggregate, visit func(member []byte, score float64) bool) {
	in.bySize()
	first := &in.all[0]
	first.each(func(member []byte, score float64) bool {
		score = first.weighed(score)
		for i := range in.all[1:] {
			z := &in.all[1+i]
			other, ok := z.find(member)
			if !ok {
				return true
			}
			score = how.of(score, z.weighed(other))
		}
		return visit(member, score)
	})
}

// Diff is what is in the first input and in no other, in order.
func (in *ZSetInputs) Diff() []Scored {
	first, others, total := &in.all[0], in.all[1:], 0
	for i := range others {
		total += others[i].size
	}
	var rows []Scored
	taken := map[string]bool{}
	few := first.size/2 > total/max(len(others), 1) // then they are looked up in the first
	if few {
		for i := range others {
			others[i].each(func(member []byte, _ float64) bool {
				taken[textOf(member)] = true
				return true
			})
		}
	}
	first.each(func(member []byte, score float64) bool {
		gone := taken[textOf(member)]
		for i := 0; !few && !gone && i < len(others); i++ {
			_, gone = others[i].find(member)
		}
		if !gone {
			rows = append(rows, Scored{member, score})
		}
		return true
	})
	return inOrder(rows)
}

// inOrder sorts members as a sorted set has them.
func inOrder(rows []Scored) []Scored {
	slices.SortFunc(rows, func(a, b Scored) int {
		if c := cmp.Compare(a.Score, b.Score); c != 0 {
			return c
		}
		return bytes.Compare(a.Member, b.Member)
	})
	return rows
}

// ZSetStore makes key hold a sorted set of rows, which are in order and all different
// and may be the store's bytes, whatever it held, without a deadline, or no value at all
// when there are none. It keeps copies. argv is the command that repeats it, for sinks.
//
// Effect: event, counted as n changes; "del" when there are no rows but was a value. O(rows).
func (tx *Tx) ZSetStore(key []byte, rows []Scored, event string, n int, argv ...[]byte) {
	p := tx.write(key)
	if len(rows) == 0 {
		if p.exists() {
			tx.remove(&p)
			tx.announce(ClassGeneric, "del", key, argv...)
		}
		return
	}
	isNew := !p.exists()
	tx.zsetPut(&p, rows, Never)
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	tx.changedZSet(&p, event, n, func() [][]byte { return argv })
}

// zsetPut makes p a sorted set of rows, which are in order and all different, in the
// encoding that fits. They may be the store's bytes.
func (tx *Tx) zsetPut(p *place, rows []Scored, at UnixMilli) {
	if lp := tx.zsetPack(rows); lp != nil {
		tx.put(p, TZSet, EncListpack, lp, at)
		return
	}
	d := p.db
	z := newZSet(d)
	done := false
	defer func() {
		if !done { // no memory
			for !z.dismantle(d, digSlice) {
			}
		}
	}()
	for _, x := range rows {
		z.append(d, x.Member, x.Score)
	}
	tx.putObject(p, TZSet, EncSkiplist, z, at)
	done = true
}

// zsetPack is rows as a listpack; nil when they are too many or too long.
func (tx *Tx) zsetPack(rows []Scored) []byte {
	if int64(len(rows)) > tx.eng.packing.ZSetEntries {
		return nil
	}
	size := 0
	for _, x := range rows {
		if size += len(x.Member); int64(len(x.Member)) > tx.eng.packing.ZSetValue || size > maxPackedZSet {
			return nil
		}
	}
	var buf [32]byte
	lp := make([]byte, listpack.HeaderSize, listpack.EmptySize+size+len(rows)*16)
	for _, x := range rows {
		lp = listpack.Append(lp, x.Member)
		lp = listpack.Append(lp, appendScore(buf[:0], x.Score))
	}
	lp = append(lp, 0)
	listpack.SetHeader(lp, 2*len(rows))
	return lp
}

// ZSetRangeStore makes dst hold the members in a range of the sorted set at src, as
// ZSetStore does, and returns how many there are.
//
// It fails with errs.WrongType when src holds another type. Effects: "zrangestore", or
// "del".
func (tx *Tx) ZSetRangeStore(dst, src []byte, r *ZSetRange, argv ...[]byte) (n int, err error) {
	p := tx.read(src)
	ok, err := zsetAt(&p)
	if err != nil {
		return 0, err
	}
	var rows []Scored
	if ok {
		zsetEach(&p, zsetSpan(&p, r), false, func(member []byte, score float64) bool {
			rows = append(rows, Scored{p.keep(member), score})
			return true
		})
	}
	tx.ZSetStore(dst, rows, "zrangestore", 1, argv...)
	return len(rows), nil
}

// zsetValue puts the sorted set of a file at p. It fails with ErrValue when a member
// comes twice, a score is no number, or there is none.
func (tx *Tx) zsetValue(p *place, v *Value, at UnixMilli) error {
	if len(v.Elems) == 0 || len(v.Elems) != len(v.Scores) {
		return ErrValue
	}
	rows := make([]Scored, len(v.Elems))
	seen := make(map[string]bool, len(v.Elems))
	for i, member := range v.Elems {
		if math.IsNaN(v.Scores[i]) || seen[textOf(member)] {
			return ErrValue
		}
		seen[textOf(member)] = true
		rows[i] = Scored{member, v.Scores[i]}
	}
	tx.zsetPut(p, inOrder(rows), at)
	return nil
}

// EachScored calls visit with the members of a sorted set in order until it returns
// false. The bytes are good for the call.
func (v View) EachScored(visit func(member []byte, score float64) bool) {
	zsetEach(&v.p, zsetSpan(&v.p, &All), false, visit)
}

// ScoredLen is the number of members of a sorted set.
func (v View) ScoredLen() int { return zsetLen(&v.p) }
