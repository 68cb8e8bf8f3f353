package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Hashes is the family of commands on hashes.
var Hashes = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "HSET", Syntax: "key data:(field value)...", Arity: -4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1) a field.",
		Summary: "Sets fields of a hash. The key is created when absent.",
		History: [][2]string{{"4.0.0", "Several fields at once."}},
	}, Run: hset},
	{Spec: Spec{
		Name: "HSETNX", Syntax: "key field value", Arity: 4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Sets a field of a hash if there is no such field.",
	}, Run: hsetnx},
	{Spec: Spec{
		Name: "HMSET", Syntax: "key data:(field value)...", Arity: -4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1) a field.",
		Summary:  "Sets fields of a hash. The key is created when absent.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "4.0.0", ReplacedBy: "`HSET` with multiple field-value pairs",
	}, Run: hmset},
	{Spec: hashReadSpec("HGET", "key field", Access, "Returns the value of a field of a hash."), Run: hget},
	{Spec: Spec{
		Name: "HMGET", Syntax: "key field...", Arity: -3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1) a field.",
		Summary: "Returns the values of several fields of a hash.",
	}, Run: hmget},
	{Spec: hashWalkSpec("HGETALL", "Returns all fields of a hash with their values."), Run: hgetall},
	{Spec: hashWalkSpec("HKEYS", "Returns the names of all fields of a hash."), Run: hkeys},
	{Spec: hashWalkSpec("HVALS", "Returns the values of all fields of a hash."), Run: hvals},
	{Spec: hashReadSpec("HLEN", "key", 0, "Tells how many fields a hash has."), Run: hlen},
	{Spec: hstrlenSpec(), Run: hstrlen},
	{Spec: hashReadSpec("HEXISTS", "key field", 0, "Tells whether a hash has a field."), Run: hexists},
	{Spec: Spec{
		Name: "HDEL", Syntax: "key field...", Arity: -3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1) a field.",
		Summary: "Removes fields from a hash. The key goes with the last one.",
		History: [][2]string{{"2.4.0", "Several fields at once."}},
	}, Run: hdel},
	{Spec: Spec{
		Name: "HINCRBY", Syntax: "key field increment:integer", Arity: 4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Adds to the integer in a field of a hash, 0 when absent.",
	}, Run: hincrby},
	{Spec: Spec{
		Name: "HINCRBYFLOAT", Syntax: "key field increment:double", Arity: 4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupHash, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Adds to the floating-point number in a field of a hash, 0 when absent.",
	}, Run: hincrbyfloat},
}

// hashReadSpec is what the commands that look into a hash have in common.
func hashReadSpec(name, syntax string, access KeyFlags, summary string) Spec {
	arity := 2
	if syntax != "key" {
		arity = 3
	}
	return Spec{
		Name: name, Syntax: syntax, Arity: arity,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | access}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(1)", Summary: summary,
	}
}

func hstrlenSpec() Spec {
	s := hashReadSpec("HSTRLEN", "key field", 0, "Returns the length of the value of a field of a hash.")
	s.Since = "3.2.0"
	return s
}

// hashWalkSpec is what the commands that reply with a whole hash have in common.
func hashWalkSpec(name, summary string) Spec {
	return Spec{
		Name: name, Syntax: "key", Arity: 2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupHash, Since: "2.0.0", Complexity: "O(N) in the fields.", Summary: summary,
		Tips: []string{"nondeterministic_output_order"},
	}
}

// HSET key field value [field value ...]
//
// Replies with the number of fields that are new.
func hset(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in)%2 != 0 {
		return errs.WrongArity("hset")
	}
	n, err := tx.HashSet(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// HMSET key field value [field value ...]
func hmset(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in)%2 != 0 {
		return errs.WrongArity("hmset")
	}
	if _, err := tx.HashSet(in[1], in[2:]...); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// HSETNX key field value
//
// Replies with 1, or 0 when there is such a field.
func hsetnx(tx *engine.Tx, in Args, out *resp.Reply) error {
	done, err := tx.HashSetNew(in[1], in[2], in[3])
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// HGET key field
//
// Replies with the value, or null without one.
func hget(tx *engine.Tx, in Args, out *resp.Reply) error {
	val, ok, err := tx.HashGet(in[1], in[2])
	if err != nil {
		return err
	}
	bulkOrNull(out, val, ok)
	return nil
}

// HMGET key field [field ...]
//
// Replies with an array of the values, null where there is no such field.
func hmget(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Array(len(in) - 2)
	return tx.HashGetMany(in[1], in[2:], func(val []byte, ok bool) { bulkOrNull(out, val, ok) })
}

// HGETALL key
//
// Replies with a map of fields and values.
func hgetall(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.HashEach(in[1], out.Map, func(field, value []byte, _ engine.UnixMilli) bool {
		out.BulkString(field)
		out.BulkString(value)
		return true
	})
}

// HKEYS key
//
// Replies with an array of the fields' names.
func hkeys(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.HashEach(in[1], out.Array, func(field, _ []byte, _ engine.UnixMilli) bool {
		out.BulkString(field)
		return true
	})
}

// HVALS key
//
// Replies with an array of the values.
func hvals(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.HashEach(in[1], out.Array, func(_, value []byte, _ engine.UnixMilli) bool {
		out.BulkString(value)
		return true
	})
}

// HLEN key
//
// Replies with the number of fields, 0 without a key.
func hlen(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.HashLen(in[1])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// HSTRLEN key field
//
// Replies with the value's length, 0 without one.
func hstrlen(tx *engine.Tx, in Args, out *resp.Reply) error {
	val, _, err := tx.HashGet(in[1], in[2])
	if err != nil {
		return err
	}
	out.Int(int64(len(val)))
	return nil
}

// HEXISTS key field
//
// Replies with 1 or 0.
func hexists(tx *engine.Tx, in Args, out *resp.Reply) error {
	_, ok, err := tx.HashGet(in[1], in[2])
	if err != nil {
		return err
	}
	out.Int(oneIf(ok))
	return nil
}

// HDEL key field [field ...]
//
// Replies with the number of fields removed.
func hdel(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.HashDelete(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// HINCRBY key field increment
//
// Replies with the sum.
func hincrby(tx *engine.Tx, in Args, out *resp.Reply) error {
	by, err := intArg(in[3])
	if err != nil {
		return err
	}
	sum, err := tx.HashIncr(in[1], in[2], by)
	if err != nil {
		return err
	}
	out.Int(sum)
	return nil
}

// HINCRBYFLOAT key field increment
//
// Replies with the sum as a string.
func hincrbyfloat(tx *engine.Tx, in Args, out *resp.Reply) error {
	sum, err := tx.HashIncrFloat(in[1], in[2], in[3])
	if err != nil {
		return err
	}
	out.BulkString(sum)
	return nil
}
