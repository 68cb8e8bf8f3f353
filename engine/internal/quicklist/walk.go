package quicklist

import (
	"fmt"

	"coatcheck/engine/internal/listpack"
)

// Looking at elements.

// Pos is where an element is: a node, and the offset in its listpack. It is good
// until the list's next change.
type Pos struct{ node, at int }

// find returns which node has the element at index, and how many of its elements
// are before that one.
func (l *List) find(index int) (i, skip int) {
	if index <= l.n/2 {
		for i = 0; ; i++ {
			n := int(l.node(i).n)
			if index < n {
				return i, index
			}
			index -= n
		}
	}
	after := l.n - index // counted from the end, 1 is the last
	for i = l.nodes - 1; ; i-- {
		n := int(l.node(i).n)
		if after <= n {
			return i, n - after
		}
		after -= n
	}
}

// seek is the offset of element i of a listpack of n, End for n.
func seek(lp []byte, n, i int) int {
	if i <= n/2 {
		at := listpack.HeaderSize
		for range i {
			at = listpack.Next(lp, at)
		}
		return at
	}
	at := listpack.End(lp)
	for range n - i {
		at, _ = listpack.Prev(lp, at)
	}
	return at
}

// Seek is where the element at index is, from the end when that is negative (-1
// is the last); not ok beyond. O(nodes).
func (l *List) Seek(index int) (p Pos, ok bool) {
	if index < 0 {
		index += l.n
	}
	if index < 0 || index >= l.n {
		return Pos{}, false
	}
	i, skip := l.find(index)
	nd := l.node(i)
	return Pos{i, seek(l.listpack(nd), int(nd.n), skip)}, true
}

// Index is the index of the element at p. O(nodes).
func (l *List) Index(p Pos) int {
	n := 0
	for i := range p.node {
		n += int(l.node(i).n)
	}
	lp := l.Node(p.node)
	for at := listpack.HeaderSize; at < p.at; at = listpack.Next(lp, at) {
		n++
	}
	return n
}

// Each calls visit with up to n elements from p on, towards the end to, until it
// returns false. The list must not change meanwhile.
func (l *List) Each(p Pos, to End, n int, visit func(p Pos, v listpack.Value) bool) {
	for i, at := p.node, p.at; ; {
		lp := l.Node(i)
		for last := len(lp) - 1; at < last; {
			if n--; n < 0 || !visit(Pos{i, at}, listpack.Get(lp, at)) {
				return
			}
			if to == Tail {
				at = listpack.Next(lp, at)
				continue
			}
			var ok bool
			if at, ok = listpack.Prev(lp, at); !ok {
				break
			}
		}
		if to == Tail {
			if i++; i == l.nodes {
				return
			}
			at = listpack.HeaderSize
			continue
		}
		if i--; i < 0 {
			return
		}
		at = listpack.Last(l.Node(i))
	}
}

// Find is where the first element is that equals elem; not ok without one. O(n).
func (l *List) Find(elem []byte) (p Pos, ok bool) {
	for i := range l.nodes {
		if at, ok := listpack.Find(l.Node(i), listpack.HeaderSize, elem, 0); ok {
			return Pos{i, at}, true
		}
	}
	return Pos{}, false
}

// Check says what does not fit together, nil if nothing.
func (l *List) Check() error {
	n, blocks := 0, int64(0)
	for i := range l.nodes {
		nd := l.node(i)
		have, err := listpack.Validate(l.listpack(nd))
		switch {
		case err != nil:
			return fmt.Errorf("node %d: %w", i, err)
		case have != int(nd.n) || have == 0:
			return fmt.Errorf("node %d has %d elements, described are %d", i, have, nd.n)
		case int(nd.from+nd.size) > l.slab.Size(nd.ref):
			return fmt.Errorf("node %d is larger than its block", i)
		}
		n += have
		blocks += int64(l.slab.Size(nd.ref))
	}
	if n != l.n || blocks != l.blocks {
		return fmt.Errorf("%d elements in %d bytes, counted %d in %d", n, blocks, l.n, l.blocks)
	}
	return nil
}
