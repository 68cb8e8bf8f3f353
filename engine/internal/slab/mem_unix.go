//go:build unix

package slab

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mapMem returns n zeroed bytes from the system, n a multiple of the page size.
// Pages cost nothing until they are touched.
func mapMem(n int) []byte {
	mem, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Sprintf("slab: map %d bytes: %v", n, err))
	}
	return mem
}

// unmapMem gives back what mapMem returned.
func unmapMem(mem []byte) {
	if err := unix.Munmap(mem); err != nil {
		panic(fmt.Sprintf("slab: unmap %d bytes: %v", len(mem), err))
	}
}
