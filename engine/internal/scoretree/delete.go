package scoretree

import "coatcheck/engine/internal/slab"

// Taking items out, and moving them.

// Below these a node asks the one beside it to merge, when both together stay far
// from full, or takes of its items.
const (
	leafMin  = leafMax / 3
	innerMin = innerMax / 3
	leafFew  = leafMax * 3 / 4
	innerFew = innerMax * 3 / 4
)

// Delete takes an item out, which is there.
func (t *Tree) Delete(names Names, x Item) {
	var p path
	t.find(&p, names, x, names.Name(x.Ref))
	t.deleteAt(&p)
}

// DeleteAt takes the item at a rank, below Len, out and returns it.
func (t *Tree) DeleteAt(rank int) Item {
	var p path
	t.seek(&p, rank)
	x := t.leaf(p.leaf).items[p.at]
	t.deleteAt(&p)
	return x
}

// Move gives an item, which is there, another score.
func (t *Tree) Move(names Names, x Item, score float64) {
	var p path
	name := names.Name(x.Ref)
	t.find(&p, names, x, name)
	to := Item{score, x.Ref}
	if l := t.leaf(p.leaf); p.at > 0 && p.at < l.n-1 &&
		before(names, l.items[p.at-1], to, name) && !before(names, l.items[p.at+1], to, name) {
		l.items[p.at] = to
		return
	}
	if t.n == 1 {
		t.leaf(p.leaf).items[0] = to
		return
	}
	t.deleteAt(&p)
	t.find(&p, names, to, name)
	t.insertAt(&p, to)
}

// deleteAt takes out the item that p leads to.
func (t *Tree) deleteAt(p *path) {
	l := t.leaf(p.leaf)
	copy(l.items[p.at:], l.items[p.at+1:l.n])
	l.n--
	t.n--
	for i := range t.height {
		s := p.steps[i]
		t.inner(s.node).branches[s.at].count--
	}
	switch {
	case t.n == 0:
		t.Close()
		return
	case l.n == 0:
		t.dropLeaf(p)
		return
	case p.at == 0:
		t.firstChanged(p)
	}
	if l.n < leafMin && t.height > 0 {
		t.fillLeaf(p)
	}
}

// dropLeaf frees the empty leaf at p, which is not the root.
func (t *Tree) dropLeaf(p *path) {
	l := t.leaf(p.leaf)
	t.link(l.prev, l.next)
	t.free(p.leaf)
	t.dropBranch(p, t.height-1, p.steps[t.height-1].at)
}

func (t *Tree) link(left, right slab.Ref) {
	if left != 0 {
		t.leaf(left).next = right
	}
	if right != 0 {
		t.leaf(right).prev = left
	}
}

// dropBranch takes a branch out of the node that p passes at a level. p is of no
// more use.
func (t *Tree) dropBranch(p *path, level, at int) {
	s := p.steps[level]
	in := t.inner(s.node)
	copy(in.branches[at:], in.branches[at+1:in.n])
	in.n--
	switch {
	case in.n == 0:
		t.free(s.node)
		t.dropBranch(p, level-1, p.steps[level-1].at)
		return
	case at == 0:
		t.innerFirstChanged(p, level)
	}
	if level == 0 {
		t.lowerRoot()
	} else if in.n < innerMin {
		t.fillInner(p, level)
	}
}

// innerFirstChanged is firstChanged from the node at a level upwards.
func (t *Tree) innerFirstChanged(p *path, level int) {
	first := t.inner(p.steps[level].node).branches[0].first
	for i := level - 1; i >= 0; i-- {
		s := p.steps[i]
		t.inner(s.node).branches[s.at].first = first
		if s.at > 0 {
			return
		}
	}
}

// lowerRoot takes roots with a single child away.
func (t *Tree) lowerRoot() {
	for t.height > 0 {
		in := t.inner(t.root)
		if in.n > 1 {
			return
		}
		child := in.branches[0].child
		t.free(t.root)
		t.root = child
		t.height--
	}
}

// beside are the indexes of two neighbours in a node, one of them at.
func beside(at int) (left, right int) {
	if at == 0 {
		return 0, 1
	}
	return at - 1, at
}

// fillLeaf merges the sparse leaf at p with one beside it, or shares its items
// out anew.
func (t *Tree) fillLeaf(p *path) {
	s := p.steps[t.height-1]
	in := t.inner(s.node)
	if in.n < 2 {
		return
	}
	li, ri := beside(s.at)
	left, right := &in.branches[li], &in.branches[ri]
	l, r := t.leaf(left.child), t.leaf(right.child)
	if sum := l.n + r.n; sum <= leafFew {
		copy(l.items[l.n:], r.items[:r.n])
		l.n = sum
		left.count = sum
		t.link(left.child, r.next)
		t.free(right.child)
		t.dropBranch(p, t.height-1, ri)
		return
	}
	l.n, r.n = share(l.items[:], l.n, r.items[:], r.n)
	left.count, right.count, right.first = l.n, r.n, r.items[0]
}

// fillInner is fillLeaf for the node that p passes at a level.
func (t *Tree) fillInner(p *path, level int) {
	s := p.steps[level-1]
	in := t.inner(s.node)
	if in.n < 2 {
		return
	}
	li, ri := beside(s.at)
	left, right := &in.branches[li], &in.branches[ri]
	l, r := t.inner(left.child), t.inner(right.child)
	sum := left.count + right.count
	if l.n+r.n <= innerFew {
		copy(l.branches[l.n:], r.branches[:r.n])
		l.n += r.n
		left.count = sum
		t.free(right.child)
		t.dropBranch(p, level-1, ri)
		return
	}
	l.n, r.n = share(l.branches[:], l.n, r.branches[:], r.n)
	left.count = 0
	for _, b := range l.branches[:l.n] {
		left.count += b.count
	}
	right.count, right.first = sum-left.count, r.branches[0].first
}

// share parts what is in two rows evenly.
func share[T any](left []T, ln int, right []T, rn int) (int, int) {
	want := (ln + rn) / 2
	if d := want - ln; d > 0 {
		copy(left[ln:], right[:d])
		copy(right, right[d:rn])
	} else if d < 0 {
		copy(right[-d:], right[:rn])
		copy(right, left[want:ln])
	}
	return want, ln + rn - want
}

// Close gives all nodes back and leaves an empty tree.
func (t *Tree) Close() {
	for !t.Dismantle(1 << 30) {
	}
}

// Dismantle gives back the nodes of about n items, or what little is left, and says
// whether there is nothing more. Until then the tree is of no other use.
func (t *Tree) Dismantle(n int) (done bool) {
	for t.root != 0 && n > 0 {
		n -= t.dismantleLast()
	}
	return t.root == 0
}

// dismantleLast frees the last leaf, with the inner nodes that then have no child.
func (t *Tree) dismantleLast() (items int) {
	var nodes [maxHeight]slab.Ref
	r := t.root
	for i := range t.height {
		nodes[i] = r
		in := t.inner(r)
		r = in.branches[in.n-1].child
	}
	items = max(t.leaf(r).n, 1)
	t.free(r)
	for i := t.height - 1; i >= 0; i-- {
		in := t.inner(nodes[i])
		if in.n--; in.n > 0 {
			return items
		}
		t.free(nodes[i])
	}
	t.root, t.height, t.n = 0, 0, 0
	return items
}
