package command

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

const (
	zrangeOptions = "sortby:[BYSCORE | BYLEX] [REV] [LIMIT offset:integer count:integer]"
	costOfRange   = "O(log(N)+M) for M of N members."
)

// ZSetRanges is the family of commands on ranges of sorted sets.
var ZSetRanges = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "ZRANGE", Syntax: "key start:string stop:string " + zrangeOptions + " [WITHSCORES]", Arity: -4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "1.2.0", Complexity: costOfRange,
		Summary: "Returns the members of a sorted set in a range of ranks, scores or members.",
		History: [][2]string{{"6.2.0", "REV, BYSCORE, BYLEX and LIMIT."}},
	}, Run: zrange},
	oldRange(Spec{
		Name: "ZREVRANGE", Syntax: "key start:integer stop:integer [WITHSCORES]", Since: "1.2.0",
		Summary:    "Returns the members of a sorted set in a range of ranks, from high to low.",
		ReplacedBy: "`ZRANGE` with the `REV` argument",
	}, zrevrange),
	oldRange(Spec{
		Name: "ZRANGEBYSCORE", Since: "1.0.5",
		Syntax:     "key min:double max:double [WITHSCORES] [LIMIT offset:integer count:integer]",
		Summary:    "Returns the members of a sorted set in a range of scores.",
		ReplacedBy: "`ZRANGE` with the `BYSCORE` argument",
		History:    [][2]string{{"2.0.0", "WITHSCORES."}},
	}, zrangebyscore),
	oldRange(Spec{
		Name: "ZREVRANGEBYSCORE", Since: "2.2.0",
		Syntax:     "key max:double min:double [WITHSCORES] [LIMIT offset:integer count:integer]",
		Summary:    "Returns the members of a sorted set in a range of scores, from high to low.",
		ReplacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
		History:    [][2]string{{"2.1.6", "Open ends."}},
	}, zrevrangebyscore),
	oldRange(Spec{
		Name: "ZRANGEBYLEX", Since: "2.8.9",
		Syntax:     "key min max [LIMIT offset:integer count:integer]",
		Summary:    "Returns the members of a sorted set between two members.",
		ReplacedBy: "`ZRANGE` with the `BYLEX` argument",
	}, zrangebylex),
	oldRange(Spec{
		Name: "ZREVRANGEBYLEX", Since: "2.8.9",
		Syntax:     "key max min [LIMIT offset:integer count:integer]",
		Summary:    "Returns the members of a sorted set between two members, from high to low.",
		ReplacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
	}, zrevrangebylex),
	{Spec: Spec{
		Name: "ZRANGESTORE", Syntax: "dst:key src:key min max " + zrangeOptions, Arity: -5,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, OW | Update}, {2, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "6.2.0", Complexity: costOfRange,
		Summary: "Stores the members of a sorted set in a range of ranks, scores or members under another key.",
	}, Run: zrangestore},
	{Spec: Spec{
		Name: "ZCOUNT", Syntax: "key min:double max:double", Arity: 4,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "2.0.0", Complexity: "O(log(N)) with N members.",
		Summary: "Counts the members of a sorted set in a range of scores.",
	}, Run: zcount},
	{Spec: Spec{
		Name: "ZLEXCOUNT", Syntax: "key min max", Arity: 4,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupSortedSet, Since: "2.8.9", Complexity: "O(log(N)) with N members.",
		Summary: "Counts the members of a sorted set between two members.",
	}, Run: zlexcount},
	removeRange("ZREMRANGEBYRANK", "key start:integer stop:integer", "2.0.0",
		"Removes the members of a sorted set in a range of ranks.", zremrangebyrank),
	removeRange("ZREMRANGEBYSCORE", "key min:double max:double", "1.2.0",
		"Removes the members of a sorted set in a range of scores.", zremrangebyscore),
	removeRange("ZREMRANGEBYLEX", "key min max", "2.8.9",
		"Removes the members of a sorted set between two members.", zremrangebylex),
}

// oldRange completes a command that ZRANGE does the work of.
func oldRange(s Spec, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	s.Arity, s.Flags, s.Keys = -4, ReadOnly, []KeySpec{{1, 0, 1, RO | Access}}
	s.Group, s.Complexity = GroupSortedSet, costOfRange
	s.DocFlags, s.DeprecatedSince = []string{"deprecated"}, "6.2.0"
	return Entry[*engine.Tx]{Spec: s, Run: run}
}

