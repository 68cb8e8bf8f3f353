package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// trimSyntax is how XADD and XTRIM say what is to go.
const trimSyntax = "strategy:<MAXLEN | MINID> operator:[equal:token== | approximately:token=~] threshold [LIMIT count:integer]"

// Streams is the family of commands on entries of streams.
var Streams = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "XADD", Arity: -5,
		Syntax: "key [NOMKSTREAM] trim:[" + trimSyntax + "] id-selector:<auto-id:token=* | id> (field value)...",
		Flags:  Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(1), and O(N) in the entries that are trimmed.",
		Summary: "Appends an entry to a stream. The key is created when absent.",
		Tips:    []string{"nondeterministic_output"},
		History: [][2]string{
			{"6.2.0", "NOMKSTREAM, MINID and LIMIT."},
			{"7.0.0", "IDs of the form ms-*."},
		},
	}, Run: xadd},
	{Spec: Spec{
		Name: "XTRIM", Syntax: "key trim:(" + trimSyntax + ")", Arity: -4,
		Flags: Write, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(N) in the entries that go, which is little for those that go as whole nodes.",
		Summary: "Takes the first entries of a stream away.",
		Tips:    []string{"nondeterministic_output"},
		History: [][2]string{{"6.2.0", "MINID and LIMIT."}},
	}, Run: xtrim},
	{Spec: Spec{
		Name: "XDEL", Syntax: "key id...", Arity: -3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N) for each entry.",
		Summary: "Deletes entries of a stream.",
	}, Run: xdel},
	{Spec: Spec{
		Name: "XLEN", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
		Summary: "Returns the number of entries of a stream.",
	}, Run: xlen},
	{Spec: Spec{
		Name: "XRANGE", Syntax: "key start end [COUNT count:integer]", Arity: -4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N + M) with M entries returned.",
		Summary: "Returns the entries of a stream between two IDs.",
		History: [][2]string{{"6.2.0", "Excluded ends."}},
	}, Run: xrange},
	{Spec: Spec{
		Name: "XREVRANGE", Syntax: "key end start [COUNT count:integer]", Arity: -4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N + M) with M entries returned.",
		Summary: "Returns the entries of a stream between two IDs, the last one first.",
		History: [][2]string{{"6.2.0", "Excluded ends."}},
	}, Run: xrevrange},
	{Spec: Spec{
		Name: "XSETID", Syntax: "key last-id [ENTRIESADDED entries-added:integer] [MAXDELETEDID max-deleted-id]", Arity: -3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
		Summary: "Sets what a stream knows of its past, for replication.",
		History: [][2]string{{"7.0.0", "ENTRIESADDED and MAXDELETEDID."}},
	}, Run: xsetid},
}

// XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]
//
// Replies with the entry's ID, or null when NOMKSTREAM forbids to make a key.
func xadd(tx *engine.Tx, in Args, out *resp.Reply) error {
	var opt engine.StreamAddOptions
	c := options(in, 2)
	t := trimArgs{cursor: &c}
	for found := false; c.more() && !found; {
		switch {
		case c.at+1 < len(in) && t.option():
		case c.word("NOMKSTREAM"):
			opt.NoCreate = true
		default:
			opt.ID, opt.Auto = addID(&c)
			found = true
		}
	}
	opt.Trim = t.options(false)
	if c.err != nil {
		return c.err
	}
	pairs := in[c.at:]
	if len(pairs) < 2 || len(pairs)%2 == 1 {
		return errs.WrongArity("xadd")
	}
	id, ok, err := tx.StreamAdd(in[1], opt, pairs...)
	switch {
	case err != nil:
		return err
	case !ok:
		out.Null()
	default:
		writeID(out, id)
	}
	return nil
}

// addID takes the name of a new entry.
func addID(c *cursor) (id engine.StreamID, auto engine.AutoID) {
	arg := c.arg()
	switch string(cString(arg)) {
	case "*":
		return id, engine.AutoAll
	case "-", "+":
		c.fail(errs.StreamID)
		return id, engine.AutoNone
	}
	id, isAuto, err := streamIDOrAuto(arg, 0)
	c.fail(err)
	if isAuto {
		return id, engine.AutoSeq
	}
	return id, engine.AutoNone
}

// trimArgs reads what XADD and XTRIM are to take away.
type trimArgs struct {
	*cursor
	opt     engine.StreamTrimOptions
	limited bool
}

