package rdb

import (
	"encoding/binary"
	"strconv"
)

// What older files pack collections in: ziplists (until 7.0) and zipmaps (until
// 2.6). They are only read.

// eachZiplist calls fn for each element of a ziplist, checked as it goes. The
// bytes are good until fn returns.
func eachZiplist(zl []byte, fn func(elem []byte)) bool {
	const header = 10
	if len(zl) < header+1 || int64(binary.LittleEndian.Uint32(zl)) != int64(len(zl)) || zl[len(zl)-1] != 0xff {
		return false
	}
	tail, count := int64(binary.LittleEndian.Uint32(zl[4:])), int(binary.LittleEndian.Uint16(zl[8:]))
	at, prev, n, last := header, 0, 0, header
	for zl[at] != 0xff {
		elem, size, ok := ziplistEntry(zl[at:len(zl)-1], prev)
		if !ok {
			return false
		}
		fn(elem)
		last, prev, n = at, size, n+1
		at += size
	}
	return at == len(zl)-1 && (count == n || count == 0xffff) && (tail == int64(last) || n == 0)
}

// ziplistEntry reads the entry that b begins with; prev is the size of the one
// before it, which stands in front.
func ziplistEntry(b []byte, prev int) (elem []byte, size int, ok bool) {
	at := 1
	before := int64(b[0])
	switch b[0] {
	case 0xff:
		return nil, 0, false
	case 0xfe:
		if len(b) < 5 {
			return nil, 0, false
		}
		before = int64(binary.LittleEndian.Uint32(b[1:]))
		at = 5
	}
	if before != int64(prev) || at >= len(b) {
		return nil, 0, false
	}
	head, rest := b[at], b[at+1:]
	n, skip := int64(0), 0
	switch head >> 6 {
	case 0:
		n = int64(head & 0x3f)
	case 1:
		if len(rest) < 1 {
			return nil, 0, false
		}
		n, skip = int64(head&0x3f)<<8|int64(rest[0]), 1
	case 2:
		if len(rest) < 4 {
			return nil, 0, false
		}
		n, skip = int64(binary.BigEndian.Uint32(rest)), 4
	default:
		num, width, ok := ziplistInt(head, rest)
		return strconv.AppendInt(nil, num, 10), at + 1 + width, ok
	}
	if n > int64(len(rest)-skip) {
		return nil, 0, false
	}
	return rest[skip : skip+int(n)], at + 1 + skip + int(n), true
}

func ziplistInt(head byte, b []byte) (n int64, width int, ok bool) {
	switch {
	case head == 0xc0:
		width = 2
	case head == 0xd0:
		width = 4
	case head == 0xe0:
		width = 8
	case head == 0xf0:
		width = 3
	case head == 0xfe:
		width = 1
	case head > 0xf0 && head < 0xfe:
		return int64(head&0xf) - 1, 0, true
	default:
		return 0, 0, false
	}
	if len(b) < width {
		return 0, 0, false
	}
	for i := range width {
		n |= int64(b[i]) << (8 * i)
	}
	shift := 64 - 8*width
	return n << shift >> shift, width, true
}

// eachZipmap calls fn for each field and value of a zipmap.
func eachZipmap(zm []byte, fn func(elem []byte)) bool {
	if len(zm) < 2 || zm[len(zm)-1] != 0xff {
		return false
	}
	b := zm[1 : len(zm)-1]
	for len(b) > 0 {
		field, rest, ok := zipmapItem(b)
		if !ok {
			return false
		}
		n, width, ok := zipmapLen(rest)
		if !ok || len(rest) < width+1 {
			return false
		}
		free := int(rest[width]) // unused bytes behind the value
		rest = rest[width+1:]
		if n > len(rest) || free > len(rest)-n {
			return false
		}
		fn(field)
		fn(rest[:n])
		b = rest[n+free:]
	}
	return true
}

func zipmapItem(b []byte) (item, rest []byte, ok bool) {
	n, width, ok := zipmapLen(b)
	if !ok || n > len(b)-width {
		return nil, nil, false
	}
	return b[width : width+n], b[width+n:], true
}

func zipmapLen(b []byte) (n, width int, ok bool) {
	switch {
	case len(b) == 0 || b[0] == 0xff:
		return 0, 0, false
	case b[0] < 254:
		return int(b[0]), 1, true
	case len(b) < 5:
		return 0, 0, false
	}
	return int(binary.LittleEndian.Uint32(b[1:])), 5, true
}

// eachIntset calls fn for each member of an intset, which must be in order.
func eachIntset(b []byte, fn func(elem []byte)) bool {
	if len(b) < 8 {
		return false
	}
	width, n := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	if width != 2 && width != 4 && width != 8 || n == 0 || int64(len(b)) != 8+n*width {
		return false
	}
	var last int64
	for i := range n {
		at := b[8+i*width:]
		var v int64
		switch width {
		case 2:
			v = int64(int16(binary.LittleEndian.Uint16(at)))
		case 4:
			v = int64(int32(binary.LittleEndian.Uint32(at)))
		default:
			v = int64(binary.LittleEndian.Uint64(at))
		}
		if i > 0 && v <= last {
			return false
		}
		last = v
		fn(strconv.AppendInt(nil, v, 10))
	}
	return true
}
