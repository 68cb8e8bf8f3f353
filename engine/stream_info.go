package engine

import (
	"math/bits"

	"coatcheck/engine/internal/idindex"
)

// What a stream tells of itself.

// StreamInfo is what a stream knows beside its entries.
type StreamInfo struct {
	Length int64
	Added  uint64 // entries ever added
	// Last is the highest ID ever added, First that of the first entry (0-0
	// without one), MaxDeleted the highest that StreamDelete removed.
	Last, First, MaxDeleted StreamID
	Nodes, Groups           int
}

// Info tells of the stream, which must exist. O(1).
func (st *Stream) Info() StreamInfo { return st.s.info() }

func (s *stream) info() StreamInfo {
	return StreamInfo{
		Length: s.length, Added: s.added, Last: s.last, First: s.first, MaxDeleted: s.maxDeleted,
		Nodes: s.nodes.Len(), Groups: s.groups.Len(),
	}
}

// RadixNodes is how many nodes the radix tree has in which Redis would keep the
// stream. O(n) in the stream's own nodes.
func (st *Stream) RadixNodes() int {
	var r radix
	n := &st.s.nodes
	for p := (idindex.Pos{}); n.At(p) != nil; p = n.Next(p) {
		r.add(n.At(p).id)
	}
	return r.finish()
}

// radix counts the nodes of a radix tree of IDs, 16 bytes each, which are added in
// their order: one for each leaf, one where paths part, and one for what lies on a
// path between two of these.
type radix struct {
	nodes int
	last  StreamID
	any   bool
	// open are the depths, in bytes, at which the path to the last ID parts from
	// others, ascending.
	open [idBytes]int
	n    int
}

const idBytes = 16

func (r *radix) add(id StreamID) {
	r.nodes++ // the leaf
	if r.any {
		r.closeTo(commonBytes(r.last, id), idBytes)
	}
	r.last, r.any = id, true
}

// closeTo counts what is on the path to the last ID below depth, where the next one
// parts from it. child is the depth of what comes below.
func (r *radix) closeTo(depth, child int) {
	for r.n > 0 && r.open[r.n-1] > depth {
		r.edge(r.open[r.n-1], child)
		child = r.open[r.n-1]
		r.n--
	}
	if r.n > 0 && r.open[r.n-1] == depth {
		r.edge(depth, child)
		return
	}
	r.nodes++
	r.edge(depth, child)
	r.open[r.n] = depth
	r.n++
}

// edge counts the node of a path that begins with a byte at depth, if more lies
// between that and child.
func (r *radix) edge(depth, child int) {
	if child-depth > 1 {
		r.nodes++
	}
}

// finish returns the number of nodes.
func (r *radix) finish() int {
	if !r.any {
		return 1 // the root
	}
	child := idBytes
	for ; r.n > 0; r.n-- {
		r.edge(r.open[r.n-1], child)
		child = r.open[r.n-1]
	}
	if child > 0 {
		r.nodes++ // from the root to where paths part first
	}
	return r.nodes
}

// commonBytes is how many bytes two IDs, written with the highest byte first, have
// in common at their beginning.
func commonBytes(a, b StreamID) int {
	if d := a.Ms ^ b.Ms; d != 0 {
		return bits.LeadingZeros64(d) / 8
	}
	return 8 + bits.LeadingZeros64(a.Seq^b.Seq)/8
}

// GroupInfo is what a group tells of itself.
type GroupInfo struct {
	Name      string
	Last      StreamID // the last entry given out
	Read      int64    // entries up to that one; UnknownRead
	Lag       int64    // entries behind it
	LagKnown  bool
	Pending   int
	Consumers int
}

// ConsumerInfo is what a consumer tells of itself.
type ConsumerInfo struct {
	Name    string
	Seen    UnixMilli // when it last asked
	Active  UnixMilli // when it last got something; -1 for never
	Pending int
}

// EachGroup calls visit for every group, in the order of their names. Those that it
// is shown are good until the unit's next write.
func (st *Stream) EachGroup(visit func(g *StreamGroup)) {
	if st.s == nil {
		return
	}
	st.s.groups.Scan(func(_ string, g *streamGroup) bool {
		visit(&StreamGroup{st: *st, g: g, key: st.p.key})
		return true
	})
}

// Group is the group of that name.
func (st *Stream) Group(name []byte) StreamGroup {
	g := StreamGroup{st: *st, key: st.p.key}
	if st.s != nil {
		g.g = st.s.group(name)
	}
	return g
}

// Info tells of the group, which must exist. O(1).
func (g *StreamGroup) Info() GroupInfo {
	i := GroupInfo{
		Name: g.g.name, Last: g.g.last, Read: g.g.read,
		Pending: g.g.pending.Len(), Consumers: g.g.consumers.Len(),
	}
	i.Lag, i.LagKnown = g.st.s.lag(g.g)
	return i
}

// EachConsumer calls visit for every consumer, in the order of their names.
func (g *StreamGroup) EachConsumer(visit func(c ConsumerInfo)) {
	g.g.consumers.Scan(func(_ string, c *streamConsumer) bool {
		visit(ConsumerInfo{c.name, c.seen, c.active, c.pending.Len()})
		return true
	})
}

// HasConsumer says whether the group has a consumer of that name.
func (g *StreamGroup) HasConsumer(name []byte) bool { return g.g.consumer(name) != nil }

// EachNode calls visit for every node of the stream in order, with its master ID and
// its listpack, as Redis dumps it. The bytes are the store's.
func (st *Stream) EachNode(visit func(first StreamID, lp []byte)) {
	if st.s == nil {
		return
	}
	n := &st.s.nodes
	for p := (idindex.Pos{}); n.At(p) != nil; p = n.Next(p) {
		visit(n.At(p).id, n.At(p).bytes(st.p.db))
	}
}
