package engine

import (
	"encoding/binary"
	"sort"
	"strconv"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// Plain sets as sorted sets read them.

// elemTable is an object that is, or has in it, elems.
type elemTable interface {
	len() int
	find(d *db, name []byte) (at dict.Place, r slab.Ref, ok bool)
	all(visit func(r slab.Ref) bool)
}

// plainLen is the number of members of the plain set at p.
func plainLen(p *place) int {
	switch p.enc() {
	case EncIntset:
		return intsetLen(p.bytes())
	case EncListpack:
		return listpack.Len(p.bytes())
	}
	return p.object().elements()
}

// plainHas says whether the plain set at p has a member.
func plainHas(p *place, member []byte) (ok bool) {
	switch p.enc() {
	case EncIntset:
		b := p.bytes()
		n, isInt := ParseInt(member)
		if !isInt {
			return false
		}
		i := sort.Search(intsetLen(b), func(i int) bool { return intsetAt(b, i) >= n })
		return i < intsetLen(b) && intsetAt(b, i) == n
	case EncListpack:
		_, ok = listpack.Find(p.bytes(), listpack.First(p.bytes()), member, 0)
		return ok
	}
	_, _, ok = p.object().(elemTable).find(p.db, member)
	return ok
}

// plainEach calls visit with the members of the plain set at p until it returns
// false. The bytes are good for the call.
func plainEach(p *place, visit func(member []byte) bool) {
	var buf [20]byte
	switch p.enc() {
	case EncIntset:
		set := p.bytes()
		for i := range intsetLen(set) {
			if !visit(strconv.AppendInt(buf[:0], intsetAt(set, i), 10)) {
				return
			}
		}
	case EncListpack:
		lp := p.bytes()
		for at := listpack.First(lp); at < listpack.End(lp); at = listpack.Next(lp, at) {
			if !visit(listpack.Get(lp, at).Bytes(&buf)) {
				return
			}
		}
	default:
		p.object().(elemTable).all(func(r slab.Ref) bool { return visit(elemName(p.db, r)) })
	}
}

// An intset is the width of its integers in bytes and their number, 4 bytes each,
// and then the integers, sorted (Redis intset.c).

func intsetLen(b []byte) int { return int(binary.LittleEndian.Uint32(b[4:])) }

func intsetAt(b []byte, i int) int64 {
	switch width := int(binary.LittleEndian.Uint32(b)); width {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b[8+2*i:])))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b[8+4*i:])))
	default:
		return int64(binary.LittleEndian.Uint64(b[8+width*i:]))
	}
}
