package engine

// Pending entries that change hands.

// ClaimOptions are the choices of Claim.
type ClaimOptions struct {
	MinIdle int64 // only entries given out so many milliseconds ago
	// At is when they count as given out; one in the future, or before 1970, is
	// the unit's time.
	At UnixMilli
	// Count is how often they count as given out; -1 for once more than so far,
	// or with JustID as often as so far.
	Count  int64
	Force  bool // entries of the stream that are not pending become so
	JustID bool
	LastID StreamID // the group has read up to here, at least
}

// Claim makes pending entries be pending for the consumer of that name, which is
// created when absent, shows each, and returns how many. Those that are gone from the
// stream are forgotten.
//
// Effect: "xgroup-createconsumer" for a new one; what repeats the rest is XCLAIM for
// each entry (Redis t_stream.c, xclaimCommand). O(log n) an ID.
func (g *StreamGroup) Claim(name []byte, ids []StreamID, opt ClaimOptions, visit func(e *StreamEntry)) (n int) {
	tx, d := g.st.tx, g.st.p.db
	w := tx.takeWalk()
	defer tx.putWalk(w)
	tellLast := g.g.last.Less(opt.LastID)
	if tellLast {
		g.g.last = opt.LastID
	}
	if opt.At < 0 || opt.At > tx.UsedNow() {
		opt.At = tx.UsedNow()
	}
	c := g.Join(name, false).c
	for _, id := range ids {
		e := g.g.pending.Find(id)
		if !w.find(g.st.s, d, id) {
			if e != nil {
				g.dropGone(*e)
				tellLast = false
			}
			continue
		}
		count := uint64(1)
		switch {
		case e == nil && !opt.Force, e != nil && !g.isIdle(e, opt.MinIdle):
			continue
		case e != nil:
			count = e.count
		}
		switch {
		case opt.Count >= 0:
			count = uint64(opt.Count)
		case !opt.JustID:
			count++
		}
		g.g.give(d, c, id, opt.At, count)
		c.active = tx.UsedNow()
		visit(w.entry())
		n++
		g.countClaim(id, c, opt.At, count)
		tellLast = false
	}
	g.st.p.resized()
	if tellLast {
		tx.countMore(1)
		if tx.wantsArgv() {
			g.repeatLast()
		}
	}
	return n
}

// countClaim counts a change of a pending entry, and tells of it.
func (g *StreamGroup) countClaim(id StreamID, c *streamConsumer, at UnixMilli, count uint64) {
	g.st.tx.countMore(1)
	if g.st.tx.wantsArgv() {
		g.repeatClaim(id, c, at, count)
	}
}

// dropGone forgets a pending entry that is not in the stream any more.
func (g *StreamGroup) dropGone(e pendingEntry) {
	owner := g.g.owner(&e)
	g.g.forget(e.id)
	g.countClaim(e.id, owner, e.at, e.count)
}

// AutoClaimOptions are the choices of AutoClaim.
type AutoClaimOptions struct {
	MinIdle int64
	Start   StreamID // from here on
	Count   int64    // the most entries, and a tenth of those that it looks at
	JustID  bool
}

// autoClaimFactor is how many pending entries AutoClaim looks at for each that it may
// claim.
const autoClaimFactor = 10

// AutoClaim is Claim for the pending entries from a place on, and returns where to go
// on, 0-0 at the end. It shows those that are gone from the stream, and forgets
// them, through gone (Redis t_stream.c, xautoclaimCommand).
func (g *StreamGroup) AutoClaim(name []byte, opt AutoClaimOptions, visit func(e *StreamEntry), gone func(StreamID)) (next StreamID) {
	tx, d := g.st.tx, g.st.p.db
	w := tx.takeWalk()
	defer tx.putWalk(w)
	c := g.Join(name, false).c
	p, e := g.g.pendingAt(opt.Start)
	for attempts := opt.Count * autoClaimFactor; attempts > 0 && opt.Count > 0 && e != nil; attempts-- {
		id := e.id
		switch {
		case !w.find(g.st.s, d, id):
			g.dropGone(*e)
			gone(id)
			opt.Count--
			p, e = g.g.pendingAt(id)
			continue
		case g.isIdle(e, opt.MinIdle):
			count := e.count
			if !opt.JustID {
				count++
			}
			g.g.give(d, c, id, tx.UsedNow(), count)
			c.active = tx.UsedNow()
			visit(w.entry())
			g.countClaim(id, c, tx.UsedNow(), count)
			opt.Count--
		}
		p = g.g.pending.Next(p)
		e = g.g.pending.At(p)
	}
	g.st.p.resized()
	if e == nil {
		return StreamID{}
	}
	return e.id
}
