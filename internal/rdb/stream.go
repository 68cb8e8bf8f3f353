package rdb

import (
	"encoding/binary"
	"math"

	"coatcheck/engine"
)

// Streams: nodes under their IDs, what is known of the whole, groups. Redis 7.0
// added (kindStream2) the first ID, the highest deleted one and two counts, 7.2
// (kindStream3) when a consumer last got something.

func (t *Tape) id(id engine.StreamID) {
	t.length(id.Ms)
	t.length(id.Seq)
}

// appendRawID appends an ID as 16 bytes in the order in which they sort.
func appendRawID(b []byte, id engine.StreamID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.Ms), id.Seq)
}

func (t *Tape) rawID(id engine.StreamID) {
	var a [16]byte
	t.raw(appendRawID(a[:0], id)...)
}

// stream takes down a stream as kindStream2.
func (t *Tape) stream(s *engine.StreamValue, first engine.StreamID) {
	t.length(uint64(len(s.Nodes)))
	var a [16]byte
	for _, node := range s.Nodes {
		t.str(appendRawID(a[:0], node.ID))
		t.str(node.Entries)
	}
	t.length(uint64(s.Length))
	t.id(s.Last)
	t.id(first)
	t.id(s.MaxDeleted)
	t.length(s.Added)
	t.length(uint64(len(s.Groups)))
	for i := range s.Groups {
		t.group(&s.Groups[i])
	}
}

func (t *Tape) group(g *engine.StreamGroupValue) {
	t.str(g.Name)
	t.id(g.Last)
	t.length(uint64(g.Read)) // unknown is the highest number there is
	t.length(uint64(len(g.Pending)))
	for _, e := range g.Pending {
		t.rawID(e.ID)
		t.uint64(uint64(e.At))
		t.length(e.Count)
	}
	t.length(uint64(len(g.Consumers)))
	for _, c := range g.Consumers {
		t.str(c.Name)
		t.uint64(uint64(c.Seen))
		t.length(uint64(len(c.Pending)))
		for _, id := range c.Pending {
			t.rawID(id)
		}
	}
}

func (d *decoder) id() engine.StreamID {
	ms := d.length()
	return engine.StreamID{Ms: ms, Seq: d.length()}
}

func idOf(b []byte) engine.StreamID {
	return engine.StreamID{Ms: binary.BigEndian.Uint64(b), Seq: binary.BigEndian.Uint64(b[8:])}
}

// rawID reads an ID of 16 bytes.
func (d *decoder) rawID() engine.StreamID {
	if b := d.take(16); b != nil {
		return idOf(b)
	}
	return engine.StreamID{}
}

// stream reads a stream. The engine looks whether all fits together.
func (d *decoder) stream(kind byte) *engine.StreamValue {
	s := new(engine.StreamValue)
	for n := d.length(); n > 0 && d.err == nil; n-- {
		key := d.string()
		if d.err != nil {
			break
		}
		if len(key) != 16 {
			d.bad("name of a stream's node")
			break
		}
		id := idOf(key)
		s.Nodes = append(s.Nodes, engine.StreamNodeValue{ID: id, Entries: d.keep(d.string())})
	}
	n := d.length()
	if n > math.MaxInt64 {
		d.bad("%d entries", n)
	}
	s.Length = int64(n)
	s.Last = d.id()
	if s.Added = n; kind != kindStream {
		d.id() // the first, which follows from the entries
		s.MaxDeleted = d.id()
		s.Added = d.length()
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		s.Groups = append(s.Groups, d.group(kind, s))
	}
	return s
}

func (d *decoder) group(kind byte, s *engine.StreamValue) engine.StreamGroupValue {
	g := engine.StreamGroupValue{Name: d.keep(d.string()), Last: d.id()}
	if kind == kindStream {
		g.Read = s.ReadUpTo(g.Last)
	} else {
		g.Read = int64(d.length())
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		id := d.rawID()
		at := engine.UnixMilli(d.uint64())
		g.Pending = append(g.Pending, engine.StreamPendingValue{ID: id, At: at, Count: d.length()})
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		g.Consumers = append(g.Consumers, d.consumer(kind))
	}
	return g
}

func (d *decoder) consumer(kind byte) engine.StreamConsumerValue {
	c := engine.StreamConsumerValue{Name: d.keep(d.string()), Seen: engine.UnixMilli(d.uint64())}
	c.Active = c.Seen // as Redis takes it where the file does not say
	if kind == kindStream3 {
		c.Active = engine.UnixMilli(d.uint64())
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		c.Pending = append(c.Pending, d.rawID())
	}
	return c
}
