package engine

import (
	"encoding/binary"
	"math"
	"sort"
)

// An intset is the width of its integers in bytes and their number, 4 bytes each,
// and then the integers, sorted (Redis intset.c). All are as wide as the widest needs;
// they never become narrower again.

const intsetHeader = 8

func intsetWidth(b []byte) int { return int(binary.LittleEndian.Uint32(b)) }
func intsetLen(b []byte) int   { return int(binary.LittleEndian.Uint32(b[4:])) }

func intsetAt(b []byte, i int) int64 {
	switch width := intsetWidth(b); width {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b[intsetHeader+2*i:])))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b[intsetHeader+4*i:])))
	default:
		return int64(binary.LittleEndian.Uint64(b[intsetHeader+width*i:]))
	}
}

// widthOf is how many bytes an integer needs.
func widthOf(n int64) int {
	switch {
	case n == int64(int16(n)):
		return 2
	case n == int64(int32(n)):
		return 4
	}
	return 8
}

// appendInts appends integers of a width.
func appendInts(b []byte, width int, nums ...int64) []byte {
	for _, n := range nums {
		switch width {
		case 2:
			b = binary.LittleEndian.AppendUint16(b, uint16(n))
		case 4:
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		default:
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
	}
	return b
}

// appendIntset appends an intset of integers, which are sorted and all different.
func appendIntset(b []byte, nums ...int64) []byte {
	width := 2
	if len(nums) > 0 {
		width = max(widthOf(nums[0]), widthOf(nums[len(nums)-1]))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(width))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(nums)))
	return appendInts(b, width, nums...)
}

// intsetSearch is where n is in an intset or, when it is not there, where it belongs.
func intsetSearch(b []byte, n int64) (i int, ok bool) {
	size := intsetLen(b)
	if size == 0 || intsetAt(b, size-1) < n { // often: they come in order
		return size, false
	}
	i = sort.Search(size, func(i int) bool { return intsetAt(b, i) >= n })
	return i, intsetAt(b, i) == n
}

// intsetInsert puts n before the integer i of the intset at p.
func (tx *Tx) intsetInsert(p *place, i int, n int64) {
	b := p.bytes()
	width, size := intsetWidth(b), intsetLen(b)
	if widthOf(n) > width {
		tx.intsetWiden(p, i, n)
		return
	}
	hole := tx.splice(p, intsetHeader+i*width, 0, width)
	appendInts(hole[:0], width, n)
	binary.LittleEndian.PutUint32(p.bytes()[4:], uint32(size+1))
}

// intsetWiden is intsetInsert for an integer that is wider than the others, and
// therefore belongs to one of the ends.
func (tx *Tx) intsetWiden(p *place, i int, n int64) {
	b := p.bytes()
	nums := make([]int64, 0, intsetLen(b)+1)
	if i == 0 {
		nums = append(nums, n)
	}
	for j := range intsetLen(b) {
		nums = append(nums, intsetAt(b, j))
	}
	if i > 0 {
		nums = append(nums, n)
	}
	tx.put(p, TSet, EncIntset, appendIntset(nil, nums...), p.expireAt())
}

// intsetRemove takes the integer i out of the intset at p.
func (tx *Tx) intsetRemove(p *place, i int) {
	b := p.bytes()
	width, size := intsetWidth(b), intsetLen(b)
	tx.splice(p, intsetHeader+i*width, width, 0)
	binary.LittleEndian.PutUint32(p.bytes()[4:], uint32(size-1))
}

// maxIntset is how many integers an intset has at most, whatever the bounds of
// Packing.
const maxIntset = 1 << 30

// intsetMost is how many it may have.
func (tx *Tx) intsetMost() int {
	return int(min(max(tx.eng.packing.SetInts, 0), maxIntset, math.MaxInt32))
}
