package quicklist

import (
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// What changes a list. Elements that are given must not point into its blocks.

// Push adds elem at an end.
func (l *List) Push(end End, elem []byte, b Bounds) {
	size := listpack.EncodedLen(elem)
	at := 0
	if end == Tail {
		at = max(l.nodes-1, 0)
	}
	if l.nodes == 0 || b.Exceeded(int(l.node(at).size)+size, int(l.node(at).n)+1) {
		at = l.pushNode(end, size, b)
	}
	nd := l.node(at)
	if end == Tail {
		l.openTail(nd, size, b)
	} else {
		l.openHead(nd, size, b)
	}
	l.n++
	lp := l.listpack(nd)
	if end == Head {
		listpack.Append(lp[:listpack.HeaderSize], elem)
	} else {
		listpack.Append(lp[:len(lp)-1-size], elem)
	}
	l.setLen(nd)
}

// pushNode adds an empty node at an end, for an element of size bytes, and
// returns its place. The one that was there is done with growing.
func (l *List) pushNode(end End, size int, b Bounds) int {
	room := listpack.EmptySize + size
	if l.nodes > 0 {
		room = max(room, b.room()/4)
	}
	r := l.newBlock(room)
	if l.nodes > 0 {
		last := l.node(0)
		if end == Tail {
			last = l.node(l.nodes - 1)
		}
		l.trim(last)
	}
	at := 0
	if end == Tail {
		at = l.nodes
	}
	l.insertNodes(at, 1)
	*l.node(at) = node{ref: r, size: listpack.EmptySize}
	if end == Head {
		l.node(at).from = uint32(l.slab.Size(r) - listpack.EmptySize)
	}
	l.setLen(l.node(at))
	return at
}

func (l *List) newBlock(room int) slab.Ref { return l.alloc(room, room) }

// openTail makes a node's listpack size bytes longer at its end, for an element
// that the caller writes.
func (l *List) openTail(nd *node, size int, b Bounds) {
	have := l.slab.Size(nd.ref)
	if int(nd.from+nd.size)+size > have {
		l.makeRoom(nd, size, b, Tail)
	}
	nd.size += uint32(size)
	nd.n++
}

// openHead does the same at its beginning.
func (l *List) openHead(nd *node, size int, b Bounds) {
	if int(nd.from) < size {
		l.makeRoom(nd, size, b, Head)
	}
	nd.from -= uint32(size)
	nd.size += uint32(size)
	nd.n++
}

// makeRoom gives a node size free bytes at an end: within its block, where what
// is free there is then shared out, or in a larger one.
func (l *List) makeRoom(nd *node, size int, b Bounds, end End) {
	have, used := l.slab.Size(nd.ref), int(nd.size)
	if free := have - used; free >= size && (free >= used/8 || have >= b.room()) {
		from := (free - size) / 2
		if end == Head {
			from += size
		}
		block := l.slab.Bytes(nd.ref)
		copy(block[from:], block[nd.from:nd.from+nd.size])
		nd.from = uint32(from)
		l.slab.Wrote(nd.ref, from, from+used)
		return
	}
	room := max(used+size, min(2*have, b.room()))
	r := l.newBlock(room)
	from := 0
	if end == Head {
		from = l.slab.Size(r) - used
	}
	copy(l.slab.Bytes(r)[from:], l.listpack(nd))
	l.slab.Wrote(r, from, from+used)
	l.free(nd.ref)
	nd.ref, nd.from = r, uint32(from)
}

// Drop removes the element at an end, of which there must be one.
func (l *List) Drop(end End) {
	at := 0
	if end == Tail {
		at = l.nodes - 1
	}
	nd := l.node(at)
	if nd.n == 1 {
		l.freeNode(at)
		l.removeNodes(at, 1)
		return
	}
	lp := l.listpack(nd)
	if end == Head {
		gone := uint32(listpack.Next(lp, listpack.HeaderSize) - listpack.HeaderSize)
		nd.from += gone
		nd.size -= gone
	} else {
		nd.size = uint32(listpack.Last(lp) + 1)
	}
	nd.n--
	l.n--
	l.setLen(nd)
}

// Delete removes n elements from index from on, of which there must be so many.
func (l *List) Delete(from, n int) {
	if n == 0 {
		return
	}
	i, skip := l.find(from)
	first, whole := i, 0
	for n > 0 {
		k := min(int(l.node(i).n)-skip, n)
		if k == int(l.node(i).n) {
			if whole == 0 {
				first = i
			}
			whole++
			l.freeNode(i)
		} else {
			l.cut(l.node(i), skip, k)
		}
		n -= k
		skip = 0
		i++
	}
	if whole > 0 {
		l.removeNodes(first, whole)
	}
}

// cut removes k elements of a node, not all, from its element skip on.
func (l *List) cut(nd *node, skip, k int) {
	lp := l.listpack(nd)
	at := seek(lp, int(nd.n), skip)
	end := seek(lp, int(nd.n), skip+k)
	l.cutBytes(nd, at, end, k)
}

// cutBytes removes the k elements of a node between two offsets of its listpack.
func (l *List) cutBytes(nd *node, at, end, k int) {
	lp := l.listpack(nd)
	if gone := uint32(end - at); at == listpack.HeaderSize {
		nd.from += gone
		nd.size -= gone
	} else {
		copy(lp[at:], lp[end:])
		nd.size -= gone
	}
	nd.n -= uint32(k)
	l.n -= k
	l.setLen(nd)
	if int(nd.size) < l.slab.Size(nd.ref)/2 {
		l.trim(nd)
	}
}

// Replace makes the element at p become elem. p shows it afterwards.
func (l *List) Replace(p *Pos, elem []byte, b Bounds) {
	nd := l.node(p.node)
	lp := l.listpack(nd)
	gone := listpack.Next(lp, p.at) - p.at
	size := listpack.EncodedLen(elem)
	if n := int(nd.size) - gone + size; nd.n > 1 && b.Exceeded(n, int(nd.n)) && size > gone {
		l.replaceApart(p, elem, b)
		return
	}
	l.splice(nd, p.at, gone, size, b)
	nd = l.node(p.node)
	listpack.Append(l.listpack(nd)[:p.at], elem)
	l.setLen(nd)
}

// replaceApart is Replace where the node has no room: its elements behind p get
// a node of their own, and elem goes where it fits.
func (l *List) replaceApart(p *Pos, elem []byte, b Bounds) {
	index := l.Index(*p)
	l.insertBefore(*p, elem, b)
	l.Delete(index+1, 1)
	*p, _ = l.Seek(index)
}

// splice makes gone bytes at offset at of a node's listpack become size bytes,
// for the caller to write.
func (l *List) splice(nd *node, at, gone, size int, b Bounds) {
	more := size - gone
	if int(nd.from+nd.size)+more > l.slab.Size(nd.ref) {
		l.makeRoom(nd, more, b, Tail)
	}
	old := l.listpack(nd)
	nd.size = uint32(int(nd.size) + more)
	lp := l.listpack(nd)
	copy(lp[at+size:], old[at+gone:])
}

// Insert puts elem before the element at p or, with after, behind it.
func (l *List) Insert(p Pos, after bool, elem []byte, b Bounds) {
	if after {
		nd := l.node(p.node)
		if p.at = listpack.Next(l.listpack(nd), p.at); p.at == int(nd.size)-1 && p.node+1 < l.nodes &&
			b.Exceeded(int(nd.size)+listpack.EncodedLen(elem), int(nd.n)+1) {
			p = Pos{p.node + 1, listpack.HeaderSize}
		}
	}
	l.insertBefore(p, elem, b)
}

// insertBefore puts elem at p, which may be the end of a node.
func (l *List) insertBefore(p Pos, elem []byte, b Bounds) {
	size := listpack.EncodedLen(elem)
	nd := l.node(p.node)
	if !b.Exceeded(int(nd.size)+size, int(nd.n)+1) {
		l.insertAt(p.node, p.at, elem, size, b)
		return
	}
	atHead, atTail := p.at == listpack.HeaderSize, p.at == int(nd.size)-1
	if atHead && p.node > 0 {
		if before := l.node(p.node - 1); !b.Exceeded(int(before.size)+size, int(before.n)+1) {
			l.insertAt(p.node-1, int(before.size)-1, elem, size, b)
			return
		}
	}
	r := l.newBlock(listpack.EmptySize + size)
	at := p.node
	switch {
	case atHead:
	case atTail:
		at++
	default:
		at++
		l.split(p, r)
	}
	l.insertNodes(at, 1)
	*l.node(at) = node{ref: r, size: uint32(listpack.EmptySize + size), n: 1}
	lp := l.listpack(l.node(at))
	listpack.Append(lp[:listpack.HeaderSize], elem)
	l.setLen(l.node(at))
	l.n++
	l.merge(at+1, b)
	l.merge(at, b)
	if at > 0 {
		l.merge(at-1, b)
	}
}

// insertAt puts elem, encoded in size bytes, at an offset of a node that has room
// for it.
func (l *List) insertAt(i, at int, elem []byte, size int, b Bounds) {
	nd := l.node(i)
	l.splice(nd, at, 0, size, b)
	nd.n++
	l.n++
	listpack.Append(l.listpack(nd)[:at], elem)
	l.setLen(nd)
}

// split gives the elements of a node from p on a node of their own behind it.
// Without memory it frees held, and changes nothing.
func (l *List) split(p Pos, held slab.Ref) {
	lp := l.Node(p.node)
	rest := lp[p.at:]
	size := listpack.HeaderSize + len(rest)
	r, ok := l.slab.TryAlloc(size)
	if !ok {
		l.free(held)
		panic(slab.ErrNoMemory)
	}
	l.blocks += int64(l.slab.Size(r))
	copy(l.slab.Bytes(r)[listpack.HeaderSize:], rest)
	kept := 0
	for at := listpack.HeaderSize; at < p.at; at = listpack.Next(lp, at) {
		kept++
	}
	l.insertNodes(p.node+1, 1)
	nd, next := l.node(p.node), l.node(p.node+1)
	*next = node{ref: r, size: uint32(size), n: nd.n - uint32(kept)}
	l.setLen(next)
	nd.n, nd.size = uint32(kept), uint32(p.at+1)
	l.setLen(nd)
}

// merge makes node i and the one behind it one, if that may be.
func (l *List) merge(i int, b Bounds) {
	if i < 0 || i+1 >= l.nodes {
		return
	}
	nd, next := l.node(i), l.node(i+1)
	more := int(next.size) - listpack.EmptySize
	if b.Exceeded(int(nd.size)+more, int(nd.n+next.n)) {
		return
	}
	if int(nd.from+nd.size)+more > l.slab.Size(nd.ref) && !l.tryMove(nd, int(nd.size)+more) {
		return // two nodes are right too
	}
	from := l.listpack(next)[listpack.HeaderSize:]
	nd.size += uint32(more)
	copy(l.listpack(nd)[int(nd.size)-len(from):], from)
	nd.n += next.n
	l.setLen(nd)
	l.free(next.ref)
	l.removeNodes(i+1, 1)
}

// tryMove gives a node a block for room bytes, if there is memory.
func (l *List) tryMove(nd *node, room int) bool {
	r, ok := l.slab.TryAlloc(room)
	if !ok {
		return false
	}
	l.blocks += int64(l.slab.Size(r))
	l.slab.Wrote(r, 0, copy(l.slab.Bytes(r), l.listpack(nd)))
	l.free(nd.ref)
	nd.ref, nd.from = r, 0
	return true
}

// Adopt appends a copy of a listpack of at least one element as a node.
func (l *List) Adopt(lp []byte) {
	r := l.newBlock(len(lp))
	l.slab.Wrote(r, 0, copy(l.slab.Bytes(r), lp))
	n := listpack.Len(lp)
	l.insertNodes(l.nodes, 1)
	*l.node(l.nodes - 1) = node{ref: r, size: uint32(len(lp)), n: uint32(n)}
	l.n += n
}
