package command

import (
	"strings"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// ListPops is the family of commands that take elements off an end of a list, or wait
// for one.
var ListPops = []Entry[*engine.Tx]{
	listPopEntry("LPOP", "Removes and returns the first elements of a list.", engine.Head),
	listPopEntry("RPOP", "Removes and returns the last elements of a list.", engine.Tail),
	{Spec: Spec{
		Name: "LMPOP", Syntax: "numkeys:integer key... where:<LEFT | RIGHT> [COUNT count:integer]", Arity: -4,
		Flags: Write, Searches: []KeySearch{{Begin: 1, Counted: true, Flags: RW | Access | Delete}},
		Group: GroupList, Since: "7.0.0", Complexity: "O(N+M) for M elements of one of N keys.",
		Summary: "Removes and returns elements from an end of the first list that there is.",
	}, Run: lmpop},
	listWaitEntry("BLPOP", "Removes and returns the first element of the first list that there is, or waits for one.", engine.Head),
	listWaitEntry("BRPOP", "Removes and returns the last element of the first list that there is, or waits for one.", engine.Tail),
	{Spec: Spec{
		Name: "BLMPOP", Syntax: "timeout:double numkeys:integer key... where:<LEFT | RIGHT> [COUNT count:integer]", Arity: -5,
		Flags: Write | Blocking, Searches: []KeySearch{{Begin: 2, Counted: true, Flags: RW | Access | Delete}},
		Group: GroupList, Since: "7.0.0", Complexity: "O(N+M) for M elements of one of N keys.",
		Summary: "Removes and returns elements from an end of the first list that there is, or waits for one.",
	}, Run: blmpop},
	{Spec: Spec{
		Name: "LMOVE", Syntax: "source:key destination:key wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT>", Arity: 5,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, RW | Insert}},
		Group: GroupList, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Moves an element from an end of a list to an end of another one, and returns it.",
	}, Run: lmove},
	{Spec: Spec{
		Name: "BLMOVE", Syntax: "source:key destination:key wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT> timeout:double", Arity: 6,
		Flags: Write | DenyOOM | NoScript | Blocking, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, RW | Insert}},
		Group: GroupList, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Moves an element from an end of a list to an end of another one, or waits for one, and returns it.",
	}, Run: blmove},
	{Spec: Spec{
		Name: "RPOPLPUSH", Syntax: "source:key destination:key", Arity: 3,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, RW | Insert}},
		Group: GroupList, Since: "1.2.0", Complexity: "O(1)",
		Summary:  "Moves the last element of a list to the front of another one, and returns it.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "6.2.0", ReplacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
	}, Run: rpoplpush},
	{Spec: Spec{
		Name: "BRPOPLPUSH", Syntax: "source:key destination:key timeout:double", Arity: 4,
		Flags: Write | DenyOOM | NoScript | Blocking, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}, {2, 0, 1, RW | Insert}},
		Group: GroupList, Since: "2.2.0", Complexity: "O(1)",
		Summary:  "Moves the last element of a list to the front of another one, or waits for one, and returns it.",
		History:  [][2]string{{"6.0.0", "Parts of a second in `timeout`."}},
		DocFlags: []string{"deprecated"}, DeprecatedSince: "6.2.0", ReplacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
	}, Run: brpoplpush},
}

// listPopEntry is a command of the form NAME key [count], which replies with an element,
// or with a count with an array of up to so many, and null without a key.
func listPopEntry(name, summary string, end engine.ListEnd) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key [count:integer]", Arity: -2,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}},
		Group: GroupList, Since: "1.0.0", Complexity: "O(N) in the elements returned.", Summary: summary,
		History: [][2]string{{"6.2.0", "The argument `count`."}},
	}, Run: func(tx *engine.Tx, in Args, out *resp.Reply) error {
		switch {
		case len(in) > 3:
			return errs.WrongArity(strings.ToLower(name))
		case len(in) == 3:
			n, err := intArg(in[2])
			if err != nil || n < 0 {
				return errs.CountNegative
			}
			return tx.ListPop(in[1], end, n, func(n int, exists bool) {
				if exists {
					out.Array(n)
				} else {
					out.NullArray()
				}
			}, out.BulkString, in...)
		}
		return tx.ListPop(in[1], end, 1, func(n int, _ bool) { nullIfNone(out, n) }, out.BulkString, in...)
	}}
}

