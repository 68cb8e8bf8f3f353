// Package scoretree keeps items in the order of their scores and, among equal
// scores, of their names, and knows at which rank each is. It knows scores and
// refs; names are its caller's. A Tree is not safe for concurrent use.
//
// It is a B+tree in blocks of a slab. A leaf is a row of items, linked with the
// leaves beside it:
//
//	0    number of items
//	8    ref of the leaf before, of the leaf behind; 0 for none
//	24   items: score, ref
//
// An inner node is a row of branches, each with its child's first item and how
// many items are below it, so that both an item and a rank are found in one way
// down:
//
//	0    number of branches
//	8    branches: score and ref of the first item, child, count
//
// Changes take less memory than what Slab.Ready, which is the caller's to ask before,
// keeps in reserve.
//
// A node that is full parts in two: in the middle or, where items come in order,
// so that the left one stays full.
package scoretree

import (
	"unsafe"

	"coatcheck/engine/internal/slab"
)

// Item is one item of the tree.
type Item struct {
	Score float64 // no NaN
	Ref   slab.Ref
}

// Names tells the names of items by their refs, which order those of equal scores.
// It must not change the tree.
type Names interface {
	Name(r slab.Ref) []byte
}

const (
	leafMax  = 62
	innerMax = 63

	leafHead   = 24
	innerHead  = 8
	itemSize   = int(unsafe.Sizeof(Item{}))
	branchSize = int(unsafe.Sizeof(branch{}))
	leafSize   = leafHead + leafMax*itemSize
	innerSize  = innerHead + innerMax*branchSize

	// maxHeight is more levels of inner nodes than memory has room for.
	maxHeight = 12
)

// branch is a child of an inner node.
type branch struct {
	first Item
	child slab.Ref
	count int
}

// leaf and inner are nodes as they lie in their blocks.
type leaf struct {
	n          int
	prev, next slab.Ref
	items      [leafMax]Item
}

type inner struct {
	n        int
	branches [innerMax]branch
}

// Tree is the index. Make one with New.
type Tree struct {
	slab   *slab.Slab
	root   slab.Ref // 0: empty
	height int      // levels of inner nodes above the leaves
	n      int
	bytes  int64
}

// New makes an empty tree that keeps its nodes in s.
func New(s *slab.Slab) Tree { return Tree{slab: s} }

// Len is the number of items.
func (t *Tree) Len() int { return t.n }

// Bytes is the size of the nodes, all of which are in the slab.
func (t *Tree) Bytes() int64 { return t.bytes }

func (t *Tree) leaf(r slab.Ref) *leaf   { return (*leaf)(t.slab.Ptr(r)) }
func (t *Tree) inner(r slab.Ref) *inner { return (*inner)(t.slab.Ptr(r)) }

func (t *Tree) newNode(size int) slab.Ref {
	r := t.slab.Alloc(size)
	t.bytes += int64(t.slab.Size(r))
	return r
}

func (t *Tree) free(r slab.Ref) {
	t.bytes -= int64(t.slab.Size(r))
	t.slab.Free(r)
}

// before says whether a comes before b, which is named name.
func before(names Names, a Item, b Item, name []byte) bool {
	if a.Score != b.Score {
		return a.Score < b.Score
	}
	return a.Ref != b.Ref && string(names.Name(a.Ref)) < string(name)
}

