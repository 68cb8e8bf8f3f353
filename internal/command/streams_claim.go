package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// StreamClaims is the family of commands that move pending entries from one consumer
// to another.
var StreamClaims = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "XCLAIM", Arity: -6,
		Syntax: "key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time]" +
			" [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupStream, Since: "5.0.0", Complexity: "O(log N) for each entry.",
		Summary: "Gives a consumer entries that are pending for others.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: xclaim},
	{Spec: Spec{
		Name: "XAUTOCLAIM", Arity: -6,
		Syntax: "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
		Flags:  Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Delete}},
		Group: GroupStream, Since: "6.2.0", Complexity: "O(log N) for each entry that it looks at, ten times COUNT at most.",
		Summary: "Gives a consumer the next entries that are pending for others.",
		Tips:    []string{"nondeterministic_output"},
		History: [][2]string{{"7.0.0", "The reply ends with the entries that are gone from the stream."}},
	}, Run: xautoclaim},
}

// XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]
//
// Replies with an array of the entries that the consumer has now; with JUSTID, of
// their IDs.
func xclaim(tx *engine.Tx, in Args, out *resp.Reply) error {
	g, err := tx.StreamGroup(in[1], in[2])
	if err != nil {
		return err
	}
	if !g.Exists() {
		return errs.StreamNoGroupAt(in[1], in[2])
	}
	minIdle, ok := engine.ParseInt(in[4])
	if !ok {
		return errs.StreamClaimMinIdle
	}
	var ids []engine.StreamID
	at := 5
	for ; at < len(in); at++ {
		id, err := streamID(in[at], 0)
		if err != nil {
			break
		}
		ids = append(ids, id)
	}
	opt, err := claimOptions(in, at, tx.UsedNow())
	if err != nil {
		return err
	}
	opt.MinIdle = minIdle
	list := out.DeferArray()
	n := g.Claim(in[3], ids, opt, claimed(out, opt.JustID))
	out.EndArray(list, n)
	return nil
}

// claimed appends entries, or only their IDs.
func claimed(out *resp.Reply, justID bool) func(e *engine.StreamEntry) {
	return func(e *engine.StreamEntry) {
		if justID {
			writeID(out, e.ID)
		} else {
			writeEntry(out, e)
		}
	}
}

// claimOptions reads what follows the IDs.
func claimOptions(in Args, at int, now engine.UnixMilli) (opt engine.ClaimOptions, err error) {
	opt.At, opt.Count = now, -1
	number := func(c *cursor, wrong error) int64 {
		n, ok := engine.ParseInt(c.arg())
		if !ok {
			c.fail(wrong)
		}
		return n
	}
	c := options(in, at)
	for c.more() {
		switch more := c.at+1 < len(in); {
		case c.word("FORCE"):
			opt.Force = true
		case c.word("JUSTID"):
			opt.JustID = true
		case more && c.word("IDLE"):
			opt.At = claimTime(now-engine.UnixMilli(number(&c, errs.StreamClaimIdle)), now)
		case more && c.word("TIME"):
			opt.At = claimTime(engine.UnixMilli(number(&c, errs.StreamClaimTime)), now)
		case more && c.word("RETRYCOUNT"):
			opt.Count = max(number(&c, errs.StreamClaimRetryCount), -1)
		case more && c.word("LASTID"):
			opt.LastID, err = streamID(c.arg(), 0)
			c.fail(err)
		default:
			c.fail(errs.StreamClaimOption(in[c.at]))
		}
	}
	return opt, c.err
}

// claimTime is a time that was asked for, or now where that makes no sense.
func claimTime(at, now engine.UnixMilli) engine.UnixMilli {
	if at < 0 || at > now {
		return now
	}
	return at
}

// maxAutoClaim is the highest COUNT of XAUTOCLAIM.
const maxAutoClaim = (1<<63 - 1) / 16

// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
//
// Replies with the ID to go on from, 0-0 at the end, an array as XCLAIM's, and an
// array of the IDs that are gone from the stream and not pending any more.
func xautoclaim(tx *engine.Tx, in Args, out *resp.Reply) error {
	g, typeErr := tx.StreamGroup(in[1], in[2]) // looked up first, asked for last
	opt := engine.AutoClaimOptions{Count: 100}
	var ok bool
	if opt.MinIdle, ok = engine.ParseInt(in[4]); !ok {
		return errs.StreamAutoClaimMinIdle
	}
	var err error
	if opt.Start, err = streamFrom(in[5]); err != nil {
		return err
	}
	c := options(in, 6)
	for c.more() {
		switch {
		case c.at+1 < len(in) && c.word("COUNT"):
			if opt.Count, ok = engine.ParseInt(c.arg()); !ok || opt.Count < 1 || opt.Count > maxAutoClaim {
				c.fail(errs.StreamAutoClaimCount)
			}
		case c.word("JUSTID"):
			opt.JustID = true
		default:
			c.fail(errs.Syntax)
		}
	}
	switch {
	case c.err != nil:
		return c.err
	case typeErr != nil:
		return typeErr
	case !g.Exists():
		return errs.StreamNoGroupAt(in[1], in[2])
	}
	autoClaim(&g, in[3], opt, out)
	return nil
}

func autoClaim(g *engine.StreamGroup, consumer []byte, opt engine.AutoClaimOptions, out *resp.Reply) {
	entries := resp.Reply{Proto: out.Proto}
	var gone []engine.StreamID
	n := 0
	show := claimed(&entries, opt.JustID)
	next := g.AutoClaim(consumer, opt, func(e *engine.StreamEntry) {
		show(e)
		n++
	}, func(id engine.StreamID) { gone = append(gone, id) })
	out.Array(3)
	writeID(out, next)
	out.Array(n)
	out.AppendReply(&entries)
	out.Array(len(gone))
	for _, id := range gone {
		writeID(out, id)
	}
}
