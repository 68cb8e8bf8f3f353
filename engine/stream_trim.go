package engine

import (
	"coatcheck/engine/errs"
	"coatcheck/engine/internal/idindex"
	"coatcheck/engine/internal/streamnode"
)

// TrimBy is by what a stream is trimmed.
type TrimBy uint8

// The strategies.
const (
	TrimNothing  TrimBy = iota
	TrimByLength        // MAXLEN: to so many entries
	TrimByID            // MINID: of what is below an ID
)

// StreamTrimOptions say what of a stream is to go.
type StreamTrimOptions struct {
	By     TrimBy
	MaxLen int64    // not negative
	MinID  StreamID // what stays at least
	// Approximate ("~") lets whole nodes only go, and what is left of them
	// stay.
	Approximate bool
	// Limit, with Approximate, is the most entries that may go; 0 for no bound,
	// negative for the usual one, a hundred nodes full.
	Limit int64
}

// limit is how many entries may go, 0 for any number (Redis t_stream.c,
// streamParseAddOrTrimArgsOrReply).
func (opt StreamTrimOptions) limit(bounds *Packing) int64 {
	switch {
	case !opt.Approximate:
		return 0
	case opt.Limit >= 0:
		return opt.Limit
	case bounds.StreamEntries <= 0:
		return 10_000
	}
	return min(bounds.StreamEntries, 10_000) * 100
}

// StreamTrim takes the first entries of the stream at key away and returns how many.
//
// It fails with errs.WrongType when key holds another type. Effect: "xtrim" when
// entries went (Redis t_stream.c, xtrimCommand). O(1) for each node that goes.
func (tx *Tx) StreamTrim(key []byte, opt StreamTrimOptions) (int64, error) {
	p := tx.write(key)
	s, err := streamAt(&p)
	if s == nil {
		return 0, err
	}
	p.db.slab.Ready()
	n := s.trim(p.db, opt, &tx.eng.packing)
	p.resized()
	if n == 0 {
		return 0, nil
	}
	if tx.wantsArgv() {
		argv := append([][]byte{[]byte("XTRIM"), key}, s.trimArgv(p.db, opt)...)
		tx.announce(ClassStream, "xtrim", key, argv...)
	} else {
		tx.announce(ClassStream, "xtrim", key)
	}
	tx.countMore(n - 1)
	return n, nil
}

// trimArgv are the words that trim the same stream to what it is now: exactly, and
// where it was done approximately, to what is left.
func (s *stream) trimArgv(d *db, opt StreamTrimOptions) [][]byte {
	switch opt.By {
	case TrimByLength:
		n := opt.MaxLen
		if opt.Approximate {
			n = s.length
		}
		return [][]byte{[]byte("MAXLEN"), []byte("="), decimal(n)}
	case TrimByID:
		id := opt.MinID
		if opt.Approximate {
			if id = s.edge(d, false); s.length == 0 {
				id = MaxStreamID
			}
		}
		return [][]byte{[]byte("MINID"), []byte("="), id.Append(nil)}
	}
	return nil
}

// trim takes entries away and returns how many. As in Redis it ends with the first
// node that does not go as a whole, where it gives marks to those that go.
func (s *stream) trim(d *db, opt StreamTrimOptions, bounds *Packing) (gone int64) {
	if opt.By == TrimNothing {
		return 0
	}
	limit := opt.limit(bounds)
	for {
		node := s.nodes.First()
		if node == nil || opt.By == TrimByLength && s.length <= opt.MaxLen {
			break
		}
		live, _ := streamnode.Counts(node.bytes(d))
		if limit > 0 && gone+live > limit {
			break
		}
		if s.goesWhole(d, node, live, opt) {
			s.removeNode(d, idindex.Pos{})
			s.length -= live
			gone += live
			continue
		}
		if !opt.Approximate {
			gone += s.trimNode(d, node, opt)
		}
		break
	}
	if gone > 0 || s.length == 0 {
		s.refreshFirst(d)
	}
	return gone
}

// goesWhole says whether all entries of the first node go.
func (s *stream) goesWhole(d *db, node *streamNode, live int64, opt StreamTrimOptions) bool {
	if opt.By == TrimByLength {
		return s.length-live >= opt.MaxLen
	}
	last, ok := streamnode.LastID(node.bytes(d), node.id)
	return !ok || last.Less(opt.MinID)
}

