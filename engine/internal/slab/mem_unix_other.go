//go:build unix && !linux

package slab

// releaseMem clears mem. MADV_DONTNEED keeps the content on these systems, so
// the pages stay until their arena goes.
func releaseMem(mem []byte) { clear(mem) }

// remapMem changes the size of what mapMem returned. New bytes are zeros.
func remapMem(mem []byte, n int) []byte {
	next := mapMem(n)
	copy(next, mem)
	unmapMem(mem)
	return next
}
