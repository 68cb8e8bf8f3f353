package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/tidwall/btree"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/idindex"
	"coatcheck/engine/internal/slab"
	"coatcheck/engine/internal/streamnode"
)

// Streams: entries under ascending IDs, in nodes of some hundred, each a listpack
// in the format in which Redis keeps and dumps it (package streamnode), in a block
// of the slab; and groups that note who was given which entry.

// StreamID names an entry of a stream.
type StreamID = streamnode.ID

// MaxStreamID is the highest ID.
var MaxStreamID = streamnode.MaxID

// stream is the object behind a key. One without entries goes on to exist.
type stream struct {
	nodes  idindex.Index[streamNode]
	length int64
	last   StreamID // highest ever added, or as XSETID has it
	first  StreamID // of the first entry; 0-0 when there is none
	// maxDeleted is the highest ID that XDEL removed.
	maxDeleted StreamID
	added      uint64 // entries ever added
	groups     btree.Map[string, *streamGroup]

	usage  idindex.Usage // of nodes and of all groups' and consumers' indexes
	blocks int64         // size of the nodes' blocks
	heap   int64         // of groups and consumers
}

// streamNode is where a node's listpack is.
type streamNode struct {
	id  StreamID // master ID
	ref slab.Ref
}

const (
	streamHeap = int64(unsafe.Sizeof(stream{}))
	// maxStreamNode bounds a node, and what one XADD may bring, in bytes.
	maxStreamNode = 1 << 30
)

func newStream(d *db) *stream {
	s := new(stream)
	s.nodes = idindex.New[streamNode](&d.slab, &s.usage)
	return s
}

// streamAt is the stream at a place, nil without a key.
func streamAt(p *place) (*stream, error) {
	switch p.typ() {
	case None:
		return nil, nil
	case TStream:
		return p.object().(*stream), nil
	}
	return nil, errs.WrongType
}

// bytes is a node's listpack, with the rest of its block as capacity.
func (n *streamNode) bytes(d *db) []byte { return nodeBytes(d, n.ref) }

func nodeBytes(d *db, r slab.Ref) []byte {
	b := d.slab.Bytes(r)
	return b[:binary.LittleEndian.Uint32(b)]
}

// resizeNode gives a node a block with room for n bytes and returns its listpack.
func (s *stream) resizeNode(d *db, node *streamNode, n int) []byte {
	lp := node.bytes(d)
	d.slab.Wrote(node.ref, 0, len(lp))
	old := d.slab.Size(node.ref)
	node.ref = d.slab.Resize(node.ref, n)
	s.blocks += int64(d.slab.Size(node.ref) - old)
	return node.bytes(d)
}

// setCounts changes the counts of a node and returns its listpack.
func (s *stream) setCounts(d *db, node *streamNode, live, deleted int64) []byte {
	lp := node.bytes(d)
	if n := streamnode.LenWithCounts(lp, live, deleted); n > cap(lp) {
		lp = s.resizeNode(d, node, n)
	}
	return streamnode.SetCounts(lp, live, deleted)
}

// removeNode frees a node.
func (s *stream) removeNode(d *db, at idindex.Pos) {
	s.freeNode(d, s.nodes.At(at))
	s.nodes.DeleteAt(at)
}

func (s *stream) freeNode(d *db, node *streamNode) {
	s.blocks -= int64(d.slab.Size(node.ref))
	d.slab.Free(node.ref)
}

// append adds an entry above all others.
func (s *stream) append(d *db, id StreamID, pairs [][]byte, bounds *Packing) {
	node := s.nodes.Last()
	if node != nil && nodeIsFull(node.bytes(d), pairs, bounds) {
		if n, size := len(node.bytes(d)), d.slab.Size(node.ref); size-n >= max(8, n/8) {
			s.resizeNode(d, node, n)
		}
		node = nil
	}
	if node == nil {
		node = s.addNode(d, id, pairs)
	}
	lp := node.bytes(d)
	plan := streamnode.Plan(lp, node.id, id, pairs)
	if plan.Len > cap(lp) {
		lp = s.resizeNode(d, node, plan.Len+min(len(lp)/2, nodeSpare))
	}
	lp = streamnode.Append(lp, plan, pairs)
	d.slab.Wrote(node.ref, 0, len(lp))
	if s.length++; s.length == 1 {
		s.first = id
	}
	s.last = id
	s.added++
}

// nodeSpare is the most room that a growing node gets beyond what it needs.
const nodeSpare = 64 << 10

// nodeIsFull says whether an entry must go into a new node (Redis t_stream.c,
// streamAppendItem).
func nodeIsFull(lp []byte, pairs [][]byte, bounds *Packing) bool {
	size := int64(len(lp))
	for _, b := range pairs {
		size += int64(len(b))
	}
	limit := bounds.StreamBytes
	if limit <= 0 || limit > maxStreamNode {
		limit = maxStreamNode
	}
	if size >= limit {
		return true
	}
	live, deleted := streamnode.Counts(lp)
	return bounds.StreamEntries > 0 && live+deleted >= bounds.StreamEntries
}

