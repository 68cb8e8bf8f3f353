package engine

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/tidwall/btree"

	"coatcheck/engine/internal/idindex"
)

// UnknownRead is the number of entries that a group has read when nobody can tell.
const UnknownRead = -1

// streamGroup is a consumer group.
type streamGroup struct {
	name string
	last StreamID // the last entry given out
	read int64    // entries of the stream up to that one; UnknownRead
	// pending are the entries that were given out and not acknowledged.
	pending   idindex.Index[pendingEntry]
	consumers btree.Map[string, *streamConsumer]
	// byNumber has the consumers, nil for numbers that are free.
	byNumber []*streamConsumer
	free     []uint32
	usage    *idindex.Usage // the stream's
}

// pendingEntry is an entry that a consumer has not acknowledged.
type pendingEntry struct {
	id    StreamID
	at    UnixMilli // when it was given out last
	count uint64    // how many times it was
	owner uint32    // the consumer's number
}

// pendingID is a pending entry as its consumer notes it.
type pendingID struct{ id StreamID }

// streamConsumer is a consumer of a group.
type streamConsumer struct {
	name   string
	number uint32
	seen   UnixMilli // when it last asked
	active UnixMilli // when it last got something; -1 for never
	// pending are the IDs of the group's pending entries that it has.
	pending idindex.Index[pendingID]
}

// What a group and a consumer take in Go's heap, with their place in the maps.
const (
	groupHeap    = int64(unsafe.Sizeof(streamGroup{})) + 48
	consumerHeap = int64(unsafe.Sizeof(streamConsumer{})) + 48
)

func (g *streamGroup) heap() int64 {
	n := groupHeap + int64(len(g.name)) + int64(cap(g.byNumber))*8 + int64(cap(g.free))*4
	g.consumers.Scan(func(name string, _ *streamConsumer) bool {
		n += consumerHeap + int64(len(name))
		return true
	})
	return n
}

// lookup is a name for looking up, without a copy of it.
func lookup(name []byte) string { return unsafe.String(unsafe.SliceData(name), len(name)) }

// group is the group of that name, nil when there is none.
func (s *stream) group(name []byte) *streamGroup {
	g, _ := s.groups.Get(lookup(name))
	return g
}

// addGroup makes a group that is not there yet.
func (s *stream) addGroup(d *db, name string, last StreamID, read int64) *streamGroup {
	g := &streamGroup{name: strings.Clone(name), last: last, read: read, usage: &s.usage}
	g.pending = idindex.New[pendingEntry](&d.slab, &s.usage)
	s.groups.Set(g.name, g)
	s.heap += groupHeap + int64(len(g.name))
	return g
}

// removeGroup frees a group.
func (s *stream) removeGroup(g *streamGroup) {
	s.heap -= g.heap()
	for !g.dismantle(digSlice) {
	}
	s.groups.Delete(g.name)
}

// dismantle gives about n pages of pending entries back, and says whether there are
// no more.
func (g *streamGroup) dismantle(n int) (done bool) {
	if !g.pending.Close(n) {
		return false
	}
	for n > 0 && g.consumers.Len() > 0 {
		_, c, _ := g.consumers.Min()
		before := c.pending.Pages()
		if c.pending.Close(n) {
			g.consumers.Delete(c.name)
		}
		n -= before - c.pending.Pages() + 1
	}
	return g.consumers.Len() == 0
}

func (g *streamGroup) consumer(name []byte) *streamConsumer {
	c, _ := g.consumers.Get(lookup(name))
	return c
}

// addConsumer makes a consumer that is not there yet.
func (s *stream) addConsumer(d *db, g *streamGroup, name string, seen UnixMilli) *streamConsumer {
	c := &streamConsumer{name: strings.Clone(name), seen: seen, active: -1}
	before := int64(cap(g.byNumber))*8 + int64(cap(g.free))*4
	if n := len(g.free); n > 0 {
		c.number = g.free[n-1]
		g.free = g.free[:n-1]
		g.byNumber[c.number] = c
	} else {
		c.number = uint32(len(g.byNumber))
		g.byNumber = append(g.byNumber, c)
	}
	c.pending = idindex.New[pendingID](&d.slab, &s.usage)
	g.consumers.Set(c.name, c)
	s.heap += consumerHeap + int64(len(c.name)) + int64(cap(g.byNumber))*8 + int64(cap(g.free))*4 - before
	return c
}

// removeConsumer frees a consumer with its pending entries.
func (s *stream) removeConsumer(g *streamGroup, c *streamConsumer) {
	for p := (idindex.Pos{}); c.pending.At(p) != nil; p = c.pending.Next(p) {
		g.pending.Delete(c.pending.At(p).id)
	}
	for !c.pending.Close(digSlice) {
	}
	before := int64(cap(g.free)) * 4
	g.consumers.Delete(c.name)
	g.byNumber[c.number] = nil
	g.free = append(g.free, c.number)
	s.heap += int64(cap(g.free))*4 - before - consumerHeap - int64(len(c.name))
}

