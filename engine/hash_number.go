package engine

import (
	"strconv"

	"coatcheck/engine/errs"
)

// Hashes: values that are numbers.

// HashIncr adds by to the integer in a field of the hash at key, 0 where there is
// none, and returns the sum. The field's deadline stays.
//
// It fails with errs.WrongType when key holds another type, errs.HashNotInteger
// when the value is no 64-bit integer, and errs.WouldOverflow. Effect: "hincrby"
// (Redis t_hash.c, hincrbyCommand). O(1).
func (tx *Tx) HashIncr(key, field []byte, by int64) (int64, error) {
	p := tx.write(key)
	old, ok, err := tx.hashOld(&p, field)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	if ok {
		if n, ok = ParseInt(old); !ok {
			return 0, errs.HashNotInteger
		}
	}
	sum, ok := addInt(n, by)
	if by != 0 && !ok {
		return 0, errs.WouldOverflow
	}
	var digits [20]byte
	pair := [2][]byte{field, strconv.AppendInt(digits[:0], sum, 10)}
	tx.hashSetAll(&p, pair[:], true)
	if tx.wantsArgv() {
		tx.announce(ClassHash, "hincrby", key, []byte("HINCRBY"), key, field, decimal(by))
	} else {
		tx.announce(ClassHash, "hincrby", key)
	}
	return sum, nil
}

// hashOld is the value of a field at p, if there is one.
func (tx *Tx) hashOld(p *place, field []byte) (val []byte, ok bool, err error) {
	if ok, err := hashAt(p); !ok {
		return nil, false, err
	}
	f, ok := tx.hashFind(p, field)
	if !ok {
		return nil, false, nil
	}
	return tx.hashValue(p, &f), true, nil
}

// HashIncrFloat adds by to the number in a field of the hash at key, 0 where there
// is none, and returns what the field then holds: the sum as ParseFloat's kind of
// number in plain decimals. The field's deadline stays.
//
// It fails with errs.NotFloat when by is no number, errs.IncrNotFinite when it is
// infinite, errs.WrongType when key holds another type, errs.HashNotFloat when the
// value is no number, and errs.NaNOrInfinity. Effect: "hincrbyfloat", repeated by
// an HSET, or an HSETEX for a field with a deadline. O(1).
func (tx *Tx) HashIncrFloat(key, field, by []byte) ([]byte, error) {
	add, ok := ParseFloat(by)
	switch {
	case !ok:
		return nil, errs.NotFloat
	case add.inf != 0:
		return nil, errs.IncrNotFinite
	}
	p := tx.write(key)
	old, ok, err := tx.hashOld(&p, field)
	if err != nil {
		return nil, err
	}
	var n Float
	if ok {
		if n, ok = ParseFloat(old); !ok {
			return nil, errs.HashNotFloat
		}
	}
	sum, ok := n.Add(add)
	if !ok {
		return nil, errs.NaNOrInfinity
	}
	text := sum.Append(nil)
	tx.hashSetAll(&p, [][]byte{field, text}, true)
	f, _ := tx.hashFind(&p, field)
	if f.due == Never {
		tx.changedHash(&p, "hincrbyfloat", 1, "HSET", field, text)
	} else {
		tx.changedHash(&p, "hincrbyfloat", 1, "HSETEX", []byte("KEEPTTL"), []byte("FIELDS"), []byte("1"), field, text)
	}
	return text, nil
}
