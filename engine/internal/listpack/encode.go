package listpack

import (
	"encoding/binary"
	"errors"

	"coatcheck/engine/internal/digits"
)

// The encodings that take a whole first byte.
const (
	enc32Str = 0xf0
	enc16    = 0xf1
	enc24    = 0xf2
	enc32    = 0xf3
	enc64    = 0xf4
)

// EncodedLen is how many bytes b takes as an element.
func EncodedLen(b []byte) int {
	n := dataLen(b)
	return n + backLen(n)
}

// dataLen is the length of encoding and data for b.
func dataLen(b []byte) int {
	if len(b) <= 20 {
		if n, ok := digits.Parse(b); ok {
			return intLen(n)
		}
	}
	switch n := len(b); {
	case n < 1<<6:
		return 1 + n
	case n < 1<<12:
		return 2 + n
	default:
		return 5 + n
	}
}

func intLen(n int64) int {
	switch {
	case n >= 0 && n < 1<<7:
		return 1
	case n >= -1<<12 && n < 1<<12:
		return 2
	case n >= -1<<15 && n < 1<<15:
		return 3
	case n >= -1<<23 && n < 1<<23:
		return 4
	case n >= -1<<31 && n < 1<<31:
		return 5
	}
	return 9
}

// Append appends b as an element to bytes that are no whole listpack yet.
func Append(dst, b []byte) []byte {
	from := len(dst)
	if n, ok := digits.Parse(b); len(b) <= 20 && ok {
		dst = appendInt(dst, n)
	} else {
		switch n := len(b); {
		case n < 1<<6:
			dst = append(dst, 0x80|byte(n))
		case n < 1<<12:
			dst = append(dst, 0xe0|byte(n>>8), byte(n))
		default:
			dst = binary.LittleEndian.AppendUint32(append(dst, enc32Str), uint32(n))
		}
		dst = append(dst, b...)
	}
	return appendBackLen(dst, len(dst)-from)
}

// Overwrite makes the element in hole, which is all of it, become b, if that
// takes as many bytes and is a string of the same header. Else it changes
// nothing.
func Overwrite(hole, b []byte) (done bool) {
	n := len(b)
	if n >= 1<<6 || n+2 != len(hole) || hole[0] != 0x80|byte(n) {
		return false
	}
	if _, isInt := digits.Parse(b); isInt {
		return false
	}
	copy(hole[1:], b)
	return true
}

// AppendInt appends an integer as an element.
func AppendInt(dst []byte, n int64) []byte {
	from := len(dst)
	dst = appendInt(dst, n)
	return appendBackLen(dst, len(dst)-from)
}

// IntLen is how many bytes an integer takes as an element.
func IntLen(n int64) int { return intLen(n) + 1 }

func appendInt(dst []byte, n int64) []byte {
	switch intLen(n) {
	case 1:
		return append(dst, byte(n))
	case 2:
		return append(dst, 0xc0|byte(n>>8)&0x1f, byte(n))
	case 3:
		return append(dst, enc16, byte(n), byte(n>>8))
	case 4:
		return append(dst, enc24, byte(n), byte(n>>8), byte(n>>16))
	case 5:
		return binary.LittleEndian.AppendUint32(append(dst, enc32), uint32(n))
	}
	return binary.LittleEndian.AppendUint64(append(dst, enc64), uint64(n))
}

// entryLen is the length of encoding and data of the element that b begins
// with.
func entryLen(b []byte) int {
	switch c := b[0]; {
	case c < 0x80:
		return 1
	case c < 0xc0:
		return 1 + int(c&0x3f)
	case c < 0xe0:
		return 2
	case c < 0xf0:
		return 2 + (int(c&0xf)<<8 | int(b[1]))
	case c == enc32Str:
		return 5 + int(binary.LittleEndian.Uint32(b[1:]))
	case c == enc16:
		return 3
	case c == enc24:
		return 4
	case c == enc32:
		return 5
	}
	return 9
}

// backLen is how many bytes the length n takes behind an element.
func backLen(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14-1: // as Redis has it: one less than fits
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	}
	return 5
}

func appendBackLen(dst []byte, n int) []byte {
	groups := backLen(n)
	for i := groups - 1; i >= 0; i-- {
		b := byte(n>>(7*i)) & 127
		if i < groups-1 {
			b |= 128
		}
		dst = append(dst, b)
	}
	return dst
}

// ErrCorrupt is what Validate says of bytes that are no listpack.
var ErrCorrupt = errors.New("listpack: corrupt")

// Validate checks bytes from outside to the last, and returns the number of
// elements.
func Validate(lp []byte) (elems int, err error) {
	if len(lp) < EmptySize || uint64(binary.LittleEndian.Uint32(lp)) != uint64(len(lp)) || lp[len(lp)-1] != endMark {
		return 0, ErrCorrupt
	}
	end := End(lp)
	for at := HeaderSize; at < end; elems++ {
		n, ok := checkEntry(lp[at:end])
		if !ok {
			return 0, ErrCorrupt
		}
		at += n
	}
	if n := int(binary.LittleEndian.Uint16(lp[4:])); n != manyElems && n != elems {
		return 0, ErrCorrupt
	}
	return elems, nil
}

// checkEntry is the whole length of the element that b begins with, if there is
// a right one.
func checkEntry(b []byte) (n int, ok bool) {
	header := 1
	switch c := b[0]; {
	case c > enc64:
		return 0, false
	case c >= 0xc0 && c < enc32Str:
		header = 2
	case c == enc32Str:
		header = 5
	}
	if len(b) < header {
		return 0, false
	}
	n = entryLen(b)
	back := backLen(n)
	if n > len(b)-back {
		return 0, false
	}
	var want [5]byte
	if string(appendBackLen(want[:0], n)) != string(b[n:n+back]) {
		return 0, false
	}
	return n + back, true
}
