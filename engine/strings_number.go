package engine

import (
	"strconv"

	"coatcheck/engine/errs"
)

// Strings: values that are numbers.

// StringIncr adds by to the integer at key, 0 where missing, and returns the
// sum. The deadline stays.
//
// It fails with errs.WrongType when key holds another type, errs.NotInteger
// when its string is no 64-bit integer, and errs.WouldOverflow. Effect:
// "incrby" (Redis t_string.c, incrDecrCommand). O(1).
func (tx *Tx) StringIncr(key []byte, by int64) (int64, error) {
	p := tx.write(key)
	val, ok, err := stringAt(&p)
	if err != nil {
		return 0, err
	}
	at, n := Never, int64(0)
	if ok {
		at = p.expireAt()
		if n, ok = ParseInt(val); !ok {
			return 0, errs.NotInteger
		}
	}
	sum, ok := addInt(n, by)
	if by != 0 && !ok {
		return 0, errs.WouldOverflow
	}
	tx.putString(&p, EncInt, strconv.AppendInt(tx.numbers[0][:0], sum, 10), at)
	if tx.wantsArgv() {
		tx.announce(ClassString, "incrby", key, []byte("INCRBY"), key, decimal(by))
	} else {
		tx.announce(ClassString, "incrby", key)
	}
	return sum, nil
}

// StringIncrFloat adds by to the number at key, 0 where missing, and returns
// what key then holds: the sum as ParseFloat's kind of number in plain
// decimals. The deadline stays. The bytes are good until the unit's next
// operation.
//
// It fails with errs.WrongType when key holds another type, errs.NotFloat when
// its string or by is no number, and errs.NaNOrInfinity. Effect: "incrbyfloat",
// repeated by a SET. O(1).
func (tx *Tx) StringIncrFloat(key, by []byte) ([]byte, error) {
	p := tx.write(key)
	val, ok, err := stringAt(&p)
	if err != nil {
		return nil, err
	}
	at, n := Never, Float{}
	if ok {
		at = p.expireAt()
		if n, ok = ParseFloat(val); !ok {
			return nil, errs.NotFloat
		}
	}
	add, ok := ParseFloat(by)
	if !ok {
		return nil, errs.NotFloat
	}
	sum, ok := n.Add(add)
	if !ok {
		return nil, errs.NaNOrInfinity
	}
	text := sum.Append(nil)
	enc := EncEmbStr
	if len(text) > maxEmbStr {
		enc = EncRaw
	}
	tx.putString(&p, enc, text, at)
	if tx.wantsArgv() {
		tx.announce(ClassString, "incrbyfloat", key, []byte("SET"), key, text, []byte("KEEPTTL"))
	} else {
		tx.announce(ClassString, "incrbyfloat", key)
	}
	return text, nil
}
