package slab

import (
	"math/bits"
	"sync"
)

// Medium blocks, of 32 KiB … 2 MiB, are runs of pages in page arenas: mappings
// of their own would soon be more than the system allows. A freed run's pages
// go back to the system and its place in the arena serves the next, so holes
// cost addresses only. Runs are found first fit, from the lowest arena.

const (
	pageShift = 12
	pageSize  = 1 << pageShift

	mediumMax      = 2 << 20
	firstPageArena = 4 << 20
	pageArenaSize  = 16 << 20
	arenaPages     = pageArenaSize / pageSize
)

// pageArena is up to 16 MiB of pages.
type pageArena struct {
	mem  []byte
	used [arenaPages / 64]uint64 // bit i: page i belongs to a block, or is beyond the end
	left int                     // pages that are not
	// fits is no less than the longest run of free pages.
	fits int
}

// run is where a block is in its page arena.
type run struct{ arena, page int32 }

// freed are runs whose pages have gone back elsewhere. Their slab takes them
// when it looks for room.
type freed struct {
	mu   sync.Mutex
	runs []freedRun
}

type freedRun struct {
	at run
	n  int
}

func (f *freed) add(at run, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs = append(f.runs, freedRun{at, n})
}

// collect makes runs of pages that have gone back free.
func (s *Slab) collect() {
	if s.freed == nil {
		return
	}
	s.freed.mu.Lock()
	defer s.freed.mu.Unlock()
	for _, r := range s.freed.runs {
		s.freePages(r.at, r.n)
	}
	s.freed.runs = s.freed.runs[:0]
}

// takePages finds n free pages in a row; nil when there are none to be had.
func (s *Slab) takePages(n int) ([]byte, run) {
	s.collect()
	hole := -1
	for i := range s.pages {
		a := &s.pages[i]
		if a.mem == nil && hole < 0 {
			hole = i
		}
		if a.fits < n {
			continue
		}
		at, longest := a.find(n)
		if at < 0 {
			a.fits = longest
			continue
		}
		return s.mark(i, at, n)
	}
	size := pageArenaSize
	if len(s.pages) == 0 {
		size = firstPageArena
	}
	mem := s.mapMem(size)
	if mem == nil {
		return nil, run{}
	}
	smallPages(mem)
	s.mapped += int64(size)
	if hole < 0 {
		hole = len(s.pages)
		s.pages = append(s.pages, pageArena{})
	}
	a := &s.pages[hole]
	*a = pageArena{mem: mem, left: size >> pageShift, fits: size >> pageShift}
	for w := size >> pageShift / 64; w < len(a.used); w++ {
		a.used[w] = ^uint64(0)
	}
	return s.mark(hole, 0, n)
}

// mark makes n free pages of an arena a block.
func (s *Slab) mark(arena, page, n int) ([]byte, run) {
	a := &s.pages[arena]
	if a.whole() {
		s.idleArenas = max(s.idleArenas-1, 0)
	}
	a.set(page, n)
	a.left -= n
	return a.mem[page<<pageShift:][: n<<pageShift : n<<pageShift], run{int32(arena), int32(page)}
}

// freePages takes back n pages, which hold nothing. Of arenas without a block one is
// kept.
func (s *Slab) freePages(at run, n int) {
	a := &s.pages[at.arena]
	s.pending -= n
	a.clear(int(at.page), n)
	a.left += n
	a.fits = a.left
	if !a.whole() {
		return
	}
	if s.idleArenas == 0 {
		s.idleArenas = 1
		return
	}
	s.retire(Mapping{mem: a.mem})
	*a = pageArena{}
}

// extend lets the block at a run grow or shrink from n to want pages where it is,
// and says whether it could.
func (s *Slab) extend(at run, n, want int) ([]byte, bool) {
	a := &s.pages[at.arena]
	page := int(at.page)
	switch {
	case want < n:
		releaseMem(a.mem[(page+want)<<pageShift : (page+n)<<pageShift])
		a.clear(page+want, n-want)
		a.left += n - want
		a.fits = a.left
	case page+want > len(a.mem)>>pageShift || a.next(page+n, true) < page+want:
		return nil, false
	default:
		a.set(page+n, want-n)
		a.left -= want - n
	}
	return a.mem[page<<pageShift:][: want<<pageShift : want<<pageShift], true
}

// whole says that an arena has no block.
func (a *pageArena) whole() bool { return a.mem != nil && a.left == len(a.mem)>>pageShift }

// find is the first of n free pages in a row; negative without, then longest is
// how many there are at most.
func (a *pageArena) find(n int) (at, longest int) {
	for at = a.next(0, false); at < arenaPages; {
		end := a.next(at, true)
		if end-at >= n {
			return at, 0
		}
		longest = max(longest, end-at)
		at = a.next(end, false)
	}
	return -1, longest
}

// next is the first page from p on that is used, or is not; arenaPages when
// there is none.
func (a *pageArena) next(p int, used bool) int {
	for ; p < arenaPages; p = (p | 63) + 1 {
		w := a.used[p/64]
		if !used {
			w = ^w
		}
		if w = w >> (p % 64); w != 0 {
			return p + bits.TrailingZeros64(w)
		}
	}
	return arenaPages
}

func (a *pageArena) set(page, n int) {
	for p := page; p < page+n; {
		m, bit := wordMask(p, page+n)
		a.used[p/64] |= m
		p += bit
	}
}

func (a *pageArena) clear(page, n int) {
	for p := page; p < page+n; {
		m, bit := wordMask(p, page+n)
		a.used[p/64] &^= m
		p += bit
	}
}

// wordMask has the bits of p's word for the pages from p up to end, and how many
// they are.
func wordMask(p, end int) (mask uint64, n int) {
	n = min(64-p%64, end-p)
	return ^uint64(0) >> (64 - n) << (p % 64), n
}
