package engine

import "coatcheck/engine/errs"

// Strings: parts of values.

// DefaultMaxString is the longest string that APPEND and SETRANGE make, in
// bytes, unless SetMaxString says otherwise.
const DefaultMaxString = 512 << 20

// MaxValue is the longest key and the longest string, whatever SetMaxString says.
const MaxValue = 1<<32 - 1

// SetMaxString bounds the strings that grow in place: proto-max-bulk-len.
func (h Held) SetMaxString(n int64) { h.eng.maxString = n }

// checkStringLength says whether n more bytes at from fit in a string. Neither
// is negative; their sum may be anything.
func (tx *Tx) checkStringLength(from, n int64) error {
	limit := tx.eng.maxString
	if limit == 0 {
		limit = DefaultMaxString
	}
	limit = min(limit, MaxValue)
	if sum, ok := addInt(from, n); n > 0 && !ok || sum > limit {
		return errs.StringTooLong
	}
	return nil
}

// StringLen is the length of the string at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) StringLen(key []byte) (int, error) {
	val, _, err := tx.String(key)
	return len(val), err
}

// StringRange returns the bytes start … end of the string at key, both
// included, counted from the end where negative and cut to what there is;
// empty without a key. The bytes are the store's, good until the unit's next
// write.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) StringRange(key []byte, start, end int64) ([]byte, error) {
	val, _, err := tx.String(key)
	if err != nil {
		return nil, err
	}
	n := int64(len(val))
	if start < 0 && end < 0 && start > end {
		return nil, nil
	}
	if start < 0 {
		start = max(start+n, 0)
	}
	if end < 0 {
		end = max(end+n, 0)
	}
	end = min(end, n-1)
	if start > end {
		return nil, nil
	}
	return val[start : end+1], nil
}

// StringSetRange overwrites the string at key from offset on with val, filling
// up with zero bytes where it is shorter, and returns its new length. An empty
// val changes nothing and creates no key.
//
// It fails with errs.WrongType when key holds another type, and with
// errs.OffsetOutOfRange or errs.StringTooLong. Effect: "setrange".
// O(len(val)), and the length where it grows.
func (tx *Tx) StringSetRange(key []byte, offset int64, val []byte) (int, error) {
	if offset < 0 {
		return 0, errs.OffsetOutOfRange
	}
	p := tx.write(key)
	old, _, err := stringAt(&p)
	if err != nil || len(val) == 0 {
		return len(old), err
	}
	if err := tx.checkStringLength(offset, int64(len(val))); err != nil {
		return 0, err
	}
	n := max(len(old), int(offset)+len(val))
	copy(tx.grow(&p, n)[offset:], val)
	if tx.wantsArgv() {
		tx.announce(ClassString, "setrange", key, []byte("SETRANGE"), key, decimal(offset), val)
	} else {
		tx.announce(ClassString, "setrange", key)
	}
	return n, nil
}

// StringAppend puts val behind the string at key, creating it where missing,
// and returns its new length.
//
// It fails with errs.WrongType when key holds another type, and with
// errs.StringTooLong. Effect: "append". O(len(val)), sometimes the length.
func (tx *Tx) StringAppend(key, val []byte) (int, error) {
	p := tx.write(key)
	old, ok, err := stringAt(&p)
	if err != nil {
		return 0, err
	}
	n := len(old) + len(val)
	if !ok {
		tx.set(&p, val, Never)
	} else {
		if err := tx.checkStringLength(int64(len(old)), int64(len(val))); err != nil {
			return 0, err
		}
		end := len(old)
		copy(tx.grow(&p, n)[end:], val)
	}
	if tx.wantsArgv() {
		tx.announce(ClassString, "append", key, []byte("APPEND"), key, val)
	} else {
		tx.announce(ClassString, "append", key)
	}
	return n, nil
}

// grow makes the string at p n bytes long, creating it where missing, and
// returns its bytes for writing.
func (tx *Tx) grow(p *place, n int) []byte {
	isNew := !p.exists()
	b := tx.resize(p, EncRaw, n)
	if isNew {
		tx.also(ClassNew, "new", p.key)
	}
	return b
}
