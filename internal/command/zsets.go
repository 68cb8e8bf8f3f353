package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// ZSets is the family of commands on single members of sorted sets.
var ZSets = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "ZADD", Arity: -4,
		Syntax: "key condition:[NX | XX] comparison:[GT | LT] change:[CH] increment:[INCR] data:(score:double member)...",
		Flags:  Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(log(N)) for each member, with N in the sorted set.",
		Summary: "Gives members scores in a sorted set. The key is created when absent.",
		History: [][2]string{{"2.4.0", "Several members."}, {"3.0.2", "XX, NX, CH and INCR."}, {"6.2.0", "GT and LT."}},
	}, Run: zadd},
	{Spec: Spec{
		Name: "ZINCRBY", Syntax: "key increment:integer member", Arity: 4,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(log(N)) with N members.",
		Summary: "Adds to the score of a member of a sorted set.",
	}, Run: zincrby},
	{Spec: Spec{
		Name: "ZREM", Syntax: "key member...", Arity: -3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(M*log(N)) for M of N members.",
		Summary: "Removes members from a sorted set. The key goes with the last one.",
		History: [][2]string{{"2.4.0", "Several members."}},
	}, Run: zrem},
	{Spec: Spec{
		Name: "ZCARD", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(1)",
		Summary: "Counts the members of a sorted set.",
	}, Run: zcard},
	{Spec: Spec{
		Name: "ZSCORE", Syntax: "key member", Arity: 3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(1)",
		Summary: "Returns the score of a member of a sorted set.",
	}, Run: zscore},
	{Spec: Spec{
		Name: "ZMSCORE", Syntax: "key member...", Arity: -3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "6.2.0", Complexity: "O(N) in the members asked for.",
		Summary: "Returns the scores of members of a sorted set.",
	}, Run: zmscore},
	rankEntry("ZRANK", "Returns the rank of a member of a sorted set, counted from the lowest score.", zrank),
	rankEntry("ZREVRANK", "Returns the rank of a member of a sorted set, counted from the highest score.", zrevrank),
}

func rankEntry(name, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key member [WITHSCORE]", Arity: -3,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "2.0.0", Complexity: "O(log(N))", Summary: summary,
		History: [][2]string{{"7.2.0", "WITHSCORE."}},
	}, Run: run}
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
//
// Replies with the number of new members, with CH of those that were changed too, or
// with INCR with the member's score, null where the options forbade it.
func zadd(tx *engine.Tx, in Args, out *resp.Reply) error {
	opt := engine.ZSetAddOptions{Argv: in}
	var change bool
	pairs, err := zaddOptions(in, &opt, &change)
	if err != nil {
		return err
	}
	elems := tx.Scored(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		score, ok := engine.ParseDouble(pairs[i])
		if !ok {
			return errs.NotFloat
		}
		elems = append(elems, engine.Scored{Member: pairs[i+1], Score: score})
	}
	res, err := tx.ZSetAdd(in[1], opt, elems...)
	switch {
	case err != nil:
		return err
	case opt.Incr && res.Done:
		out.Double(res.Score)
	case opt.Incr:
		out.Null()
	case change:
		out.Int(int64(res.Added + res.Updated))
	default:
		out.Int(int64(res.Added))
	}
	return nil
}

// zaddOptions reads the words of ZADD, in any order, and returns what stands behind
// them.
func zaddOptions(in Args, opt *engine.ZSetAddOptions, change *bool) (pairs Args, err error) {
	var nx, xx, gt, lt bool
	c := options(in, 2)
	for c.more() {
		switch {
		case c.word("NX"):
			nx = true
		case c.word("XX"):
			xx = true
		case c.word("CH"):
			*change = true
		case c.word("INCR"):
			opt.Incr = true
		case c.word("GT"):
			gt = true
		case c.word("LT"):
			lt = true
		default:
			pairs = in[c.at:]
			c.at = len(in)
		}
	}
	switch {
	case len(pairs) == 0 || len(pairs)%2 != 0:
		return nil, errs.Syntax
	case nx && xx:
		return nil, errs.ZAddXXNX
	case gt && nx, lt && nx, gt && lt:
		return nil, errs.ZAddGTLTNX
	case opt.Incr && len(pairs) > 2:
		return nil, errs.ZAddIncrPair
	case nx:
		opt.If = engine.IfMissing
	case xx:
		opt.If = engine.IfExists
	}
	switch {
	case gt:
		opt.Score = engine.IfGreater
	case lt:
		opt.Score = engine.IfLess
	}
	return pairs, nil
}

// ZINCRBY key increment member
//
// Replies with the new score.
func zincrby(tx *engine.Tx, in Args, out *resp.Reply) error {
	by, ok := engine.ParseDouble(in[2])
	if !ok {
		return errs.NotFloat
	}
	res, err := tx.ZSetAdd(in[1], engine.ZSetAddOptions{Incr: true, Argv: in}, engine.Scored{Member: in[3], Score: by})
	if err != nil {
		return err
	}
	out.Double(res.Score)
	return nil
}

// ZREM key member [member ...]
//
// Replies with the number of members that there were.
func zrem(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.ZSetRemove(in[1], in[2:]...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// ZCARD key
//
// Replies with the number of members, 0 without a key.
func zcard(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.ZSetLen(in[1])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// ZSCORE key member
//
// Replies with the score, or null without one.
func zscore(tx *engine.Tx, in Args, out *resp.Reply) error {
	score, ok, err := tx.ZSetScore(in[1], in[2])
	if err != nil {
		return err
	}
	doubleOrNull(out, score, ok)
	return nil
}

func doubleOrNull(out *resp.Reply, f float64, ok bool) {
	if ok {
		out.Double(f)
	} else {
		out.Null()
	}
}

// ZMSCORE key member [member ...]
//
// Replies with an array of the scores, null for each that is missing.
func zmscore(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.ZSetScores(in[1], in[2:], func(bool) { out.Array(len(in) - 2) },
		func(score float64, ok bool) { doubleOrNull(out, score, ok) })
}

// ZRANK key member [WITHSCORE]
//
// Replies with the rank, or an array of the rank and the score; null without such a
// member.
func zrank(tx *engine.Tx, in Args, out *resp.Reply) error {
	return rank(tx, in, out, "zrank", false)
}

// ZREVRANK key member [WITHSCORE]
//
// Replies as ZRANK does, with ranks from the highest score.
func zrevrank(tx *engine.Tx, in Args, out *resp.Reply) error {
	return rank(tx, in, out, "zrevrank", true)
}

func rank(tx *engine.Tx, in Args, out *resp.Reply, name string, reverse bool) error {
	if len(in) > 4 {
		return errs.WrongArity(name)
	}
	if len(in) == 4 && !isWord(in[3], "WITHSCORE") {
		return errs.Syntax
	}
	n, score, ok, err := tx.ZSetRank(in[1], in[2], reverse)
	switch {
	case err != nil:
		return err
	case !ok && len(in) == 4:
		out.NullArray()
	case !ok:
		out.Null()
	case len(in) == 4:
		out.Array(2)
		out.Int(int64(n))
		out.Double(score)
	default:
		out.Int(int64(n))
	}
	return nil
}
