package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

const (
	weightsAndAggregate = " [WEIGHTS weight:integer...] aggregate:[AGGREGATE <SUM | MIN | MAX>]"
	costOfUnion         = "O(N)+O(M*log(M)) with N members in all inputs and M in the result."
	costOfInter         = "O(N*K)+O(M*log(M)) with N members in the smallest of K inputs and M in the result."
	costOfDiff          = "O(L)+O(M*log(M)) with L members in all inputs and M in the result."
)

// ZSetAlgebra is the family of commands that make a sorted set of several.
var ZSetAlgebra = []Entry[*engine.Tx]{
	algebra("ZUNION", weightsAndAggregate+" [WITHSCORES]", "6.2.0", costOfUnion,
		"Returns the members of any of several sorted sets.", zunion),
	algebra("ZINTER", weightsAndAggregate+" [WITHSCORES]", "6.2.0", costOfInter,
		"Returns the members of all of several sorted sets.", zinter),
	algebra("ZDIFF", " [WITHSCORES]", "6.2.0", costOfDiff,
		"Returns the members of a sorted set that others do not have.", zdiff),
	algebra("ZINTERCARD", " [LIMIT limit:integer]", "7.0.0", "O(N*K) with N members in the smallest of K inputs.",
		"Counts the members of all of several sorted sets.", zintercard),
	algebraStore("ZUNIONSTORE", weightsAndAggregate, "2.0.0", costOfUnion,
		"Stores the members of any of several sorted sets under a key.", zunionstore),
	algebraStore("ZINTERSTORE", weightsAndAggregate, "2.0.0", costOfInter,
		"Stores the members of all of several sorted sets under a key.", zinterstore),
	algebraStore("ZDIFFSTORE", "", "6.2.0", costOfDiff,
		"Stores the members of a sorted set that others do not have under a key.", zdiffstore),
}

func algebra(name, options, since, cost, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "numkeys:integer key..." + options, Arity: -3,
		Flags: ReadOnly, Searches: []KeySearch{{Begin: 1, Counted: true, Flags: RO | Access}},
		Group: GroupSortedSet, Since: since, Complexity: cost, Summary: summary,
	}, Run: run}
}

func algebraStore(name, options, since, cost, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "destination:key numkeys:integer key..." + options, Arity: -4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, OW | Update}},
		Searches: []KeySearch{{Begin: 2, Counted: true, Flags: RO | Access}},
		Group:    GroupSortedSet, Since: since, Complexity: cost, Summary: summary,
	}, Run: run}
}

// zinputs is what a command of the family reads.
type zinputs struct {
	*engine.ZSetInputs
	how    engine.Aggregate
	scores bool
	limit  int64
}

// zinputWords says which options a command of the family takes.
type zinputWords struct{ weights, scores, limit bool }

// zinputArgs reads the number of inputs at in[at], the inputs behind, and the options.
func zinputArgs(tx *engine.Tx, in Args, at int, name string, words zinputWords) (z zinputs, err error) {
	n, err := intArg(in[at])
	switch {
	case err != nil:
		return z, err
	case n < 1:
		return z, errs.NoInputKey(name)
	case n > int64(len(in)-at-1):
		return z, errs.Syntax
	}
	keys := in[at+1 : at+1+int(n)]
	if z.ZSetInputs, err = tx.ZSetInputs(keys); err != nil {
		return z, err
	}
	c := options(in, at+1+int(n))
	for c.more() {
		switch {
		case words.weights && len(in)-c.at > len(keys) && c.word("WEIGHTS"):
			z.weigh(&c, len(keys))
		case words.weights && len(in)-c.at > 1 && c.word("AGGREGATE"):
			z.aggregate(&c)
		case words.scores && c.word("WITHSCORES"):
			z.scores = true
		case words.limit && len(in)-c.at > 1 && c.word("LIMIT"):
			if z.limit, err = intArg(c.arg()); err != nil || z.limit < 0 {
				c.fail(errs.LimitNegative)
			}
		default:
			c.fail(errs.Syntax)
		}
	}
	return z, c.err
}

func (z *zinputs) weigh(c *cursor, n int) {
	weights := make([]float64, n)
	for i := range weights {
		var ok bool
		if weights[i], ok = engine.ParseDouble(c.arg()); !ok {
			c.fail(errs.WeightFloat)
			return
		}
	}
	z.Weigh(weights)
}

func (z *zinputs) aggregate(c *cursor) {
	switch {
	case c.word("SUM"):
		z.how = engine.Sum
	case c.word("MIN"):
		z.how = engine.Min
	case c.word("MAX"):
		z.how = engine.Max
	default:
		c.fail(errs.Syntax)
	}
}

// replyScored replies with what was made of the inputs.
func (z *zinputs) replyScored(out *resp.Reply, rows []engine.Scored) {
	reply := scoredReply{out, z.scores}
	reply.begin(len(rows))
	for _, x := range rows {
		reply.add(x.Member, x.Score)
	}
}

// ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]
//
// Replies with an array of members, with WITHSCORES with their scores.
func zunion(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 1, "zunion", zinputWords{weights: true, scores: true})
	if err != nil {
		return err
	}
	z.replyScored(out, z.Union(z.how))
	return nil
}

// ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]
//
// Replies with an array of members, with WITHSCORES with their scores.
func zinter(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 1, "zinter", zinputWords{weights: true, scores: true})
	if err != nil {
		return err
	}
	z.replyScored(out, z.Inter(z.how))
	return nil
}

// ZDIFF numkeys key [key ...] [WITHSCORES]
//
// Replies with an array of members, with WITHSCORES with their scores.
func zdiff(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 1, "zdiff", zinputWords{scores: true})
	if err != nil {
		return err
	}
	z.replyScored(out, z.Diff())
	return nil
}

// ZINTERCARD numkeys key [key ...] [LIMIT limit]
//
// Replies with a number.
func zintercard(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 1, "zintercard", zinputWords{limit: true})
	if err != nil {
		return err
	}
	out.Int(z.InterLen(z.limit))
	return nil
}

// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]
//
// Replies with the number of members stored.
func zunionstore(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 2, "zunionstore", zinputWords{weights: true})
	if err != nil {
		return err
	}
	return storeScored(tx, in, out, z.Union(z.how), "zunionstore")
}

// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]
//
// Replies with the number of members stored.
func zinterstore(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 2, "zinterstore", zinputWords{weights: true})
	if err != nil {
		return err
	}
	return storeScored(tx, in, out, z.Inter(z.how), "zinterstore")
}

// ZDIFFSTORE destination numkeys key [key ...]
//
// Replies with the number of members stored.
func zdiffstore(tx *engine.Tx, in Args, out *resp.Reply) error {
	z, err := zinputArgs(tx, in, 2, "zdiffstore", zinputWords{})
	if err != nil {
		return err
	}
	return storeScored(tx, in, out, z.Diff(), "zdiffstore")
}

func storeScored(tx *engine.Tx, in Args, out *resp.Reply, rows []engine.Scored, event string) error {
	n := len(rows)
	tx.ZSetStore(in[1], rows, event, 1, in...)
	out.Int(int64(n))
	return nil
}
