// Package quicklist keeps long lists: a row of nodes, each a listpack in a block
// of a slab. It knows elements and bounds, not keys. A List is not safe for
// concurrent use.
//
// A node's listpack need not begin where its block does: what is free in front
// and behind takes pushes at that end without moving the rest, and an element
// that is popped only moves the header or the mark at the end. The nodes' descriptions
// are a ring, so that nodes come and go at both ends in O(1); the collector sees that one
// slice. In the middle an element is found by adding up nodes' lengths from the nearer
// end.
//
// Without memory an operation panics with slab.ErrNoMemory before it changes
// anything, when the slab was asked Ready before.
package quicklist

import (
	"math"
	"unsafe"

	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// End is one of the two ends of a list.
type End uint8

// The ends.
const (
	Head End = iota
	Tail
)

// Other is the other end.
func (e End) Other() End { return Tail - e }

// Bounds say how large a node may become: its bytes or, where that is 0, its
// elements. One that is larger by itself has a node of its own.
type Bounds struct{ Bytes, Elems int }

// safeBytes bounds nodes that are bounded by their elements.
const safeBytes = 8192

// BoundsOf are the bounds that list-max-listpack-size names: elements above 0,
// below it 4, 8, 16, 32 or 64 KiB.
func BoundsOf(size int) Bounds {
	if size >= 0 {
		return Bounds{Elems: max(size, 1)}
	}
	return Bounds{Bytes: 4096 << (min(-size, 5) - 1)}
}

// Exceeded says whether a node of so many bytes and elements is too large.
func (b Bounds) Exceeded(bytes, elems int) bool {
	if b.Bytes > 0 {
		return bytes > b.Bytes
	}
	return bytes > safeBytes || elems > b.Elems
}

// Half is half of the bounds, below which a list that shrinks is packed again.
func (b Bounds) Half() Bounds { return Bounds{b.Bytes / 2, b.Elems / 2} }

// Fits says whether a whole list of so many bytes and elements is within the
// bounds, without the safety that nodes have.
func (b Bounds) Fits(bytes, elems int) bool {
	if b.Bytes > 0 {
		return bytes <= b.Bytes
	}
	return elems <= b.Elems
}

// room is how large a node's block becomes before it is known to need more.
func (b Bounds) room() int {
	if b.Bytes > 0 {
		return b.Bytes
	}
	return safeBytes
}

// maxElem is the longest element that a node can hold.
const maxElem = math.MaxUint32 - 64

// node describes one node.
type node struct {
	ref  slab.Ref
	from uint32 // where in the block its listpack begins
	size uint32 // of its listpack
	n    uint32 // elements
}

// List is a long list. Make one with New.
type List struct {
	slab   *slab.Slab
	ring   []node // its length is a power of two
	first  int    // where in ring node 0 is
	nodes  int
	n      int
	blocks int64 // size of the nodes' blocks
}

// New makes an empty list with its nodes in s.
func New(s *slab.Slab) *List { return &List{slab: s} }

// Len is the number of elements.
func (l *List) Len() int { return l.n }

// Nodes is the number of nodes.
func (l *List) Nodes() int { return l.nodes }

// HeapBytes is what the list occupies in Go's heap, SlabBytes what in the slab.
func (l *List) HeapBytes() int64 {
	return int64(unsafe.Sizeof(*l)) + int64(len(l.ring))*int64(unsafe.Sizeof(node{}))
}

// SlabBytes is the size of the nodes' blocks.
func (l *List) SlabBytes() int64 { return l.blocks }

// node is node i, from 0 on.
func (l *List) node(i int) *node { return &l.ring[(l.first+i)&(len(l.ring)-1)] }

// listpack is a node's listpack, in its block.
func (l *List) listpack(nd *node) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(l.slab.Ptr(nd.ref), nd.from)), int(nd.size))
}

// Node is the listpack of node i, good until the list's next change.
func (l *List) Node(i int) []byte { return l.listpack(l.node(i)) }

