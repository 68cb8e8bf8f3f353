package engine

import "encoding/binary"

// Strings as rows of bits: operations on several.

func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// BitOperation is what BitOp does.
type BitOperation uint8

// The operations.
const (
	BitAnd BitOperation = iota
	BitOr
	BitXor
	BitNot // of one key
)

var bitOperationNames = [...]string{BitAnd: "AND", BitOr: "OR", BitXor: "XOR", BitNot: "NOT"}

// BitOp makes dest the result of an operation on the strings at keys, of which the
// shorter ones have zeros behind their ends, and returns its length. When that is
// 0, dest is removed.
//
// It fails with errs.WrongType when a key holds another type; dest may hold any.
// Effects: "set", or "del" (Redis bitops.c, bitopCommand). O(length) for each key.
func (tx *Tx) BitOp(op BitOperation, dest []byte, keys [][]byte) (n int, err error) {
	for _, key := range keys {
		val, _, err := tx.String(key)
		if err != nil {
			return 0, err
		}
		n = max(n, len(val))
	}
	result := make([]byte, n)
	for i, key := range keys {
		p := tx.peek(key)
		var val []byte
		if p.exists() {
			val = p.bytes()
		}
		if i == 0 {
			copy(result, val)
		} else {
			op.apply(result, val)
		}
	}
	if op == BitNot {
		for i := range result {
			result[i] = ^result[i]
		}
	}
	var argv [][]byte
	if tx.wantsArgv() {
		argv = append([][]byte{[]byte("BITOP"), []byte(bitOperationNames[op]), dest}, keys...)
	}
	p := tx.write(dest)
	switch {
	case n > 0:
		tx.putString(&p, EncRaw, result, Never)
		tx.announce(ClassString, "set", dest, argv...)
	case p.exists():
		tx.remove(&p)
		tx.announce(ClassGeneric, "del", dest, argv...)
	}
	return n, nil
}

// apply changes into by val, which is no longer.
func (op BitOperation) apply(into, val []byte) {
	whole := len(val) &^ 7
	for i := 0; i < whole; i += 8 {
		a, b := le64(into[i:]), le64(val[i:])
		binary.LittleEndian.PutUint64(into[i:], op.word(a, b))
	}
	for i := whole; i < len(val); i++ {
		into[i] = byte(op.word(uint64(into[i]), uint64(val[i])))
	}
	if op == BitAnd {
		clear(into[len(val):])
	}
}

func (op BitOperation) word(a, b uint64) uint64 {
	switch op {
	case BitAnd:
		return a & b
	case BitOr:
		return a | b
	}
	return a ^ b
}
