package slab

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrNoMemory is what Alloc, Resize and Ready panic with when the system gives
// no more memory. Nothing has changed then.
var ErrNoMemory = errors.New("slab: the system gives no more memory")

// Mappings that the system did not take back are kept without their pages and
// used for the next that is to be mapped.
var stranded struct {
	some atomic.Bool // there are any
	mu   sync.Mutex
	mem  [][]byte
}

// mapMem returns n zeroed bytes, n a multiple of the page size; nil when there
// are none to be had.
func mapMem(n int) []byte {
	if stranded.some.Load() {
		if mem := takeStranded(n); mem != nil {
			return mem
		}
	}
	return tryMap(n)
}

// unmapMem gives back what mapMem returned.
func unmapMem(mem []byte) {
	if !tryUnmap(mem) {
		strand(mem)
	}
}

func strand(mem []byte) {
	releaseMem(mem)
	stranded.mu.Lock()
	defer stranded.mu.Unlock()
	stranded.mem = append(stranded.mem, mem)
	stranded.some.Store(true)
}

// takeStranded returns n bytes of what was kept, nil when no mapping has as
// many.
func takeStranded(n int) []byte {
	s := &stranded
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.mem, func(mem []byte) bool { return len(mem) >= n })
	if i < 0 {
		return nil
	}
	mem := s.mem[i][:n:n]
	if rest := s.mem[i][n:]; len(rest) > 0 {
		s.mem[i] = rest
		return mem
	}
	s.mem = slices.Delete(s.mem, i, i+1)
	s.some.Store(len(s.mem) > 0)
	return mem
}
