package engine

import (
	"math/bits"

	"coatcheck/engine/errs"
)

// Strings as rows of bits: bit 0 is the highest of the first byte, and what is
// behind the end is zeros.

// BitOffset fails with errs.BitOffset when bit n is one that no string may have.
func (tx *Tx) BitOffset(n int64) error {
	limit := tx.eng.maxString
	if limit == 0 {
		limit = DefaultMaxString
	}
	limit = min(limit, MaxValue-8) // a field of 64 bits may begin in the last byte
	if n < 0 || n>>3 >= limit {
		return errs.BitOffset
	}
	return nil
}

// BitGet is bit n, for which BitOffset holds, of the string at key.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) BitGet(key []byte, n int64) (bool, error) {
	val, _, err := tx.String(key)
	return bitsAt(val, n, 1) == 1, err
}

// BitSet sets or clears bit n, for which BitOffset holds, of the string at key,
// which is made long enough, or created, and returns what it was.
//
// It fails with errs.WrongType when key holds another type. Effect: "setbit", when
// it has changed anything (Redis bitops.c, setbitCommand). O(1), and the length
// where it grows.
func (tx *Tx) BitSet(key []byte, n int64, on bool) (old bool, err error) {
	p := tx.write(key)
	val, _, err := stringAt(&p)
	if err != nil {
		return false, err
	}
	b, grown := tx.growBits(&p, val, n)
	old = bitsAt(b, n, 1) == 1
	if old == on && !grown {
		return old, nil
	}
	bit := []byte("0")
	if on {
		bit[0] = '1'
	}
	setBits(b, n, 1, uint64(bit[0]-'0'))
	if tx.wantsArgv() {
		tx.announce(ClassString, "setbit", key, []byte("SETBIT"), key, decimal(n), bit)
	} else {
		tx.announce(ClassString, "setbit", key)
	}
	return old, nil
}

// growBits makes the string at p, which is val, long enough for bit n. As in Redis it
// is no integer any more then.
func (tx *Tx) growBits(p *place, val []byte, n int64) (b []byte, grown bool) {
	need := int(n>>3) + 1
	grown = need > len(val)
	return tx.grow(p, max(need, len(val))), grown
}

// bitsAt is n bits from bit at on, at most 64, as a number.
func bitsAt(b []byte, at int64, n int) (v uint64) {
	for skip := int(at & 7); n > 0; skip = 0 {
		take := min(8-skip, n)
		var octet byte
		if i := at >> 3; i < int64(len(b)) {
			octet = b[i]
		}
		octet = octet << skip >> (8 - take)
		v = v<<take | uint64(octet)
		at += int64(take)
		n -= take
	}
	return v
}

// setBits makes n bits from bit at on, at most 64, the lowest of v.
func setBits(b []byte, at int64, n int, v uint64) {
	for skip := int(at & 7); n > 0; skip = 0 {
		take := min(8-skip, n)
		rest := 8 - skip - take
		mask := byte(1<<take-1) << rest
		octet := &b[at>>3]
		*octet = *octet&^mask | byte(v>>(n-take))<<rest&mask
		at += int64(take)
		n -= take
	}
}

// BitRange is a part of a string, of bytes or of bits: Start … End, both included,
// counted from the end where negative. The zero value is the whole.
type BitRange struct {
	Start, End int64
	Given      bool // there is a Start
	HasEnd     bool // there is an End; else it is the string's
	Bits       bool // they count bits
}

// in is the range in bits within a string of n bytes: from first up to before end;
// empty when these are not in order.
func (r BitRange) in(n int64) (first, end int64) {
	unit := int64(8)
	if r.Bits {
		n, unit = n*8, 1
	}
	last := n - 1
	if r.HasEnd {
		if last = r.End; last < 0 {
			last = max(n+last, 0)
		}
		last = min(last, n-1)
	}
	if first = r.Start; first < 0 {
		first = max(n+first, 0)
	}
	if first > last {
		return 1, 0
	}
	return first * unit, (last + 1) * unit
}

// BitCount counts the bits that are set in a part of the string at key.
//
// It fails with errs.WrongType when key holds another type. O(length).
func (tx *Tx) BitCount(key []byte, r BitRange) (n int64, err error) {
	val, _, err := tx.String(key)
	if err != nil || r.Start < 0 && r.HasEnd && r.End < 0 && r.Start > r.End {
		return 0, err
	}
	first, end := r.in(int64(len(val)))
	if first > end {
		return 0, nil
	}
	for ; first < end && first&7 != 0; first++ {
		n += int64(bitsAt(val, first, 1))
	}
	for ; end > first && end&7 != 0; end-- {
		n += int64(bitsAt(val, end-1, 1))
	}
	return n + countBits(val[first>>3:end>>3]), nil
}

func countBits(b []byte) (n int64) {
	for ; len(b) >= 8; b = b[8:] {
		n += int64(bits.OnesCount64(le64(b)))
	}
	for _, octet := range b {
		n += int64(bits.OnesCount8(octet))
	}
	return n
}

// BitPos is the first bit in a part of the string at key that is set, or with !on
// clear; -1 when there is none. Where no end is given, the first behind the string
// is clear; without a key the first of all is.
//
// It fails with errs.WrongType when key holds another type. O(length).
func (tx *Tx) BitPos(key []byte, on bool, r BitRange) (int64, error) {
	val, ok, err := tx.String(key)
	switch {
	case err != nil:
		return 0, err
	case !ok && !on:
		return 0, nil
	}
	first, end := r.in(int64(len(val)))
	if first > end {
		return -1, nil
	}
	at := findBit(val, on, first, end)
	if at == end && (on || r.HasEnd) {
		return -1, nil
	}
	return at, nil
}

// findBit is the first bit between first and end that is on, or off; end without one.
func findBit(b []byte, on bool, first, end int64) int64 {
	want, skip := uint64(0), ^uint64(0)
	if on {
		want, skip = 1, 0
	}
	for first < end {
		if first&7 == 0 {
			for end-first >= 64 && le64(b[first>>3:]) == skip {
				first += 64
			}
		}
		stop := min(end, first&^7+64)
		for ; first < stop; first++ {
			if bitsAt(b, first, 1) == want {
				return first
			}
		}
	}
	return end
}
