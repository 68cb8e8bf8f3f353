package command

import (
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// StreamGroups is the family of commands on consumer groups.
var StreamGroups = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "XGROUP", Arity: -2,
		Group: GroupStream, Since: "5.0.0", Complexity: "As its subcommands.",
		Summary: "Manages consumer groups.",
	}, Subs: []Entry[*engine.Tx]{
		{Spec: Spec{
			Name: "CREATE", Syntax: "key group id-selector:<id | new-id:token=$> [MKSTREAM] [ENTRIESREAD entriesread:integer=entries-read]", Arity: -5,
			Flags: Write | DenyOOM, Keys: []KeySpec{{2, 0, 1, RW | Insert}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Makes a consumer group.",
			History: [][2]string{{"7.0.0", "ENTRIESREAD."}},
		}, Run: xgroupCreate},
		{Spec: Spec{
			Name: "SETID", Syntax: "key group id-selector:<id | new-id:token=$> [ENTRIESREAD entriesread:integer=entries-read]", Arity: -5,
			Flags: Write, Keys: []KeySpec{{2, 0, 1, RW | Update}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Sets up to which entry a consumer group has read.",
			History: [][2]string{{"7.0.0", "ENTRIESREAD."}},
		}, Run: xgroupSetID},
		{Spec: Spec{
			Name: "DESTROY", Syntax: "key group", Arity: 4,
			Flags: Write, Keys: []KeySpec{{2, 0, 1, RW | Delete}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(N) in the entries that are pending.",
			Summary: "Removes a consumer group.",
		}, Run: xgroupDestroy},
		{Spec: Spec{
			Name: "CREATECONSUMER", Syntax: "key group consumer", Arity: 5,
			Flags: Write | DenyOOM, Keys: []KeySpec{{2, 0, 1, RW | Insert}},
			Group: GroupStream, Since: "6.2.0", Complexity: "O(1)",
			Summary: "Adds a consumer to a group.",
		}, Run: xgroupCreateConsumer},
		{Spec: Spec{
			Name: "DELCONSUMER", Syntax: "key group consumer", Arity: 5,
			Flags: Write, Keys: []KeySpec{{2, 0, 1, RW | Delete}},
			Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Removes a consumer from a group.",
		}, Run: xgroupDelConsumer},
		{Spec: Spec{
			Name: "HELP", Arity: 2, Flags: Loading | Stale,
			Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Lists the subcommands.",
		}, Run: xgroupHelp},
	}},
	{Spec: Spec{
		Name: "XACK", Syntax: "key group id...", Arity: -4,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N) for each entry.",
		Summary: "Says that a consumer is done with entries. They are not pending any more.",
	}, Run: xack},
	{Spec: Spec{
		Name: "XPENDING", Syntax: "key group filters:[[IDLE min-idle-time:integer] start end count:integer [consumer]]", Arity: -3,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N + M) with M entries looked at; O(M) in the consumers for the summary.",
		Summary: "Tells which entries consumers have got and are not done with.",
		Tips:    []string{"nondeterministic_output"},
		History: [][2]string{{"6.2.0", "IDLE and excluded ends."}},
	}, Run: xpending},
}

// groupStart reads where a group begins to read.
func groupStart(arg []byte, read int64, edges bool) (s engine.GroupStart, err error) {
	s.Read = read
	switch {
	case string(cString(arg)) == "$":
		s.Last = true
	case edges:
		s.ID, err = streamIDOrEdge(arg, 0)
	default:
		s.ID, err = streamID(arg, 0)
	}
	return s, err
}

// groupOptions reads what follows the ID of XGROUP CREATE and SETID.
func groupOptions(in Args, create bool) (mkStream bool, read int64, err error) {
	read = engine.UnknownRead
	c := options(in, 5)
	for c.more() {
		switch {
		case create && c.word("MKSTREAM"):
			mkStream = true
		case c.at+1 < len(in) && c.word("ENTRIESREAD"):
			if read = c.int(); c.err == nil && read < 0 && read != engine.UnknownRead {
				c.fail(errs.StreamEntriesRead)
			}
		default:
			c.fail(errs.SubcommandSyntax("XGROUP", in[1]))
		}
	}
	return mkStream, read, c.err
}

// XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]
func xgroupCreate(tx *engine.Tx, in Args, out *resp.Reply) error {
	mkStream, read, err := groupOptions(in, true)
	if err != nil {
		return err
	}
	ok, err := tx.StreamToChange(in[2])
	switch {
	case err != nil:
		return err
	case !ok && !mkStream:
		return errs.StreamGroupNoKey
	case len(in) > 8:
		return errs.SubcommandSyntax("XGROUP", in[1])
	}
	start, err := groupStart(in[4], read, false)
	if err != nil {
		return err
	}
	return okOr(out, tx.StreamGroupCreate(in[2], in[3], start, mkStream))
}

// okOr replies OK unless there is an error.
func okOr(out *resp.Reply, err error) error {
	if err == nil {
		out.Status("OK")
	}
	return err
}

// XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]
func xgroupSetID(tx *engine.Tx, in Args, out *resp.Reply) error {
	_, read, err := groupOptions(in, false)
	if err != nil {
		return err
	}
	if err := tx.StreamGroupToChange(in[2], in[3]); err != nil {
		return err
	}
	if len(in) != 5 && len(in) != 7 {
		return errs.SubcommandSyntax("XGROUP", in[1])
	}
	start, err := groupStart(in[4], read, true)
	if err != nil {
		return err
	}
	return okOr(out, tx.StreamGroupSetID(in[2], in[3], start))
}

// XGROUP DESTROY key group
//
// Replies with 1, or 0 without such a group.
func xgroupDestroy(tx *engine.Tx, in Args, out *resp.Reply) error {
	done, err := tx.StreamGroupDestroy(in[2], in[3])
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// XGROUP CREATECONSUMER key group consumer
//
// Replies with 1, or 0 when there is one of that name.
func xgroupCreateConsumer(tx *engine.Tx, in Args, out *resp.Reply) error {
	done, err := tx.StreamConsumerCreate(in[2], in[3], in[4])
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

// XGROUP DELCONSUMER key group consumer
//
// Replies with the number of entries that were pending for it.
func xgroupDelConsumer(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, err := tx.StreamConsumerDelete(in[2], in[3], in[4])
	if err != nil {
		return err
	}
	out.Int(int64(n))
	return nil
}

// XGROUP HELP
func xgroupHelp(_ *engine.Tx, _ Args, out *resp.Reply) error {
	Help(out, "XGROUP",
		"CREATE <key> <groupname> <id|$> [option]", "Makes a group that reads behind an ID, $ for the last one."+
			" Options: MKSTREAM makes the stream, too; ENTRIESREAD entries_read tells how many entries that leaves behind.",
		"CREATECONSUMER <key> <groupname> <consumer>", "Adds a consumer to a group.",
		"DELCONSUMER <key> <groupname> <consumer>", "Removes a consumer, and what is pending for it.",
		"DESTROY <key> <groupname>", "Removes a group.",
		"SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]", "Has a group read on behind an ID.",
	)
	return nil
}

// XACK key group id [id ...]
//
// Replies with the number of entries that were pending.
func xack(tx *engine.Tx, in Args, out *resp.Reply) error {
	g, err := tx.StreamGroup(in[1], in[2])
	if err != nil {
		return err
	}
	if !g.Exists() {
		out.Int(0)
		return nil
	}
	ids, err := streamIDs(in[3:])
	if err != nil {
		return err
	}
	out.Int(int64(g.Ack(ids...)))
	return nil
}

// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
//
// Replies with an array for each entry: its ID, its consumer, the milliseconds since
// it was given out and how often it was. Without a range with a summary: the number
// of entries, the first ID, the last ID, and an array of consumers with the number of
// theirs.
func xpending(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in) != 3 && (len(in) < 6 || len(in) > 9) {
		return errs.Syntax
	}
	var r engine.PendingRange
	if len(in) > 3 {
		var err error
		if r, err = pendingRange(in); err != nil {
			return err
		}
	}
	st, err := tx.Stream(in[1])
	if err != nil {
		return err
	}
	g := st.Group(in[2])
	if !g.Exists() {
		return errs.StreamNoGroupAt(in[1], in[2])
	}
	if len(in) == 3 {
		pendingSummary(&g, out)
		return nil
	}
	n, list := 0, out.DeferArray()
	g.Pending(r, func(e engine.PendingEntry) {
		out.Array(4)
		writeID(out, e.ID)
		out.BulkText(e.Consumer)
		out.Int(int64(max(tx.Now()-e.At, 0)))
		out.Int(int64(e.Count))
		n++
	})
	out.EndArray(list, n)
	return nil
}

// pendingRange reads what follows the group.
func pendingRange(in Args) (r engine.PendingRange, err error) {
	at := 3
	if isWord(in[3], "IDLE") {
		if r.MinIdle, err = intArg(in[4]); err != nil {
			return r, err
		}
		if at = 5; len(in) < 8 {
			return r, errs.Syntax
		}
	}
	if r.Count, err = intArg(in[at+2]); err != nil {
		return r, err
	}
	if at+3 < len(in) {
		r.Consumer = in[at+3]
	}
	r.From, r.To, err = streamBounds(in[at], in[at+1])
	return r, err
}

func pendingSummary(g *engine.StreamGroup, out *resp.Reply) {
	s := g.PendingSummary()
	out.Array(4)
	out.Int(int64(s.Total))
	if s.Total == 0 {
		out.Null()
		out.Null()
		out.NullArray()
		return
	}
	writeID(out, s.First)
	writeID(out, s.Last)
	n, list := 0, out.DeferArray()
	g.EachConsumer(func(c engine.ConsumerInfo) {
		if c.Pending == 0 {
			return
		}
		out.Array(2)
		out.BulkText(c.Name)
		out.BulkText(strconv.Itoa(c.Pending))
		n++
	})
	out.EndArray(list, n)
}
