package command

import (
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Numbers is the family of commands on strings that are numbers.
var Numbers = []Entry[*engine.Tx]{
	{Spec: numberSpec("INCR", "key", "1.0.0", "Adds one to the integer value of a key, 0 when absent."), Run: incr},
	{Spec: numberSpec("DECR", "key", "1.0.0", "Takes one from the integer value of a key, 0 when absent."), Run: decr},
	{Spec: numberSpec("INCRBY", "key increment:integer", "1.0.0",
		"Adds to the integer value of a key, 0 when absent."), Run: incrby},
	{Spec: numberSpec("DECRBY", "key decrement:integer", "1.0.0",
		"Takes from the integer value of a key, 0 when absent."), Run: decrby},
	{Spec: numberSpec("INCRBYFLOAT", "key increment:double", "2.6.0",
		"Adds to the floating-point value of a key, 0 when absent."), Run: incrbyfloat},
}

// numberSpec is what the commands of the family have in common.
func numberSpec(name, syntax, since, summary string) Spec {
	arity := 2
	if syntax != "key" {
		arity = 3
	}
	return Spec{
		Name: name, Syntax: syntax, Arity: arity,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupString, Since: since, Complexity: "O(1)", Summary: summary,
	}
}

// INCR key
//
// Replies with the sum, as INCRBY, DECR and DECRBY do.
func incr(tx *engine.Tx, in Args, out *resp.Reply) error { return add(tx, in[1], 1, out) }

// DECR key
func decr(tx *engine.Tx, in Args, out *resp.Reply) error { return add(tx, in[1], -1, out) }

// INCRBY key increment
func incrby(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := intArg(in[2])
	if err != nil {
		return err
	}
	return add(tx, in[1], n, out)
}

// DECRBY key decrement
func decrby(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := intArg(in[2])
	if err != nil {
		return err
	}
	if n == math.MinInt64 {
		return errs.DecrementOverflow
	}
	return add(tx, in[1], -n, out)
}

func add(tx *engine.Tx, key []byte, n int64, out *resp.Reply) error {
	sum, err := tx.StringIncr(key, n)
	if err != nil {
		return err
	}
	out.Int(sum)
	return nil
}

// INCRBYFLOAT key increment
//
// Replies with the sum as a string.
func incrbyfloat(tx *engine.Tx, in Args, out *resp.Reply) error {
	sum, err := tx.StringIncrFloat(in[1], in[2])
	if err != nil {
		return err
	}
	out.BulkString(sum)
	return nil
}
