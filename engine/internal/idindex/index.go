// Package idindex keeps items that are named by stream IDs in order: the nodes of
// a stream, the pending entries of a group and of a consumer. It knows IDs, not what
// the items hold. An Index is not safe for concurrent use.
//
// Items lie in pages of about 4 KiB in the slab, so that the collector sees none of
// them; a sorted slice says where each page begins. A page that is full splits in
// two; where items are appended at the end, as streams do, a new page begins
// instead and the old one stays full. Inserting and deleting cost O(log n), and a
// move of one slice of n/100 heads for every hundred of them.
package idindex

import (
	"slices"
	"sort"
	"unsafe"

	"coatcheck/engine/internal/slab"
	"coatcheck/engine/internal/streamnode"
)

// ID is what items are ordered by.
type ID = streamnode.ID

// Item is what an index may hold: a struct without pointers that begins with its
// ID.
type Item interface{ comparable }

// Usage is the memory of indexes, in bytes. Several may count in one.
type Usage struct {
	Heap, Blocks int64
	Pages        int
}

// Index is an ordered set of items, no two with one ID. Make one with New.
type Index[T Item] struct {
	slab  *slab.Slab
	usage *Usage
	heads []head
	n     int
}

// head is where a page is in the order: no item of it is below low, and those of
// the page before are.
type head struct {
	low ID
	ref slab.Ref
	n   uint16
	cap uint16
}

const pageBytes = 4080

// Pos is the place of an item, good until the index changes.
type Pos struct{ page, at int }

// New makes an empty index that keeps its items in s and counts its memory in u.
func New[T Item](s *slab.Slab, u *Usage) Index[T] { return Index[T]{slab: s, usage: u} }

func itemSize[T Item]() int {
	var item T
	return int(unsafe.Sizeof(item))
}

func maxItems[T Item]() int { return pageBytes / itemSize[T]() }

// items are those of a page.
func (x *Index[T]) items(h *head) []T {
	return unsafe.Slice((*T)(x.slab.Ptr(h.ref)), int(h.n))
}

// idOf is the ID that an item begins with.
func idOf[T Item](item *T) *ID { return (*ID)(unsafe.Pointer(item)) }

// Len is the number of items.
func (x *Index[T]) Len() int { return x.n }

// Seek is the place of the first item that is not below id; the end when there is
// none.
func (x *Index[T]) Seek(id ID) Pos {
	page := x.pageOf(id)
	if page < 0 {
		return Pos{}
	}
	at := x.search(page, id)
	if at == int(x.heads[page].n) {
		return Pos{page + 1, 0}
	}
	return Pos{page, at}
}

// pageOf is the last page that begins at id or before, else the first; -1 when
// there is none.
func (x *Index[T]) pageOf(id ID) int {
	n := len(x.heads)
	if n == 0 || !id.Less(x.heads[n-1].low) { // where streams grow
		return n - 1
	}
	page := sort.Search(n, func(i int) bool { return id.Less(x.heads[i].low) })
	return max(page-1, 0)
}

