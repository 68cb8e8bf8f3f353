package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Space is the family of commands on whole databases.
var Space = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "DBSIZE", Arity: 1,
		Flags: ReadOnly | Fast, Categories: []string{"keyspace"},
		Group: GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Counts the keys of the database.",
		Tips:    []string{"request_policy:all_shards", "response_policy:agg_sum"},
	}, Run: dbsize},
	{Spec: flushSpec("FLUSHDB", "Removes all keys of the database."), Run: flushdb},
	{Spec: flushSpec("FLUSHALL", "Removes all keys of all databases."), Run: flushall},
	{Spec: Spec{
		Name: "SWAPDB", Syntax: "index1:integer index2:integer", Arity: 3,
		Flags: Write | Fast, Categories: []string{"keyspace", "dangerous"},
		Group: GroupServer, Since: "4.0.0", Complexity: "O(1), and O(N) in the clients that watch or wait for keys of either.",
		Summary: "Exchanges two databases.",
	}, Run: swapdb},
}

// flushSpec is what FLUSHDB and FLUSHALL have in common.
func flushSpec(name, summary string) Spec {
	return Spec{
		Name: name, Syntax: "flush-type:[ASYNC | SYNC]", Arity: -1,
		Flags: Write, Categories: []string{"keyspace", "dangerous"},
		Group: GroupServer, Since: "1.0.0", Complexity: "O(1); memory is given back later, O(N) in the keys.",
		Summary: summary,
		Tips:    []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		History: [][2]string{{"4.0.0", "ASYNC."}, {"6.2.0", "SYNC."}},
	}
}

// DBSIZE
func dbsize(tx *engine.Tx, _ Args, out *resp.Reply) error {
	out.Int(int64(tx.Len()))
	return nil
}

// FLUSHDB [ASYNC | SYNC]
//
// Both ways are the same here: the keys are gone at once, and their memory is
// given back off the lock.
func flushdb(tx *engine.Tx, in Args, out *resp.Reply) error {
	return flush(tx, in, out, (*engine.Tx).FlushDB)
}

// FLUSHALL [ASYNC | SYNC]
func flushall(tx *engine.Tx, in Args, out *resp.Reply) error {
	return flush(tx, in, out, (*engine.Tx).FlushAll)
}

func flush(tx *engine.Tx, in Args, out *resp.Reply, remove func(*engine.Tx)) error {
	if len(in) > 2 || len(in) == 2 && !isWord(in[1], "ASYNC") && !isWord(in[1], "SYNC") {
		return errs.Syntax
	}
	remove(tx)
	out.Status("OK")
	return nil
}

// SWAPDB index1 index2
func swapdb(tx *engine.Tx, in Args, out *resp.Reply) error {
	a, err := int32Arg(in[1])
	if err != nil {
		return errs.InvalidFirstDB
	}
	b, err := int32Arg(in[2])
	if err != nil {
		return errs.InvalidSecondDB
	}
	if err := tx.SwapDB(a, b); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}
