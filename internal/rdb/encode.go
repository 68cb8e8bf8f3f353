package rdb

import (
	"encoding/binary"
	"math"
	"strconv"

	"coatcheck/engine"
)

// Encoder turns tapes into the bytes of a file or payload.
type Encoder struct {
	// Compress says whether strings of more than 20 bytes are compressed where
	// that makes them shorter (rdbcompression).
	Compress bool
	lzf      *compressor
	packed   []byte
}

// compressMin is how long a string must be to be worth a try.
const compressMin = 21

// Append appends what is on a tape, as Tape.Take gave it, in its final form.
func (e *Encoder) Append(dst, tape []byte) []byte {
	for len(tape) > 0 {
		head, used := binary.Uvarint(tape)
		item := tape[used : used+int(head>>1)]
		tape = tape[used+len(item):]
		if head&1 == 0 {
			dst = append(dst, item...)
		} else {
			dst = e.appendString(dst, item)
		}
	}
	return dst
}

func (e *Encoder) appendString(dst, b []byte) []byte {
	if len(b) <= 11 {
		if n, ok := engine.ParseInt(b); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return appendInt(dst, n)
		}
	}
	if e.Compress && len(b) >= compressMin {
		if e.lzf == nil {
			e.lzf = new(compressor)
		}
		var ok bool
		if e.packed, ok = e.lzf.compress(e.packed[:0], b); ok {
			dst = append(dst, stringMark|encLZF)
			dst = appendLength(appendLength(dst, uint64(len(e.packed))), uint64(len(b)))
			return append(dst, e.packed...)
		}
	}
	return append(appendLength(dst, uint64(len(b))), b...)
}

func appendInt(dst []byte, n int64) []byte {
	switch {
	case n >= math.MinInt8 && n <= math.MaxInt8:
		return append(dst, stringMark|encInt8, byte(n)) //nolint:staticcheck // the marks are told apart by name
	case n >= math.MinInt16 && n <= math.MaxInt16:
		return append(dst, stringMark|encInt16, byte(n), byte(n>>8))
	}
	return binary.LittleEndian.AppendUint32(append(dst, stringMark|encInt32), uint32(n))
}

// Aux is a field of a file's head.
type Aux struct{ Name, Value string }

// AppendHead appends the beginning of a file.
func (e *Encoder) AppendHead(dst []byte, version int, aux ...Aux) []byte {
	dst = append(dst, "REDIS"...)
	for digit := 1000; digit > 0; digit /= 10 {
		dst = append(dst, '0'+byte(version/digit%10))
	}
	for _, a := range aux {
		dst = append(dst, opAux)
		dst = e.appendString(dst, []byte(a.Name))
		dst = e.appendString(dst, []byte(a.Value))
	}
	return dst
}

// AppendFunction appends the code of a library of functions.
func (e *Encoder) AppendFunction(dst []byte, code []byte) []byte {
	return e.appendString(append(dst, opFunction), code)
}

// AppendEnd appends the end of a file: the mark, and the checksum of all before
// it. sum is that of what was written before dst; with off there is none, and
// zeros say so.
func AppendEnd(dst []byte, sum uint64, off bool) []byte {
	dst = append(dst, opEOF)
	sum = Checksum(sum, dst)
	if off {
		sum = 0
	}
	return binary.LittleEndian.AppendUint64(dst, sum)
}

// AppendDump appends the payload of DUMP for a value: its kind, the value, the
// version and a checksum.
func (e *Encoder) AppendDump(dst []byte, v engine.View) []byte {
	from := len(dst)
	t := NewTape()
	t.raw(kindOf(v))
	t.value(v)
	dst = e.Append(dst, t.b)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(versionOf(kindOf(v))))
	return binary.LittleEndian.AppendUint64(dst, Checksum(0, dst[from:]))
}

// versionOf is the version that a reader must know for values of a kind.
func versionOf(kind byte) int {
	if kind >= kindHashFields {
		return VersionFields
	}
	return Version
}

// SavedAt is the text of the aux field "ctime".
func SavedAt(at engine.UnixMilli) string { return strconv.FormatInt(int64(at)/1000, 10) }
