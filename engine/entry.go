package engine

import (
	"encoding/binary"
	"unsafe"

	"coatcheck/engine/internal/slab"
)

// An entry is one block of the slab: header, key, value.
//
//	0    type in the low half, encoding in the high half
//	1    flags
//	2    LRU or LFU figures, 3 bytes
//	5    length of the key: 1 byte, or 4 with flagLongKey
//	…    length of the value: 2 bytes, or 4 with flagApart
//	…    with flagVolatile: the deadline, counted from atBase in 5 bytes, and
//	     by how much it is later than the one that the expire index has, in
//	     4; with flagLongAt both are absolute, in 8 bytes and 6
//	…    key
//	…    value; with flagApart the ref of the block that has it, 8 bytes
//
// The indexed deadline is never later than the true one. Nothing but the dict's
// slot refers to an entry, so it can move.

const (
	flagLongKey = 1 << iota
	flagApart
	flagVolatile
	flagLongAt

	layoutFlags = flagLongKey | flagApart | flagVolatile | flagLongAt
)

const (
	headerMax = 5 + 4 + 4 + 8 + 6
	// atBase is in July 2017: five bytes from there reach until 2052.
	atBase UnixMilli = 1_500_000_000_000
	// maxBehind is how far a deadline may be from the indexed one.
	maxBehind = 1<<32 - 1
	refSize   = 8
	// apartMin is how long a value must be to have a block of its own, so
	// that it stays where it is when its key's name or deadline changes.
	apartMin = 16 << 10
	// deadlines above maxIndexed come due in the year 10889; the index has
	// them there.
	maxIndexed = 1<<48 - 1
)

// layout is where the parts of a header are.
type layout struct{ valLen, at, indexed, key uint8 }

var layouts = makeLayouts()

func makeLayouts() (all [layoutFlags + 1]layout) {
	for flags := range all {
		l := layout{valLen: 6}
		if flags&flagLongKey != 0 {
			l.valLen += 3
		}
		l.at = l.valLen + 2
		if flags&flagApart != 0 {
			l.at += 2
		}
		l.indexed, l.key = l.at, l.at
		if flags&flagVolatile != 0 {
			l.indexed += 5
			l.key = l.indexed + 4
			if flags&flagLongAt != 0 {
				l.indexed = l.at + 8
				l.key = l.indexed + 6
			}
		}
		all[flags] = l
	}
	return all
}

// shape is what determines an entry's layout and size.
type shape struct {
	flags          uint8
	keyLen, valLen int
}

func shapeOf(keyLen, valLen int, at UnixMilli) shape {
	s := shape{keyLen: keyLen, valLen: valLen}
	if keyLen > 0xff {
		s.flags |= flagLongKey
	}
	if valLen >= apartMin {
		s.flags |= flagApart
	}
	if at != Never {
		s.flags |= flagVolatile
		if at < atBase || at-atBase >= 1<<40 {
			s.flags |= flagLongAt
		}
	}
	return s
}

// size is how many bytes the entry's own block needs.
func (s shape) size() int { return s.sizeFor(s.valLen) }

// sizeFor is size with room for a value of n bytes.
func (s shape) sizeFor(n int) int {
	if s.flags&flagApart != 0 {
		n = refSize
	}
	return int(layouts[s.flags&layoutFlags].key) + s.keyLen + n
}

// entry points at an entry's block; nil for none.
type entry struct{ b unsafe.Pointer }

func (e entry) header() *[headerMax]byte { return (*[headerMax]byte)(e.b) }
func (e entry) flags() uint8             { return e.header()[1] }
func (e entry) layout() layout           { return layouts[e.flags()&layoutFlags] }
func (e entry) typ() Type                { return Type(e.header()[0] & 0xf) }
func (e entry) enc() Encoding            { return Encoding(e.header()[0] >> 4) }
func (e entry) volatile() bool           { return e.flags()&flagVolatile != 0 }

func (e entry) setKind(typ Type, enc Encoding) { e.header()[0] = byte(typ) | byte(enc)<<4 }

func (e entry) slice(off, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(e.b, off)), n)
}

func (e entry) keyLen() int {
	if e.flags()&flagLongKey != 0 {
		return int(binary.LittleEndian.Uint32(e.header()[5:]))
	}
	return int(e.header()[5])
}