func removeRange(name, syntax, since, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: syntax, Arity: 4,
		Flags: Write, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupSortedSet, Since: since, Complexity: costOfRange, Summary: summary,
	}, Run: run}
}

// rangeWords says what of a range is said by the command itself; what is not, its
// words say.
type rangeWords struct {
	by       engine.RangeBy
	reverse  bool
	words    bool // BYSCORE, BYLEX and REV are words, each to be said once
	noScores bool // WITHSCORES is none
}

// rangeArgs reads a range: its ends at in[at] and in[at+1], and the words behind.
func rangeArgs(in Args, at int, as rangeWords) (r engine.ZSetRange, scores bool, err error) {
	r = engine.ZSetRange{By: as.by, Reverse: as.reverse, Count: -1}
	sortable, turnable := as.words, as.words
	c := options(in, at+2)
	for c.more() {
		switch {
		case !as.noScores && c.word("WITHSCORES"):
			scores = true
		case len(in)-c.at > 2 && c.word("LIMIT"):
			r.Offset, r.Count = c.int(), c.int()
		case turnable && c.word("REV"):
			r.Reverse, turnable = true, false
		case sortable && c.word("BYLEX"):
			r.By, sortable = engine.ByLex, false
		case sortable && c.word("BYSCORE"):
			r.By, sortable = engine.ByScore, false
		default:
			c.fail(errs.Syntax)
		}
	}
	switch {
	case c.err != nil:
		return r, false, c.err
	case r.By == engine.ByRank && r.Count != -1:
		return r, false, errs.ZRangeLimit
	case r.By == engine.ByLex && scores:
		return r, false, errs.ZRangeScores
	}
	low, high := in[at], in[at+1]
	if r.Reverse && r.By != engine.ByRank {
		low, high = high, low
	}
	return r, scores, rangeEnds(&r, low, high)
}

// rangeEnds reads the ends of a range.
func rangeEnds(r *engine.ZSetRange, low, high []byte) (err error) {
	switch r.By {
	case engine.ByScore:
		var ok1, ok2 bool
		r.Score.Min, r.Score.MinOpen, ok1 = scoreBound(low)
		r.Score.Max, r.Score.MaxOpen, ok2 = scoreBound(high)
		if !ok1 || !ok2 {
			return errs.RangeFloat
		}
	case engine.ByLex:
		var ok1, ok2 bool
		r.Lex.Min, ok1 = lexBound(low)
		r.Lex.Max, ok2 = lexBound(high)
		if !ok1 || !ok2 {
			return errs.RangeString
		}
	default:
		r.Offset = 0
		if r.Start, err = intArg(low); err == nil {
			r.Stop, err = intArg(high)
		}
	}
	return err
}

// scoreBound reads an end of a range of scores, "(1.5" for one that does not belong
// to it. Unlike with other numbers, nothing at all is 0, blanks may stand in front,
// and what is too large is infinite (Redis t_zset.c, zslParseRange).
func scoreBound(arg []byte) (f float64, open, ok bool) {
	if n, ok := engine.ParseInt(arg); ok {
		return float64(n), false, true
	}
	if open = len(arg) > 0 && arg[0] == '('; open {
		arg = arg[1:]
	}
	if i := bytes.IndexByte(arg, 0); i >= 0 {
		arg = arg[:i]
	}
	if len(arg) == 0 {
		return 0, open, true
	}
	arg = bytes.TrimLeft(arg, " \t\n\v\f\r")
	if f, ok = engine.ParseDouble(arg); ok {
		return f, open, true
	}
	f, err := strconv.ParseFloat(string(arg), 64) // the range apart, as ParseDouble
	text := strings.ToLower(string(arg))
	if strings.ContainsAny(text, "_n") || math.IsNaN(f) {
		return 0, open, false
	}
	if strings.Contains(text, "x") && !strings.Contains(text, "p") {
		f, err = strconv.ParseFloat(text+"p0", 64)
	}
	return f, open, err == nil || math.IsInf(f, 0)
}

