package slab

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

const poisonByte = 0xdb

// fillPoison overwrites a freed block.
func fillPoison(block []byte) {
	for i := range block {
		block[i] = poisonByte
	}
}

// verifyPoison panics when a freed block was written to; its first two bytes
// hold the link.
func verifyPoison(block []byte) {
	for i, b := range block[2:] {
		if b != poisonByte {
			panic(fmt.Sprintf("slab: freed block of %d bytes was written to at %d", len(block), i+2))
		}
	}
}

// Check looks at every span and says what is wrong, nil if nothing is.
func (s *Slab) Check() error {
	var allocated, mapped int64
	idle, listed := 0, 0
	for n := range s.arenas {
		a := &s.arenas[n]
		if a.mem == nil {
			continue
		}
		mapped += int64(len(a.mem))
		idle += bits.OnesCount64(a.dirty)
		if a.dirty&^a.free != 0 {
			return fmt.Errorf("arena %d: dirty %x beyond free %x", n, a.dirty, a.free)
		}
		for i := range len(a.mem) / spanSize {
			if a.free>>i&1 != 0 {
				if n < s.mayFit {
					return fmt.Errorf("arena %d has room below %d", n, s.mayFit)
				}
				continue
			}
			sp := &a.spans[i]
			if err := s.checkSpan(a, i); err != nil {
				return fmt.Errorf("arena %d span %d: %w", n, i, err)
			}
			allocated += int64(sp.used) * int64(classSize[sp.class])
			if sp.listed {
				listed++
			}
		}
	}
	blocks := s.pending
	for i := range s.large {
		b := &s.large[i]
		allocated += int64(len(b.mem))
		if b.medium() {
			blocks += len(b.mem) >> pageShift
		} else {
			mapped += int64(len(b.mem))
		}
	}
	inPages, err := s.checkPages()
	if err != nil {
		return err
	}
	mapped += inPages
	used := int(inPages >> pageShift)
	for i := range s.pages {
		used -= s.pages[i].left
	}
	switch {
	case allocated != s.allocated:
		return fmt.Errorf("blocks of %d bytes handed out, %d counted", allocated, s.allocated)
	case mapped != s.mapped:
		return fmt.Errorf("%d bytes mapped, %d counted", mapped, s.mapped)
	case used != blocks:
		return fmt.Errorf("%d pages used, blocks have %d", used, blocks)
	case idle != s.idle:
		return fmt.Errorf("%d idle spans, %d counted", idle, s.idle)
	}
	return s.checkLists(listed)
}

// checkPages looks at the page arenas and returns how many bytes they are.
func (s *Slab) checkPages() (mapped int64, err error) {
	whole := 0
	for n := range s.pages {
		a := &s.pages[n]
		if a.mem == nil {
			continue
		}
		mapped += int64(len(a.mem))
		left := 0
		for _, w := range a.used {
			left += bits.OnesCount64(^w)
		}
		if left != a.left {
			return 0, fmt.Errorf("page arena %d: %d pages left, %d counted", n, left, a.left)
		}
		if at, _ := a.find(a.fits + 1); at >= 0 {
			return 0, fmt.Errorf("page arena %d: more than %d pages fit at %d", n, a.fits, at)
		}
		if a.whole() {
			whole++
		}
	}
	if whole != s.idleArenas {
		return 0, fmt.Errorf("%d idle page arenas, %d counted", whole, s.idleArenas)
	}
	return mapped, nil
}

// checkSpan follows a span's free blocks.
func (s *Slab) checkSpan(a *arena, i int) error {
	sp := &a.spans[i]
	size := classSize[sp.class]
	free := 0
	for at := sp.free; at != 0; free++ {
		unit := uint32(at - 1)
		if unit%(size>>unitShift) != 0 || unit/(size>>unitShift) >= uint32(sp.bump) || free > int(sp.bump) {
			return fmt.Errorf("bad link to unit %d after %d", unit, free)
		}
		at = binary.LittleEndian.Uint16(a.mem[uint32(i)<<spanShift+unit<<unitShift:])
	}
	if int(sp.used)+free != int(sp.bump) || uint32(sp.bump) > spanSize/size || sp.used == 0 {
		return fmt.Errorf("%d used, %d free, %d touched of %d", sp.used, free, sp.bump, spanSize/size)
	}
	if hasRoom := uint32(sp.used) < spanSize/size; hasRoom != sp.listed {
		return fmt.Errorf("%d of %d used, listed: %v", sp.used, spanSize/size, sp.listed)
	}
	return nil
}

// checkLists follows the lists of spans with room, want spans in all.
func (s *Slab) checkLists(want int) error {
	found := 0
	for c := range numClasses {
		prev := uint32(0)
		for id := s.partial[c]; id != 0; id = s.span(id).next {
			sp := s.span(id)
			if int(sp.class) != c || sp.prev != prev || !sp.listed {
				return fmt.Errorf("span %d does not belong in the list of class %d", id, c)
			}
			if found++; found > want {
				break
			}
			prev = id
		}
	}
	if found != want {
		return fmt.Errorf("%d spans in lists, %d say so", found, want)
	}
	return nil
}