func (e entry) key() []byte { return e.slice(int(e.layout().key), e.keyLen()) }

func (e entry) valLen() int {
	at := e.layout().valLen
	if e.flags()&flagApart != 0 {
		return int(binary.LittleEndian.Uint32(e.slice(int(at), 4)))
	}
	return int(binary.LittleEndian.Uint16(e.slice(int(at), 2)))
}

func (e entry) setValLen(n int) {
	at := e.layout().valLen
	if e.flags()&flagApart != 0 {
		binary.LittleEndian.PutUint32(e.slice(int(at), 4), uint32(n))
	} else {
		binary.LittleEndian.PutUint16(e.slice(int(at), 2), uint16(n))
	}
}

// tail is what follows the key: the value or the ref of its block.
func (e entry) tail(n int) []byte { return e.slice(int(e.layout().key)+e.keyLen(), n) }

// apart is the block that has the value; 0 when it is in the entry.
func (e entry) apart() slab.Ref {
	if e.flags()&flagApart == 0 {
		return 0
	}
	return slab.Ref(binary.LittleEndian.Uint64(e.tail(refSize)))
}

func (e entry) setApart(r slab.Ref) { binary.LittleEndian.PutUint64(e.tail(refSize), uint64(r)) }

// val is the packed value.
func (e entry) val(s *slab.Slab) []byte {
	n := e.valLen()
	if r := e.apart(); r != 0 {
		return unsafe.Slice((*byte)(s.Ptr(r)), n)
	}
	return e.tail(n)
}

// at is the deadline, Never for none.
func (e entry) at() UnixMilli {
	flags := e.flags()
	if flags&flagVolatile == 0 {
		return Never
	}
	b := e.slice(int(layouts[flags&layoutFlags].at), 8)
	if flags&flagLongAt != 0 {
		return UnixMilli(binary.LittleEndian.Uint64(b))
	}
	return atBase + UnixMilli(binary.LittleEndian.Uint64(b)&(1<<40-1))
}

// setAt changes the deadline of a volatile entry, whose shape must suit it.
// setIndexed must follow.
func (e entry) setAt(at UnixMilli) {
	if b := e.slice(int(e.layout().at), 8); e.flags()&flagLongAt != 0 {
		binary.LittleEndian.PutUint64(b, uint64(at))
	} else {
		n := uint64(at - atBase)
		binary.LittleEndian.PutUint32(b, uint32(n))
		b[4] = byte(n >> 32)
	}
}

// indexed is the deadline under which the expire index has a volatile entry.
func (e entry) indexed() uint64 {
	b := e.slice(int(e.layout().indexed), 6)
	if e.flags()&flagLongAt != 0 {
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
	}
	return uint64(e.at()) - uint64(binary.LittleEndian.Uint32(b))
}

// setIndexed notes the indexed deadline and says whether it can: it must not be
// too far behind the true one.
func (e entry) setIndexed(at uint64) bool {
	b := e.slice(int(e.layout().indexed), 6)
	if e.flags()&flagLongAt != 0 {
		binary.LittleEndian.PutUint32(b, uint32(at))
		binary.LittleEndian.PutUint16(b[4:], uint16(at>>32))
		return true
	}
	behind := uint64(e.at()) - at
	if behind <= maxBehind {
		binary.LittleEndian.PutUint32(b, uint32(behind))
	}
	return behind <= maxBehind
}

// lru is the 24 bits that eviction keeps.
func (e entry) lru() uint32 {
	h := e.header()
	return uint32(h[2]) | uint32(h[3])<<8 | uint32(h[4])<<16
}

func (e entry) setLRU(n uint32) {
	h := e.header()
	h[2], h[3], h[4] = byte(n), byte(n>>8), byte(n>>16)
}

// init writes a header and the key.
func (e entry) init(s shape, typ Type, enc Encoding, lru uint32, key []byte) {
	e.header()[1] = s.flags
	e.setKind(typ, enc)
	e.setLRU(lru)
	if s.flags&flagLongKey != 0 {
		binary.LittleEndian.PutUint32(e.slice(5, 4), uint32(s.keyLen))
	} else {
		e.header()[5] = byte(s.keyLen)
	}
	e.setValLen(s.valLen)
	copy(e.key(), key)
}
