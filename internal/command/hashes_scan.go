package command

import (
	"math"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// HashWalks is the family of commands that reply with some fields of a hash.
var HashWalks = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "HRANDFIELD", Syntax: "key options:[count:integer [WITHVALUES]]", Arity: -2,
		Flags: ReadOnly | Sliced, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupHash, Since: "6.2.0", Complexity: "O(N) in the fields returned.",
		Summary: "Returns fields of a hash by chance.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: hrandfield},
	{Spec: Spec{
		Name: "HSCAN", Syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]", Arity: -3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupHash, Since: "2.8.0", Complexity: "O(1) for a call, O(N) for a whole walk over N fields.",
		Summary: "Walks over the fields of a hash in steps.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: hscan},
}

// HRANDFIELD key [count [WITHVALUES]]
//
// Replies with a field's name, or null without a key; with a count with an array
// of so many different ones at most, or, where it is negative, of exactly so many,
// of which some may be the same.
func hrandfield(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in) == 2 {
		return tx.HashRandom(in[1], 1, func(n int) {
			if n == 0 {
				out.Null()
			}
		}, func(field, _ []byte) { out.BulkString(field) })
	}
	n, err := intArg(in[2])
	switch {
	case err != nil:
		return err
	case n == math.MinInt64:
		return errs.OutOfRange(-math.MaxInt64, math.MaxInt64)
	case len(in) > 4, len(in) == 4 && !isWord(in[3], "WITHVALUES"):
		return errs.Syntax
	}
	p := pairs{out: out, values: len(in) == 4}
	if p.values && (n < -math.MaxInt64/2 || n > math.MaxInt64/2) {
		return errs.ValueOutOfRange
	}
	if n >= 0 {
		return tx.HashRandom(in[1], n, p.begin, p.add)
	}
	return sampleHash(tx, in[1], -n, &p)
}

// pairs writes fields, or fields with their values.
type pairs struct {
	out    *resp.Reply
	values bool
}

func (p *pairs) begin(n int) {
	if p.values && p.out.Proto < 3 {
		n *= 2
	}
	p.out.Array(n)
}

func (p *pairs) add(field, value []byte) {
	if p.values && p.out.Proto >= 3 {
		p.out.Array(2)
	}
	p.out.BulkString(field)
	if p.values {
		p.out.BulkString(value)
	}
}

func sampleHash(tx *engine.Tx, key []byte, n int64, p *pairs) error {
	from, err := tx.HashSample(key)
	if err != nil {
		return err
	}
	if from == nil {
		p.out.Array(0)
		return nil
	}
	values := p.values
	w := sampling{
		left:  n,
		begin: func(out *resp.Reply, n int) { (&pairs{out, values}).begin(n) },
		next:  func(out *resp.Reply) { (&pairs{out, values}).add(from.Next()) },
	}
	return w.reply(tx, p.out)
}

// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
//
// Replies with the cursor to go on from, "0" at the end, and an array of fields
// and values, or with NOVALUES of fields.
func hscan(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := scanCursor(in[2])
	if err != nil {
		return err
	}
	walk, ok, err := tx.HashWalk(in[1])
	if err != nil {
		return err
	}
	var found keyList
	next := uint64(0)
	if ok {
		opt, values, err := hscanOptions(in)
		if err != nil {
			return err
		}
		next = walk.Scan(at, opt, func(field, value []byte) {
			found.add(field)
			if values {
				found.add(value)
			}
		})
	}
	out.Array(2)
	out.BulkText(strconv.FormatUint(next, 10))
	out.Array(found.n)
	for range found.n {
		out.BulkString(found.next())
	}
	return nil
}

func hscanOptions(in Args) (opt engine.ScanOptions, values bool, err error) {
	values = true
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("MATCH"):
			opt.Match = c.arg()
		case c.word("COUNT"):
			opt.Count = countArg(&c)
		case c.word("NOVALUES"):
			values = false
		default:
			c.fail(errs.Syntax)
		}
	}
	return opt, values, c.err
}
