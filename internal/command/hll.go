package command

import (
	"errors"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// HyperLogLogs is the family of commands that count different elements approximately.
var HyperLogLogs = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "PFADD", Syntax: "key [element]...", Arity: -2,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) an element.",
		Summary: "Adds elements to a HyperLogLog. The key is created when absent.",
	}, Run: pfadd},
	{Spec: Spec{
		Name: "PFCOUNT", Syntax: "key...", Arity: -2,
		Flags: ReadOnly | MayReplicate, Keys: []KeySpec{{1, -1, 1, RW | Access}},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) where it was worked out before, O(N) in the registers for each of several keys.",
		Summary: "Tells about how many different elements HyperLogLogs have seen together.",
	}, Run: pfcount},
	{Spec: Spec{
		Name: "PFMERGE", Syntax: "destkey:key [sourcekey:key]...", Arity: -2,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Insert}, {2, -1, 1, RO | Access}},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(N) in the registers of all keys.",
		Summary: "Makes a HyperLogLog one that has seen what others have.",
	}, Run: pfmerge},
	{Spec: Spec{
		Name: "PFDEBUG", Syntax: "subcommand key", Arity: 3,
		Flags: Write | DenyOOM | Admin, Keys: []KeySpec{{2, 0, 1, RW | Access}},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(N) in the registers.",
		Summary:  "Looks into a HyperLogLog.",
		DocFlags: []string{"syscmd"},
	}, Run: pfdebug},
	{Spec: Spec{
		Name: "PFSELFTEST", Arity: 1, Flags: Admin,
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1), but long.",
		Summary:  "Tries whether HyperLogLogs count right.",
		DocFlags: []string{"syscmd"},
	}, Run: pfselftest},
}

// PFADD key [element [element ...]]
//
// Replies with 1 when the count may be another one now, else 0.
func pfadd(tx *engine.Tx, in Args, out *resp.Reply) error {
	changed, err := tx.HLLAdd(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(oneIf(changed))
	return nil
}

// PFCOUNT key [key ...]
//
// Replies with a number.
func pfcount(tx *engine.Tx, in Args, out *resp.Reply) error {
	count := tx.HLLCountAll
	if len(in) == 2 {
		count = func(keys [][]byte) (uint64, error) { return tx.HLLCount(keys[0]) }
	}
	n, err := count(in[1:])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// PFMERGE destkey [sourcekey [sourcekey ...]]
func pfmerge(tx *engine.Tx, in Args, out *resp.Reply) error {
	if err := tx.HLLMerge(in[1], in[2:]...); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// PFDEBUG subcommand key
//
// GETREG replies with an array of the registers, DECODE with a string, ENCODING with a status,
// TODENSE with 1 when the value was sparse.
func pfdebug(tx *engine.Tx, in Args, out *resp.Reply) error {
	v, ok, err := tx.HLLView(in[2])
	switch {
	case err != nil:
		return err
	case !ok:
		return errs.HLLNoKey
	}
	switch {
	case isWord(in[1], "GETREG"):
		registers, err := tx.HLLRegisters(in[2])
		if err != nil {
			return err
		}
		out.Array(len(registers))
		for _, r := range registers {
			out.Int(int64(r))
		}
	case isWord(in[1], "DECODE"):
		if v.IsDense() {
			return errs.HLLNotSparse
		}
		out.BulkText(v.Runs())
	case isWord(in[1], "ENCODING"):
		if v.IsDense() {
			out.Status("dense")
		} else {
			out.Status("sparse")
		}
	case isWord(in[1], "TODENSE"):
		changed, err := tx.HLLToDense(in[2])
		if err != nil {
			return err
		}
		out.Int(oneIf(changed))
	default:
		return errs.UnknownPFDebug(in[1])
	}
	return nil
}

// PFSELFTEST
func pfselftest(_ *engine.Tx, _ Args, out *resp.Reply) error {
	if err := engine.HLLSelfTest(); err != nil {
		var known *errs.Error
		if errors.As(err, &known) {
			return known
		}
		return &errs.Error{Code: "TESTFAILED", Text: err.Error()}
	}
	out.Status("OK")
	return nil
}
