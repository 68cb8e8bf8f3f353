package engine

import (
	"math"

	"coatcheck/engine/internal/idindex"
	"coatcheck/engine/internal/streamnode"
)

// Streams as files hold them.

// StreamValue is a whole stream.
type StreamValue struct {
	Nodes      []StreamNodeValue // in order
	Length     int64             // entries that are there
	Last       StreamID
	MaxDeleted StreamID
	Added      uint64 // entries ever added
	Groups     []StreamGroupValue
}

// StreamNodeValue is some entries of a stream: a listpack as Redis has it.
type StreamNodeValue struct {
	ID      StreamID // of its first entry
	Entries []byte
}

// StreamGroupValue is a group. Read is UnknownRead when nobody can tell.
type StreamGroupValue struct {
	Name      []byte
	Last      StreamID
	Read      int64
	Pending   []StreamPendingValue
	Consumers []StreamConsumerValue
}

// StreamPendingValue is an entry that was given out Count times, At last.
type StreamPendingValue struct {
	ID    StreamID
	At    UnixMilli
	Count uint64
}

// StreamConsumerValue is a consumer, with the IDs of its pending entries.
type StreamConsumerValue struct {
	Name         []byte
	Seen, Active UnixMilli // Active is -1 for never
	Pending      []StreamID
}

// Stream is the stream that the entry holds. Bytes are the store's.
func (v View) Stream() *StreamValue {
	s, d := v.p.object().(*stream), v.p.db
	val := &StreamValue{Length: s.length, Last: s.last, MaxDeleted: s.maxDeleted, Added: s.added}
	for p := (idindex.Pos{}); s.nodes.At(p) != nil; p = s.nodes.Next(p) {
		node := s.nodes.At(p)
		val.Nodes = append(val.Nodes, StreamNodeValue{node.id, node.bytes(d)})
	}
	s.groups.Scan(func(_ string, g *streamGroup) bool {
		val.Groups = append(val.Groups, g.value())
		return true
	})
	return val
}

// FirstID is the ID of the stream's first entry, 0-0 without one.
func (v View) FirstID() StreamID { return v.p.object().(*stream).first }

func (g *streamGroup) value() StreamGroupValue {
	val := StreamGroupValue{Name: []byte(g.name), Last: g.last, Read: g.read}
	for p := (idindex.Pos{}); g.pending.At(p) != nil; p = g.pending.Next(p) {
		e := g.pending.At(p)
		val.Pending = append(val.Pending, StreamPendingValue{e.id, e.at, e.count})
	}
	g.consumers.Scan(func(_ string, c *streamConsumer) bool {
		consumer := StreamConsumerValue{Name: []byte(c.name), Seen: c.seen, Active: c.active}
		for p := (idindex.Pos{}); c.pending.At(p) != nil; p = c.pending.Next(p) {
			consumer.Pending = append(consumer.Pending, c.pending.At(p).id)
		}
		val.Consumers = append(val.Consumers, consumer)
		return true
	})
	return val
}

// nobody is the owner of a pending entry that no consumer has been found for yet.
const nobody = math.MaxUint32

// streamValue puts the stream of a file at p. It fails with ErrValue when anything
// about it does not fit together: entries out of order, counts, a group or consumer
// twice, a pending entry of no consumer or of two.
func (tx *Tx) streamValue(p *place, v *StreamValue, at UnixMilli) error {
	if v == nil {
		return ErrValue
	}
	d := p.db
	s := newStream(d)
	whole := false
	defer func() {
		for !whole && !s.dismantle(d, digSlice) {
		}
	}()
	if !s.fill(d, v) {
		return ErrValue
	}
	for i := range v.Groups {
		if !s.fillGroup(d, &v.Groups[i]) {
			return ErrValue
		}
	}
	tx.putObject(p, TStream, EncStream, s, at)
	whole = true
	return nil
}

// fill takes over the entries and says whether they are right.
func (s *stream) fill(d *db, v *StreamValue) bool {
	var last StreamID
	for _, node := range v.Nodes {
		live, err := streamnode.Validate(node.Entries)
		if err != nil {
			return false
		}
		for c := streamnode.Start(node.Entries, node.ID); c.Next(); last = c.ID {
			if !last.Less(c.ID) {
				return false
			}
		}
		s.length += live
		s.addBytes(d, node.ID, node.Entries)
	}
	s.last, s.maxDeleted, s.added = v.Last, v.MaxDeleted, v.Added
	s.refreshFirst(d)
	return s.length == v.Length && !v.Last.Less(last) && v.Added >= uint64(v.Length)
}

// fillGroup takes over a group and says whether it is right.
func (s *stream) fillGroup(d *db, v *StreamGroupValue) bool {
	if s.group(v.Name) != nil || v.Read < UnknownRead {
		return false
	}
	g := s.addGroup(d, string(v.Name), v.Last, v.Read)
	for _, e := range v.Pending {
		if g.pending.Find(e.ID) != nil {
			return false
		}
		d.slab.Ready()
		g.pending.Insert(pendingEntry{e.ID, e.At, e.Count, nobody})
	}
	owned := 0
	for i := range v.Consumers {
		from := &v.Consumers[i]
		if g.consumer(from.Name) != nil {
			return false
		}
		c := s.addConsumer(d, g, string(from.Name), from.Seen)
		c.active = from.Active
		for _, id := range from.Pending {
			e := g.pending.Find(id)
			if e == nil || e.owner != nobody {
				return false
			}
			e.owner = c.number
			d.slab.Ready()
			c.pending.Insert(pendingID{id})
			owned++
		}
	}
	return owned == g.pending.Len()
}

// ReadUpTo is how many entries of the stream there have been up to id, for files that
// do not say so of a group; UnknownRead when nobody can tell.
func (v *StreamValue) ReadUpTo(id StreamID) int64 {
	s := stream{length: v.Length, last: v.Last, maxDeleted: v.MaxDeleted, added: v.Added}
	if len(v.Nodes) > 0 {
		s.first = v.Nodes[0].ID // of a file that is old enough nothing was deleted, or nobody knows
	}
	return s.readUpTo(id)
}
