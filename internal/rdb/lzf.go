package rdb

import "errors"

// LZF, the compression of strings in files (Marc Lehmann's format): runs of up
// to 32 literal bytes, and references to what came before, up to 8 KiB back.
//
//	000nnnnn            n+1 literal bytes follow
//	nnnddddd dddddddd   n+2 bytes (n below 7) from d+1 bytes back
//	111ddddd nnnnnnnn dddddddd   n+9 bytes

const (
	lzfMaxLiteral = 32
	lzfMaxBack    = 1 << 13
	lzfMaxLen     = 8 + 255 + 1
	lzfHashBits   = 14
)

// errLZF is what decompress says of bytes that it can not make sense of.
var errLZF = errors.New("rdb: corrupt compressed string")

// compressor keeps the table between strings.
type compressor struct {
	// last is where a hash of three bytes was last seen, counted from base so
	// that the table need not be cleared.
	last [1 << lzfHashBits]uint32
	base uint32
}

// compress appends src to dst in compressed form; not ok when that would not be
// shorter than src by at least 4 bytes: then dst is as it was.
func (c *compressor) compress(dst, src []byte) (out []byte, ok bool) {
	if len(src) < 5 {
		return dst, false
	}
	if c.base > 1<<31 {
		*c = compressor{}
	}
	base := c.base + 1
	c.base = base + uint32(len(src))
	start, limit := len(dst), len(src)-4
	literals := 0 // bytes before at that are not written yet
	at := 0
	for at+2 < len(src) {
		h := lzfHash(src[at:])
		ref := int(c.last[h]) - int(base)
		c.last[h] = base + uint32(at)
		if ref < 0 || at-ref > lzfMaxBack || src[ref] != src[at] || src[ref+1] != src[at+1] || src[ref+2] != src[at+2] {
			at++
			literals++
			continue
		}
		dst = appendLiterals(dst, src[at-literals:at])
		literals = 0
		n := 3
		for n < lzfMaxLen && at+n < len(src) && src[ref+n] == src[at+n] {
			n++
		}
		back := at - ref - 1
		if n-2 < 7 {
			dst = append(dst, byte(n-2)<<5|byte(back>>8))
		} else {
			dst = append(dst, 7<<5|byte(back>>8), byte(n-9))
		}
		dst = append(dst, byte(back))
		at += n
		if len(dst)-start > limit {
			return dst[:start], false
		}
	}
	dst = appendLiterals(dst, src[at-literals:])
	if len(dst)-start > limit {
		return dst[:start], false
	}
	return dst, true
}

func lzfHash(b []byte) uint32 {
	v := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	return v * 2654435761 >> (32 - lzfHashBits)
}

func appendLiterals(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), lzfMaxLiteral)
		dst = append(append(dst, byte(n-1)), b[:n]...)
		b = b[n:]
	}
	return dst
}

// decompress fills dst, which has the length that was announced, from src.
func decompress(dst, src []byte) error {
	at := 0
	for len(src) > 0 {
		c := int(src[0])
		src = src[1:]
		if c < 32 {
			if c++; c > len(src) || c > len(dst)-at {
				return errLZF
			}
			at += copy(dst[at:], src[:c])
			src = src[c:]
			continue
		}
		n := c>>5 + 2
		if c>>5 == 7 {
			if len(src) == 0 {
				return errLZF
			}
			n += int(src[0])
			src = src[1:]
		}
		if len(src) == 0 {
			return errLZF
		}
		from := at - (c&31<<8 | int(src[0])) - 1
		src = src[1:]
		if from < 0 || n > len(dst)-at {
			return errLZF
		}
		for range n { // the two may overlap
			dst[at] = dst[from]
			at++
			from++
		}
	}
	if at != len(dst) {
		return errLZF
	}
	return nil
}