// addNode makes a node for an entry, without the entry.
func (s *stream) addNode(d *db, id StreamID, pairs [][]byte) *streamNode {
	ref := d.slab.Alloc(streamnode.FirstLen(pairs))
	lp := streamnode.New(d.slab.Bytes(ref), pairs)
	d.slab.Wrote(ref, 0, len(lp))
	s.blocks += int64(d.slab.Size(ref))
	if old := s.nodes.Find(id); old != nil { // nothing but marks of deleted entries, see XSETID
		s.freeNode(d, old)
		old.ref = ref
		return old
	}
	return s.nodes.Insert(streamNode{id, ref})
}

// elements is as object has it: nodes and pages of others.
func (s *stream) elements() int { return s.nodes.Len() + s.usage.Pages }

func (s *stream) memory() (heap, blocks int64) {
	return streamHeap + s.heap + s.usage.Heap, s.blocks + s.usage.Blocks
}

func (s *stream) dismantle(d *db, n int) (done bool) {
	for ; n > 0 && s.nodes.Len() > 0; n-- {
		last, _ := s.nodes.Prev(s.nodes.End())
		s.removeNode(d, last)
	}
	if n <= 0 || !s.nodes.Close(1) {
		return false
	}
	for n > 0 && s.groups.Len() > 0 {
		_, g, _ := s.groups.Min()
		before := s.usage.Pages
		if g.dismantle(n) {
			s.groups.Delete(g.name)
		}
		n -= before - s.usage.Pages + 1
	}
	return s.groups.Len() == 0
}

// clone is as object has it. Without memory it leaves nothing behind.
func (s *stream) clone(from, to *db) object {
	c := newStream(to)
	whole := false
	defer func() {
		for !whole && !c.dismantle(to, digSlice) {
		}
	}()
	c.length, c.last, c.first, c.maxDeleted, c.added = s.length, s.last, s.first, s.maxDeleted, s.added
	for p := (idindex.Pos{}); s.nodes.At(p) != nil; p = s.nodes.Next(p) {
		node := s.nodes.At(p)
		c.addBytes(to, node.id, node.bytes(from))
	}
	s.groups.Scan(func(_ string, g *streamGroup) bool {
		g.cloneInto(c, to)
		return true
	})
	whole = true
	return c
}

// addBytes adds a node that is whole, a copy of lp, behind all others.
func (s *stream) addBytes(d *db, id StreamID, lp []byte) {
	d.slab.Ready()
	ref, ok := d.slab.TryAlloc(len(lp))
	if !ok {
		panic(ErrNoMemory)
	}
	copy(d.slab.Bytes(ref), lp)
	d.slab.Wrote(ref, 0, len(lp))
	s.blocks += int64(d.slab.Size(ref))
	s.nodes.Insert(streamNode{id, ref})
}

// check is as object has it.
func (s *stream) check(d *db) error {
	usage, err := s.nodes.Check()
	if err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	var length, blocks int64
	for p := (idindex.Pos{}); s.nodes.At(p) != nil; p = s.nodes.Next(p) {
		node := s.nodes.At(p)
		live, err := streamnode.Validate(node.bytes(d))
		if err != nil {
			return fmt.Errorf("node %v: %w", node.id, err)
		}
		length += live
		blocks += int64(d.slab.Size(node.ref))
	}
	heap := int64(0)
	s.groups.Scan(func(name string, g *streamGroup) bool {
		var n idindex.Usage
		if n, err = g.check(); err != nil || name != g.name {
			err = fmt.Errorf("group %q: %w", name, err)
			return false
		}
		usage.Heap += n.Heap
		usage.Blocks += n.Blocks
		usage.Pages += n.Pages
		heap += g.heap()
		return true
	})
	switch {
	case err != nil:
		return err
	case length != s.length || blocks != s.blocks:
		return fmt.Errorf("%d entries in nodes of %d bytes, counted %d in %d", length, blocks, s.length, s.blocks)
	case usage != s.usage || heap != s.heap:
		return fmt.Errorf("indexes take %+v and groups %d, counted %+v and %d", usage, heap, s.usage, s.heap)
	case s.length > 0 && s.edge(d, false) != s.first, s.length == 0 && !s.first.IsZero():
		return fmt.Errorf("the first entry is noted as %v", s.first)
	}
	return nil
}

// edge is the ID of the first entry, or of the last; 0-0 when there is none.
func (s *stream) edge(d *db, last bool) StreamID {
	it := s.iterate(d, StreamID{}, MaxStreamID, last)
	if s.length == 0 || !it.next() {
		return StreamID{}
	}
	return it.cur.ID
}

// refreshFirst notes which entry is the first, after some have gone.
func (s *stream) refreshFirst(d *db) { s.first = s.edge(d, false) }

// StreamLen is the number of entries of the stream at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) StreamLen(key []byte) (int64, error) {
	p := tx.read(key)
	s, err := streamAt(&p)
	if s == nil {
		return 0, err
	}
	return s.length, nil
}

// mayNotGrow says that no ID is left for another entry.
func (s *stream) mayNotGrow() bool {
	return s.last.Ms == math.MaxUint64 && s.last.Seq == math.MaxUint64
}