// NodeLen is the number of elements of node i.
func (l *List) NodeLen(i int) int { return int(l.node(i).n) }

// insertNodes makes room for k descriptions before node i, moving the fewer of
// those on its two sides.
func (l *List) insertNodes(i, k int) {
	for l.nodes+k > len(l.ring) {
		l.growRing()
	}
	mask := len(l.ring) - 1
	if i < l.nodes/2 {
		l.first = (l.first - k) & mask
		l.nodes += k
		for j := range i {
			*l.node(j) = *l.node(j + k)
		}
	} else {
		l.nodes += k
		for j := l.nodes - 1; j >= i+k; j-- {
			*l.node(j) = *l.node(j - k)
		}
	}
	for j := i; j < i+k; j++ {
		*l.node(j) = node{}
	}
}

// removeNodes takes the descriptions of k nodes from node i on out.
func (l *List) removeNodes(i, k int) {
	if i < l.nodes-i-k {
		for j := i - 1; j >= 0; j-- {
			*l.node(j + k) = *l.node(j)
		}
		l.first = (l.first + k) & max(len(l.ring)-1, 0)
	} else {
		for j := i; j < l.nodes-k; j++ {
			*l.node(j) = *l.node(j + k)
		}
	}
	l.nodes -= k
	if len(l.ring) > 16 && l.nodes < len(l.ring)/4 {
		l.resizeRing(len(l.ring) / 2)
	}
}

func (l *List) growRing() { l.resizeRing(max(2*len(l.ring), 2)) }

func (l *List) resizeRing(size int) {
	next := make([]node, size)
	for i := range l.nodes {
		next[i] = *l.node(i)
	}
	l.ring, l.first = next, 0
}

// alloc is a block for a listpack of size bytes with room for room.
func (l *List) alloc(size, room int) slab.Ref {
	if size > maxElem {
		panic(slab.ErrNoMemory)
	}
	r := l.slab.Alloc(max(size, room))
	l.blocks += int64(l.slab.Size(r))
	return r
}

func (l *List) free(r slab.Ref) {
	l.blocks -= int64(l.slab.Size(r))
	l.slab.Free(r)
}

// freeNode frees a node's block, with its elements.
func (l *List) freeNode(i int) {
	nd := l.node(i)
	l.n -= int(nd.n)
	l.free(nd.ref)
}

// setLen writes the header of a node's listpack after its size or number of
// elements has changed.
func (l *List) setLen(nd *node) {
	lp := l.listpack(nd)
	listpack.SetHeader(lp, int(nd.n))
	l.slab.Wrote(nd.ref, int(nd.from), int(nd.from+nd.size))
}

// trim moves a node that is much smaller than its block, if there is memory for that.
func (l *List) trim(nd *node) {
	if have, size := l.slab.Size(nd.ref), int(nd.size); have > size+size/8+32 {
		l.tryMove(nd, size)
	}
}

// Clone is a copy of the list, in the slab to, which is asked Ready for each
// node. Without memory it panics and leaves nothing behind.
func (l *List) Clone(to *slab.Slab) *List {
	c := &List{slab: to, ring: make([]node, len(l.ring))}
	whole := false
	defer func() {
		if !whole {
			for !c.Dismantle(1 << 20) {
			}
		}
	}()
	for i := range l.nodes {
		to.Ready()
		lp := l.Node(i)
		r := c.alloc(len(lp), len(lp))
		to.Wrote(r, 0, copy(to.Bytes(r), lp))
		c.ring[i] = node{ref: r, size: uint32(len(lp)), n: uint32(l.NodeLen(i))}
		c.nodes++
		c.n += l.NodeLen(i)
	}
	whole = true
	return c
}

// Dismantle frees up to n nodes, from the end, and says whether none is left.
// Nobody uses the list once this has begun.
func (l *List) Dismantle(n int) (done bool) {
	for ; n > 0 && l.nodes > 0; n-- {
		l.freeNode(l.nodes - 1)
		l.nodes--
	}
	return l.nodes == 0
}
