//go:build unix

package slab

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system may refuse a mapping, its end, or its change of size: mappings are
// limited in number (vm.max_map_count on Linux), and unmapping the middle of
// what the kernel has joined makes one more.

// tryMap returns n zeroed bytes from the system, n a multiple of the page size;
// nil when it refuses. Pages cost nothing until they are touched.
func tryMap(n int) []byte {
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), n)
}

// tryUnmap gives back a part or all of what tryMap returned, and says whether
// the system took it.
func tryUnmap(mem []byte) bool {
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem))) == nil
}
