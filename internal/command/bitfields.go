package command

import (
	"bytes"
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment>] …
//
// Replies with an array of an integer for each step, null for one that did not fit.
func bitfield(tx *engine.Tx, in Args, out *resp.Reply) error {
	return bitfields(tx, in, out, false)
}

// BITFIELD_RO key [GET encoding offset ...]
func bitfieldRO(tx *engine.Tx, in Args, out *resp.Reply) error {
	return bitfields(tx, in, out, true)
}

func bitfields(tx *engine.Tx, in Args, out *resp.Reply, readOnly bool) error {
	steps, writes, err := bitfieldSteps(tx, in)
	if err != nil {
		return err
	}
	if writes && readOnly {
		return errs.BitReadOnly
	}
	var argv [][]byte
	if tx.WantsArgv() {
		argv = append([][]byte{[]byte("BITFIELD")}, in[1:]...)
	}
	out.Array(len(steps))
	return tx.BitFields(in[1], steps, argv, func(v int64, ok bool) {
		if ok {
			out.Int(v)
		} else {
			out.Null()
		}
	})
}

// bitfieldSteps reads all steps.
func bitfieldSteps(tx *engine.Tx, in Args) (steps []engine.BitField, writes bool, err error) {
	overflow := engine.OverflowWrap
	for i := 2; i < len(in); {
		rest := len(in) - i - 1
		step := engine.BitField{Overflow: overflow}
		switch {
		case isWord(in[i], "GET") && rest >= 2:
			step.Verb = engine.FieldGet
		case isWord(in[i], "SET") && rest >= 3:
			step.Verb = engine.FieldSet
		case isWord(in[i], "INCRBY") && rest >= 3:
			step.Verb = engine.FieldIncr
		case isWord(in[i], "OVERFLOW") && rest >= 1:
			if overflow, err = bitOverflow(in[i+1]); err != nil {
				return nil, false, err
			}
			i += 2
			continue
		default:
			return nil, false, errs.Syntax
		}
		if step.Signed, step.Bits, err = bitType(in[i+1]); err != nil {
			return nil, false, err
		}
		if step.At, err = fieldOffset(tx, in[i+2], step.Bits); err != nil {
			return nil, false, err
		}
		i += 3
		if step.Verb != engine.FieldGet {
			writes = true
			if step.Value, err = intArg(in[i]); err != nil {
				return nil, false, err
			}
			i++
		}
		steps = append(steps, step)
	}
	return steps, writes, nil
}

func bitOverflow(word []byte) (engine.BitOverflow, error) {
	switch {
	case isWord(word, "WRAP"):
		return engine.OverflowWrap, nil
	case isWord(word, "SAT"):
		return engine.OverflowSat, nil
	case isWord(word, "FAIL"):
		return engine.OverflowFail, nil
	}
	return 0, errs.BitOverflow
}

// bitType reads the type of an integer: i or u, and its width.
func bitType(arg []byte) (signed bool, width int, err error) {
	arg, _, _ = bytes.Cut(arg, []byte{0}) // as a C string
	if len(arg) == 0 || arg[0] != 'i' && arg[0] != 'u' {
		return false, 0, errs.BitType
	}
	signed = arg[0] == 'i'
	n, ok := engine.ParseInt(arg[1:])
	if !ok || n < 1 || n > 64 || n > 63 && !signed {
		return false, 0, errs.BitType
	}
	return signed, int(n), nil
}

// fieldOffset reads the number of a bit, or with # in front the number of an integer
// of so many bits.
func fieldOffset(tx *engine.Tx, arg []byte, width int) (int64, error) {
	if len(arg) == 0 || arg[0] != '#' {
		return bitOffset(tx, arg)
	}
	n, ok := engine.ParseInt(arg[1:])
	if !ok || n > math.MaxInt64/int64(width) {
		return 0, errs.BitOffset
	}
	return n * int64(width), tx.BitOffset(n * int64(width))
}

// bitfieldKeyFlags is what a BITFIELD does with its key.
func bitfieldKeyFlags(in Args) KeyFlags {
	for i := 2; i < len(in); {
		rest := len(in) - i - 1
		switch {
		case isWord(in[i], "GET") && rest >= 2:
			i += 3
		case isWord(in[i], "OVERFLOW") && rest >= 1:
			i += 2
		default: // a write, or a mistake
			return RW | Access | Update
		}
	}
	return RO | Access
}
