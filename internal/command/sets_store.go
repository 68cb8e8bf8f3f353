package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

const (
	costOfSetInter = "O(N*M) with N members in the smallest of M sets."
	costOfSetSum   = "O(N) in the members of all sets."
)

// SetAlgebra is the family of commands that make a set of several.
var SetAlgebra = []Entry[*engine.Tx]{
	setAlgebra("SINTER", costOfSetInter, "Returns the members of all of several sets.", (*engine.SetInputs).Inter),
	setAlgebra("SUNION", costOfSetSum, "Returns the members of any of several sets.", (*engine.SetInputs).Union),
	setAlgebra("SDIFF", costOfSetSum, "Returns the members of a set that others do not have.", (*engine.SetInputs).Diff),
	setAlgebraStore("SINTERSTORE", "sinterstore", RW, costOfSetInter, "Stores the members of all of several sets under a key.", (*engine.SetInputs).Inter),
	setAlgebraStore("SUNIONSTORE", "sunionstore", OW, costOfSetSum, "Stores the members of any of several sets under a key.", (*engine.SetInputs).Union),
	setAlgebraStore("SDIFFSTORE", "sdiffstore", OW, costOfSetSum, "Stores the members of a set that others do not have under a key.", (*engine.SetInputs).Diff),
	{Spec: Spec{
		Name: "SINTERCARD", Syntax: "numkeys:integer key... [LIMIT limit:integer]", Arity: -3,
		Flags: ReadOnly, Searches: []KeySearch{{Begin: 1, Counted: true, Flags: RO | Access}},
		Group: GroupSet, Since: "7.0.0", Complexity: costOfSetInter,
		Summary: "Counts the members of all of several sets.",
	}, Run: sintercard},
}

// setAlgebra is a command of the form NAME key [key ...], which replies with a set.
func setAlgebra(name, cost, summary string, of func(*engine.SetInputs) [][]byte) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key...", Arity: -2,
		Flags: ReadOnly, Keys: []KeySpec{{1, -1, 1, RO | Access}},
		Group: GroupSet, Since: "1.0.0", Complexity: cost, Summary: summary,
		Tips: []string{"nondeterministic_output_order"},
	}, Run: func(tx *engine.Tx, in Args, out *resp.Reply) error {
		sets, err := tx.SetInputs(in[1:])
		if err != nil {
			return err
		}
		members := of(sets)
		out.Set(len(members))
		for _, member := range members {
			out.BulkString(member)
		}
		return nil
	}}
}

// setAlgebraStore is a command of the form NAME destination key [key ...], which replies
// with the number of members stored.
func setAlgebraStore(name, event string, access KeyFlags, cost, summary string, of func(*engine.SetInputs) [][]byte) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "destination:key key...", Arity: -3,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, access | Update}, {2, -1, 1, RO | Access}},
		Group: GroupSet, Since: "1.0.0", Complexity: cost, Summary: summary,
	}, Run: func(tx *engine.Tx, in Args, out *resp.Reply) error {
		sets, err := tx.SetInputs(in[2:])
		if err != nil {
			return err
		}
		members := of(sets)
		tx.SetStore(in[1], members, event, in...)
		out.Int(int64(len(members)))
		return nil
	}}
}

// SINTERCARD numkeys key [key ...] [LIMIT limit]
//
// Replies with a number.
func sintercard(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := intArg(in[1])
	switch {
	case err != nil || n < 1:
		return errs.NumKeysPositive
	case n > int64(len(in)-2):
		return errs.NumKeysTooMany
	}
	limit := int64(0)
	c := options(in, 2+int(n))
	for c.more() {
		c.check(len(in)-c.at > 1 && c.word("LIMIT"))
		if c.err == nil {
			if limit, err = intArg(c.arg()); err != nil || limit < 0 {
				c.fail(errs.LimitNegative)
			}
		}
	}
	if c.err != nil {
		return c.err
	}
	sets, err := tx.SetInputs(in[2 : 2+int(n)])
	if err != nil {
		return err
	}
	out.Int(sets.InterLen(limit))
	return nil
}
