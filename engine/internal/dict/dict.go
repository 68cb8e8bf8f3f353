// Package dict is a hash table that grows one small segment at a time, so that
// no insert ever waits for the whole table to move. It knows hashes and refs;
// keys are its caller's. A Dict is not safe for concurrent use.
//
// It is extendible hashing: a directory, indexed by the top bits of the hash,
// names segments; a segment that is full splits in two by its next bit, and two
// sparse buddies merge again. A segment is a packed array of slots, sorted by
// tag, the top 28 bits of the hash. A look-up guesses the slot by interpolation,
// as hashes are spread evenly, and walks from there.
//
// A position is a tag: everything sorts by it, whatever splits and merges, so it
// makes a cursor that stays valid. Entries with one tag are visited together.
package dict

import (
	"unsafe"

	"coatcheck/engine/internal/slab"
)

const (
	// TagBits is how much of the hash a slot keeps.
	TagBits = 28
	// End is the position after the last one.
	End = 1 << TagBits

	refMask = 1<<slab.RefBits - 1

	// maxSlots is where a segment splits; mergeBelow is where it asks its
	// buddy to merge, when both together stay far from splitting again.
	maxSlots   = 256
	mergeBelow = 48
	mergeMax   = 128
)

// Slot is one entry: its tag above its ref.
type Slot uint64

// Ref is where the entry is.
func (s Slot) Ref() slab.Ref { return slab.Ref(s & refMask) }

// Tag is the slot's position.
func (s Slot) Tag() uint32 { return uint32(s >> slab.RefBits) }

// TagOf is the position of a hash.
func TagOf(hash uint64) uint32 { return uint32(hash >> (64 - TagBits)) }

// Dict is the table. Make one with New.
type Dict struct {
	slab  *slab.Slab
	dir   []uint32 // segment by the top depth bits
	depth uint8
	segs  []segment
	// atDepth counts segments by depth: the directory halves when the two
	// deepest levels are empty.
	atDepth [TagBits + 1]uint32
	n       int
	// slotBytes is the size of the segments' blocks.
	slotBytes int64

	epoch uint32
	// before is told of a segment that is about to change for the first time
	// in this epoch.
	before func(slots []Slot)
}

// segment describes one array of slots.
type segment struct {
	ref   slab.Ref // 0 while cap is 0
	epoch uint32
	first uint32 // its lowest tag
	n     uint32
	cap   uint32
	depth uint8 // how many top bits all its tags share
}

// New makes an empty table that keeps its slots in s.
func New(s *slab.Slab) *Dict {
	d := &Dict{slab: s, dir: make([]uint32, 1), segs: make([]segment, 1)}
	d.atDepth[0] = 1
	return d
}

// Len is the number of entries.
func (d *Dict) Len() int { return d.n }

// Bytes is the memory of the table, in bytes: its slots in the slab and the
// directory over them in Go's heap.
func (d *Dict) Bytes() int64 {
	return d.slotBytes + int64(unsafe.Sizeof(*d)) + int64(cap(d.dir))*4 + int64(cap(d.segs))*int64(unsafe.Sizeof(segment{}))
}

// SlabBytes is the part of Bytes that is in the slab.
func (d *Dict) SlabBytes() int64 { return d.slotBytes }

// Place is where a slot is, or would be. It is good until the next Insert,
// Delete or Close.
type Place struct {
	seg uint32
	at  uint32
}

// Next is the following place in the same segment.
func (p Place) Next() Place { return Place{p.seg, p.at + 1} }

// Seek finds the first slot with the hash's tag. ok is false when there is
// none. Several entries may share a tag: the caller compares keys, and asks
// Following for more.
func (d *Dict) Seek(hash uint64) (p Place, s Slot, ok bool) {
	tag := TagOf(hash)
	p.seg = d.dir[uint64(tag)>>(TagBits-d.depth)]
	sg := &d.segs[p.seg]
	if sg.n == 0 {
		return p, 0, false
	}
	slots := d.slots(sg)
	at := search(slots, tag, sg.depth)
	p.at = uint32(at)
	if at < len(slots) && slots[at].Tag() == tag {
		return p, slots[at], true
	}
	return p, 0, false
}

