package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// StringParts is the family of commands on parts of strings.
var StringParts = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "APPEND", Syntax: "key value", Arity: 3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Insert}},
		Group: GroupString, Since: "2.0.0", Complexity: "O(1) amortized, for short values.",
		Summary: "Appends to the string value of a key. The key is created when absent.",
	}, Run: appendCmd},
	{Spec: Spec{
		Name: "STRLEN", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO}},
		Group: GroupString, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Returns the length of the string value of a key.",
	}, Run: strlen},
	{Spec: Spec{
		Name: "GETRANGE", Syntax: "key start:integer end:integer", Arity: 4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupString, Since: "2.4.0", Complexity: "O(N) in the bytes returned.",
		Summary: "Returns a part of the string value of a key.",
	}, Run: getrange},
	{Spec: Spec{
		Name: "SUBSTR", Syntax: "key start:integer end:integer", Arity: 4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(N) in the bytes returned.",
		Summary:  "Returns a part of the string value of a key.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "2.0.0", ReplacedBy: "`GETRANGE`",
	}, Run: getrange},
	{Spec: Spec{
		Name: "SETRANGE", Syntax: "key offset:integer value", Arity: 4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupString, Since: "2.2.0", Complexity: "O(N) in the bytes written, and in those that it must fill up.",
		Summary: "Overwrites a part of the string value of a key. The key is created when absent.",
	}, Run: setrange},
	{Spec: Spec{
		Name: "LCS", Arity: -3,
		Syntax: "key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
		Flags:  ReadOnly, Keys: []KeySpec{{1, 1, 1, RO | Access}},
		Group: GroupString, Since: "7.0.0", Complexity: "O(N*M) in the lengths of both strings.",
		Summary: "Finds the longest common subsequence of two strings.",
	}, Run: lcs},
}

// APPEND key value
//
// Replies with the string's new length.
func appendCmd(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.StringAppend(in[1], in[2])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// STRLEN key
//
// Replies with the string's length, 0 without a key.
func strlen(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.StringLen(in[1])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// GETRANGE key start end
//
// Replies with a string, empty where there is nothing.
func getrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	start, err := intArg(in[2])
	if err != nil {
		return err
	}
	end, err := intArg(in[3])
	if err != nil {
		return err
	}
	val, err := tx.StringRange(in[1], start, end)
	if err != nil {
		return err
	}
	out.BulkString(val)
	return nil
}

// SETRANGE key offset value
//
// Replies with the string's length afterwards.
func setrange(tx *engine.Tx, in Args, out *resp.Reply) error {
	offset, err := intArg(in[2])
	if err != nil {
		return err
	}
	n, err := tx.StringSetRange(in[1], offset, in[3])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]
//
// Replies with the string; with LEN its length; with IDX a map of the matches,
// last one first, each as its ranges in both strings, and the length.
func lcs(tx *engine.Tx, in Args, out *resp.Reply) error {
	var onlyLen, idx, withLen bool
	var minLen int64
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("LEN"):
			onlyLen = true
		case c.word("IDX"):
			idx = true
		case c.word("WITHMATCHLEN"):
			withLen = true
		case c.word("MINMATCHLEN"):
			minLen = c.int()
		default:
			c.fail(errs.Syntax)
		}
	}
	if onlyLen && idx {
		c.fail(errs.LCSLenAndIdx)
	}
	if err := tx.LCSKeys(in[1], in[2]); err != nil {
		return err
	}
	if c.err != nil {
		return c.err
	}
	res, err := tx.StringLCS(in[1], in[2], engine.LCSWants{Text: !onlyLen && !idx, Matches: idx, MinLen: minLen})
	switch {
	case err != nil:
		return err
	case idx:
		lcsMatches(out, res, withLen)
	case onlyLen:
		out.Int(int64(res.Len))
	default:
		out.BulkString(res.Text)
	}
	return nil
}

func lcsMatches(out *resp.Reply, res engine.LCSResult, withLen bool) {
	pair := func(first, last int) {
		out.Array(2)
		out.Int(int64(first))
		out.Int(int64(last))
	}
	out.Map(2)
	out.BulkText("matches")
	out.Array(len(res.Matches))
	for _, m := range res.Matches {
		out.Array(2 + int(oneIf(withLen)))
		pair(m.AFirst, m.ALast)
		pair(m.BFirst, m.BLast)
		if withLen {
			out.Int(int64(m.ALast - m.AFirst + 1))
		}
	}
	out.BulkText("len")
	out.Int(int64(res.Len))
}
