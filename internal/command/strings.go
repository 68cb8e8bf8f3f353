package command

import (
	"coatcheck/engine"
	"coatcheck/resp"
)

// Strings is the family of string commands.
var Strings = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "GET", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Returns the string value of a key.",
	}, Run: get},
}

// GET key
//
// Replies with the string, or null without a key.
func get(tx *engine.Tx, in Args, out *resp.Reply) error {
	val, ok, err := tx.String(in[1])
	if err != nil {
		return err
	}
	if !ok {
		out.Null()
		return nil
	}
	out.BulkString(val)
	return nil
}