// lowerItem is the index of the first item that does not come before x.
func lowerItem(names Names, items []Item, x Item, name []byte) int {
	lo, hi := 0, len(items)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if before(names, items[mid], x, name) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// childOf is the index of the branch where x is or would be: the last one whose
// first item does not come behind x.
func childOf(names Names, branches []branch, x Item, name []byte) int {
	lo, hi := 1, len(branches)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if f := branches[mid].first; f.Ref == x.Ref || before(names, f, x, name) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// step is one inner node on the way down, and which branch was taken.
type step struct {
	node slab.Ref
	at   int
}

// path is a way from the root to a leaf and a place in it.
type path struct {
	steps [maxHeight]step
	leaf  slab.Ref
	at    int
}

// find goes down to where x is or would be.
func (t *Tree) find(p *path, names Names, x Item, name []byte) {
	r := t.root
	for i := range t.height {
		in := t.inner(r)
		at := childOf(names, in.branches[:in.n], x, name)
		p.steps[i] = step{r, at}
		r = in.branches[at].child
	}
	l := t.leaf(r)
	p.leaf, p.at = r, lowerItem(names, l.items[:l.n], x, name)
}

// Insert adds an item that is not there.
func (t *Tree) Insert(names Names, x Item) {
	if t.root == 0 {
		t.root = t.newLeaf(0, 0)
	}
	var p path
	t.find(&p, names, x, names.Name(x.Ref))
	t.insertAt(&p, x)
}

// insertAt puts x at the place p leads to.
func (t *Tree) insertAt(p *path, x Item) {
	l := t.leaf(p.leaf)
	if l.n == leafMax {
		t.splitLeaf(p)
		l = t.leaf(p.leaf)
	}
	copy(l.items[p.at+1:l.n+1], l.items[p.at:l.n])
	l.items[p.at] = x
	l.n++
	t.n++
	for i := range t.height {
		s := p.steps[i]
		t.inner(s.node).branches[s.at].count++
	}
	if p.at == 0 {
		t.firstChanged(p)
	}
}

func (t *Tree) newLeaf(prev, next slab.Ref) slab.Ref {
	r := t.newNode(leafSize)
	l := t.leaf(r)
	l.n, l.prev, l.next = 0, prev, next
	return r
}

// firstChanged tells the inner nodes on the way of the leaf's first item.
func (t *Tree) firstChanged(p *path) {
	first := t.leaf(p.leaf).items[0]
	for i := t.height - 1; i >= 0; i-- {
		s := p.steps[i]
		t.inner(s.node).branches[s.at].first = first
		if s.at > 0 {
			return
		}
	}
}

// splitLeaf parts the full leaf at p, and lets p lead to the part that has its
// place.
func (t *Tree) splitLeaf(p *path) {
	l := t.leaf(p.leaf)
	keep := leafMax / 2
	switch {
	case p.at == leafMax && l.next == 0: // items come in order
		keep = leafMax
	case p.at == 0 && l.prev == 0:
		keep = 0
	}
	right := t.newLeaf(p.leaf, l.next)
	r := t.leaf(right)
	if l.next != 0 {
		t.leaf(l.next).prev = right
	}
	l.next = right
	r.n = copy(r.items[:], l.items[keep:])
	l.n = keep
	moved := branch{child: right, count: r.n}
	if r.n > 0 {
		moved.first = r.items[0]
	}
	t.addBranch(p, t.height-1, moved)
	if p.at > keep || p.at == keep && keep == leafMax {
		p.leaf, p.at = right, p.at-keep
		p.steps[t.height-1].at++
	}
}

// addBranch puts b behind the branch that p took at a level, whose count it takes
// its own from. p leads where it did. Level -1 is above the root.
func (t *Tree) addBranch(p *path, level int, b branch) {
	if level < 0 {
		t.newRoot(p, b)
		return
	}
	s := &p.steps[level]
	in := t.inner(s.node)
	if in.n == innerMax {
		level = t.splitInner(p, level)
		s = &p.steps[level]
		in = t.inner(s.node)
	}
	in.branches[s.at].count -= b.count
	copy(in.branches[s.at+2:in.n+1], in.branches[s.at+1:in.n])
	in.branches[s.at+1] = b
	in.n++
}

// newRoot puts a node above the root and b, its new sister.
func (t *Tree) newRoot(p *path, b branch) {
	r := t.newNode(innerSize)
	in := t.inner(r)
	in.n = 2
	in.branches[0] = branch{child: t.root, count: t.n - b.count, first: t.firstOf(t.root, t.height)}
	in.branches[1] = b
	copy(p.steps[1:], p.steps[:t.height])
	p.steps[0] = step{r, 0}
	t.root = r
	t.height++
}

// firstOf is the first item below a node with so many levels of inner nodes; the
// zero Item for a leaf without any.
func (t *Tree) firstOf(r slab.Ref, height int) Item {
	if height > 0 {
		return t.inner(r).branches[0].first
	}
	if l := t.leaf(r); l.n > 0 {
		return l.items[0]
	}
	return Item{}
}

// splitInner parts the full node that p passes at a level, and returns the level
// at which it then is: one more where there is a new root.
func (t *Tree) splitInner(p *path, level int) int {
	s := p.steps[level]
	in := t.inner(s.node)
	keep := innerMax / 2
	if s.at == innerMax-1 { // items come in order
		keep = innerMax - 1
	}
	right := t.newNode(innerSize)
	r := t.inner(right)
	r.n = copy(r.branches[:], in.branches[keep:in.n])
	in.n = keep
	moved := branch{child: right, first: r.branches[0].first}
	for _, b := range r.branches[:r.n] {
		moved.count += b.count
	}
	height := t.height
	t.addBranch(p, level-1, moved)
	level += t.height - height
	if s.at >= keep {
		p.steps[level-1].at++
		p.steps[level] = step{right, s.at - keep}
	}
	return level
}
