package quicklist

import "coatcheck/engine/internal/listpack"

// Remove takes out elements that equal elem, from end on, at most most of them where
// that is above 0, and returns how many. O(n).
func (l *List) Remove(end End, most int, elem []byte) (gone int) {
	var found []int
	for seen := 0; seen < l.nodes && (most <= 0 || gone < most); {
		i := seen
		if end == Tail {
			i = l.nodes - 1 - seen
		}
		found = matches(l.Node(i), elem, found[:0])
		if most > 0 && len(found) > most-gone {
			if end == Head {
				found = found[:most-gone]
			} else {
				found = found[len(found)-(most-gone):]
			}
		}
		gone += len(found)
		switch {
		case len(found) == l.NodeLen(i):
			l.freeNode(i)
			l.removeNodes(i, 1)
			continue
		case len(found) > 0:
			l.cutAll(l.node(i), found)
		}
		seen++
	}
	return gone
}

// matches appends the offsets of the elements of a listpack that equal elem.
func matches(lp, elem []byte, found []int) []int {
	for at := listpack.HeaderSize; ; {
		var ok bool
		if at, ok = listpack.Find(lp, at, elem, 0); !ok {
			return found
		}
		found = append(found, at)
		at = listpack.Next(lp, at)
	}
}

// cutAll takes the elements at offsets of a node, not all, out.
func (l *List) cutAll(nd *node, offsets []int) {
	lp := l.listpack(nd)
	to, from := offsets[0], offsets[0]
	for i, at := range offsets {
		to += copy(lp[to:], lp[from:at])
		from = listpack.Next(lp, at)
		if i == len(offsets)-1 {
			to += copy(lp[to:], lp[from:])
		}
	}
	nd.size = uint32(to)
	nd.n -= uint32(len(offsets))
	l.n -= len(offsets)
	l.setLen(nd)
	l.trim(nd)
}
