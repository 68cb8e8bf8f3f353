// Package listpack reads and writes the format in which Redis packs the elements
// of small collections into one run of bytes. It knows elements, not what a
// collection makes of them. The bytes are Redis' own (listpack.md of antirez, and
// Redis listpack.c), so that they go into dumps as they are.
//
//	0   length of the whole in bytes, 4
//	4   number of elements, 2; 65535 when there are that many or more
//	6   the elements, each: encoding and data, then the length of those two,
//	    written so that it reads from its end backwards
//	…   0xFF
//
// All functions but Validate trust their bytes. An element is named by its
// offset; End is the offset behind the last.
package listpack

import (
	"encoding/binary"
	"slices"
	"strconv"

	"coatcheck/engine/internal/digits"
)

const (
	// HeaderSize is the offset of the first element.
	HeaderSize = 6
	// EmptySize is the length of a listpack without elements.
	EmptySize = HeaderSize + 1

	endMark   = 0xff
	manyElems = 0xffff
)

// New is a listpack without elements.
func New() []byte {
	lp := make([]byte, EmptySize, 64)
	lp[HeaderSize] = endMark
	SetHeader(lp, 0)
	return lp
}

// Of is a listpack of elements.
func Of(elems ...[]byte) []byte { return AppendOf(nil, elems...) }

// AppendOf makes one in the bytes of lp, which is empty.
func AppendOf(lp []byte, elems ...[]byte) []byte {
	size := EmptySize
	for _, e := range elems {
		size += EncodedLen(e)
	}
	lp = append(slices.Grow(lp, size), make([]byte, HeaderSize)...)
	for _, e := range elems {
		lp = Append(lp, e)
	}
	lp = append(lp, endMark)
	SetHeader(lp, len(elems))
	return lp
}

// SetHeader writes the length of lp and the number of its elements into it, and
// the mark at its end.
func SetHeader(lp []byte, elems int) {
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	binary.LittleEndian.PutUint16(lp[4:], uint16(min(elems, manyElems)))
	lp[len(lp)-1] = endMark
}

// Len is the number of elements. O(1) below 65535, else O(n).
func Len(lp []byte) int {
	if n := binary.LittleEndian.Uint16(lp[4:]); n < manyElems {
		return int(n)
	}
	n := 0
	for at := First(lp); at < End(lp); at = Next(lp, at) {
		n++
	}
	return n
}

// First is the offset of the first element, End when there is none.
func First(lp []byte) int { return HeaderSize }

// End is the offset behind the last element.
func End(lp []byte) int { return len(lp) - 1 }

// Next is the offset of the element behind the one at at.
func Next(lp []byte, at int) int {
	n := entryLen(lp[at:])
	return at + n + backLen(n)
}

// Prev is the offset of the element before at, which may be End; not ok when at
// is the first.
func Prev(lp []byte, at int) (prev int, ok bool) {
	if at <= HeaderSize {
		return 0, false
	}
	n, shift := 0, 0
	for i := at - 1; ; i-- {
		n |= int(lp[i]&127) << shift
		if lp[i]&128 == 0 {
			return i - n, true
		}
		shift += 7
	}
}

// Last is the offset of the last element, End when there is none.
func Last(lp []byte) int {
	if at, ok := Prev(lp, End(lp)); ok {
		return at
	}
	return End(lp)
}

// Seek is the offset of the element at index, from the end when that is
// negative (-1 is the last); not ok beyond. It walks from the nearer end.
func Seek(lp []byte, index int) (at int, ok bool) {
	n := Len(lp)
	if index < 0 {
		index += n
	}
	if index < 0 || index >= n {
		return 0, false
	}
	if index <= n/2 {
		at = First(lp)
		for range index {
			at = Next(lp, at)
		}
		return at, true
	}
	at = End(lp)
	for range n - index {
		at, _ = Prev(lp, at)
	}
	return at, true
}

