package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// StreamReads is the family of commands that read what is new in streams.
var StreamReads = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "XREAD", Arity: -4,
		Syntax:   "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS (key... id...)",
		Flags:    ReadOnly | Blocking,
		Searches: []KeySearch{{Word: "STREAMS", Begin: 1, Last: -1, Limit: 2, Flags: RO | Access}},
		Group:    GroupStream, Since: "5.0.0", Complexity: "O(log N + M) for each stream, with M entries returned.",
		Summary: "Returns the entries of streams behind IDs that the caller has seen. It can wait for some.",
	}, Run: xread},
	{Spec: Spec{
		Name: "XREADGROUP", Arity: -7,
		Syntax: "GROUP group-block:(group consumer) [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK]" +
			" STREAMS (key... id...)",
		Flags:    Write | Blocking,
		Searches: []KeySearch{{Word: "STREAMS", Begin: 4, Last: -1, Limit: 2, Flags: RO | Access}},
		Group:    GroupStream, Since: "5.0.0", Complexity: "O(log N + M) for each stream, with M entries returned.",
		Summary: "Returns entries that no consumer of a group has got yet, or those that are pending for one. It can wait for some.",
	}, Run: xreadgroup},
}

// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]
//
// Replies with a map of each key that has something to an array of its entries, which
// on RESP2 is an array of pairs; with a null array when there is nothing, after a
// while with BLOCK.
func xread(tx *engine.Tx, in Args, out *resp.Reply) error {
	r, err := streamReadArgs(tx, in, false)
	if err != nil {
		return err
	}
	var room [4]readStream
	all := room[:0]
	for i, key := range r.keys {
		s := readStream{}
		if s.Stream, err = tx.Stream(key); err != nil {
			return err
		}
		switch id := r.ids[i]; string(cString(id)) {
		case "$":
			s.after = s.LastID()
		case ">":
			return errs.StreamNewInXRead
		default:
			if s.after, err = streamID(id, 0); err != nil {
				return err
			}
		}
		all = append(all, s)
	}
	list, n := out.DeferArray(), 0
	for i := range all {
		s := &all[i]
		s.Again()
		if !s.HasAfter(s.after) {
			continue
		}
		beginStream(out, r.keys[i])
		from, _ := s.after.Next()
		writeRange(&s.Stream, engine.StreamRange{From: from, To: engine.MaxStreamID, Count: r.count}, out)
		n++
	}
	if n > 0 {
		endStreams(out, list, n)
		return nil
	}
	for i := range all { // the end, as it was when the waiting began
		if string(cString(r.ids[i])) == "$" {
			r.ids[i] = all[i].after.Append(nil)
		}
	}
	return r.wait(out)
}

// readStream is a stream to be read behind an ID.
type readStream struct {
	engine.Stream
	after engine.StreamID
}

// beginStream appends the key in front of a stream's entries.
func beginStream(out *resp.Reply, key []byte) {
	if out.Proto < 3 {
		out.Array(2)
	}
	out.BulkString(key)
}

// endStreams ends a reply of n streams.
func endStreams(out *resp.Reply, list resp.Deferred, n int) {
	if out.Proto < 3 {
		out.EndArray(list, n)
	} else {
		out.EndMap(list, n)
	}
}

// streamRead is what XREAD and XREADGROUP are asked.
type streamRead struct {
	group, consumer []byte // nil for XREAD
	count           int64  // 0 for all
	blocks          bool
	deadline        engine.UnixMilli
	noAck           bool
	keys, ids       [][]byte
}

