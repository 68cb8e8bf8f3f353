package expireindex

// Growing, splitting and merging of pages.

// growth is how many items a full page of n gets.
func growth(n int) int {
	if n < 32 {
		return 4
	}
	return 16
}

// setCap moves a page's items into a block for at least n.
func (x *Index) setCap(p *page, n int) {
	old, items := p.ref, x.bytes(p)
	p.ref = x.slab.Alloc(n * itemSize)
	size := x.slab.Size(p.ref)
	x.itemBytes += int64(size)
	p.cap = uint16(min(size/itemSize, maxItems))
	copy(x.bytes(p), items)
	if old != 0 {
		x.itemBytes -= int64(x.slab.Size(old))
		x.slab.Free(old)
	}
}

// addPage makes an empty page for items from low on.
func (x *Index) addPage(low Item) uint32 {
	i := x.unused - 1
	if i < 0 {
		x.pages = append(x.pages, page{})
		i = len(x.pages) - 1
	} else {
		x.unused = x.pages[i].next
	}
	x.pages[i] = page{}
	x.tree.Set(pageKey{low, uint32(i)})
	return uint32(i)
}

func (x *Index) dropPage(key pageKey) {
	x.tree.Delete(key)
	p := &x.pages[key.id]
	if p.ref != 0 {
		x.itemBytes -= int64(x.slab.Size(p.ref))
		x.slab.Free(p.ref)
	}
	*p = page{next: x.unused}
	x.unused = int(key.id) + 1
}

// split parts a full page, so that an item can come in at index at. It returns
// the page and the index where that is now.
func (x *Index) split(id uint32, at int) (uint32, int) {
	cut := maxItems / 2
	if at > maxItems*7/8 && x.isLast(id) {
		cut = at // appending: leave the old page full
	}
	p := &x.pages[id]
	upper := x.bytes(p)[cut*itemSize:]
	if len(upper) == 0 {
		// The new item is above all others: the new page begins just after
		// the last of them.
		low := get(x.bytes(p)[(cut-1)*itemSize:])
		low.Hash++
		return x.addPage(low), 0
	}
	other := x.addPage(get(upper))
	p = &x.pages[id] // pages may have moved
	q := &x.pages[other]
	n := len(upper) / itemSize
	x.setCap(q, n+growth(n)/2)
	q.n = uint16(n)
	copy(x.bytes(q), upper)
	p.n = uint16(cut)
	if cut == maxItems/2 {
		x.setCap(p, cut+growth(cut)/2)
	}
	if at > cut {
		return other, at - cut
	}
	return id, at
}

func (x *Index) isLast(id uint32) bool {
	x.tree.Reverse(x.take)
	return x.found.id == id
}

// cut takes items [from, to) out of a page.
func (x *Index) cut(key pageKey, from, to int) {
	p := &x.pages[key.id]
	b := x.bytes(p)
	copy(b[from*itemSize:], b[to*itemSize:])
	x.n -= to - from
	p.n -= uint16(to - from)
	n := int(p.n)
	switch {
	case n == 0:
		x.dropPage(key)
	case n < mergeMax/2 && x.mergeNext(key):
	case int(p.cap)-n >= 2*growth(n)+8:
		x.setCap(p, n+growth(n)/2)
	}
}

// mergeNext moves the items of the following page into a sparse one, when both
// together have few.
func (x *Index) mergeNext(key pageKey) bool {
	x.ok = false
	pivot := pageKey{key.low, key.id + 1}
	x.tree.Ascend(pivot, x.take)
	if !x.ok {
		return false
	}
	p, q := &x.pages[key.id], &x.pages[x.found.id]
	n := p.n + q.n
	if n > mergeMax {
		return false
	}
	if p.cap < n {
		x.setCap(p, int(n)+growth(int(n))/2)
	}
	at := int(p.n)
	p.n = n
	copy(x.bytes(p)[at*itemSize:], x.bytes(q))
	x.dropPage(x.found)
	return true
}
