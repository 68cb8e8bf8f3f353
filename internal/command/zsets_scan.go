package command

import (
	"math"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// ZSetWalks is the family of commands that reply with some members of a sorted set.
var ZSetWalks = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "ZRANDMEMBER", Syntax: "key options:[count:integer [WITHSCORES]]", Arity: -2,
		Flags: ReadOnly | Sliced, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "6.2.0", Complexity: "O(N) in the members returned.",
		Summary: "Returns members of a sorted set by chance.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: zrandmember},
	{Spec: Spec{
		Name: "ZSCAN", Syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]", Arity: -3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "2.8.0", Complexity: "O(1) for a call, O(N) for a whole walk over N members.",
		Summary: "Walks over the members of a sorted set in steps.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: zscan},
}

// ZRANDMEMBER key [count [WITHSCORES]]
//
// Replies with a member, or null without a key; with a count with an array of so many
// different ones at most, or, where it is negative, of exactly so many, of which some
// may be the same.
func zrandmember(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in) == 2 {
		return tx.ZSetRandom(in[1], 1, func(n int) {
			if n == 0 {
				out.Null()
			}
		}, func(member []byte, _ float64) { out.BulkString(member) })
	}
	n, err := intArg(in[2])
	switch {
	case err != nil:
		return err
	case n == math.MinInt64:
		return errs.OutOfRange(-math.MaxInt64, math.MaxInt64)
	case len(in) > 4, len(in) == 4 && !isWord(in[3], "WITHSCORES"):
		return errs.Syntax
	}
	reply := scoredReply{out, len(in) == 4}
	if reply.scores && (n < -math.MaxInt64/2 || n > math.MaxInt64/2) {
		return errs.CountOutOfRange
	}
	if n >= 0 {
		return tx.ZSetRandom(in[1], n, reply.begin, func(member []byte, score float64) { reply.add(member, score) })
	}
	return sampleZSet(tx, in[1], -n, reply)
}

// sampleZSet replies with n members by chance.
func sampleZSet(tx *engine.Tx, key []byte, n int64, reply scoredReply) error {
	from, err := tx.ZSetSample(key)
	if err != nil {
		return err
	}
	if from == nil {
		reply.out.Array(0)
		return nil
	}
	w := sampling{
		left:  n,
		begin: func(out *resp.Reply, n int) { (&scoredReply{out, reply.scores}).begin(n) },
		next:  func(out *resp.Reply) { (&scoredReply{out, reply.scores}).add(from.Next()) },
	}
	return w.reply(tx, reply.out)
}

// ZSCAN key cursor [MATCH pattern] [COUNT count]
//
// Replies with the cursor to go on from, "0" at the end, and an array of members and
// scores. These are strings, and those of a large sorted set have 17 digits (Redis
// db.c, scanCallback).
func zscan(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := scanCursor(in[2])
	if err != nil {
		return err
	}
	walk, ok, err := tx.ZSetWalk(in[1])
	if err != nil {
		return err
	}
	if !ok {
		out.Array(2)
		out.BulkText("0")
		out.Array(0)
		return nil
	}
	opt, err := matchAndCount(in)
	if err != nil {
		return err
	}
	replyScan(&walk, at, opt, out)
	return nil
}

func replyScan(walk *engine.ZSetWalk, at uint64, opt engine.ScanOptions, out *resp.Reply) {
	var found keyList
	var scores []float64
	next := walk.Scan(at, opt, func(member []byte, score float64) {
		found.add(member)
		scores = append(scores, score)
	})
	out.Array(2)
	out.BulkText(strconv.FormatUint(next, 10))
	out.Array(2 * found.n)
	var buf [40]byte
	for _, score := range scores {
		out.BulkString(found.next())
		out.BulkString(scanScore(buf[:0], score, walk.Encoding()))
	}
}

func scanScore(dst []byte, score float64, enc engine.Encoding) []byte {
	if enc == engine.EncListpack || math.IsInf(score, 0) {
		return resp.AppendDouble(dst, score)
	}
	return strconv.AppendFloat(dst, score, 'g', 17, 64)
}