// option takes one of the options if there is one, and more behind it.
func (t *trimArgs) option() bool {
	switch {
	case t.word("MAXLEN"):
		t.begin(engine.TrimByLength)
		t.opt.MaxLen = t.int()
		if t.err == nil && t.opt.MaxLen < 0 {
			t.fail(errs.StreamMaxLen)
		}
	case t.word("MINID"):
		t.begin(engine.TrimByID)
		if arg := t.arg(); t.err == nil {
			var err error
			t.opt.MinID, err = streamID(arg, 0)
			t.fail(err)
		}
	case t.word("LIMIT"):
		t.opt.Limit, t.limited = t.int(), true
		if t.err == nil && t.opt.Limit < 0 {
			t.fail(errs.StreamLimit)
		}
	default:
		return false
	}
	return true
}

// begin reads what stands behind the strategy's word, in front of its threshold.
func (t *trimArgs) begin(by engine.TrimBy) {
	if t.opt.By != engine.TrimNothing {
		t.fail(errs.StreamTwoTrims)
		return
	}
	t.opt.By = by
	if t.at+1 < len(t.in) && !t.word("=") {
		t.opt.Approximate = t.word("~")
	}
}

// options is what was read, after all of it was; required says that something must
// be taken away.
func (t *trimArgs) options(required bool) engine.StreamTrimOptions {
	switch {
	case t.opt.Limit > 0 && t.opt.By == engine.TrimNothing:
		t.fail(errs.StreamLimitAlone)
	case required && t.opt.By == engine.TrimNothing:
		t.fail(errs.StreamTrimByNothing)
	case t.limited && !t.opt.Approximate:
		t.fail(errs.StreamLimitExact)
	case !t.limited:
		t.opt.Limit = -1
	}
	return t.opt
}

// XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]
//
// Replies with the number of entries that went.
func xtrim(tx *engine.Tx, in Args, out *resp.Reply) error {
	c := options(in, 2)
	t := trimArgs{cursor: &c}
	for c.more() {
		c.check(c.at+1 < len(in) && t.option())
	}
	opt := t.options(true)
	if c.err != nil {
		return c.err
	}
	n, err := tx.StreamTrim(in[1], opt)
	if err != nil {
		return err
	}
	out.Int(n)
	return nil
}

// XDEL key id [id ...]
//
// Replies with the number of entries deleted.
func xdel(tx *engine.Tx, in Args, out *resp.Reply) error {
	found, err := tx.StreamToChange(in[1])
	if err != nil {
		return err
	}
	if !found {
		out.Int(0)
		return nil
	}
	ids, err := streamIDs(in[2:])
	if err != nil {
		return err
	}
	n, err := tx.StreamDelete(in[1], ids...)
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// XLEN key
func xlen(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.StreamLen(in[1])
	if err != nil {
		return err
	}
	out.Int(n)
	return nil
}

// XRANGE key start end [COUNT count]
//
// Replies with an array of entries, each its ID and an array of its pairs.
func xrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	return streamRange(tx, in, in[2], in[3], false, out)
}

// XREVRANGE key end start [COUNT count]
func xrevrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	return streamRange(tx, in, in[3], in[2], true, out)
}

func streamRange(tx *engine.Tx, in Args, start, end []byte, down bool, out *resp.Reply) error {
	r := engine.StreamRange{Down: down}
	var err error
	if r.From, r.To, err = streamBounds(start, end); err != nil {
		return err
	}
	none := false
	c := options(in, 4)
	for c.more() {
		if c.at+1 == len(in) || !c.word("COUNT") {
			return errs.Syntax
		}
		r.Count = max(c.int(), 0)
		none = r.Count == 0
	}
	if c.err != nil {
		return c.err
	}
	st, err := tx.Stream(in[1])
	switch {
	case err != nil:
		return err
	case !st.Exists():
		out.Array(0)
	case none:
		out.NullArray()
	default:
		writeRange(&st, r, out)
	}
	return nil
}

// writeRange appends an array of entries.
func writeRange(st *engine.Stream, r engine.StreamRange, out *resp.Reply) {
	list := out.DeferArray()
	n := st.Range(r, func(e *engine.StreamEntry) { writeEntry(out, e) })
	out.EndArray(list, n)
}

// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
func xsetid(tx *engine.Tx, in Args, out *resp.Reply) error {
	last, err := streamID(in[2], 0)
	if err != nil {
		return err
	}
	added, deleted := int64(-1), engine.StreamID{}
	c := options(in, 3)
	for c.more() {
		switch more := c.at+1 < len(in); {
		case more && c.word("ENTRIESADDED"):
			if added = c.int(); c.err == nil && added < 0 {
				c.fail(errs.StreamAddedNegative)
			}
		case more && c.word("MAXDELETEDID"):
			deleted, err = streamID(c.arg(), 0)
			c.fail(err)
			if c.err == nil && last.Less(deleted) {
				c.fail(errs.StreamSetIDBelowNewDeleted)
			}
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	if err := tx.StreamSetID(in[1], last, added, deleted); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}
