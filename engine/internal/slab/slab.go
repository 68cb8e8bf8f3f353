// Package slab hands out blocks of memory from outside Go's heap, so that the
// collector neither scans nor doubles them. It knows sizes and refs, not what
// the blocks hold. A Slab is not safe for concurrent use.
//
// Memory is mapped in arenas of up to 4 MiB, cut into spans of 64 KiB. A span
// holds blocks of one size class; its free blocks are linked through their own
// first bytes. A span that empties goes back to its arena, for any class to
// take; the pages of idle spans go back to the system in batches, and arenas
// without a used span are unmapped. Blocks above 32 KiB are whole pages, see
// large.go.
//
// When the system gives no more memory, Alloc panics with ErrNoMemory. Blocks up
// to 32 KiB come out of a reserve then: a caller who has asked Ready before a
// change is not stopped by it in the middle, as long as that takes little.
package slab

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Ref names a block. It is below 1<<RefBits; 0 names none.
type Ref uint64

// RefBits is how many bits of a Ref are in use.
const RefBits = 36

const (
	unitShift  = 3 // refs count units of 8 bytes
	spanShift  = 16
	spanSize   = 1 << spanShift
	arenaShift = 22
	arenaSize  = 1 << arenaShift
	firstArena = 256 << 10

	spanUnits  = spanSize >> unitShift
	arenaUnits = arenaSize >> unitShift
	perArena   = arenaSize / spanSize

	largeBit  Ref = 1 << (RefBits - 1)
	maxArenas     = largeBit / arenaUnits

	// idleSpans is how many empty spans keep their pages, so that a size
	// class that comes and goes does not ask the system each time.
	idleSpans = 16
)

// Slab is an allocator. The zero value is empty and ready to use.
type Slab struct {
	bases  []unsafe.Pointer // by arena number; 0 is never used
	arenas []arena
	large  []largeBlock
	// largeFree chains unused entries of large: index+1, 0 at the end.
	largeFree int
	pages     []pageArena
	freed     *freed // made with the first medium block that is freed
	pending   int    // pages given to freed, or on their way there
	reserve   []byte // for an arena when the system gives none
	// idleArenas is 1 when a page arena without a block is kept.
	idleArenas int
	partial    [maxClasses]uint32 // first span with a free block, by class; 0 is none
	mayFit     int                // no arena below has a free span
	idle       int                // empty spans that hold pages
	allocated  int64
	mapped     int64
	poison     bool
	refuse     bool

	// Retire, when set, is given mappings that are no longer used, to unmap
	// them elsewhere. Without it they are unmapped at once.
	Retire func(mem Mapping)
}

// maxClasses is an upper bound of numClasses, which is not a constant.
const maxClasses = 192

// Mapping is memory that its slab no longer uses: a whole mapping, or pages that
// the slab will use again.
type Mapping struct {
	mem   []byte
	at    run
	freed *freed // nil: a whole mapping
}

// Unmap gives the memory back to the system.
func (m Mapping) Unmap() {
	if m.freed == nil {
		unmapMem(m.mem)
		return
	}
	releaseMem(m.mem)
	m.freed.add(m.at, len(m.mem)>>pageShift)
}

// Size is its length in bytes.
func (m Mapping) Size() int { return len(m.mem) }

type arena struct {
	mem   []byte
	free  uint64 // bit i: span i is empty
	dirty uint64 // bit i: span i is empty and may hold pages
	spans [perArena]span
}

// span is 64 KiB of blocks of one class.
type span struct {
	next, prev uint32 // in its class's partial list, by span number
	class      uint8
	listed     bool
	free       uint16 // first freed block, in units + 1; 0 is none
	bump       uint16 // blocks from here on were never handed out, in blocks
	used       uint16
}

// Allocated is the sum of the sizes of all blocks handed out.
func (s *Slab) Allocated() int64 { return s.allocated }

// Mapped is how much address space the slab holds.
func (s *Slab) Mapped() int64 { return s.mapped }

// Poison makes the slab overwrite freed blocks and panic on handing one out
// that was written to meanwhile. For tests; call it on an empty slab.
func (s *Slab) Poison() { s.poison = true }

// Refuse makes the slab behave as if the system gave no more memory, or did
// again. For tests.
func (s *Slab) Refuse(on bool) { s.refuse = on }

func (s *Slab) mapMem(n int) []byte {
	if s.refuse {
		return nil
	}
	return mapMem(n)
}

