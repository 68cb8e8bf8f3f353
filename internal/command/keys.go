package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Keys is the family of commands on keys of any type.
var Keys = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "DEL", Syntax: "key...", Arity: -2,
		Flags: Write, Keys: []KeySpec{{1, -1, 1, RM | Delete}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) in the keys.",
		Summary: "Deletes keys.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	}, Run: del},
	{Spec: Spec{
		Name: "UNLINK", Syntax: "key...", Arity: -2,
		Flags: Write | Fast, Keys: []KeySpec{{1, -1, 1, RM | Delete}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "4.0.0", Complexity: "O(N) in the keys.",
		Summary: "Deletes keys; what their values take up may be freed later.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	}, Run: unlink},
	{Spec: Spec{
		Name: "EXISTS", Syntax: "key...", Arity: -2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, -1, 1, RO}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) in the keys.",
		Summary: "Counts the keys that exist.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_sum"},
		History: [][2]string{{"3.0.3", "Several keys."}},
	}, Run: exists},
	{Spec: Spec{
		Name: "TOUCH", Syntax: "key...", Arity: -2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, -1, 1, RO}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "3.2.1", Complexity: "O(N) in the keys.",
		Summary: "Marks keys as just used and counts those that exist.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	}, Run: touch},
	{Spec: Spec{
		Name: "TYPE", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells the type of a key's value.",
	}, Run: typeCmd},
	{Spec: Spec{
		Name: "RENAME", Syntax: "key newkey:key", Arity: 3,
		Flags: Write, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, OW | Update}},
		Categories: []string{"keyspace"},
		Group:      GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Gives a key another name, overwriting what had it.",
	}, Run: rename},
	{Spec: Spec{
		Name: "RENAMENX", Syntax: "key newkey:key", Arity: 3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, OW | Insert}},
		Categories: []string{"keyspace"},
		Group:      GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Gives a key another name unless a key has that name.",
		History: [][2]string{{"3.2.0", "The old name as the new one is no error."}},
	}, Run: renamenx},
	{Spec: Spec{
		Name: "COPY", Syntax: "source:key destination:key [DB destination-db:integer] [REPLACE]", Arity: -3,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RO | Access}, {2, 0, 1, OW | Update}},
		Categories: []string{"keyspace"},
		Group:      GroupGeneric, Since: "6.2.0", Complexity: "O(N) in the elements of the value; O(1) for a string.",
		Summary: "Copies a key's value and deadline to another key.",
	}, Run: copyCmd},
	{Spec: Spec{
		Name: "MOVE", Syntax: "key db:integer", Arity: 3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Moves a key to another database.",
	}, Run: move},
	{Spec: Spec{
		Name: "RANDOMKEY", Arity: 1,
		Flags: ReadOnly, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Returns a random key of the database.",
		Tips:    []string{"request_policy:all_shards", "nondeterministic_output"},
	}, Run: randomkey},
}

// DEL key [key ...]
//
// Replies with the number of keys that were deleted.
func del(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Int(int64(tx.Delete("DEL", in[1:]...)))
	return nil
}

// UNLINK key [key ...]
func unlink(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Int(int64(tx.Delete("UNLINK", in[1:]...)))
	return nil
}

// EXISTS key [key ...]
//
// Replies with a number; a key that is named twice counts twice.
func exists(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Int(int64(tx.Exists(in[1:]...)))
	return nil
}

// TOUCH key [key ...]
func touch(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Int(int64(tx.Touch(in[1:]...)))
	return nil
}

// TYPE key
//
// Replies with a status, "none" without a key.
func typeCmd(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Status(tx.TypeOf(in[1]).String())
	return nil
}

// RENAME key newkey
func rename(tx *engine.Tx, in Args, out *resp.Reply) error {
	if _, err := tx.KeyRename(in[1], in[2], false); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// RENAMENX key newkey
//
// Replies with 1, or 0 when newkey exists.
func renamenx(tx *engine.Tx, in Args, out *resp.Reply) error {
	done, err := tx.KeyRename(in[1], in[2], true)
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// COPY source destination [DB n] [REPLACE]
//
// Replies with 1, or 0 when there is no source or destination is taken.
func copyCmd(tx *engine.Tx, in Args, out *resp.Reply) error {
	db, replace := tx.DB(), false
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("REPLACE"):
			replace = true
		case c.word("DB"):
			db = dbArg(&c, tx)
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	done, err := tx.KeyCopy(in[1], in[2], db, replace)
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// dbArg takes the number of a db that there is.
func dbArg(c *cursor, tx *engine.Tx) int {
	arg := c.arg()
	if c.err != nil {
		return 0
	}
	db, err := int32Arg(arg)
	c.fail(err)
	if err == nil && !tx.HasDB(db) {
		c.fail(errs.DBIndex)
	}
	return db
}

// MOVE key db
//
// Replies with 1, or 0 when there is no key or the other db has one.
func move(tx *engine.Tx, in Args, out *resp.Reply) error {
	db, err := int32Arg(in[2])
	if err != nil {
		return err
	}
	done, err := tx.KeyMove(in[1], db)
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// RANDOMKEY
//
// Replies with a key, or null in an empty db.
func randomkey(tx *engine.Tx, in Args, out *resp.Reply) error {
	key, ok := tx.RandomKey()
	bulkOrNull(out, key, ok)
	return nil
}
