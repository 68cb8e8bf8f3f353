package slab

// Large blocks are whole pages: up to 2 MiB a run of an arena's, above a mapping
// of their own. What was never written in them is known to be zero, so that a
// sparse string of 512 MB costs nothing until it is filled.

type largeBlock struct {
	mem []byte
	// written is how many bytes from the start may be other than zero.
	written int
	at      run // of a medium block
	// next chains unused entries: index+1, 0 at the end.
	next int
}

func (b *largeBlock) medium() bool { return len(b.mem) <= mediumMax }

func roundPages(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }

func (s *Slab) allocLarge(n int) Ref {
	r, ok := s.tryLarge(n)
	if !ok {
		panic(ErrNoMemory)
	}
	return r
}

func (s *Slab) tryLarge(n int) (r Ref, ok bool) {
	b := s.newBlock(roundPages(n))
	if b.mem == nil {
		return 0, false
	}
	s.allocated += int64(len(b.mem))
	return s.newLarge(b), true
}

// TryAlloc is Alloc that says when the system gives no more memory for a large
// block.
func (s *Slab) TryAlloc(n int) (r Ref, ok bool) {
	if n > smallMax {
		return s.tryLarge(n)
	}
	return s.Alloc(n), true
}

// newBlock gets the memory of a large block; nil when there is none.
func (s *Slab) newBlock(size int) (b largeBlock) {
	if size <= mediumMax {
		b.mem, b.at = s.takePages(size >> pageShift)
	} else if b.mem = s.mapMem(size); b.mem != nil {
		s.mapped += int64(size)
	}
	return b
}

// newLarge gives a large block a ref.
func (s *Slab) newLarge(b largeBlock) Ref {
	i := s.largeFree - 1
	if i < 0 {
		s.large = append(s.large, largeBlock{})
		i = len(s.large) - 1
	} else {
		s.largeFree = s.large[i].next
	}
	s.large[i] = b
	return largeBit | Ref(i)
}

func (s *Slab) freeLarge(r Ref) {
	i := int(r &^ largeBit)
	s.allocated -= int64(len(s.large[i].mem))
	s.giveUp(&s.large[i])
	s.large[i] = largeBlock{next: s.largeFree}
	s.largeFree = i + 1
}

// giveUp gives the memory of a large block back.
func (s *Slab) giveUp(b *largeBlock) {
	if !b.medium() {
		s.retire(Mapping{mem: b.mem})
		return
	}
	if s.freed == nil {
		s.freed = new(freed)
	}
	s.pending += len(b.mem) >> pageShift
	s.retire(Mapping{mem: b.mem, at: b.at, freed: s.freed})
	s.collect()
}

// Resize returns a block of at least n bytes with the content of r, as far as
// it fits, and frees r unless it is the same. Large blocks are not copied where
// that can be avoided.
func (s *Slab) Resize(r Ref, n int) Ref {
	if r&largeBit != 0 && n > smallMax {
		s.resizeLarge(&s.large[r&^largeBit], roundPages(n))
		return r
	}
	next := s.Alloc(n)
	copied := copy(s.Bytes(next), s.Bytes(r))
	s.Wrote(next, 0, copied)
	s.Free(r)
	return next
}

func (s *Slab) resizeLarge(b *largeBlock, size int) {
	old := len(b.mem)
	if size == old {
		return
	}
	if !s.resizeInPlace(b, size) {
		next := s.newBlock(size)
		if next.mem == nil {
			panic(ErrNoMemory)
		}
		copy(next.mem, b.mem[:min(b.written, old, size)])
		next.written = b.written
		s.giveUp(b)
		*b = next
	}
	b.written = min(b.written, size)
	s.allocated += int64(size - old)
}

// resizeInPlace changes the size of a large block's memory without copying, and
// says whether it could.
func (s *Slab) resizeInPlace(b *largeBlock, size int) bool {
	switch medium := b.medium(); {
	case medium != (size <= mediumMax):
		return false
	case medium:
		mem, ok := s.extend(b.at, len(b.mem)>>pageShift, size>>pageShift)
		if ok {
			b.mem = mem
		}
		return ok
	}
	mem := tryRemap(b.mem, size)
	if mem == nil {
		return false
	}
	s.mapped += int64(size - len(b.mem))
	b.mem = mem
	return true
}

// Wrote tells of a write to bytes [from, to) of a block that may be large, so
// that Zero knows what it must clear.
func (s *Slab) Wrote(r Ref, from, to int) {
	if r&largeBit != 0 {
		b := &s.large[r&^largeBit]
		b.written = max(b.written, to)
	}
}

// Zero clears bytes [from, to) of a block. In large ones it does not touch what
// was never written.
func (s *Slab) Zero(r Ref, from, to int) {
	if r&largeBit != 0 {
		to = min(to, s.large[r&^largeBit].written)
	}
	if from < to {
		clear(s.Bytes(r)[from:to])
	}
}

// MayAdopt says whether a block of another slab, or of this one, can be had by
// Adopt: it is there already, or has a mapping of its own.
func (s *Slab) MayAdopt(from *Slab, r Ref) bool {
	return s == from || r&largeBit != 0 && !from.large[r&^largeBit].medium()
}

// Adopt takes a block over from another slab, for which MayAdopt holds, without
// copying, and returns its ref here.
func (s *Slab) Adopt(from *Slab, r Ref) Ref {
	if s == from {
		return r
	}
	i := int(r &^ largeBit)
	b := from.large[i]
	size := int64(len(b.mem))
	from.allocated -= size
	from.mapped -= size
	from.large[i] = largeBlock{next: from.largeFree}
	from.largeFree = i + 1

	next := s.newLarge(b)
	s.allocated += size
	s.mapped += size
	return next
}