// Alloc returns a block of at least n bytes. Its content is arbitrary.
func (s *Slab) Alloc(n int) Ref {
	if n > smallMax {
		return s.allocLarge(n)
	}
	c := classOf(n)
	id := s.partial[c]
	if id == 0 {
		id = s.newSpan(c)
	}
	a := &s.arenas[id/perArena]
	sp := &a.spans[id%perArena]
	size := classSize[c]
	var unit uint32
	if sp.free != 0 {
		unit = uint32(sp.free - 1)
		block := a.mem[id%perArena<<spanShift+unit<<unitShift:][:size]
		sp.free = binary.LittleEndian.Uint16(block)
		if s.poison {
			verifyPoison(block)
		}
	} else {
		unit = uint32(sp.bump) * (size >> unitShift)
		sp.bump++
	}
	sp.used++
	if sp.free == 0 && uint32(sp.bump) == spanSize/size {
		s.unlist(id)
	}
	s.allocated += int64(size)
	return Ref(id)*spanUnits + Ref(unit)
}

// Free takes a block back. Nobody may use r afterwards.
func (s *Slab) Free(r Ref) {
	if r&largeBit != 0 {
		s.freeLarge(r)
		return
	}
	id := uint32(r / spanUnits)
	a := &s.arenas[id/perArena]
	sp := &a.spans[id%perArena]
	size := classSize[sp.class]
	block := unsafe.Slice((*byte)(s.Ptr(r)), size)
	if s.poison {
		fillPoison(block)
	}
	binary.LittleEndian.PutUint16(block, sp.free)
	sp.free = uint16(r%spanUnits) + 1
	sp.used--
	s.allocated -= int64(size)
	if sp.used == 0 {
		s.emptied(id)
	} else if !sp.listed {
		s.list(id)
	}
}

// Ptr is the address of the first byte of a block, good until the block is
// freed or resized.
func (s *Slab) Ptr(r Ref) unsafe.Pointer {
	if r&largeBit != 0 {
		return unsafe.Pointer(unsafe.SliceData(s.large[r&^largeBit].mem))
	}
	return unsafe.Add(s.bases[r/arenaUnits], r%arenaUnits<<unitShift)
}

// Size is how many bytes the block has, at least as many as were asked for.
func (s *Slab) Size(r Ref) int {
	if r&largeBit != 0 {
		return len(s.large[r&^largeBit].mem)
	}
	id := r / spanUnits
	return int(classSize[s.arenas[id/perArena].spans[id%perArena].class])
}

// Bytes is the whole block, good until it is freed or resized.
func (s *Slab) Bytes(r Ref) []byte {
	return unsafe.Slice((*byte)(s.Ptr(r)), s.Size(r))
}

// Fits says whether r is a good place for n bytes that are written anew. Only
// large blocks are: a small one that is rewritten where it is keeps its span
// alive when that size has become rare (after sessions of one size were replaced
// by sessions of many, memory was nearly twice what they held), and moving costs
// no more, as a block that was freed just now is in the caches.
func (s *Slab) Fits(r Ref, n int) bool {
	if r&largeBit == 0 {
		return false
	}
	size := s.Size(r)
	return n > smallMax && n <= size && size-n < size/8+pageSize
}

// Close gives all memory back. The slab is empty afterwards and can be used
// again.
func (s *Slab) Close() {
	for i := range s.arenas {
		if s.arenas[i].mem != nil {
			s.retire(Mapping{mem: s.arenas[i].mem})
		}
	}
	for i := range s.large {
		if b := &s.large[i]; b.mem != nil && !b.medium() {
			s.retire(Mapping{mem: b.mem})
		}
	}
	for i := range s.pages {
		if s.pages[i].mem != nil {
			s.retire(Mapping{mem: s.pages[i].mem})
		}
	}
	if s.reserve != nil {
		unmapMem(s.reserve)
	}
	*s = Slab{poison: s.poison, refuse: s.refuse, Retire: s.Retire}
}

func (s *Slab) retire(m Mapping) {
	if m.freed == nil {
		s.mapped -= int64(len(m.mem))
	}
	if s.Retire != nil {
		s.Retire(m)
		return
	}
	m.Unmap()
}

// list puts a span that has got a free block in front of its class's list:
// the fullest spans are filled first, so that the others can empty.
func (s *Slab) list(id uint32) {
	sp := s.span(id)
	head := s.partial[sp.class]
	sp.listed, sp.prev, sp.next = true, 0, head
	if head != 0 {
		s.span(head).prev = id
	}
	s.partial[sp.class] = id
}

