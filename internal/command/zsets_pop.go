package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// ZSetPops is the family of commands that take members off an end of a sorted set.
var ZSetPops = []Entry[*engine.Tx]{
	popEntry("ZPOPMIN", "Removes and returns the members with the lowest scores of a sorted set.", zpopmin),
	popEntry("ZPOPMAX", "Removes and returns the members with the highest scores of a sorted set.", zpopmax),
	{Spec: Spec{
		Name: "ZMPOP", Syntax: "numkeys:integer key... where:<MIN | MAX> [COUNT count:integer]", Arity: -4,
		Flags: Write, Searches: []KeySearch{{Begin: 1, Counted: true, Flags: RW | Access | Delete}},
		Group: GroupSortedSet, Since: "7.0.0", Complexity: "O(K)+O(M*log(N)) for M of the N members of one of K keys.",
		Summary: "Removes and returns members from an end of the first sorted set that there is.",
	}, Run: zmpop},
	blockingPopEntry("BZPOPMIN", "Removes and returns the member with the lowest score of the first sorted set that there is, or waits for one.", bzpopmin),
	blockingPopEntry("BZPOPMAX", "Removes and returns the member with the highest score of the first sorted set that there is, or waits for one.", bzpopmax),
	{Spec: Spec{
		Name: "BZMPOP", Syntax: "timeout:double numkeys:integer key... where:<MIN | MAX> [COUNT count:integer]", Arity: -5,
		Flags: Write | Blocking, Searches: []KeySearch{{Begin: 2, Counted: true, Flags: RW | Access | Delete}},
		Group: GroupSortedSet, Since: "7.0.0", Complexity: "O(K)+O(M*log(N)) for M of the N members of one of K keys.",
		Summary: "Removes and returns members from an end of the first sorted set that there is, or waits for one.",
	}, Run: bzmpop},
}

func blockingPopEntry(name, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key... timeout:double", Arity: -3,
		Flags: Write | NoScript | Blocking | Fast, Keys: []KeySpec{{1, -2, 1, RW | Access | Delete}},
		Group: GroupSortedSet, Since: "5.0.0", Complexity: "O(log(N)) with N members.", Summary: summary,
		History: [][2]string{{"6.0.0", "Parts of a second in `timeout`."}},
	}, Run: run}
}

func popEntry(name, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key [count:integer]", Arity: -2,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}},
		Group: GroupSortedSet, Since: "5.0.0", Complexity: "O(log(N)*M) for M of N members.", Summary: summary,
	}, Run: run}
}

// ZPOPMIN key [count]
//
// Replies with an array of members and scores, on RESP3 with a count of pairs.
func zpopmin(tx *engine.Tx, in Args, out *resp.Reply) error { return zpop(tx, in, out, engine.Lowest) }

// ZPOPMAX key [count]
//
// Replies as ZPOPMIN does.
func zpopmax(tx *engine.Tx, in Args, out *resp.Reply) error { return zpop(tx, in, out, engine.Highest) }

func zpop(tx *engine.Tx, in Args, out *resp.Reply, end engine.ZSetEnd) error {
	switch {
	case len(in) > 3:
		return errs.Syntax
	case len(in) == 3:
		n, err := intArg(in[2])
		if err != nil || n < 0 {
			return errs.CountNegative
		}
		reply := scoredReply{out, true}
		return tx.ZSetPop(in[1], end, n, reply.begin, reply.add)
	}
	return tx.ZSetPop(in[1], end, 1, func(n int) { out.Array(2 * n) }, func(member []byte, score float64) bool {
		out.BulkString(member)
		out.Double(score)
		return true
	})
}

// popOf says what ZMPOP and its kin take, and from where.
type popOf struct {
	keys  [][]byte
	end   engine.ZSetEnd
	count int64
}