// streamReadArgs reads the arguments of XREAD, or of XREADGROUP.
func streamReadArgs(tx *engine.Tx, in Args, grouped bool) (r streamRead, err error) {
	c := options(in, 1)
	for c.more() && r.keys == nil {
		left := len(in) - 1 - c.at
		switch {
		case left > 0 && c.word("BLOCK"):
			r.blocks = true
			r.deadline, err = TimeoutMillis(c.arg(), tx.Now())
			c.fail(err)
		case left > 0 && c.word("COUNT"):
			r.count = max(c.int(), 0)
		case left > 0 && c.word("STREAMS"):
			c.fail(r.streams(in[c.at:], grouped))
			c.at = len(in)
		case left > 1 && c.word("GROUP"):
			if !grouped {
				c.fail(errs.StreamGroupInXRead)
			}
			r.group, r.consumer = c.arg(), c.arg()
		case left > 0 && c.word("NOACK"):
			if r.noAck = true; !grouped {
				c.fail(errs.StreamNoAckInXRead)
			}
		default:
			c.fail(errs.Syntax)
		}
	}
	c.check(r.keys != nil)
	if grouped && r.group == nil {
		c.fail(errs.StreamMissingGroup)
	}
	return r, c.err
}

// streams takes keys and IDs, which are as many.
func (r *streamRead) streams(args [][]byte, grouped bool) error {
	n := len(args) / 2
	r.keys, r.ids = args[:n], args[n:]
	switch {
	case len(args)%2 == 0:
		return nil
	case grouped:
		return errs.StreamUnbalanced("xreadgroup", ">")
	}
	return errs.StreamUnbalanced("xread", "$")
}

// wait replies that there is nothing, or has the command wait.
func (r *streamRead) wait(out *resp.Reply) error {
	if !r.blocks {
		out.NullArray()
		return nil
	}
	return &Wait{
		Keys: r.keys, Type: engine.TStream, OrGone: r.group != nil, Alike: string(r.group),
		Deadline: r.deadline, OnTimeout: (*resp.Reply).NullArray,
	}
}

// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]
//
// Replies as XREAD. With ">" as an ID, the entries that no consumer has got yet; else
// those behind the ID that are pending for this one, with null for the pairs of
// deleted ones.
func xreadgroup(tx *engine.Tx, in Args, out *resp.Reply) error {
	r, err := streamReadArgs(tx, in, true)
	if err != nil {
		return err
	}
	var room [4]readGroup
	all := room[:0]
	for i, key := range r.keys {
		g, err := r.find(tx, key, r.ids[i])
		if err != nil {
			return err
		}
		all = append(all, g)
	}
	list, n := out.DeferArray(), 0
	for i := range all {
		g := &all[i]
		g.Stream().Again()
		hasNew := g.fresh && g.HasNew()
		c := g.Join(r.consumer, r.noAck)
		if g.fresh && !hasNew {
			continue
		}
		beginStream(out, r.keys[i])
		entries := out.DeferArray()
		show := func(e *engine.StreamEntry) { writeEntry(out, e) }
		var m int
		if g.fresh {
			m = c.ReadNew(r.count, r.noAck, show)
		} else {
			m = c.ReadHistory(g.after, r.count, show)
		}
		out.EndArray(entries, m)
		c.CountRead()
		n++
	}
	if n > 0 {
		endStreams(out, list, n)
		return nil
	}
	return r.wait(out)
}

// readGroup is a group to read as one of its consumers: what is fresh, or else
// what is pending behind an ID.
type readGroup struct {
	engine.StreamGroup
	fresh bool
	after engine.StreamID
}

// find looks up the group in the stream at key.
func (r *streamRead) find(tx *engine.Tx, key, id []byte) (g readGroup, err error) {
	if g.StreamGroup, err = tx.StreamGroup(key, r.group); err != nil {
		return g, err
	}
	if !g.Exists() {
		return g, errs.StreamNoGroupToRead(key, r.group)
	}
	switch string(cString(id)) {
	case "$":
		return g, errs.StreamTopInGroup
	case ">":
		g.fresh = true
		return g, nil
	}
	g.after, err = streamID(id, 0)
	g.fresh = g.after == engine.MaxStreamID // as Redis has it
	return g, err
}
