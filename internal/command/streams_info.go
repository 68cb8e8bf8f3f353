package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// StreamInfos is the family of XINFO.
var StreamInfos = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "XINFO", Arity: -2,
		Group: GroupStream, Since: "5.0.0", Complexity: "As its subcommands.",
		Summary: "Tells of streams, their groups and consumers.",
	}, Subs: []Entry[*engine.Tx]{
		{Spec: Spec{
			Name: "STREAM", Syntax: "key full-block:[FULL [COUNT count:integer]]", Arity: -3,
			Flags: ReadOnly, Keys: []KeySpec{{2, 0, 1, RO | Access}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(N) in the stream's nodes, some hundred entries each.",
			Summary: "Tells of a stream.",
			History: [][2]string{
				{"6.0.0", "FULL."},
				{"7.0.0", "max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read and lag."},
				{"7.2.0", "active-time; seen-time is when a consumer asked last."},
			},
		}, Run: xinfoStream},
		{Spec: Spec{
			Name: "GROUPS", Syntax: "key", Arity: 3,
			Flags: ReadOnly, Keys: []KeySpec{{2, 0, 1, RO | Access}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(N) in the groups.",
			Summary: "Tells of the groups of a stream.",
			History: [][2]string{{"7.0.0", "entries-read and lag."}},
		}, Run: xinfoGroups},
		{Spec: Spec{
			Name: "CONSUMERS", Syntax: "key group", Arity: 4,
			Flags: ReadOnly, Keys: []KeySpec{{2, 0, 1, RO | Access}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(N) in the consumers.",
			Summary: "Tells of the consumers of a group.",
			Tips:    []string{"nondeterministic_output"},
			History: [][2]string{{"7.2.0", "inactive; idle is since a consumer asked last."}},
		}, Run: xinfoConsumers},
		{Spec: Spec{
			Name: "HELP", Arity: 2, Flags: Loading | Stale,
			Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Lists the subcommands.",
		}, Run: xinfoHelp},
	}},
}

// streamToTell looks up a stream that must exist.
func streamToTell(tx *engine.Tx, key []byte) (st engine.Stream, err error) {
	st, err = tx.Stream(key)
	if err == nil && !st.Exists() {
		err = errs.NoSuchKey
	}
	return st, err
}

// XINFO STREAM key [FULL [COUNT count]]
//
// Replies with a map; with FULL also of the first entries, and of all groups and
// consumers with their first pending entries, 10 for no count and all for 0.
func xinfoStream(tx *engine.Tx, in Args, out *resp.Reply) error {
	st, err := streamToTell(tx, in[2])
	if err != nil {
		return err
	}
	wrong := len(in) > 3 && !isWord(in[3], "FULL") || len(in) > 4 && !isWord(in[4], "COUNT")
	if wrong || len(in) == 5 || len(in) > 6 {
		return errs.SubcommandSyntax("XINFO", in[1])
	}
	if len(in) == 3 {
		infoStream(&st, 10, out)
		infoEnds(&st, out)
		return nil
	}
	count := int64(10)
	if len(in) == 6 {
		if count, err = intArg(in[5]); err != nil {
			return err
		}
		if count < 0 {
			count = 10
		}
	}
	infoStream(&st, 9, out)
	infoFull(&st, count, out)
	return nil
}

// infoStream appends the beginning of a map of n pairs.
func infoStream(st *engine.Stream, n int, out *resp.Reply) {
	i := st.Info()
	out.Map(n)
	infoInt(out, "length", i.Length)
	infoInt(out, "radix-tree-keys", int64(i.Nodes))
	infoInt(out, "radix-tree-nodes", int64(st.RadixNodes()))
	infoID(out, "last-generated-id", i.Last)
	infoID(out, "max-deleted-entry-id", i.MaxDeleted)
	infoInt(out, "entries-added", int64(i.Added))
	infoID(out, "recorded-first-entry-id", i.First)
}

func infoInt(out *resp.Reply, name string, n int64) {
	out.BulkText(name)
	out.Int(n)
}

func infoID(out *resp.Reply, name string, id engine.StreamID) {
	out.BulkText(name)
	writeID(out, id)
}

func infoText(out *resp.Reply, name, text string) {
	out.BulkText(name)
	out.BulkText(text)
}

// infoEnds appends the groups' number, the first and the last entry.
func infoEnds(st *engine.Stream, out *resp.Reply) {
	infoInt(out, "groups", int64(st.Info().Groups))
	for _, down := range []bool{false, true} {
		out.BulkText(map[bool]string{false: "first-entry", true: "last-entry"}[down])
		r := engine.StreamRange{To: engine.MaxStreamID, Down: down, Count: 1}
		if st.Range(r, func(e *engine.StreamEntry) { writeEntry(out, e) }) == 0 {
			out.Null()
		}
	}
}

// infoFull appends entries, groups and consumers, of each count, 0 for all.
func infoFull(st *engine.Stream, count int64, out *resp.Reply) {
	out.BulkText("entries")
	writeRange(st, engine.StreamRange{To: engine.MaxStreamID, Count: count}, out)
	out.BulkText("groups")
	out.Array(st.Info().Groups)
	st.EachGroup(func(g *engine.StreamGroup) {
		i := g.Info()
		out.Map(7)
		infoText(out, "name", i.Name)
		infoID(out, "last-delivered-id", i.Last)
		infoRead(out, i)
		infoInt(out, "pel-count", int64(i.Pending))
		out.BulkText("pending")
		infoPending(g, nil, count, out)
		out.BulkText("consumers")
		out.Array(i.Consumers)
		g.EachConsumer(func(c engine.ConsumerInfo) { infoConsumer(g, c, count, out) })
	})
}

// infoRead appends how far a group has read, as far as that is known.
func infoRead(out *resp.Reply, i engine.GroupInfo) {
	out.BulkText("entries-read")
	_ = intOrNull(out, i.Read, i.Read != engine.UnknownRead, nil)
	out.BulkText("lag")
	_ = intOrNull(out, i.Lag, i.LagKnown, nil)
}

func infoConsumer(g *engine.StreamGroup, c engine.ConsumerInfo, count int64, out *resp.Reply) {
	out.Map(5)
	infoText(out, "name", c.Name)
	infoInt(out, "seen-time", int64(c.Seen))
	infoInt(out, "active-time", int64(c.Active))
	infoInt(out, "pel-count", int64(c.Pending))
	out.BulkText("pending")
	infoPending(g, []byte(c.Name), count, out)
}

// infoPending appends what is pending in a group, or for one of its consumers.
func infoPending(g *engine.StreamGroup, consumer []byte, count int64, out *resp.Reply) {
	if count == 0 {
		count = 1<<63 - 1
	}
	n, list := 0, out.DeferArray()
	r := engine.PendingRange{To: engine.MaxStreamID, Count: count, Consumer: consumer}
	g.Pending(r, func(e engine.PendingEntry) {
		out.Array(3 + int(oneIf(consumer == nil)))
		writeID(out, e.ID)
		if consumer == nil {
			out.BulkText(e.Consumer)
		}
		out.Int(int64(e.At))
		out.Int(int64(e.Count))
		n++
	})
	out.EndArray(list, n)
}

// XINFO GROUPS key
//
// Replies with an array of maps.
func xinfoGroups(tx *engine.Tx, in Args, out *resp.Reply) error {
	st, err := streamToTell(tx, in[2])
	if err != nil {
		return err
	}
	out.Array(st.Info().Groups)
	st.EachGroup(func(g *engine.StreamGroup) {
		i := g.Info()
		out.Map(6)
		infoText(out, "name", i.Name)
		infoInt(out, "consumers", int64(i.Consumers))
		infoInt(out, "pending", int64(i.Pending))
		infoID(out, "last-delivered-id", i.Last)
		infoRead(out, i)
	})
	return nil
}

// XINFO CONSUMERS key group
//
// Replies with an array of maps. idle and inactive are the milliseconds since the
// consumer asked and got something last, inactive -1 when it never has.
func xinfoConsumers(tx *engine.Tx, in Args, out *resp.Reply) error {
	st, err := streamToTell(tx, in[2])
	if err != nil {
		return err
	}
	g := st.Group(in[3])
	if !g.Exists() {
		return errs.StreamNoGroup(in[3], in[2])
	}
	out.Array(g.Info().Consumers)
	g.EachConsumer(func(c engine.ConsumerInfo) {
		inactive := int64(-1)
		if c.Active >= 0 {
			inactive = int64(max(tx.Now()-c.Active, 0))
		}
		out.Map(4)
		infoText(out, "name", c.Name)
		infoInt(out, "pending", int64(c.Pending))
		infoInt(out, "idle", int64(max(tx.Now()-c.Seen, 0)))
		infoInt(out, "inactive", inactive)
	})
	return nil
}

// XINFO HELP
func xinfoHelp(_ *engine.Tx, _ Args, out *resp.Reply) error {
	Help(out, "XINFO",
		"CONSUMERS <key> <groupname>", "Tells of the consumers of a group.",
		"GROUPS <key>", "Tells of the groups of a stream.",
		"STREAM <key> [FULL [COUNT <count>]", "Tells of a stream.",
	)
	return nil
}
