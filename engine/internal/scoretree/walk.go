package scoretree

import "coatcheck/engine/internal/slab"

// Ranks, walks and searches.

// Rank is the rank, from 0, of an item that is there.
func (t *Tree) Rank(names Names, x Item) int {
	var p path
	t.find(&p, names, x, names.Name(x.Ref))
	rank := p.at
	for i := range t.height {
		s := p.steps[i]
		rank += t.sum(s)
	}
	return rank
}

// sum counts what is below the branches before a step.
func (t *Tree) sum(s step) (n int) {
	for i := range t.inner(s.node).branches[:s.at] {
		n += t.inner(s.node).branches[i].count
	}
	return n
}

// seek goes down to the item at a rank below Len.
func (t *Tree) seek(p *path, rank int) {
	r := t.root
	for i := range t.height {
		in := t.inner(r)
		at := 0
		for rank >= in.branches[at].count {
			rank -= in.branches[at].count
			at++
		}
		p.steps[i] = step{r, at}
		r = in.branches[at].child
	}
	p.leaf, p.at = r, rank
}

// First is the rank of the first item for which reached is true: it is false for
// some of the first items and true for all others. Len when there is none.
func (t *Tree) First(reached func(Item) bool) (rank int) {
	if t.root == 0 {
		return 0
	}
	r := t.root
	for range t.height {
		in := t.inner(r)
		lo, hi := 1, in.n
		for lo < hi {
			mid := int(uint(lo+hi) / 2)
			if reached(in.branches[mid].first) {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		rank += t.sum(step{r, lo - 1})
		r = in.branches[lo-1].child
	}
	l := t.leaf(r)
	lo, hi := 0, l.n
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if reached(l.items[mid]) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return rank + lo
}

// Cursor is a place in the order, good until the next change.
type Cursor struct {
	tree *Tree
	leaf slab.Ref
	at   int
}

// At is the item at a rank below Len.
func (t *Tree) At(rank int) Cursor {
	var p path
	t.seek(&p, rank)
	return Cursor{t, p.leaf, p.at}
}

// Item is the one that the cursor is at.
func (c *Cursor) Item() Item { return c.tree.leaf(c.leaf).items[c.at] }

// Next goes to the next item; not ok behind the last.
func (c *Cursor) Next() (ok bool) {
	if l := c.tree.leaf(c.leaf); c.at+1 < l.n {
		c.at++
	} else {
		c.leaf, c.at = l.next, 0
	}
	return c.leaf != 0
}

// Prev goes to the item before; not ok before the first.
func (c *Cursor) Prev() (ok bool) {
	if c.at > 0 {
		c.at--
		return true
	}
	if c.leaf = c.tree.leaf(c.leaf).prev; c.leaf == 0 {
		return false
	}
	c.at = c.tree.leaf(c.leaf).n - 1
	return true
}

// Append adds an item that comes behind all others.
func (t *Tree) Append(x Item) {
	if t.root == 0 {
		t.root = t.newLeaf(0, 0)
	}
	var p path
	r := t.root
	for i := range t.height {
		in := t.inner(r)
		p.steps[i] = step{r, in.n - 1}
		r = in.branches[in.n-1].child
	}
	p.leaf, p.at = r, t.leaf(r).n
	t.insertAt(&p, x)
}