// listWaitEntry is a command of the form NAME key [key ...] timeout, which replies with
// an array of a key and an element, or null when time is up.
func listWaitEntry(name, summary string, end engine.ListEnd) Entry[*engine.Tx] {
	verb := []byte(name[1:])
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key... timeout:double", Arity: -3,
		Flags: Write | NoScript | Blocking, Keys: []KeySpec{{1, -2, 1, RW | Access | Delete}},
		Group: GroupList, Since: "2.0.0", Complexity: "O(N) in the keys.", Summary: summary,
		History: [][2]string{{"6.0.0", "Parts of a second in `timeout`."}},
	}, Run: func(tx *engine.Tx, in Args, out *resp.Reply) error {
		keys, timeout := in[1:len(in)-1], in[len(in)-1]
		deadline, err := TimeoutSeconds(timeout, tx.Now())
		if err != nil {
			return err
		}
		for _, key := range keys {
			done := false
			err := tx.ListPop(key, end, 1, func(n int, _ bool) {
				if done = n > 0; done {
					out.Array(2)
					out.BulkString(key)
				}
			}, out.BulkString, verb, key)
			if done || err != nil {
				return err
			}
		}
		return waitForList(keys, deadline)
	}}
}

func waitForList(keys [][]byte, deadline engine.UnixMilli) *Wait {
	return &Wait{Keys: keys, Type: engine.TList, Deadline: deadline, OnTimeout: (*resp.Reply).NullArray}
}

// listPopOf says what LMPOP and BLMPOP take, and from where.
type listPopOf struct {
	keys  [][]byte
	end   engine.ListEnd
	count int64
}

// listPopArgs reads the number of keys at in[at], the keys behind, the end and the count.
func listPopArgs(in Args, at int) (p listPopOf, err error) {
	p.keys, p.count, err = mpopArgs(in, at, func(c *cursor) { p.end = endArg(c) })
	return p, err
}

// endArg takes the next argument as an end of a list.
func endArg(c *cursor) engine.ListEnd {
	switch {
	case c.word("LEFT"):
		return engine.Head
	case c.word("RIGHT"):
		return engine.Tail
	}
	c.fail(errs.Syntax)
	return engine.Head
}

// pop takes elements off the first of the keys that has some, and replies with the key
// and an array of them; not done when none has.
func (p *listPopOf) pop(tx *engine.Tx, out *resp.Reply) (done bool, err error) {
	for _, key := range p.keys {
		err := tx.ListPop(key, p.end, p.count, func(n int, _ bool) {
			if done = n > 0; done {
				out.Array(2)
				out.BulkString(key)
				out.Array(n)
			}
		}, out.BulkString)
		if done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]
//
// Replies with an array of a key and of elements, or null when no key has any.
func lmpop(tx *engine.Tx, in Args, out *resp.Reply) error {
	p, err := listPopArgs(in, 1)
	if err != nil {
		return err
	}
	done, err := p.pop(tx, out)
	if err == nil && !done {
		out.NullArray()
	}
	return err
}

// BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]
//
// Replies as LMPOP does, with null when time is up.
func blmpop(tx *engine.Tx, in Args, out *resp.Reply) error {
	p, err := listPopArgs(in, 2)
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
	return waitForList(p.keys, deadline)
}

// LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>
//
// Replies with the element, or null without a list at source.
func lmove(tx *engine.Tx, in Args, out *resp.Reply) error {
	from, to, err := moveArgs(in)
	if err != nil {
		return err
	}
	elem, ok, err := tx.ListMove(in[1], in[2], from, to, in...)
	if err != nil {
		return err
	}
	bulkOrNull(out, elem, ok)
	return nil
}

func moveArgs(in Args) (from, to engine.ListEnd, err error) {
	c := options(in, 3)
	from = endArg(&c)
	to = endArg(&c)
	return from, to, c.err
}

// BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout
//
// Replies as LMOVE does, with null when time is up.
func blmove(tx *engine.Tx, in Args, out *resp.Reply) error {
	from, to, err := moveArgs(in)
	if err != nil {
		return err
	}
	return moveOrWait(tx, in, out, from, to, []byte("LMOVE"), in[1], in[2], in[3], in[4])
}

// moveOrWait moves an element, or waits for one until the last of the arguments.
func moveOrWait(tx *engine.Tx, in Args, out *resp.Reply, from, to engine.ListEnd, argv ...[]byte) error {
	deadline, err := TimeoutSeconds(in[len(in)-1], tx.Now())
	if err != nil {
		return err
	}
	elem, ok, err := tx.ListMove(in[1], in[2], from, to, argv...)
	switch {
	case err != nil:
		return err
	case !ok:
		wait := waitForList(in[1:2], deadline)
		wait.AtOnce = (*resp.Reply).Null
		return wait
	}
	out.BulkString(elem)
	return nil
}

// RPOPLPUSH source destination
//
// Replies as LMOVE does.
func rpoplpush(tx *engine.Tx, in Args, out *resp.Reply) error {
	elem, ok, err := tx.ListMove(in[1], in[2], engine.Tail, engine.Head, in...)
	if err != nil {
		return err
	}
	bulkOrNull(out, elem, ok)
	return nil
}

// BRPOPLPUSH source destination timeout
//
// Replies as LMOVE does, with null when time is up.
func brpoplpush(tx *engine.Tx, in Args, out *resp.Reply) error {
	return moveOrWait(tx, in, out, engine.Tail, engine.Head, []byte("RPOPLPUSH"), in[1], in[2])
}
