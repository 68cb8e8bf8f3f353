package command

import (
	"math"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Sets is the family of commands on sets.
var Sets = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "SADD", Syntax: "key member...", Arity: -3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1) a member.",
		Summary: "Adds members to a set. The key is created when absent.",
		History: [][2]string{{"2.4.0", "Several members at once."}},
	}, Run: sadd},
	{Spec: Spec{
		Name: "SREM", Syntax: "key member...", Arity: -3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1) a member.",
		Summary: "Removes members from a set. The key goes with the last one.",
		History: [][2]string{{"2.4.0", "Several members at once."}},
	}, Run: srem},
	{Spec: Spec{
		Name: "SMOVE", Syntax: "source:key destination:key member", Arity: 4,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, RW | Insert}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Moves a member from one set to another.",
	}, Run: smove},
	{Spec: Spec{
		Name: "SCARD", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells how many members a set has.",
	}, Run: scard},
	{Spec: Spec{
		Name: "SISMEMBER", Syntax: "key member", Arity: 3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells whether a set has a member.",
	}, Run: sismember},
	{Spec: Spec{
		Name: "SMISMEMBER", Syntax: "key member...", Arity: -3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSet, Since: "6.2.0", Complexity: "O(1) a member.",
		Summary: "Tells of several members whether a set has them.",
	}, Run: smismember},
	{Spec: Spec{
		Name: "SMEMBERS", Syntax: "key", Arity: 2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(N) in the members.",
		Summary: "Returns all members of a set.",
		Tips:    []string{"nondeterministic_output_order"},
	}, Run: smembers},
	{Spec: Spec{
		Name: "SPOP", Syntax: "key [count:integer]", Arity: -2,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(N) in the members returned.",
		Summary: "Removes and returns members of a set by chance.",
		History: [][2]string{{"3.2.0", "The argument `count`."}},
		Tips:    []string{"nondeterministic_output"},
	}, Run: spop},
	{Spec: Spec{
		Name: "SRANDMEMBER", Syntax: "key [count:integer]", Arity: -2,
		Flags: ReadOnly | Sliced, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(N) in the members returned.",
		Summary: "Returns members of a set by chance.",
		History: [][2]string{{"2.6.0", "The argument `count`."}},
		Tips:    []string{"nondeterministic_output"},
	}, Run: srandmember},
	{Spec: Spec{
		Name: "SSCAN", Syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]", Arity: -3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSet, Since: "2.8.0", Complexity: "O(1) for a call, O(N) for a whole walk over N members.",
		Summary: "Walks over the members of a set in steps.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: sscan},
}

// SADD key member [member ...]
//
// Replies with the number of members that are new.
func sadd(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.SetAdd(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// SREM key member [member ...]
//
// Replies with the number of members removed.
func srem(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.SetRemove(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// SMOVE source destination member
//
// Replies with 1, or 0 when source does not have the member.
func smove(tx *engine.Tx, in Args, out *resp.Reply) error {
	moved, err := tx.SetMove(in[1], in[2], in[3])
	if err != nil {
		return err
	}
	out.Int(oneIf(moved))
	return nil
}

// SCARD key
//
// Replies with the number of members, 0 without a key.
func scard(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.SetLen(in[1])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// SISMEMBER key member
//
// Replies with 1 or 0.
func sismember(tx *engine.Tx, in Args, out *resp.Reply) error {
	has, err := tx.SetHas(in[1], in[2])
	if err != nil {
		return err
	}
	out.Int(oneIf(has))
	return nil
}

// SMISMEMBER key member [member ...]
//
// Replies with an array of 1 and 0.
func smismember(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Array(len(in) - 2)
	return tx.SetHasMany(in[1], in[2:], func(has bool) { out.Int(oneIf(has)) })
}

// SMEMBERS key
//
// Replies with a set of the members.
func smembers(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.SetEach(in[1], out.Set, func(member []byte) bool {
		out.BulkString(member)
		return true
	})
}

// SPOP key [count]
//
// Replies with the member removed, or null without a key; with a count with a set of up
// to so many.
func spop(tx *engine.Tx, in Args, out *resp.Reply) error {
	switch {
	case len(in) > 3:
		return errs.Syntax
	case len(in) == 3:
		n, err := intArg(in[2])
		if err != nil || n < 0 {
			return errs.CountNegative
		}
		return tx.SetPop(in[1], n, out.Set, out.BulkString)
	}
	member, ok, err := tx.SetPopOne(in[1])
	if err != nil {
		return err
	}
	bulkOrNull(out, member, ok)
	return nil
}

func nullIfNone(out *resp.Reply, n int) {
	if n == 0 {
		out.Null()
	}
}

// SRANDMEMBER key [count]
//
// Replies with a member, or null without a key; with a count with an array of so many
// different ones at most, or, where it is negative, of exactly so many, of which some
// may be the same.
func srandmember(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in) == 2 {
		return tx.SetRandom(in[1], 1, func(n int) { nullIfNone(out, n) }, out.BulkString)
	}
	if len(in) > 3 {
		return errs.Syntax
	}
	n, err := intArg(in[2])
	switch {
	case err != nil:
		return err
	case n == math.MinInt64:
		return errs.OutOfRange(-math.MaxInt64, math.MaxInt64)
	case n >= 0:
		return tx.SetRandom(in[1], n, out.Array, out.BulkString)
	}
	from, err := tx.SetSample(in[1])
	if err != nil {
		return err
	}
	if from == nil {
		out.Array(0)
		return nil
	}
	w := sampling{left: -n, begin: (*resp.Reply).Array, next: func(out *resp.Reply) { out.BulkString(from.Next()) }}
	return w.reply(tx, out)
}

// SSCAN key cursor [MATCH pattern] [COUNT count]
//
// Replies with the cursor to go on from, "0" at the end, and an array of members.
func sscan(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := scanCursor(in[2])
	if err != nil {
		return err
	}
	walk, ok, err := tx.SetWalk(in[1])
	if err != nil {
		return err
	}
	var found keyList
	next := uint64(0)
	if ok {
		opt, err := matchAndCount(in)
		if err != nil {
			return err
		}
		next = walk.Scan(at, opt, found.add)
	}
	out.Array(2)
	out.BulkText(strconv.FormatUint(next, 10))
	out.Array(found.n)
	for range found.n {
		out.BulkString(found.next())
	}
	return nil
}

// matchAndCount reads the options of a walk over one value, from in[3] on.
func matchAndCount(in Args) (opt engine.ScanOptions, err error) {
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("MATCH"):
			opt.Match = c.arg()
		case c.word("COUNT"):
			opt.Count = countArg(&c)
		default:
			c.fail(errs.Syntax)
		}
	}
	return opt, c.err
}
