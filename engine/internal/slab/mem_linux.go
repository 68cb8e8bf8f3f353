package slab

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// releaseMem gives the pages of mem back to the system; they stay mapped and
// read as zeros.
func releaseMem(mem []byte) {
	if err := unix.Madvise(mem, unix.MADV_DONTNEED); err != nil {
		panic(fmt.Sprintf("slab: release %d bytes: %v", len(mem), err))
	}
}

// remapMem changes the size of what mapMem returned without copying. New bytes
// are zeros.
func remapMem(mem []byte, n int) []byte {
	mem, err := unix.Mremap(mem, n, unix.MREMAP_MAYMOVE)
	if err != nil {
		panic(fmt.Sprintf("slab: remap to %d bytes: %v", n, err))
	}
	return mem
}