// search is the index of the first item of a page that is not below id.
func (x *Index[T]) search(page int, id ID) int {
	items := x.items(&x.heads[page])
	lo, hi := 0, len(items)
	if hi > 0 && idOf(&items[hi-1]).Less(id) {
		return hi
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if idOf(&items[mid]).Less(id) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// At is the item at p, nil at the end. It may be changed but for its ID, and is
// good until the index changes.
func (x *Index[T]) At(p Pos) *T {
	if p.page >= len(x.heads) {
		return nil
	}
	return &x.items(&x.heads[p.page])[p.at]
}

// Next is the place behind p, which is not the end.
func (x *Index[T]) Next(p Pos) Pos {
	if p.at+1 < int(x.heads[p.page].n) {
		return Pos{p.page, p.at + 1}
	}
	return Pos{p.page + 1, 0}
}

// Prev is the place before p, which may be the end; not ok at the beginning.
func (x *Index[T]) Prev(p Pos) (prev Pos, ok bool) {
	switch {
	case p.at > 0:
		return Pos{p.page, p.at - 1}, true
	case p.page > 0:
		return Pos{p.page - 1, int(x.heads[p.page-1].n) - 1}, true
	}
	return Pos{}, false
}

// End is the place behind the last item.
func (x *Index[T]) End() Pos { return Pos{len(x.heads), 0} }

// First is the lowest item, nil without any.
func (x *Index[T]) First() *T { return x.At(Pos{}) }

// Last is the highest item, nil without any.
func (x *Index[T]) Last() *T {
	p, ok := x.Prev(x.End())
	if !ok {
		return nil
	}
	return x.At(p)
}

// Floor is the place of the last item that is not above id; not ok when there is
// none.
func (x *Index[T]) Floor(id ID) (p Pos, ok bool) {
	p = x.Seek(id)
	if item := x.At(p); item != nil && *idOf(item) == id {
		return p, true
	}
	return x.Prev(p)
}

// Find is the item of that ID, nil when there is none.
func (x *Index[T]) Find(id ID) *T {
	if item := x.At(x.Seek(id)); item != nil && *idOf(item) == id {
		return item
	}
	return nil
}

// Insert adds an item, whose ID must not be there yet.
func (x *Index[T]) Insert(item T) *T {
	id := *idOf(&item)
	if len(x.heads) == 0 {
		x.addPage(0, id)
	}
	page := x.pageOf(id)
	at := x.search(page, id)
	if int(x.heads[page].n) == maxItems[T]() {
		page, at = x.split(page, at, id)
	}
	h := &x.heads[page]
	if id.Less(h.low) {
		h.low = id
	}
	if h.n == h.cap {
		x.setCap(h, int(h.n)*2+1)
	}
	h.n++
	x.n++
	items := x.items(h)
	copy(items[at+1:], items[at:])
	items[at] = item
	return &items[at]
}

// Delete takes the item of that ID out and says whether it was there.
func (x *Index[T]) Delete(id ID) bool {
	p := x.Seek(id)
	item := x.At(p)
	if item == nil || *idOf(item) != id {
		return false
	}
	x.DeleteAt(p)
	return true
}

// DeleteAt takes the item at p out.
func (x *Index[T]) DeleteAt(p Pos) {
	h := &x.heads[p.page]
	items := x.items(h)
	copy(items[p.at:], items[p.at+1:])
	x.n--
	h.n--
	switch n := int(h.n); {
	case n == 0:
		x.dropPage(p.page)
	case n < maxItems[T]()/4 && x.mergeNext(p.page):
	case n < int(h.cap)/4:
		x.setCap(h, n*2)
	}
}

// Close gives n pages back, and says whether there are no more. Nobody may use the
// index but to close it once this has begun.
func (x *Index[T]) Close(n int) (done bool) {
	for ; n > 0 && len(x.heads) > 0; n-- {
		x.dropPage(len(x.heads) - 1)
	}
	if len(x.heads) > 0 {
		return false
	}
	x.usage.Heap -= headBytes * int64(cap(x.heads))
	x.heads, x.n = nil, 0
	return true
}

// Pages is the number of pages.
func (x *Index[T]) Pages() int { return len(x.heads) }

const headBytes = int64(unsafe.Sizeof(head{}))

// addPage makes an empty page number i for items from low on.
func (x *Index[T]) addPage(i int, low ID) {
	before := cap(x.heads)
	x.heads = slices.Insert(x.heads, i, head{low: low})
	x.usage.Heap += headBytes * int64(cap(x.heads)-before)
	x.setCap(&x.heads[i], 1)
	x.usage.Pages++
}

func (x *Index[T]) dropPage(i int) {
	h := &x.heads[i]
	x.usage.Blocks -= int64(x.slab.Size(h.ref))
	x.slab.Free(h.ref)
	x.usage.Pages--
	if i == 0 { // where streams are trimmed: moves nothing
		x.usage.Heap -= headBytes
		x.heads = x.heads[1:]
		return
	}
	x.heads = slices.Delete(x.heads, i, i+1)
}

// setCap moves a page's items into a block for at least n.
func (x *Index[T]) setCap(h *head, n int) {
	size := itemSize[T]()
	ref := x.slab.Alloc(min(n, maxItems[T]()) * size)
	x.usage.Blocks += int64(x.slab.Size(ref))
	old := *h
	h.ref, h.cap = ref, uint16(min(x.slab.Size(ref)/size, maxItems[T]()))
	if old.ref != 0 {
		copy(x.items(h), x.items(&old))
		x.usage.Blocks -= int64(x.slab.Size(old.ref))
		x.slab.Free(old.ref)
	}
}

// split parts a full page, so that an item can come in at index at. It returns the
// page and the index where that is now.
func (x *Index[T]) split(page, at int, id ID) (int, int) {
	cut := maxItems[T]() / 2
	if at == maxItems[T]() && page == len(x.heads)-1 {
		x.addPage(page+1, id)
		return page + 1, 0
	}
	upper := x.items(&x.heads[page])[cut:]
	x.addPage(page+1, *idOf(&upper[0]))
	h := &x.heads[page+1]
	x.setCap(h, len(upper)+len(upper)/2)
	h.n = uint16(len(upper))
	copy(x.items(h), upper)
	x.heads[page].n = uint16(cut)
	if at > cut {
		return page + 1, at - cut
	}
	return page, at
}

// mergeNext moves the items of the following page into a sparse one, when both
// together have few.
func (x *Index[T]) mergeNext(page int) bool {
	if page+1 == len(x.heads) {
		return false
	}
	h, next := &x.heads[page], &x.heads[page+1]
	n := int(h.n) + int(next.n)
	if n > maxItems[T]()/2 {
		return false
	}
	if n > int(h.cap) {
		x.setCap(h, n+n/4)
	}
	at := int(h.n)
	h.n = uint16(n)
	copy(x.items(h)[at:], x.items(next))
	x.dropPage(page + 1)
	return true
}