func (s *Slab) unlist(id uint32) {
	sp := s.span(id)
	if sp.prev != 0 {
		s.span(sp.prev).next = sp.next
	} else {
		s.partial[sp.class] = sp.next
	}
	if sp.next != 0 {
		s.span(sp.next).prev = sp.prev
	}
	sp.listed, sp.prev, sp.next = false, 0, 0
}

func (s *Slab) span(id uint32) *span { return &s.arenas[id/perArena].spans[id%perArena] }

// newSpan takes an empty span, one that still has pages if it can, and gives
// it to class c.
func (s *Slab) newSpan(c int) uint32 {
	n := s.arenaWithRoom()
	a := &s.arenas[n]
	from := a.free
	if a.dirty != 0 {
		from = a.dirty
		s.idle--
	}
	i := bits.TrailingZeros64(from)
	a.free &^= 1 << i
	a.dirty &^= 1 << i
	a.spans[i] = span{class: uint8(c)}
	id := uint32(n*perArena + i)
	s.list(id)
	return id
}

// arenaWithRoom finds the lowest arena with an empty span, so that high ones
// have a chance to empty, and maps one where there is none.
func (s *Slab) arenaWithRoom() int {
	for ; s.mayFit < len(s.arenas); s.mayFit++ {
		if s.arenas[s.mayFit].free != 0 {
			return s.mayFit
		}
	}
	n := s.freeArena()
	// The first arenas are small, so that a small store is a small mapping.
	size := min(arenaSize, firstArena<<min(n-1, 8))
	var mem []byte
	if Ref(n) < maxArenas-1 {
		mem = s.mapMem(size)
	}
	if mem == nil {
		if s.reserve == nil || Ref(n) == maxArenas {
			panic(ErrNoMemory)
		}
		mem, s.reserve = s.reserve, nil
	}
	s.add(n, mem)
	return n
}

// add makes mem the arena of number n, freeArena's answer.
func (s *Slab) add(n int, mem []byte) {
	if n == len(s.arenas) {
		s.bases, s.arenas = append(s.bases, nil), append(s.arenas, arena{})
	}
	size := len(mem)
	s.mapped += int64(size)
	s.bases[n] = unsafe.Pointer(unsafe.SliceData(mem))
	s.arenas[n] = arena{mem: mem, free: ^uint64(0) >> (64 - size/spanSize)}
	s.mayFit = n
}

// reserveSize is room for more blocks of different sizes than one change of a
// caller's takes.
const reserveSize = 1 << 20

// Ready says that a change is about to begin. It panics with ErrNoMemory when
// there is nothing in reserve and nothing more to be had.
func (s *Slab) Ready() {
	if s.reserve == nil {
		s.refill()
	}
}

func (s *Slab) refill() {
	if Ref(s.freeArena()) < maxArenas-1 {
		s.reserve = s.mapMem(reserveSize)
	}
	if s.reserve == nil {
		panic(ErrNoMemory)
	}
}

// freeArena is an unused arena number, the next after the last when all are
// used.
func (s *Slab) freeArena() int {
	for i := 1; i < len(s.arenas); i++ {
		if s.arenas[i].mem == nil {
			return i
		}
	}
	if len(s.arenas) == 0 {
		s.bases, s.arenas = make([]unsafe.Pointer, 1), make([]arena, 1)
	}
	return len(s.arenas)
}

// emptied gives a span without used blocks back to its arena.
func (s *Slab) emptied(id uint32) {
	if s.span(id).listed {
		s.unlist(id)
	}
	n, i := int(id/perArena), id%perArena
	a := &s.arenas[n]
	a.free |= 1 << i
	a.dirty |= 1 << i
	s.mayFit = min(s.mayFit, n)
	if s.idle++; s.idle > idleSpans {
		s.Release()
	}
}

// Release gives the pages of all empty spans back to the system, and the
// address space of empty arenas.
func (s *Slab) Release() {
	s.collect()
	for n := range s.arenas {
		a := &s.arenas[n]
		if a.mem == nil {
			continue
		}
		if bits.OnesCount64(a.free) == len(a.mem)/spanSize {
			s.retire(Mapping{mem: a.mem})
			s.bases[n], s.arenas[n] = nil, arena{}
			continue
		}
		for a.dirty != 0 {
			lo := bits.TrailingZeros64(a.dirty)
			run := bits.TrailingZeros64(^(a.dirty >> lo))
			releaseMem(a.mem[lo<<spanShift : (lo+run)<<spanShift])
			a.dirty &^= (1<<run - 1) << lo
		}
	}
	s.idle = 0
}
