package command

import (
	"bytes"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

const sortOptions = "[BY by-pattern:pattern#1=pattern] [LIMIT limit:(offset:integer count:integer)] [GET get-pattern:pattern#1=pattern]..." +
	" order:[ASC | DESC] sorting:[ALPHA]"

// Sorting is the family of SORT.
var Sorting = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "SORT", Syntax: "key " + sortOptions + " [STORE destination:key#2]", Arity: -2,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Searches: []KeySearch{{Flags: RO | Access}, {Flags: OW | Update}}, KeysOf: sortKeys, Unnamed: sortUnnamed,
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N+M*log(M)) for N returned of M elements.",
		Summary:    "Returns the elements of a list, set or sorted set in order, or stores them under a key.",
		Categories: sortCategories,
	}, Run: sortOrStore},
	{Spec: Spec{
		Name: "SORT_RO", Syntax: "key " + sortOptions, Arity: -2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Searches: []KeySearch{{Flags: RO | Access}}, KeysOf: sortROKeys, Unnamed: sortUnnamed,
		Group: GroupGeneric, Since: "7.0.0", Complexity: "O(N+M*log(M)) for N returned of M elements.",
		Summary:    "Returns the elements of a list, set or sorted set in order.",
		Categories: sortCategories,
	}, Run: sortOnly},
}

var sortCategories = []string{"set", "sortedset", "list", "dangerous"}

// sortArgs is a SORT as it was told.
type sortArgs struct {
	engine.SortOptions
	store []byte // nil: reply
}

func sortArgsOf(in Args, stores bool) (s sortArgs, err error) {
	s.Count = -1
	c := options(in, 2)
	for c.more() {
		behind := len(in) - c.at - 1
		switch {
		case c.word("ASC"):
			s.Desc = false
		case c.word("DESC"):
			s.Desc = true
		case c.word("ALPHA"):
			s.Alpha = true
		case behind > 1 && c.word("LIMIT"):
			s.Start, s.Count = c.int(), c.int()
		case stores && behind > 0 && c.word("STORE"):
			s.store, s.Certain = c.arg(), true
		case behind > 0 && c.word("BY"):
			if s.By = c.arg(); bytes.IndexByte(s.By, '*') < 0 {
				s.AsIs = true // whatever other BY comes, as in Redis
			}
		case behind > 0 && c.word("GET"):
			s.Gets = append(s.Gets, c.arg())
		default:
			c.fail(errs.Syntax)
		}
	}
	return s, c.err
}

// sortUnnamed refuses patterns that read keys to users who may not read every key.
func sortUnnamed(in Args) error {
	c := options(in, 2)
	for c.more() {
		behind := len(in) - c.at - 1
		switch {
		case c.word("ASC"), c.word("DESC"), c.word("ALPHA"):
		case behind > 1 && c.word("LIMIT"):
			c.at += 2
		case behind > 0 && c.word("STORE"):
			c.at++
		case behind > 0 && c.word("BY"):
			if bytes.IndexByte(c.arg(), '*') >= 0 {
				return errs.SortBy
			}
		case behind > 0 && c.word("GET"):
			return errs.SortGet // also of "#", as in Redis
		default:
			return nil
		}
	}
	return nil
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]
//
// Replies with an array, null where a key is missing; with STORE with the number of
// elements stored.
func sortOrStore(tx *engine.Tx, in Args, out *resp.Reply) error { return sortKey(tx, in, out, true) }

// SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]
//
// Replies as SORT does.
func sortOnly(tx *engine.Tx, in Args, out *resp.Reply) error { return sortKey(tx, in, out, false) }

func sortKey(tx *engine.Tx, in Args, out *resp.Reply, stores bool) error {
	s, err := sortArgsOf(in, stores)
	if err != nil {
		return err
	}
	rows, err := tx.Sort(in[1], s.SortOptions)
	if err != nil {
		return err
	}
	if s.store != nil {
		tx.ListStore(s.store, rows, "sortstore", in...)
		out.Int(int64(len(rows)))
		return nil
	}
	out.Array(len(rows))
	for _, row := range rows {
		bulkOrNull(out, row, row != nil)
	}
	return nil
}
