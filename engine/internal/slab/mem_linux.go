package slab

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// releaseMem gives the pages of mem back to the system; they stay mapped and
// read as zeros.
func releaseMem(mem []byte) {
	if unix.Madvise(mem, unix.MADV_DONTNEED) != nil {
		clear(mem) // locked pages cannot go
	}
}

// tryRemap changes the size of what tryMap returned without copying; nil when
// the system refuses, then nothing has changed. New bytes are zeros.
func tryRemap(mem []byte, n int) []byte {
	p, err := unix.MremapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)), nil, uintptr(n), unix.MREMAP_MAYMOVE)
	if err != nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), n)
}

// smallPages asks for pages of the usual size: a huge one would keep the holes
// between blocks in memory.
func smallPages(mem []byte) {
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE) // a kernel without huge pages does not know it
}
