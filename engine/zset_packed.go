package engine

import (
	"slices"
	"strconv"
	"unsafe"

	"coatcheck/engine/internal/listpack"
)

// Packed sorted sets: listpacks of member and score in turn, in order, as in Redis'
// encoding of that name. Scores that are integers are kept as such.

// maxPackedZSet is how many bytes a packed sorted set takes, whatever the bounds of
// Packing.
const maxPackedZSet = 1 << 30

// packedOf makes of lp, which is empty, a listpack of the first of elems and those
// behind it up to one that cannot be packed or comes again, and returns the rest.
func (tx *Tx) packedOf(lp []byte, elems []Scored) (_ []byte, rest []Scored) {
	var buf [32]byte
	var pairs [128]byte
	lp = append(lp, make([]byte, listpack.HeaderSize+1)...)
	for n := 0; ; {
		listpack.SetHeader(lp, 2*n)
		if len(elems) == 0 {
			break
		}
		x := &elems[0]
		if int64(len(x.Member)) > tx.eng.packing.ZSetValue || len(lp)+len(x.Member) >= maxPackedZSet {
			break
		}
		if _, again := packedFind(lp, x.Member); again {
			break
		}
		pair := listpack.Append(listpack.Append(pairs[:0], x.Member), appendScore(buf[:0], x.Score))
		lp = slices.Insert(lp, packedPlace(lp, x.Member, x.Score), pair...)
		n, elems = n+1, elems[1:]
	}
	return lp, elems
}

// packedPairs is the number of members.
func packedPairs(lp []byte) int { return listpack.Len(lp) / 2 }

// packedScore is the score that is the element at at.
func packedScore(lp []byte, at int) float64 {
	v := listpack.Get(lp, at)
	if n, ok := v.Int(); ok {
		return float64(n)
	}
	var buf [20]byte
	b := v.Bytes(&buf)
	f, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	return f
}

// packedFind looks a member up.
func packedFind(lp, member []byte) (e zmember, ok bool) {
	if e.at, ok = listpack.Find(lp, listpack.First(lp), member, 1); ok {
		e.score = packedScore(lp, listpack.Next(lp, e.at))
	}
	return e, ok
}

// pairEnd is what follows the member at at and its score.
func pairEnd(lp []byte, at int) int { return listpack.Next(lp, listpack.Next(lp, at)) }

// packedRank is the rank of the member at offset at.
func packedRank(lp []byte, at int) (rank int) {
	for i := listpack.First(lp); i < at; i = pairEnd(lp, i) {
		rank++
	}
	return rank
}

// packedPlace is where a member with a score belongs: before the first pair that
// comes behind it.
func packedPlace(lp, member []byte, score float64) (at int) {
	var buf [20]byte
	for at = listpack.First(lp); at < listpack.End(lp); {
		value := listpack.Next(lp, at)
		s := packedScore(lp, value)
		if s > score || s == score && string(listpack.Get(lp, at).Bytes(&buf)) > string(member) {
			return at
		}
		at = listpack.Next(lp, value)
	}
	return at
}

// zsetFits says whether a further member may be in the packed sorted set at p.
func (tx *Tx) zsetFits(p *place, member []byte) bool {
	lp := p.bytes()
	return int64(packedPairs(lp)) < tx.eng.packing.ZSetEntries &&
		int64(len(member)) <= tx.eng.packing.ZSetValue && len(lp)+len(member) <= maxPackedZSet
}

// packedInsert adds a member that is not there. It must not point into the store.
func (tx *Tx) packedInsert(p *place, member []byte, score float64) {
	var buf [32]byte
	at := packedPlace(p.bytes(), member, score)
	tx.packedReplace(p, at, at, 0, member, appendScore(buf[:0], score))
}

// packedMove gives a member another score, and another place if it needs one. What is
// between its places is written anew at once, so that nothing is lost without memory.
func (tx *Tx) packedMove(p *place, e *zmember, member []byte, score float64) {
	var buf [32]byte
	lp := p.bytes()
	from, to := e.at, pairEnd(lp, e.at)
	pair := func(dst []byte) []byte {
		return listpack.Append(listpack.Append(dst, member), appendScore(buf[:0], score))
	}
	row := tx.scratch[:0]
	if at := packedPlace(lp, member, score); at < from {
		row = append(pair(row), lp[at:from]...)
		from = at
	} else {
		row = pair(append(row, lp[to:max(at, to)]...))
		to = max(at, to)
	}
	tx.scratch = row
	n := listpack.Len(lp)
	copy(tx.splice(p, from, to-from, len(row)), row)
	listpack.SetHeader(p.bytes(), n)
}

// packedDelete takes a member out.
func (tx *Tx) packedDelete(p *place, e *zmember) {
	tx.packedReplace(p, e.at, pairEnd(p.bytes(), e.at), 2)
}

// zsetUnpack makes an object of the packed sorted set at p.
func (tx *Tx) zsetUnpack(p *place) {
	d := p.db
	z := newZSet(d)
	done := false
	defer func() {
		if !done { // no memory
			for !z.dismantle(d, digSlice) {
			}
		}
	}()
	lp := p.bytes()
	var buf [20]byte
	for at := listpack.First(lp); at < listpack.End(lp); at = pairEnd(lp, at) {
		z.append(d, listpack.Get(lp, at).Bytes(&buf), packedScore(lp, listpack.Next(lp, at)))
	}
	tx.putObject(p, TZSet, EncSkiplist, z, p.expireAt())
	done = true
}