// lexBound reads an end of a range of members: "[a", "(a" for one that does not
// belong to it, "-" or "+".
func lexBound(arg []byte) (b engine.LexBound, ok bool) {
	if len(arg) == 0 {
		return b, false
	}
	switch arg[0] {
	case '-', '+':
		b.Inf = 1
		if arg[0] == '-' {
			b.Inf = -1
		}
		return b, len(arg) == 1 || arg[1] == 0
	case '(', '[':
		b.Member, b.Open = arg[1:], arg[0] == '('
		return b, true
	}
	return b, false
}

// scoredReply replies with members, and their scores if these are asked for: one
// behind the other or, on RESP3, in pairs.
type scoredReply struct {
	out    *resp.Reply
	scores bool
}

func (r *scoredReply) begin(n int) {
	if r.scores && r.out.Proto < 3 {
		n *= 2
	}
	r.out.Array(n)
}

func (r *scoredReply) add(member []byte, score float64) bool {
	if r.scores && r.out.Proto > 2 {
		r.out.Array(2)
	}
	r.out.BulkString(member)
	if r.scores {
		r.out.Double(score)
	}
	return true
}

func replyRange(tx *engine.Tx, in Args, out *resp.Reply, as rangeWords) error {
	r, scores, err := rangeArgs(in, 2, as)
	if err != nil {
		return err
	}
	reply := scoredReply{out, scores}
	return tx.ZSetRange(in[1], &r, reply.begin, reply.add)
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
//
// Replies with an array of members, with WITHSCORES with their scores.
func zrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{words: true})
}

// ZREVRANGE key start stop [WITHSCORES]
func zrevrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{reverse: true})
}

// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
func zrangebyscore(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{by: engine.ByScore})
}

// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
func zrevrangebyscore(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{by: engine.ByScore, reverse: true})
}

// ZRANGEBYLEX key min max [LIMIT offset count]
func zrangebylex(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{by: engine.ByLex})
}

// ZREVRANGEBYLEX key max min [LIMIT offset count]
func zrevrangebylex(tx *engine.Tx, in Args, out *resp.Reply) error {
	return replyRange(tx, in, out, rangeWords{by: engine.ByLex, reverse: true})
}

// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
//
// Replies with the number of members stored.
func zrangestore(tx *engine.Tx, in Args, out *resp.Reply) error {
	r, _, err := rangeArgs(in, 3, rangeWords{words: true, noScores: true})
	if err != nil {
		return err
	}
	n, err := tx.ZSetRangeStore(in[1], in[2], &r, in...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// ZCOUNT key min max
//
// Replies with a number.
func zcount(tx *engine.Tx, in Args, out *resp.Reply) error {
	return countRange(tx, in, out, engine.ByScore)
}

// ZLEXCOUNT key min max
//
// Replies with a number.
func zlexcount(tx *engine.Tx, in Args, out *resp.Reply) error {
	return countRange(tx, in, out, engine.ByLex)
}

func countRange(tx *engine.Tx, in Args, out *resp.Reply, by engine.RangeBy) error {
	r := engine.ZSetRange{By: by, Count: -1}
	if err := rangeEnds(&r, in[2], in[3]); err != nil {
		return err
	}
	n, err := tx.ZSetCount(in[1], &r)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// ZREMRANGEBYRANK key start stop
//
// Replies with the number of members removed.
func zremrangebyrank(tx *engine.Tx, in Args, out *resp.Reply) error {
	return cutRange(tx, in, out, engine.ByRank)
}

// ZREMRANGEBYSCORE key min max
//
// Replies with the number of members removed.
func zremrangebyscore(tx *engine.Tx, in Args, out *resp.Reply) error {
	return cutRange(tx, in, out, engine.ByScore)
}

// ZREMRANGEBYLEX key min max
//
// Replies with the number of members removed.
func zremrangebylex(tx *engine.Tx, in Args, out *resp.Reply) error {
	return cutRange(tx, in, out, engine.ByLex)
}

func cutRange(tx *engine.Tx, in Args, out *resp.Reply, by engine.RangeBy) error {
	r := engine.ZSetRange{By: by, Count: -1}
	if err := rangeEnds(&r, in[2], in[3]); err != nil {
		return err
	}
	n, err := tx.ZSetRemoveRange(in[1], &r, in...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}
