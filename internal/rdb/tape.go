package rdb

import (
	"encoding/binary"
	"math"

	"coatcheck/engine"
)

// Tape is what entries look like before their strings are compressed: taken down
// quickly while the engine's lock is held, encoded afterwards. It is a row of
// items, each a uvarint and bytes: twice their number, and one more for a string.
type Tape struct {
	b  []byte
	db int // the last one selected; -1 for none
}

// NewTape is an empty tape.
func NewTape() *Tape { return &Tape{db: -1} }

// Len is how many bytes are on the tape.
func (t *Tape) Len() int { return len(t.b) }

// Take returns what is on the tape and leaves it empty, to go on with buf, whose
// memory may be nil. Selected stays what it was.
func (t *Tape) Take(buf []byte) []byte {
	b := t.b
	t.b = buf[:0]
	return b
}

func (t *Tape) raw(b ...byte) {
	t.b = binary.AppendUvarint(t.b, uint64(len(b))<<1)
	t.b = append(t.b, b...)
}

func (t *Tape) str(b []byte) {
	t.b = binary.AppendUvarint(t.b, uint64(len(b))<<1|1)
	t.b = append(t.b, b...)
}

func (t *Tape) length(n uint64) {
	var a [9]byte
	t.raw(appendLength(a[:0], n)...)
}

func (t *Tape) uint64(n uint64) {
	var a [8]byte
	t.raw(binary.LittleEndian.AppendUint64(a[:0], n)...)
}

// Aux takes down a field about the entry that follows.
func (t *Tape) Aux(name, value string) {
	t.raw(opAux)
	t.str([]byte(name))
	t.str([]byte(value))
}

// Entry takes down an entry of a db, with its deadline and what eviction knows.
func (t *Tape) Entry(db int, v engine.View) {
	if db != t.db {
		t.db = db
		t.raw(opSelectDB)
		t.length(uint64(db))
	}
	if at := v.ExpireAt(); at != engine.Never {
		t.raw(opExpireMs)
		t.uint64(uint64(at))
	}
	if seconds, ok := v.Idle(); ok {
		t.raw(opIdle)
		t.length(uint64(seconds))
	}
	if n, ok := v.Freq(); ok {
		t.raw(opFreq, n)
	}
	t.raw(kindOf(v))
	t.str(v.Key())
	t.value(v)
}

// kindOf is the kind that v is written as.
func kindOf(v engine.View) byte {
	packed := v.Packed() != nil
	switch v.Type() {
	case engine.TZSet:
		if packed {
			return kindZSetListpack
		}
		return kindZSet
	case engine.TList:
		return kindListQuicklist2
	case engine.TSet:
		if v.Encoding() == engine.EncIntset {
			return kindSetIntset
		}
		return kindSet // of listpacks, 7.0 does not know kindSetListpack
	case engine.TStream:
		return kindStream2
	case engine.THash:
		return hashKind(v)
	}
	return kindString
}

func hashKind(v engine.View) byte {
	switch {
	case v.Encoding() == engine.EncListpack:
		return kindHashListpack
	case v.HashDue() != engine.Never:
		return kindHashFields
	}
	return kindHash
}

// writtenAsIs says whether a packed value is written as the bytes that it is.
func writtenAsIs(v engine.View) bool {
	switch v.Type() {
	case engine.TList:
		return false
	case engine.TSet:
		return v.Encoding() == engine.EncIntset
	}
	return v.Encoding() != engine.EncListpackEx
}

// value takes down the value alone.
func (t *Tape) value(v engine.View) {
	if b := v.Packed(); b != nil && writtenAsIs(v) {
		t.str(b)
		return
	}
	switch v.Type() {
	case engine.TList:
		v.EachNode(func(n int) { t.length(uint64(n)) }, func(lp []byte) {
			t.length(nodePacked)
			t.str(lp)
		})
	case engine.TSet:
		t.length(uint64(v.MembersLen()))
		v.EachMember(func(member []byte) bool {
			t.str(member)
			return true
		})
	case engine.TZSet:
		t.length(uint64(v.ScoredLen()))
		v.EachScored(func(member []byte, score float64) bool {
			t.str(member)
			t.uint64(math.Float64bits(score))
			return true
		})
	case engine.TStream:
		t.stream(v.Stream(), v.FirstID())
	case engine.THash:
		t.hash(v)
	}
}

// hash takes a hash down. One with deadlines is told like others, with the first
// deadline in front, and in front of each field by how much its own is later, and
// one more; 0 for none.
func (t *Tape) hash(v engine.View) {
	first := v.HashDue()
	if first != engine.Never {
		t.uint64(uint64(first))
	}
	v.HashEach(func(n int) { t.length(uint64(n)) }, func(field, value []byte, due engine.UnixMilli) {
		switch {
		case first == engine.Never:
		case due == engine.Never:
			t.length(0)
		default:
			t.length(uint64(due-first) + 1)
		}
		t.str(field)
		t.str(value)
	})
}

// appendLength appends a length.
func appendLength(b []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, 1<<6|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, 0x80), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 0x81), n)
}

// Cut splits a tape behind the item that makes it n bytes long, or longer.
func Cut(tape []byte, n int) (head, rest []byte) {
	at := 0
	for at < len(tape) && at < n {
		size, used := binary.Uvarint(tape[at:])
		at += used + int(size>>1)
	}
	return tape[:at], tape[at:]
}