// trimNode marks entries of the first node as deleted and returns how many.
func (s *stream) trimNode(d *db, node *streamNode, opt StreamTrimOptions) (gone int64) {
	c := streamnode.Start(node.bytes(d), node.id)
	for c.Next() {
		if opt.By == TrimByLength && s.length <= opt.MaxLen || opt.By == TrimByID && !c.ID.Less(opt.MinID) {
			break
		}
		if !c.Deleted {
			c.MarkDeleted()
			gone++
			s.length--
		}
	}
	live, deleted := streamnode.Counts(node.bytes(d))
	s.setCounts(d, node, live-gone, deleted+gone)
	return gone
}

// StreamDelete removes entries of the stream at key and returns how many there were.
//
// It fails with errs.WrongType when key holds another type. Effect: "xdel" (Redis
// t_stream.c, xdelCommand). O(log n) an entry, and a walk over its node.
func (tx *Tx) StreamDelete(key []byte, ids ...StreamID) (int, error) {
	p := tx.write(key)
	s, err := streamAt(&p)
	if s == nil {
		return 0, err
	}
	p.db.slab.Ready()
	n, first := 0, false
	for _, id := range ids {
		if !s.delete(p.db, id) {
			continue
		}
		n++
		first = first || id == s.first
		if s.maxDeleted.Less(id) {
			s.maxDeleted = id
		}
	}
	p.resized()
	if n == 0 {
		return 0, nil
	}
	if first || s.length == 0 {
		s.refreshFirst(p.db)
	}
	if tx.wantsArgv() {
		tx.announce(ClassStream, "xdel", key, withIDs(ids, []byte("XDEL"), key)...)
	} else {
		tx.announce(ClassStream, "xdel", key)
	}
	tx.countMore(int64(n) - 1)
	return n, nil
}

// withIDs is a command of words and IDs.
func withIDs(ids []StreamID, words ...[]byte) [][]byte {
	for _, id := range ids {
		words = append(words, id.Append(nil))
	}
	return words
}

// delete removes an entry and says whether it was there. s.first is for the caller.
func (s *stream) delete(d *db, id StreamID) bool {
	it := s.iterate(d, id, id, false)
	if !it.next() {
		return false
	}
	s.length--
	node := s.nodes.At(it.node)
	live, deleted := streamnode.Counts(node.bytes(d))
	if live == 1 {
		s.removeNode(d, it.node)
		return true
	}
	it.cur.MarkDeleted()
	s.setCounts(d, node, live-1, deleted+1)
	return true
}

// StreamSetID changes what the stream at key knows of its past: the last ID, from
// which new ones follow, and unless negative and 0-0 how many entries were ever
// added and the highest ID deleted.
//
// It fails with errs.NoSuchKey, errs.WrongType, and where what it is given does not
// fit the stream with an error that says so. Effect: "xsetid" (Redis t_stream.c,
// xsetidCommand). O(1).
func (tx *Tx) StreamSetID(key []byte, last StreamID, added int64, maxDeleted StreamID) error {
	p := tx.write(key)
	s, err := streamAt(&p)
	switch {
	case err != nil:
		return err
	case s == nil:
		return errs.NoSuchKey
	case last.Less(s.maxDeleted):
		return errs.StreamSetIDBelowDeleted
	case s.length > 0 && last.Less(s.edge(p.db, true)):
		return errs.StreamSetIDBelowTop
	case s.length > 0 && added >= 0 && s.length > added:
		return errs.StreamAddedBelowLen
	}
	s.last = last
	if added >= 0 {
		s.added = uint64(added)
	}
	if !maxDeleted.IsZero() {
		s.maxDeleted = maxDeleted
	}
	if !tx.wantsArgv() {
		tx.announce(ClassStream, "xsetid", key)
		return nil
	}
	argv := [][]byte{[]byte("XSETID"), key, last.Append(nil)}
	if added >= 0 {
		argv = append(argv, []byte("ENTRIESADDED"), decimal(added))
	}
	if !maxDeleted.IsZero() {
		argv = append(argv, []byte("MAXDELETEDID"), maxDeleted.Append(nil))
	}
	tx.announce(ClassStream, "xsetid", key, argv...)
	return nil
}

// StreamToChange says whether there is a stream at key, as a writer looks it up.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) StreamToChange(key []byte) (ok bool, err error) {
	p := tx.write(key)
	s, err := streamAt(&p)
	return s != nil, err
}
