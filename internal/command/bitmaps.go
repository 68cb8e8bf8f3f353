package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Bitmaps is the family of commands on strings as rows of bits.
var Bitmaps = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "SETBIT", Syntax: "key offset:integer value:integer", Arity: 4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupBitmap, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Sets or clears a bit of a string. The key is created when absent.",
	}, Run: setbit},
	{Spec: Spec{
		Name: "GETBIT", Syntax: "key offset:integer", Arity: 3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupBitmap, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Returns a bit of a string.",
	}, Run: getbit},
	{Spec: Spec{
		Name: "BITCOUNT", Syntax: "key range:[start:integer end:integer unit:[BYTE | BIT]]", Arity: -2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N) in the bytes counted.",
		Summary: "Counts the bits that are set in a string.",
		History: [][2]string{{"7.0.0", "BYTE and BIT."}},
	}, Run: bitcount},
	{Spec: Spec{
		Name: "BITPOS", Arity: -3,
		Syntax: "key bit:integer range:[start:integer end-unit-block:[end:integer unit:[BYTE | BIT]]]",
		Flags:  ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupBitmap, Since: "2.8.7", Complexity: "O(N) in the bytes looked at.",
		Summary: "Finds the first bit of a string that is set, or clear.",
		History: [][2]string{{"7.0.0", "BYTE and BIT."}},
	}, Run: bitpos},
	{Spec: Spec{
		Name: "BITOP", Syntax: "operation:<AND | OR | XOR | NOT> destkey:key key...", Arity: -4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{2, 0, 1, OW | Update}, {3, -1, 1, RO | Access}},
		Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N) in the bytes of all keys.",
		Summary: "Combines the bits of strings and keeps the result.",
	}, Run: bitop},
	{Spec: Spec{
		Name: "BITFIELD", Arity: -2,
		Syntax: "key operation:[GET get-block:(encoding offset:integer)" +
			" | write:([OVERFLOW overflow-block:<WRAP | SAT | FAIL>]" +
			" write-operation:<SET set-block:(encoding offset:integer value:integer)" +
			" | INCRBY incrby-block:(encoding offset:integer increment:integer)>)]...",
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Update | VariableFlags}}, KeyFlagsOf: bitfieldKeyFlags,
		Group: GroupBitmap, Since: "3.2.0", Complexity: "O(1) a step.",
		Summary: "Reads, writes and counts integers of any width within a string.",
	}, Run: bitfield},
	{Spec: Spec{
		Name: "BITFIELD_RO", Syntax: "key [GET get-block:(encoding offset:integer)]...", Arity: -2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupBitmap, Since: "6.0.0", Complexity: "O(1) a step.",
		Summary: "Reads integers of any width within a string.",
	}, Run: bitfieldRO},
}

// bitOffset reads the number of a bit.
func bitOffset(tx *engine.Tx, arg []byte) (int64, error) {
	n, ok := engine.ParseInt(arg)
	if !ok {
		return 0, errs.BitOffset
	}
	return n, tx.BitOffset(n)
}

// SETBIT key offset value
//
// Replies with what the bit was.
func setbit(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := bitOffset(tx, in[2])
	if err != nil {
		return err
	}
	bit, ok := engine.ParseInt(in[3])
	if !ok || bit&^1 != 0 {
		return errs.BitValue
	}
	old, err := tx.BitSet(in[1], at, bit == 1)
	if err != nil {
		return err
	}
	out.Int(oneIf(old))
	return nil
}

// GETBIT key offset
//
// Replies with the bit, 0 behind the end.
func getbit(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := bitOffset(tx, in[2])
	if err != nil {
		return err
	}
	bit, err := tx.BitGet(in[1], at)
	if err != nil {
		return err
	}
	out.Int(oneIf(bit))
	return nil
}

// bitRange reads [start [end [BYTE | BIT]]] from in[at] on. As in Redis' BITPOS the
// word is looked at before the end.
func bitRange(in Args, at int) (r engine.BitRange, err error) {
	switch {
	case len(in) == at:
		return r, nil
	case len(in) > at+3:
		return r, errs.Syntax
	}
	r.Given = true
	if r.Start, err = intArg(in[at]); err != nil {
		return r, err
	}
	switch {
	case len(in) == at+3 && isWord(in[at+2], "BIT"):
		r.Bits = true
	case len(in) == at+3 && !isWord(in[at+2], "BYTE"):
		return r, errs.Syntax
	}
	if len(in) > at+1 {
		r.HasEnd = true
		r.End, err = intArg(in[at+1])
	}
	return r, err
}

// BITCOUNT key [start end [BYTE | BIT]]
//
// Replies with how many bits are set.
func bitcount(tx *engine.Tx, in Args, out *resp.Reply) error {
	r, err := bitCountRange(in)
	if err != nil {
		return keyBeforeWords(tx, in[1], err, 0, out)
	}
	n, err := tx.BitCount(in[1], r)
	if err != nil {
		return err
	}
	out.Int(n)
	return nil
}

// bitCountRange reads [start end [BYTE | BIT]]. Both integers are looked at before the
// word, which does not matter where they make nothing.
func bitCountRange(in Args) (engine.BitRange, error) {
	if len(in) == 3 || len(in) > 5 {
		return engine.BitRange{}, errs.Syntax
	}
	if len(in) == 5 {
		r, err := bitRange(in[:4], 2)
		if err != nil || r.Start < 0 && r.End < 0 && r.Start > r.End {
			return r, err
		}
	}
	return bitRange(in, 2)
}

// keyBeforeWords refuses what is wrong with a command's words, unless there is no string
// at key: that is looked at first (until Redis 7.2). Without a key the reply is missing.
func keyBeforeWords(tx *engine.Tx, key []byte, wrong error, missing int64, out *resp.Reply) error {
	switch _, ok, err := tx.String(key); {
	case err != nil:
		return err
	case ok:
		return wrong
	}
	out.Int(missing)
	return nil
}

// BITPOS key bit [start [end [BYTE | BIT]]]
//
// Replies with the bit's place, -1 without one.
func bitpos(tx *engine.Tx, in Args, out *resp.Reply) error {
	bit, err := intArg(in[2])
	switch {
	case err != nil:
		return err
	case bit&^1 != 0:
		return errs.BitArgument
	}
	r, err := bitRange(in, 3)
	if err != nil {
		return keyBeforeWords(tx, in[1], err, -bit, out)
	}
	n, err := tx.BitPos(in[1], bit == 1, r)
	if err != nil {
		return err
	}
	out.Int(n)
	return nil
}

// BITOP <AND | OR | XOR | NOT> destkey key [key ...]
//
// Replies with the length of the result in bytes.
func bitop(tx *engine.Tx, in Args, out *resp.Reply) error {
	var op engine.BitOperation
	switch {
	case isWord(in[1], "AND"):
		op = engine.BitAnd
	case isWord(in[1], "OR"):
		op = engine.BitOr
	case isWord(in[1], "XOR"):
		op = engine.BitXor
	case isWord(in[1], "NOT"):
		op = engine.BitNot
	default:
		return errs.Syntax
	}
	if op == engine.BitNot && len(in) != 4 {
		return errs.BitNotOne
	}
	n, err := tx.BitOp(op, in[2], in[3:])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}
