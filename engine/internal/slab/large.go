package slab

// Large blocks have a mapping of their own each, whole pages. What was never
// written in them is known to be zero, so that a sparse string of 512 MB costs
// nothing until it is filled.

const pageSize = 4096

type largeBlock struct {
	mem []byte
	// written is how many bytes from the start may be other than zero.
	written int
	// next chains unused entries: index+1, 0 at the end.
	next int
}

func roundPages(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }

func (s *Slab) allocLarge(n int) Ref {
	mem := mapMem(roundPages(n))
	s.mapped += int64(len(mem))
	s.allocated += int64(len(mem))
	return s.newLarge(largeBlock{mem: mem})
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
	b := &s.large[i]
	s.allocated -= int64(len(b.mem))
	s.retire(b.mem)
	*b = largeBlock{next: s.largeFree}
	s.largeFree = i + 1
}

// Resize returns a block of at least n bytes with the content of r, as far as
// it fits, and frees r unless it is the same. Large blocks are not copied.
func (s *Slab) Resize(r Ref, n int) Ref {
	if r&largeBit != 0 && n > smallMax {
		b := &s.large[r&^largeBit]
		size := roundPages(n)
		if size != len(b.mem) {
			s.mapped += int64(size - len(b.mem))
			s.allocated += int64(size - len(b.mem))
			b.mem = remapMem(b.mem, size)
			b.written = min(b.written, size)
		}
		return r
	}
	next := s.Alloc(n)
	copied := copy(s.Bytes(next), s.Bytes(r))
	s.Wrote(next, 0, copied)
	s.Free(r)
	return next
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

// Adopt takes block r over from another slab and returns its ref here. Large
// blocks are not copied.
func (s *Slab) Adopt(from *Slab, r Ref) Ref {
	if r&largeBit == 0 {
		next := s.Alloc(from.Size(r))
		copy(s.Bytes(next), from.Bytes(r))
		from.Free(r)
		return next
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