func (g *streamGroup) owner(e *pendingEntry) *streamConsumer { return g.byNumber[e.owner] }

// give makes an entry pending for a consumer, whoever had it before.
func (g *streamGroup) give(d *db, c *streamConsumer, id StreamID, at UnixMilli, count uint64) {
	d.slab.Ready()
	e := g.pending.Find(id)
	if e == nil {
		g.pending.Insert(pendingEntry{id, at, count, c.number})
		c.pending.Insert(pendingID{id})
		return
	}
	e.at, e.count = at, count
	if owner := g.owner(e); owner != c {
		e.owner = c.number
		owner.pending.Delete(id)
		c.pending.Insert(pendingID{id})
	}
}

// forget removes a pending entry and says whether there was one.
func (g *streamGroup) forget(id StreamID) bool {
	p := g.pending.Seek(id)
	e := g.pending.At(p)
	if e == nil || e.id != id {
		return false
	}
	g.owner(e).pending.Delete(id)
	g.pending.DeleteAt(p)
	return true
}

// cloneInto adds a copy of the group to another stream.
func (g *streamGroup) cloneInto(s *stream, d *db) {
	c := s.addGroup(d, g.name, g.last, g.read)
	numbers := make([]uint32, len(g.byNumber))
	g.consumers.Scan(func(name string, from *streamConsumer) bool {
		to := s.addConsumer(d, c, name, from.seen)
		to.active = from.active
		numbers[from.number] = to.number
		for p := (idindex.Pos{}); from.pending.At(p) != nil; p = from.pending.Next(p) {
			d.slab.Ready()
			to.pending.Insert(*from.pending.At(p))
		}
		return true
	})
	for p := (idindex.Pos{}); g.pending.At(p) != nil; p = g.pending.Next(p) {
		d.slab.Ready()
		e := *g.pending.At(p)
		e.owner = numbers[e.owner]
		c.pending.Insert(e)
	}
}

// check says what does not fit together, and returns the memory of the indexes.
func (g *streamGroup) check() (u idindex.Usage, err error) {
	if u, err = g.pending.Check(); err != nil {
		return u, err
	}
	n := 0
	g.consumers.Scan(func(name string, c *streamConsumer) bool {
		var own idindex.Usage
		if own, err = c.pending.Check(); err != nil {
			return false
		}
		u.Heap += own.Heap
		u.Blocks += own.Blocks
		u.Pages += own.Pages
		n += c.pending.Len()
		if name != c.name || g.byNumber[c.number] != c {
			err = fmt.Errorf("consumer %q is noted elsewhere", name)
			return false
		}
		for p := (idindex.Pos{}); c.pending.At(p) != nil; p = c.pending.Next(p) {
			if e := g.pending.Find(c.pending.At(p).id); e == nil || e.owner != c.number {
				err = fmt.Errorf("consumer %q has %v, which is not pending for it", name, c.pending.At(p).id)
				return false
			}
		}
		return true
	})
	if err == nil && n != g.pending.Len() {
		err = fmt.Errorf("%d entries are pending, consumers have %d", g.pending.Len(), n)
	}
	return u, err
}

// hasTombstones says whether an entry from id on was deleted, as far as the stream
// knows (Redis t_stream.c, streamRangeHasTombstones).
func (s *stream) hasTombstones(id StreamID) bool {
	if s.length == 0 || s.maxDeleted.IsZero() || s.maxDeleted.Less(s.first) {
		return false
	}
	return id.Compare(s.maxDeleted) <= 0
}

// readUpTo is how many entries were ever added up to id, UnknownRead when deleted
// ones make that a guess (Redis t_stream.c, streamEstimateDistanceFromFirstEverEntry).
func (s *stream) readUpTo(id StreamID) int64 {
	switch {
	case s.added == 0:
		return 0
	case s.length == 0 && id.Compare(s.last) <= 0, id == s.last:
		return int64(s.added)
	case s.last.Less(id):
		return UnknownRead
	}
	if s.maxDeleted.IsZero() || s.maxDeleted.Less(s.first) { // none deleted among those that are there
		switch id.Compare(s.first) {
		case -1:
			return int64(s.added) - s.length
		case 0:
			return int64(s.added) - s.length + 1
		}
	}
	return UnknownRead
}

// lag is how many entries a group has not been given yet; not ok when nobody can
// tell (Redis t_stream.c, streamReplyWithCGLag).
func (s *stream) lag(g *streamGroup) (n int64, ok bool) {
	if s.added == 0 {
		return 0, true
	}
	read := g.read
	if read == UnknownRead || s.hasTombstones(g.last) {
		read = s.readUpTo(g.last)
	}
	return int64(s.added) - read, read != UnknownRead
}