// popArgs reads the number of keys at in[at], the keys behind, the end and the count.
func popArgs(in Args, at int) (p popOf, err error) {
	p.keys, p.count, err = mpopArgs(in, at, func(c *cursor) {
		switch {
		case c.word("MIN"):
			p.end = engine.Lowest
		case c.word("MAX"):
			p.end = engine.Highest
		default:
			c.fail(errs.Syntax)
		}
	})
	return p, err
}

// mpopArgs reads the number of keys at in[at], the keys behind, which end is meant, and
// the count, 1 when none is given.
func mpopArgs(in Args, at int, end func(c *cursor)) (keys [][]byte, count int64, err error) {
	n, err := intArg(in[at])
	switch {
	case err != nil || n < 1:
		return nil, 0, errs.NumKeysPositive
	case n >= int64(len(in)-at-1):
		return nil, 0, errs.Syntax
	}
	c := options(in, at+1+int(n))
	end(&c)
	for c.more() {
		c.check(count == 0 && len(in)-c.at > 1 && c.word("COUNT"))
		if c.err == nil {
			if count, err = intArg(c.arg()); err != nil || count < 1 {
				c.fail(errs.CountPositive)
			}
		}
	}
	return in[at+1 : at+1+int(n)], max(count, 1), c.err
}

// pop takes members off the first of the keys that has some, and replies with the key
// and an array of pairs; not done when none has.
func (p *popOf) pop(tx *engine.Tx, out *resp.Reply) (done bool, err error) {
	for _, key := range p.keys {
		err := tx.ZSetPop(key, p.end, p.count, func(n int) {
			if done = n > 0; done {
				out.Array(2)
				out.BulkString(key)
				out.Array(n)
			}
		}, func(member []byte, score float64) bool {
			out.Array(2)
			out.BulkString(member)
			out.Double(score)
			return true
		})
		if done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]
//
// Replies with an array of a key and of pairs of member and score, or null when no
// key has a member.
func zmpop(tx *engine.Tx, in Args, out *resp.Reply) error {
	p, err := popArgs(in, 1)
	if err != nil {
		return err
	}
	done, err := p.pop(tx, out)
	if err == nil && !done {
		out.NullArray()
	}
	return err
}

// BZPOPMIN key [key ...] timeout
//
// Replies with an array of a key, a member and its score, or null when time is up.
func bzpopmin(tx *engine.Tx, in Args, out *resp.Reply) error {
	return bzpop(tx, in, out, engine.Lowest)
}

// BZPOPMAX key [key ...] timeout
//
// Replies as BZPOPMIN does.
func bzpopmax(tx *engine.Tx, in Args, out *resp.Reply) error {
	return bzpop(tx, in, out, engine.Highest)
}

func bzpop(tx *engine.Tx, in Args, out *resp.Reply, end engine.ZSetEnd) error {
	keys, timeout := in[1:len(in)-1], in[len(in)-1]
	deadline, err := TimeoutSeconds(timeout, tx.Now())
	if err != nil {
		return err
	}
	for _, key := range keys {
		done := false
		err := tx.ZSetPop(key, end, 1, func(n int) {
			if done = n > 0; done {
				out.Array(3)
				out.BulkString(key)
			}
		}, func(member []byte, score float64) bool {
			out.BulkString(member)
			out.Double(score)
			return true
		})
		if done || err != nil {
			return err
		}
	}
	return waitForZSet(keys, deadline)
}

func waitForZSet(keys [][]byte, deadline engine.UnixMilli) *Wait {
	return &Wait{Keys: keys, Type: engine.TZSet, Deadline: deadline, OnTimeout: (*resp.Reply).NullArray}
}

// BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]
//
// Replies as ZMPOP does, with null when time is up.
func bzmpop(tx *engine.Tx, in Args, out *resp.Reply) error {
	p, err := popArgs(in, 2)
	if err != nil {
		return err
	}
	deadline, err := TimeoutSeconds(in[1], tx.Now())
	if err != nil {
		return err
	}
	done, err := p.pop(tx, out)
	if done || err != nil {
		return err
	}
	return waitForZSet(p.keys, deadline)
}
