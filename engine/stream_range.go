package engine

import (
	"coatcheck/engine/internal/idindex"
	"coatcheck/engine/internal/streamnode"
)

// streamIterator walks over the entries of a stream between two IDs, both included,
// upwards or downwards. It is good until the stream changes.
type streamIterator struct {
	d        *db
	s        *stream
	from, to StreamID
	down     bool
	started  bool
	node     idindex.Pos
	cur      streamnode.Cursor // at the entry, after next has returned true
}

func (s *stream) iterate(d *db, from, to StreamID, down bool) streamIterator {
	return streamIterator{d: d, s: s, from: from, to: to, down: down}
}

// next moves on to the next entry that is not deleted; false when there is none.
func (it *streamIterator) next() bool {
	if !it.started && !it.start() {
		return false
	}
	for {
		for it.step() {
			switch {
			case it.cur.Deleted, !it.down && it.cur.ID.Less(it.from), it.down && it.to.Less(it.cur.ID):
			case it.down && it.cur.ID.Less(it.from), it.to.Less(it.cur.ID):
				return false
			default:
				return true
			}
		}
		if !it.nextNode() {
			return false
		}
	}
}

func (it *streamIterator) step() bool {
	if it.down {
		return it.cur.Prev()
	}
	return it.cur.Next()
}

// start goes to the node where the range begins.
func (it *streamIterator) start() bool {
	it.started = true
	bound := it.from
	if it.down {
		bound = it.to
	}
	p, ok := it.s.nodes.Floor(bound)
	if !ok && it.down || it.s.nodes.Len() == 0 {
		return false
	}
	it.open(p) // the first one when all are above
	return true
}

func (it *streamIterator) open(p idindex.Pos) {
	it.node = p
	node := it.s.nodes.At(p)
	it.cur = streamnode.Start(node.bytes(it.d), node.id)
	if it.down {
		it.cur.ToEnd()
	}
}

func (it *streamIterator) nextNode() bool {
	p, ok := it.node, true
	if it.down {
		p, ok = it.s.nodes.Prev(p)
	} else {
		p = it.s.nodes.Next(p)
	}
	if !ok || it.s.nodes.At(p) == nil {
		return false
	}
	it.open(p)
	return true
}

// StreamEntry is an entry that a reader is shown. It is good until the reader
// returns.
type StreamEntry struct {
	ID     StreamID
	Fields int // how many pairs Pair will return
	// Gone says that only the ID is known: a pending entry that was deleted from
	// its stream.
	Gone bool

	cur          *streamnode.Cursor
	field, value [20]byte
}

// Pair returns the entry's pairs one after another; call it no more than Fields
// times. The bytes are good until the next call.
func (e *StreamEntry) Pair() (field, value []byte) {
	f, v := e.cur.Pair()
	return f.Bytes(&e.field), v.Bytes(&e.value)
}

// streamWalk is what showing entries needs. The unit keeps one, so that it is not
// allocated each time.
type streamWalk struct {
	it streamIterator
	e  StreamEntry
}

func (tx *Tx) takeWalk() *streamWalk {
	w := tx.walk
	if w == nil { // in use: a visitor looks at another stream
		w = new(streamWalk)
	}
	tx.walk = nil
	return w
}

func (tx *Tx) putWalk(w *streamWalk) {
	w.it = streamIterator{}
	tx.walk = w
}

// entry is the entry that the iterator is at, to be shown.
func (w *streamWalk) entry() *StreamEntry {
	c := &w.it.cur
	w.e.ID, w.e.Fields, w.e.Gone, w.e.cur = c.ID, c.Fields, false, c
	return &w.e
}

// find makes the iterator be at the entry of that ID and says whether there is one.
func (w *streamWalk) find(s *stream, d *db, id StreamID) bool {
	w.it = s.iterate(d, id, id, false)
	return w.it.next()
}

// gone is an entry of which there is only the ID, to be shown.
func (w *streamWalk) gone(id StreamID) *StreamEntry {
	w.e.ID, w.e.Fields, w.e.Gone, w.e.cur = id, 0, true, nil
	return &w.e
}

// Stream is a stream that was looked up, or a missing key. It is good until the
// unit's next write.
type Stream struct {
	tx *Tx
	p  place
	s  *stream
}

// Stream looks up the stream at key for a reader.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) Stream(key []byte) (st Stream, err error) {
	st.tx, st.p = tx, tx.read(key)
	st.s, err = streamAt(&st.p)
	return st, err
}

// Again counts another look-up of the same stream, for commands that Redis lets look
// twice.
func (st *Stream) Again() { st.tx.countLookup(&st.p) }

// Exists says whether there is a stream.
func (st *Stream) Exists() bool { return st.s != nil }

// LastID is the highest ID ever added, 0-0 without a key.
func (st *Stream) LastID() StreamID {
	if st.s == nil {
		return StreamID{}
	}
	return st.s.last
}

// HasAfter says whether there is an entry above id. O(1) but for deleted entries at
// the end.
func (st *Stream) HasAfter(id StreamID) bool { return st.s != nil && st.s.hasAfter(st.p.db, id) }

func (s *stream) hasAfter(d *db, id StreamID) bool {
	return s.length > 0 && id.Less(s.last) && id.Less(s.edge(d, true))
}

// StreamRange is what Range shows.
type StreamRange struct {
	From, To StreamID // both included
	Down     bool     // from To on
	Count    int64    // the most entries; 0 for all
}

// Range shows entries in their order and returns how many. O(log n), and O(1) an
// entry.
func (st *Stream) Range(r StreamRange, visit func(e *StreamEntry)) (n int) {
	if st.s == nil {
		return 0
	}
	w := st.tx.takeWalk()
	defer st.tx.putWalk(w)
	w.it = st.s.iterate(st.p.db, r.From, r.To, r.Down)
	for (r.Count == 0 || int64(n) < r.Count) && w.it.next() {
		visit(w.entry())
		n++
	}
	return n
}