// Find is the offset of the first element from at on that equals b, looking at
// one element and then passing over skip of them; not ok when there is none.
func Find(lp []byte, at int, b []byte, skip int) (found int, ok bool) {
	num, isInt := int64(0), false
	if len(b) <= 20 {
		num, isInt = digits.Parse(b)
	}
	if !isInt && len(b) < 64 {
		return findShort(lp, at, b, skip)
	}
	for end := End(lp); at < end; {
		v := Get(lp, at)
		if v.str == nil {
			if isInt && v.num == num {
				return at, true
			}
		} else if !isInt && string(v.str) == string(b) {
			return at, true
		}
		at = Next(lp, at)
		for i := 0; i < skip && at < end; i++ {
			at = Next(lp, at)
		}
	}
	return 0, false
}

// findShort is Find for a string of less than 64 bytes that is no integer: its encoding
// begins with one byte that tells its length.
func findShort(lp []byte, at int, b []byte, skip int) (found int, ok bool) {
	head := 0x80 | byte(len(b))
	for end := End(lp); at < end; {
		if lp[at] == head && string(lp[at+1:at+1+len(b)]) == string(b) {
			return at, true
		}
		at = nextShort(lp, at)
		for i := 0; i < skip && at < end; i++ {
			at = nextShort(lp, at)
		}
	}
	return 0, false
}

// nextShort is Next, quicker for small integers and short strings.
func nextShort(lp []byte, at int) int {
	switch c := lp[at]; {
	case c < 0x80:
		return at + 2
	case c < 0xc0:
		return at + int(c&0x3f) + 2
	}
	return Next(lp, at)
}

// Value is an element: an integer, or a string that is none.
type Value struct {
	str []byte // nil for an integer
	num int64
}

// Get is the element at at. Its bytes are those of lp.
func Get(lp []byte, at int) Value {
	b := lp[at:]
	switch c := b[0]; {
	case c < 0x80:
		return Value{num: int64(c)}
	case c < 0xc0:
		n := int(c & 0x3f)
		return Value{str: b[1 : 1+n : 1+n]}
	case c < 0xe0:
		n := int64(c&0x1f)<<8 | int64(b[1])
		return Value{num: n << 51 >> 51} // 13 bits, the highest is the sign
	case c < 0xf0:
		n := int(c&0xf)<<8 | int(b[1])
		return Value{str: b[2 : 2+n : 2+n]}
	case c == enc32Str:
		n := int(binary.LittleEndian.Uint32(b[1:]))
		return Value{str: b[5 : 5+n : 5+n]}
	case c == enc16:
		return Value{num: int64(int16(binary.LittleEndian.Uint16(b[1:])))}
	case c == enc24:
		n := int64(b[1]) | int64(b[2])<<8 | int64(b[3])<<16
		return Value{num: n << 40 >> 40}
	case c == enc32:
		return Value{num: int64(int32(binary.LittleEndian.Uint32(b[1:])))}
	}
	return Value{num: int64(binary.LittleEndian.Uint64(b[1:]))}
}

// Int is the integer, if the element is one: a string that reads as an integer
// always is.
func (v Value) Int() (n int64, ok bool) { return v.num, v.str == nil }

// Append appends the element as text.
func (v Value) Append(dst []byte) []byte {
	if v.str == nil {
		return strconv.AppendInt(dst, v.num, 10)
	}
	return append(dst, v.str...)
}

// Bytes is the element as text: its own bytes or, for an integer, written into
// buf.
func (v Value) Bytes(buf *[20]byte) []byte {
	if v.str == nil {
		return strconv.AppendInt(buf[:0], v.num, 10)
	}
	return v.str
}

// Len is the length of the element as text.
func (v Value) Len() int {
	if v.str == nil {
		var buf [20]byte
		return len(v.Bytes(&buf))
	}
	return len(v.str)
}

// Equal says whether the element, as text, is b.
func (v Value) Equal(b []byte) bool {
	var buf [20]byte
	return string(v.Bytes(&buf)) == string(b)
}
