package rdb

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
)

// source reads the elements of the format: bytes, lengths, strings. It keeps its
// first error, after which everything is zero; ask for it where that matters.
// Announced lengths are believed only as far as bytes come.
type source struct {
	from io.Reader // nil: buf is all there is
	buf  []byte
	pos  int
	sum  uint64 // checksum of what was read and has left buf
	read int64  // bytes that have left buf
	err  error
	text [32]byte // of an integer
	lzf  []byte   // of a compressed string
}

const (
	sourceBuf = 256 << 10
	// growStep is how much of an announced length is allocated ahead of the
	// bytes.
	growStep = 4 << 20
	// lzfRatio is how much longer a string can be than its compressed form.
	lzfRatio = 90
)

func (s *source) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// bad fails with ErrFormat and what is wrong.
func (s *source) bad(format string, args ...any) {
	s.fail(fmt.Errorf("%w: %s at byte %d", ErrFormat, fmt.Sprintf(format, args...), s.offset()))
}

// offset is how many bytes have been read.
func (s *source) offset() int64 { return s.read + int64(s.pos) }

// checksum is that of all that has been read.
func (s *source) checksum() uint64 { return Checksum(s.sum, s.buf[:s.pos]) }

// take returns the next n bytes, good until the next call.
func (s *source) take(n uint64) []byte {
	if s.err != nil {
		return nil
	}
	if n <= uint64(len(s.buf)-s.pos) {
		b := s.buf[s.pos : s.pos+int(n)]
		s.pos += int(n)
		return b
	}
	if s.from == nil || n > math.MaxInt32*64 {
		s.bad("%d bytes announced, %d there", n, len(s.buf)-s.pos)
		return nil
	}
	s.fill(int(n))
	if s.err != nil {
		return nil
	}
	return s.take(n)
}

// fill reads until n bytes are buffered.
func (s *source) fill(n int) {
	s.sum = s.checksum()
	s.read += int64(s.pos)
	if cap(s.buf) > 4*growStep && n <= sourceBuf { // one large string does not keep its memory
		s.buf = append(make([]byte, 0, sourceBuf), s.buf[s.pos:min(len(s.buf), s.pos+sourceBuf)]...)
	} else {
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
	}
	s.pos = 0
	for len(s.buf) < n {
		room := max(cap(s.buf), sourceBuf)
		if len(s.buf) == cap(s.buf) || cap(s.buf) == 0 {
			room = max(sourceBuf, min(n, 2*len(s.buf)+growStep))
		}
		if room > cap(s.buf) {
			s.buf = append(make([]byte, 0, room), s.buf...)
		}
		got, err := io.ReadAtLeast(s.from, s.buf[len(s.buf):cap(s.buf)], min(n-len(s.buf), cap(s.buf)-len(s.buf)))
		s.buf = s.buf[:len(s.buf)+got]
		if err != nil {
			s.fail(fmt.Errorf("%w: %w at byte %d", ErrFormat, noEOF(err), s.read+int64(len(s.buf))))
			return
		}
	}
}

func noEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // ReadAtLeast returns it as it is
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *source) byte() byte {
	if s.pos < len(s.buf) && s.err == nil {
		s.pos++
		return s.buf[s.pos-1]
	}
	if b := s.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (s *source) uint32() uint32 {
	if b := s.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (s *source) uint64() uint64 {
	if b := s.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// head reads a length, or the encoding of a string that stands in its place.
func (s *source) head() (n uint64, encoded bool) {
	b := s.byte()
	switch b >> 6 {
	case 0:
		return uint64(b & 0x3f), false
	case 1:
		return uint64(b&0x3f)<<8 | uint64(s.byte()), false
	case 3:
		return uint64(b & 0x3f), true
	}
	switch b {
	case 0x80:
		if w := s.take(4); w != nil {
			return uint64(binary.BigEndian.Uint32(w)), false
		}
	case 0x81:
		if w := s.take(8); w != nil {
			return binary.BigEndian.Uint64(w), false
		}
	default:
		s.bad("unknown length encoding %#x", b)
	}
	return 0, false
}

// length reads a length.
func (s *source) length() uint64 {
	n, encoded := s.head()
	if encoded {
		s.bad("a string where a length should be")
		return 0
	}
	return n
}

// string reads a string, good until the next call.
func (s *source) string() []byte {
	n, encoded := s.head()
	if !encoded {
		return s.take(n)
	}
	switch n {
	case encInt8:
		return strconv.AppendInt(s.text[:0], int64(int8(s.byte())), 10)
	case encInt16:
		if b := s.take(2); b != nil {
			return strconv.AppendInt(s.text[:0], int64(int16(binary.LittleEndian.Uint16(b))), 10)
		}
		return nil
	case encInt32:
		return strconv.AppendInt(s.text[:0], int64(int32(s.uint32())), 10)
	case encLZF:
		return s.compressed()
	}
	s.bad("unknown string encoding %d", n)
	return nil
}

func (s *source) compressed() []byte {
	packed, n := s.length(), s.length()
	if s.err == nil && n > packed*lzfRatio {
		s.bad("%d bytes cannot have come from %d", n, packed)
	}
	b := s.take(packed)
	if s.err != nil {
		return nil
	}
	if uint64(cap(s.lzf)) < n {
		s.lzf = make([]byte, n)
	}
	s.lzf = s.lzf[:n]
	if err := decompress(s.lzf, b); err != nil {
		s.bad("%v", err)
		return nil
	}
	return s.lzf
}

// textDouble reads a double as files before version 8 have it: as text behind a
// byte with its length, or in that byte.
func (s *source) textDouble() float64 {
	switch n := s.byte(); n {
	case 253:
		return math.NaN()
	case 254:
		return math.Inf(1)
	case 255:
		return math.Inf(-1)
	default:
		f, err := strconv.ParseFloat(string(s.take(uint64(n))), 64)
		if err != nil {
			s.bad("no number")
		}
		return f
	}
}

func (s *source) double() float64 { return math.Float64frombits(s.uint64()) }