// Warm reads a byte of where Seek will look first, so that the processor has it
// by then, and returns it so that the compiler leaves the read alone.
func (d *Dict) Warm(hash uint64) byte {
	tag := TagOf(hash)
	sg := &d.segs[d.dir[uint64(tag)>>(TagBits-d.depth)]]
	if sg.n == 0 {
		return 0
	}
	slots := d.slots(sg)
	return byte(slots[guess(tag, sg.depth, len(slots))])
}

// Following is the slot after p if it has the same tag.
func (d *Dict) Following(p Place) (next Place, s Slot, ok bool) {
	slots := d.slots(&d.segs[p.seg])
	next = p.Next()
	if int(next.at) < len(slots) && slots[next.at].Tag() == slots[p.at].Tag() {
		return next, slots[next.at], true
	}
	return next, 0, false
}

// search is the index of the first slot whose tag is not below tag.
func search(slots []Slot, tag uint32, depth uint8) int {
	want := Slot(tag) << slab.RefBits
	at := guess(tag, depth, len(slots))
	for at < len(slots) && slots[at] < want {
		at++
	}
	for at > 0 && slots[at-1] >= want {
		at--
	}
	return at
}

// guess is about where tag is among n slots of a segment, below n.
func guess(tag uint32, depth uint8, n int) int {
	rest := uint64(tag) << depth & (End - 1) // what the segment's bits leave open
	return int(rest * uint64(n) >> TagBits)
}

func (d *Dict) slots(sg *segment) []Slot {
	if sg.n == 0 {
		return nil
	}
	return unsafe.Slice((*Slot)(d.slab.Ptr(sg.ref)), sg.n)
}

// Insert adds an entry. Whether another has the same key is the caller's to
// know.
func (d *Dict) Insert(hash uint64, ref slab.Ref) {
	tag := TagOf(hash)
	id := d.dir[uint64(tag)>>(TagBits-d.depth)]
	d.touch(id)
	for d.segs[id].n >= maxSlots && d.maySplit(&d.segs[id]) {
		d.split(id)
		id = d.dir[uint64(tag)>>(TagBits-d.depth)]
	}
	sg := &d.segs[id]
	if sg.n == sg.cap {
		d.setCap(sg, int(sg.n)+growth(int(sg.n)))
	}
	at := search(d.slots(sg), tag, sg.depth)
	sg.n++
	slots := d.slots(sg)
	copy(slots[at+1:], slots[at:])
	slots[at] = Slot(tag)<<slab.RefBits | Slot(ref)
	d.n++
}

// growth is how many slots a full segment of n gets: little, as most memory
// that a table wastes is here.
func growth(n int) int {
	if n < 32 {
		return 4
	}
	return 16
}

// SetRef points the entry at p to another block.
func (d *Dict) SetRef(p Place, ref slab.Ref) {
	d.touch(p.seg)
	slots := d.slots(&d.segs[p.seg])
	slots[p.at] = slots[p.at]&^refMask | Slot(ref)
}

// Delete takes the entry at p out.
func (d *Dict) Delete(p Place) {
	d.touch(p.seg)
	sg := &d.segs[p.seg]
	slots := d.slots(sg)
	copy(slots[p.at:], slots[p.at+1:])
	sg.n--
	d.n--
	if n := int(sg.n); n == 0 || int(sg.cap)-n >= 3*growth(n)+n/8 {
		d.setCap(sg, roomy(n))
	}
	if sg.n < mergeBelow && sg.depth > 0 {
		d.merge(p.seg)
	}
}

// roomy is the capacity for a segment of n slots that has just been cut.
func roomy(n int) int {
	if n == 0 {
		return 0
	}
	return n + growth(n)/2
}

// setCap moves a segment's slots into a block for n of them, or into none.
func (d *Dict) setCap(sg *segment, n int) {
	old, slots := sg.ref, d.slots(sg)
	sg.ref, sg.cap = 0, 0
	if n > 0 {
		sg.ref = d.slab.Alloc(n * 8)
		size := d.slab.Size(sg.ref)
		d.slotBytes += int64(size)
		size /= 8
		if n <= maxSlots {
			size = min(size, maxSlots)
		}
		sg.cap = uint32(size)
		copy(d.slots(sg), slots)
	}
	if old != 0 {
		d.slotBytes -= int64(d.slab.Size(old))
		d.slab.Free(old)
	}
}
