package engine

import "coatcheck/engine/internal/idindex"

// Reading as a consumer of a group.

// Join makes c the consumer of that name, creating it when it is absent, and notes
// that it has asked. With tell, those who repeat changes are told of a new one; else
// the entries that it gets tell them.
//
// Effect: "xgroup-createconsumer" for a new one. O(log n) in the consumers.
func (g *StreamGroup) Join(name []byte, tell bool) StreamConsumer {
	tx := g.st.tx
	c := g.g.consumer(name)
	if c != nil {
		c.seen = tx.UsedNow()
		return StreamConsumer{g, c}
	}
	c = g.st.s.addConsumer(g.st.p.db, g.g, string(name), tx.UsedNow())
	g.st.p.resized()
	tx.announce(ClassStream, "xgroup-createconsumer", g.key)
	if tell && tx.wantsArgv() {
		tx.announceRepeat([]byte("XGROUP"), []byte("CREATECONSUMER"), g.key, []byte(g.g.name), name)
	}
	return StreamConsumer{g, c}
}

// StreamConsumer is a consumer of a group. It is good as long as its group is.
type StreamConsumer struct {
	g *StreamGroup
	c *streamConsumer
}

// Stream is the group's stream.
func (g *StreamGroup) Stream() *Stream { return &g.st }

// HasNew says whether there is an entry that the group has not been given.
func (g *StreamGroup) HasNew() bool { return g.st.HasAfter(g.g.last) }

// ReadNew shows the entries that the group has not been given, count at most (0: all),
// and gives them to the consumer: they are pending for it then, unless noAck. It
// returns how many.
//
// It has no event; what repeats it are XCLAIM for each entry, unless noAck, and XGROUP SETID
// (Redis t_stream.c, streamReplyWithRange of 7.2: before, replicas did not learn how many
// entries a group has read). O(log n) an entry.
func (c StreamConsumer) ReadNew(count int64, noAck bool, visit func(e *StreamEntry)) (n int) {
	g, s := c.g.g, c.g.st.s
	tx, d := c.g.st.tx, c.g.st.p.db
	w := tx.takeWalk()
	defer tx.putWalk(w)
	from, ok := g.last.Next()
	if !ok {
		return 0
	}
	w.it = s.iterate(d, from, MaxStreamID, false)
	for (count == 0 || int64(n) < count) && w.it.next() {
		id := w.it.cur.ID
		g.advance(s, id)
		visit(w.entry())
		if !noAck {
			g.give(d, c.c, id, tx.UsedNow(), 1)
			c.c.active = tx.UsedNow()
			if tx.wantsArgv() {
				c.g.repeatClaim(id, c.c, tx.UsedNow(), 1)
			}
		}
		n++
	}
	c.g.st.p.resized()
	if n > 0 && tx.wantsArgv() {
		c.g.repeatLast()
	}
	return n
}

// advance notes that the group is given the entry id (Redis t_stream.c,
// streamReplyWithRange).
func (g *streamGroup) advance(s *stream, id StreamID) {
	if g.read != UnknownRead && !s.hasTombstones(id) {
		g.read++
	} else if s.added > 0 {
		g.read = s.readUpTo(id)
	}
	g.last = id
}

// ReadHistory shows entries behind after that are pending for the consumer, count at
// most (0: all), notes that they are given out once more, and returns how many.
// Those that were deleted from the stream are shown as Gone. O(log n) an entry.
func (c StreamConsumer) ReadHistory(after StreamID, count int64, visit func(e *StreamEntry)) (n int) {
	tx, d := c.g.st.tx, c.g.st.p.db
	w := tx.takeWalk()
	defer tx.putWalk(w)
	from, ok := after.Next()
	if !ok {
		return 0
	}
	own := &c.c.pending
	for p := own.Seek(from); own.At(p) != nil && (count == 0 || int64(n) < count); p = own.Next(p) {
		id := own.At(p).id
		n++
		if !w.find(c.g.st.s, d, id) {
			visit(w.gone(id))
			continue
		}
		visit(w.entry())
		e := c.g.g.pending.Find(id)
		e.at = tx.now
		e.count++
	}
	return n
}

