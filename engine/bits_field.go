package engine

import "math"

// Strings as rows of bits: integers of any width at any bit.

// BitFieldVerb is what one step of BitFields does.
type BitFieldVerb uint8

// The verbs.
const (
	FieldGet BitFieldVerb = iota
	FieldSet
	FieldIncr
)

// BitOverflow is what becomes of an integer that does not fit.
type BitOverflow uint8

// The ways.
const (
	OverflowWrap BitOverflow = iota // its lowest bits remain
	OverflowSat                     // the highest or lowest that fits
	OverflowFail                    // nothing is written
)

// BitField is a step of BitFields.
type BitField struct {
	Verb   BitFieldVerb
	Signed bool
	// Bits is how many it has: 1 to 64, or to 63 unless it is signed.
	Bits int
	// At is its first bit, for which Tx.BitOffset holds.
	At       int64
	Value    int64 // to write or to add
	Overflow BitOverflow
}

// BitFields does steps on integers within the string at key one after another, and
// calls visit for each with the integer: that is there, that was there before
// FieldSet, or that is there after FieldIncr; not ok when nothing was written as it
// did not fit. The string is made long enough for all that is written, or created.
// argv is the command that repeats it.
//
// It fails with errs.WrongType, before anything is done, when key holds another
// type. Effect: "setbit", when something has changed (Redis bitops.c,
// bitfieldGeneric).
func (tx *Tx) BitFields(key []byte, steps []BitField, argv [][]byte, visit func(v int64, ok bool)) error {
	writes, last := false, int64(0)
	for _, s := range steps {
		if s.Verb != FieldGet {
			writes, last = true, max(last, s.At+int64(s.Bits)-1)
		}
	}
	if !writes {
		val, _, err := tx.String(key)
		if err != nil {
			return err
		}
		for _, s := range steps {
			visit(s.get(val), true)
		}
		return nil
	}
	p := tx.write(key)
	val, _, err := stringAt(&p)
	if err != nil {
		return err
	}
	b, grown := tx.growBits(&p, val, last)
	changes := 0
	for _, s := range steps {
		v, wrote, changed := s.do(b)
		visit(v, wrote)
		if wrote && s.Verb != FieldGet && (changed || grown) {
			changes++
		}
	}
	if changes > 0 {
		tx.announce(ClassString, "setbit", key, argv...)
		tx.eng.stats.Changes += int64(changes - 1)
	}
	return nil
}

// get is the integer in b.
func (s *BitField) get(b []byte) int64 {
	v := bitsAt(b, s.At, s.Bits)
	if s.Signed {
		shift := 64 - s.Bits
		return int64(v<<shift) >> shift
	}
	return int64(v)
}

// do does a step in b, which is long enough for what is written.
func (s *BitField) do(b []byte) (v int64, ok, changed bool) {
	old := s.get(b)
	if s.Verb == FieldGet {
		return old, true, false
	}
	next, fits := s.next(old)
	if !fits && s.Overflow == OverflowFail {
		return 0, false, false
	}
	setBits(b, s.At, s.Bits, uint64(next))
	if v = old; s.Verb == FieldIncr {
		v = next
	}
	return v, true, next != old
}

// next is what is to be written where old is, and whether that is what was asked
// for.
func (s *BitField) next(old int64) (v int64, fits bool) {
	from, by := old, s.Value
	if s.Verb == FieldSet {
		from, by = s.Value, 0
	}
	if s.Signed {
		return s.nextSigned(from, by)
	}
	return s.nextUnsigned(uint64(from), by)
}

func (s *BitField) nextSigned(from, by int64) (v int64, fits bool) {
	high := int64(math.MaxInt64) >> (64 - s.Bits)
	low := -high - 1
	switch sum, ok := addInt(from, by); {
	case from > high, from >= low && by > 0 && (!ok || sum > high),
		s.Bits < 64 && by > int64(uint64(high)-uint64(from)): // so far below that Redis takes it for above
		v = high
	case from < low, by < 0 && (!ok || sum < low):
		v = low
	default:
		return sum, true
	}
	if s.Overflow == OverflowWrap {
		shift := 64 - s.Bits
		v = int64(uint64(from+by)<<shift) >> shift
	}
	return v, false
}

// nextUnsigned takes a negative integer to write for one of 64 bits, as Redis does.
func (s *BitField) nextUnsigned(from uint64, by int64) (v int64, fits bool) {
	high := uint64(1)<<s.Bits - 1
	sum := from + uint64(by)
	switch {
	case from > high, by > 0 && uint64(by) > high-from:
		v = int64(high)
	case by < 0 && uint64(-by) > from:
		v = 0
	default:
		return int64(sum), true
	}
	if s.Overflow == OverflowWrap {
		v = int64(sum & high)
	}
	return v, false
}
