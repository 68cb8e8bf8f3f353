package command

import (
	"cmp"
	"errors"
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Lists is the family of commands on lists.
var Lists = []Entry[*engine.Tx]{
	pushEntry("LPUSH", "1.0.0", "2.4.0", "Adds elements in front of a list. The key is created when absent.", engine.Head, false),
	pushEntry("RPUSH", "1.0.0", "2.4.0", "Adds elements to the end of a list. The key is created when absent.", engine.Tail, false),
	pushEntry("LPUSHX", "2.2.0", "4.0.0", "Adds elements in front of a list, if there is one.", engine.Head, true),
	pushEntry("RPUSHX", "2.2.0", "4.0.0", "Adds elements to the end of a list, if there is one.", engine.Tail, true),
	{Spec: Spec{
		Name: "LLEN", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells how many elements a list has.",
	}, Run: llen},
	{Spec: Spec{
		Name: "LINDEX", Syntax: "key index:integer", Arity: 3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(N) in the distance to the nearer end.",
		Summary: "Returns the element at an index of a list.",
	}, Run: lindex},
	{Spec: Spec{
		Name: "LRANGE", Syntax: "key start:integer stop:integer", Arity: 4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(S+N) for N elements in a distance S to the nearer end.",
		Summary: "Returns the elements in a range of a list.",
	}, Run: lrange},
	{Spec: Spec{
		Name: "LPOS", Syntax: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]", Arity: -3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupList, Since: "6.0.6", Complexity: "O(N) in the elements looked at.",
		Summary: "Tells where in a list an element is.",
	}, Run: lpos},
	{Spec: Spec{
		Name: "LSET", Syntax: "key index:integer element", Arity: 4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(N) in the distance to the nearer end.",
		Summary: "Replaces the element at an index of a list.",
	}, Run: lset},
	{Spec: Spec{
		Name: "LINSERT", Syntax: "key where:<BEFORE | AFTER> pivot element", Arity: 5,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupList, Since: "2.2.0", Complexity: "O(N) in the elements in front of the pivot.",
		Summary: "Adds an element before or behind another one of a list.",
	}, Run: linsert},
	{Spec: Spec{
		Name: "LREM", Syntax: "key count:integer element", Arity: 4,
		Flags: Write, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(N) in the elements.",
		Summary: "Removes equal elements from a list.",
	}, Run: lrem},
	{Spec: Spec{
		Name: "LTRIM", Syntax: "key start:integer stop:integer", Arity: 4,
		Flags: Write, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(N) in the elements removed.",
		Summary: "Removes all elements of a list but those in a range.",
	}, Run: ltrim},
}

func pushEntry(name, since, several, summary string, end engine.ListEnd, onlyExisting bool) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key element...", Arity: -3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupList, Since: since, Complexity: "O(1) an element.", Summary: summary,
		History: [][2]string{{several, "Several elements at once."}},
	}, Run: func(tx *engine.Tx, in Args, out *resp.Reply) error {
		n, err := tx.ListPush(in[1], end, onlyExisting, in[2:]...)
		if err != nil {
			return err
		}
		out.Int(int64(n))
		return nil
	}}
}

// LLEN key
//
// Replies with the number of elements, 0 without a key.
func llen(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.ListLen(in[1])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// LINDEX key index
//
// Replies with the element, or null without one.
func lindex(tx *engine.Tx, in Args, out *resp.Reply) error {
	index, err := intArg(in[2])
	if err != nil {
		n, wrongType := tx.ListLen(in[1])
		if n == 0 && wrongType == nil {
			out.Null()
			return nil
		}
		return cmp.Or(wrongType, err)
	}
	elem, ok, err := tx.ListIndex(in[1], index)
	if err != nil {
		return err
	}
	bulkOrNull(out, elem, ok)
	return nil
}

// LRANGE key start stop
//
// Replies with an array of the elements.
func lrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	start, err := intArg(in[2])
	if err != nil {
		return err
	}
	stop, err := intArg(in[3])
	if err != nil {
		return err
	}
	return tx.ListRange(in[1], start, stop, out.Array, func(elem []byte) bool {
		out.BulkString(elem)
		return true
	})
}

// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
//
// Replies with an index, or null when there is none; with COUNT with an array of them.
func lpos(tx *engine.Tx, in Args, out *resp.Reply) error {
	opt := engine.ListPosOptions{Rank: 1, Count: 1}
	many := false
	c := options(in, 3)
	for c.more() {
		c.check(len(in)-c.at > 1)
		switch {
		case c.word("RANK"):
			opt.Rank = rankArg(&c)
		case c.word("COUNT"):
			many = true
			opt.Count = notNegative(&c, errs.ListCountNegative)
		case c.word("MAXLEN"):
			opt.MaxLen = notNegative(&c, errs.ListMaxLenNegative)
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	var found []int
	if err := tx.ListPos(in[1], in[2], opt, func(index int) { found = append(found, index) }); err != nil {
		return err
	}
	switch {
	case many:
		out.Array(len(found))
		for _, index := range found {
			out.Int(int64(index))
		}
	case len(found) == 0:
		out.Null()
	default:
		out.Int(int64(found[0]))
	}
	return nil
}

// rankArg takes the next argument as the RANK of LPOS.
func rankArg(c *cursor) int64 {
	rank := c.int()
	switch rank {
	case math.MinInt64:
		c.fail(errs.OutOfRange(-math.MaxInt64, math.MaxInt64))
	case 0:
		c.fail(errs.ListRankZero)
	}
	return rank
}

// notNegative takes the next argument as an integer that is not negative.
func notNegative(c *cursor, otherwise error) int64 {
	n, err := intArg(c.arg())
	if err != nil || n < 0 {
		c.fail(otherwise)
	}
	return n
}

// LSET key index element
func lset(tx *engine.Tx, in Args, out *resp.Reply) error {
	index, notInteger := intArg(in[2])
	if notInteger != nil {
		index = math.MinInt64 // outside, which is found out after what is wrong with the key
	}
	err := tx.ListSet(in[1], index, in[3])
	switch {
	case notInteger != nil && errors.Is(err, errs.IndexOutOfRange):
		return notInteger
	case err != nil:
		return err
	}
	out.Status("OK")
	return nil
}

// LINSERT key BEFORE|AFTER pivot element
//
// Replies with the number of elements, 0 without a key, -1 without the pivot.
func linsert(tx *engine.Tx, in Args, out *resp.Reply) error {
	after := isWord(in[2], "AFTER")
	if !after && !isWord(in[2], "BEFORE") {
		return errs.Syntax
	}
	n, err := tx.ListInsert(in[1], after, in[3], in[4])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// LREM key count element
//
// Replies with the number of elements removed.
func lrem(tx *engine.Tx, in Args, out *resp.Reply) error {
	count, err := intArg(in[2])
	if err != nil {
		return err
	}
	n, err := tx.ListRemove(in[1], count, in[3])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// LTRIM key start stop
func ltrim(tx *engine.Tx, in Args, out *resp.Reply) error {
	start, err := intArg(in[2])
	if err != nil {
		return err
	}
	stop, err := intArg(in[3])
	if err != nil {
		return err
	}
	if err := tx.ListTrim(in[1], start, stop); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}