// CountRead counts that a consumer was served, as Redis does.
func (c StreamConsumer) CountRead() { c.g.st.tx.countMore(1) }

// repeatClaim tells those who repeat changes that an entry is pending for a
// consumer.
func (g *StreamGroup) repeatClaim(id StreamID, c *streamConsumer, at UnixMilli, count uint64) {
	g.st.tx.announceRepeat([]byte("XCLAIM"), g.key, []byte(g.g.name), []byte(c.name), []byte("0"), id.Append(nil),
		[]byte("TIME"), decimal(int64(at)), []byte("RETRYCOUNT"), decimal(int64(count)),
		[]byte("FORCE"), []byte("JUSTID"), []byte("LASTID"), g.g.last.Append(nil))
}

// repeatLast tells them how far the group has read.
func (g *StreamGroup) repeatLast() {
	g.st.tx.announceRepeat([]byte("XGROUP"), []byte("SETID"), g.key, []byte(g.g.name), g.g.last.Append(nil),
		[]byte("ENTRIESREAD"), decimal(g.g.read))
}

// PendingEntry is an entry that was given to a consumer and not acknowledged.
type PendingEntry struct {
	ID       StreamID
	Consumer string
	At       UnixMilli // when it was given out last
	Count    uint64    // how many times it was
}

// PendingRange is what Pending shows.
type PendingRange struct {
	From, To StreamID // both included
	Count    int64    // the most entries; 0 for none
	MinIdle  int64    // only those that were given out so many milliseconds ago
	Consumer []byte   // only those of this one; nil for all
}

// Pending shows pending entries in their order. O(log n) in all that are pending,
// and in each one that it looks at.
func (g *StreamGroup) Pending(r PendingRange, visit func(e PendingEntry)) {
	if r.Consumer != nil {
		if c := g.g.consumer(r.Consumer); c != nil {
			g.pendingOf(c, r, visit)
		}
		return
	}
	all := &g.g.pending
	for p := all.Seek(r.From); r.Count > 0; p = all.Next(p) {
		e := all.At(p)
		if e == nil || r.To.Less(e.id) {
			return
		}
		if g.isIdle(e, r.MinIdle) {
			visit(g.g.shown(e))
			r.Count--
		}
	}
}

func (g *StreamGroup) pendingOf(c *streamConsumer, r PendingRange, visit func(e PendingEntry)) {
	for p := c.pending.Seek(r.From); r.Count > 0; p = c.pending.Next(p) {
		own := c.pending.At(p)
		if own == nil || r.To.Less(own.id) {
			return
		}
		if e := g.g.pending.Find(own.id); g.isIdle(e, r.MinIdle) {
			visit(g.g.shown(e))
			r.Count--
		}
	}
}

func (g *StreamGroup) isIdle(e *pendingEntry, least int64) bool {
	return least <= 0 || int64(g.st.tx.now-e.at) >= least
}

func (g *streamGroup) shown(e *pendingEntry) PendingEntry {
	return PendingEntry{e.id, g.owner(e).name, e.at, e.count}
}

// PendingSummary is what there is pending in a group.
type PendingSummary struct {
	Total       int
	First, Last StreamID // with a Total
}

// PendingSummary tells of all that is pending. O(1).
func (g *StreamGroup) PendingSummary() (s PendingSummary) {
	if s.Total = g.g.pending.Len(); s.Total > 0 {
		s.First, s.Last = g.g.pending.First().id, g.g.pending.Last().id
	}
	return s
}

// pendingAt is the pending entry behind a place of the index.
func (g *streamGroup) pendingAt(from StreamID) (p idindex.Pos, e *pendingEntry) {
	p = g.pending.Seek(from)
	return p, g.pending.At(p)
}
