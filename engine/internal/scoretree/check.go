package scoretree

import (
	"fmt"

	"coatcheck/engine/internal/slab"
)

// Check looks at everything and says what does not fit together.
func (t *Tree) Check(names Names) error {
	if t.root == 0 {
		if t.n != 0 || t.height != 0 || t.bytes != 0 {
			return fmt.Errorf("scoretree: an empty tree has %d items, %d levels, %d bytes", t.n, t.height, t.bytes)
		}
		return nil
	}
	c := checker{tree: t, names: names}
	n, _, err := c.node(t.root, t.height)
	switch {
	case err != nil:
		return err
	case n != t.n:
		return fmt.Errorf("scoretree: %d items, counted %d", n, t.n)
	case c.bytes != t.bytes:
		return fmt.Errorf("scoretree: %d bytes, counted %d", c.bytes, t.bytes)
	case t.leaf(c.leaf).next != 0:
		return fmt.Errorf("scoretree: there is something behind the last leaf")
	}
	return nil
}

type checker struct {
	tree  *Tree
	names Names
	leaf  slab.Ref // the last one
	last  Item
	some  bool // there is a last item
	bytes int64
}

func (c *checker) node(r slab.Ref, height int) (n int, first Item, err error) {
	c.bytes += int64(c.tree.slab.Size(r))
	if height == 0 {
		return c.row(r)
	}
	in := c.tree.inner(r)
	if in.n < 1 || in.n > innerMax || r == c.tree.root && in.n < 2 {
		return 0, first, fmt.Errorf("scoretree: an inner node has %d branches", in.n)
	}
	for i, b := range in.branches[:in.n] {
		below, its, err := c.node(b.child, height-1)
		if err != nil {
			return 0, first, err
		}
		if below != b.count || its != b.first {
			return 0, first, fmt.Errorf("scoretree: a branch says %d items from %v, there are %d from %v", b.count, b.first, below, its)
		}
		if i == 0 {
			first = its
		}
		n += below
	}
	return n, first, nil
}

func (c *checker) row(r slab.Ref) (n int, first Item, err error) {
	l := c.tree.leaf(r)
	if l.n < 1 || l.n > leafMax {
		return 0, first, fmt.Errorf("scoretree: a leaf has %d items", l.n)
	}
	if l.prev != c.leaf || c.leaf != 0 && c.tree.leaf(c.leaf).next != r {
		return 0, first, fmt.Errorf("scoretree: leaves are not linked")
	}
	c.leaf = r
	for _, x := range l.items[:l.n] {
		if c.some && !before(c.names, c.last, x, c.names.Name(x.Ref)) {
			return 0, first, fmt.Errorf("scoretree: %v is before %v", c.last, x)
		}
		c.last, c.some = x, true
	}
	return l.n, l.items[0], nil
}
