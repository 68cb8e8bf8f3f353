// Package expireindex keeps deadlines in order. It knows pairs of a deadline
// and a hash; keys, and what the deadline is for, are its caller's. An Index is
// not safe for concurrent use.
//
// Items take 12 bytes, packed and sorted in pages of up to 256 in the slab; a
// btree orders the pages by the lowest item they may hold. A page that is full
// splits in two; where items are appended at the right end, as with one TTL for
// all, a new page begins instead and the old one stays full.
package expireindex

import (
	"encoding/binary"
	"unsafe"

	"github.com/tidwall/btree"

	"coatcheck/engine/internal/slab"
)

// Item is one deadline. Both halves have 48 bits.
type Item struct {
	// At is the deadline, in milliseconds since the Unix epoch.
	At uint64
	// Hash tells entries with one deadline apart: the top bits of the key's.
	Hash uint64
}

// Max is the highest value of an Item's halves.
const Max = 1<<48 - 1

const (
	itemSize = 12
	maxItems = 256
	mergeMax = 96 // neighbours that have no more than this together merge
)

func (a Item) less(b Item) bool { return a.At < b.At || a.At == b.At && a.Hash < b.Hash }

// Index is the ordered set of items. Make one with New.
type Index struct {
	slab  *slab.Slab
	tree  *btree.BTreeG[pageKey]
	pages []page
	// unused chains free entries of pages: index+1, 0 at the end.
	unused int
	n      int
	// itemBytes is the size of the pages' blocks.
	itemBytes int64

	found pageKey
	ok    bool
	// take is what look-ups in the tree call; kept, so that it is not
	// allocated each time.
	take func(pageKey) bool
}

// pageKey is a page's place in the tree: no item of it is less than low, but in
// the first page, and none of another page is between.
type pageKey struct {
	low Item
	id  uint32
}

type page struct {
	ref  slab.Ref
	n    uint16
	cap  uint16
	next int // in the chain of unused ones
}

// New makes an empty index that keeps its items in s.
func New(s *slab.Slab) *Index {
	x := &Index{slab: s}
	x.take = func(k pageKey) bool {
		x.found, x.ok = k, true
		return false
	}
	return x
}

// Len is the number of items.
func (x *Index) Len() int { return x.n }

// Bytes is the memory of the index, in bytes: its items in the slab and what is
// over them in Go's heap. The tree's part is an estimate by its usual fill.
func (x *Index) Bytes() int64 {
	n := x.itemBytes + int64(unsafe.Sizeof(*x)) + int64(cap(x.pages))*int64(unsafe.Sizeof(page{}))
	if x.tree != nil {
		n += int64(x.tree.Len()) * int64(unsafe.Sizeof(pageKey{})) * 3 / 2
	}
	return n
}

// SlabBytes is the part of Bytes that is in the slab.
func (x *Index) SlabBytes() int64 { return x.itemBytes }

// floor is the page that k belongs in. There must be one.
func (x *Index) floor(k Item) pageKey {
	x.ok = false
	x.tree.Descend(pageKey{low: k, id: ^uint32(0)}, x.take)
	if !x.ok {
		x.tree.Scan(x.take)
	}
	return x.found
}

// Insert adds an item, which must not be there yet; two equal ones are kept
// both.
func (x *Index) Insert(k Item) {
	x.n++
	if x.tree == nil {
		x.tree = btree.NewBTreeGOptions(func(a, b pageKey) bool {
			return a.low.less(b.low) || a.low == b.low && a.id < b.id
		}, btree.Options{NoLocks: true, Degree: 16})
	}
	if x.tree.Len() == 0 {
		x.addPage(Item{})
	}
	key := x.floor(k)
	if k.less(key.low) { // below the first page: it takes everything from 0 on
		x.tree.Delete(key)
		key.low = Item{}
		x.tree.Set(key)
	}
	p := &x.pages[key.id]
	at := x.search(p, k)
	if p.n == maxItems {
		key.id, at = x.split(key.id, at)
		p = &x.pages[key.id]
	}
	if p.n == p.cap {
		x.setCap(p, int(p.n)+growth(int(p.n)))
	}
	p.n++
	b := x.bytes(p)
	copy(b[(at+1)*itemSize:], b[at*itemSize:])
	put(b[at*itemSize:], k)
}

// Delete takes an item out and says whether it was there.
func (x *Index) Delete(k Item) bool {
	if x.n == 0 {
		return false
	}
	key := x.floor(k)
	p := &x.pages[key.id]
	at := x.search(p, k)
	b := x.bytes(p)
	if at == int(p.n) || get(b[at*itemSize:]) != k {
		return false
	}
	x.cut(key, at, at+1)
	return true
}

// First is the lowest item; ok is false when there is none.
func (x *Index) First() (k Item, ok bool) {
	if x.n == 0 {
		return Item{}, false
	}
	x.tree.Scan(x.take)
	return get(x.bytes(&x.pages[x.found.id])), true
}

// PopDue takes out the lowest items with deadlines up to now, as many as there
// is room for in buf beyond its length, and appends them to it.
func (x *Index) PopDue(now uint64, buf []Item) []Item {
	for x.n > 0 && len(buf) < cap(buf) {
		x.tree.Scan(x.take)
		key := x.found
		b := x.bytes(&x.pages[key.id])
		n := 0
		for ; n*itemSize < len(b) && len(buf) < cap(buf); n++ {
			k := get(b[n*itemSize:])
			if k.At > now {
				break
			}
			buf = append(buf, k)
		}
		if n == 0 {
			break
		}
		x.cut(key, 0, n)
	}
	return buf
}

// Close gives the items back to the slab and leaves an empty index.
func (x *Index) Close() {
	for i := range x.pages {
		if x.pages[i].ref != 0 {
			x.slab.Free(x.pages[i].ref)
		}
	}
	x.tree, x.pages, x.unused, x.n, x.itemBytes = nil, nil, 0, 0, 0
}

// search is the index of the first item in p that is not less than k.
func (x *Index) search(p *page, k Item) int {
	b := x.bytes(p)
	lo, hi := 0, int(p.n)
	for lo < hi {
		mid := (lo + hi) / 2
		if get(b[mid*itemSize:]).less(k) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (x *Index) bytes(p *page) []byte {
	if p.n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(x.slab.Ptr(p.ref)), int(p.n)*itemSize)
}

// An item is stored as the low halves first: deadline, then hash, then the
// upper 16 bits of each.
func put(b []byte, k Item) {
	binary.LittleEndian.PutUint64(b[4:], k.Hash<<16|k.At>>32)
	binary.LittleEndian.PutUint32(b, uint32(k.At))
}

func get(b []byte) Item {
	v := binary.LittleEndian.Uint64(b[4:])
	return Item{At: uint64(binary.LittleEndian.Uint32(b)) | v&0xffff<<32, Hash: v >> 16}
}
