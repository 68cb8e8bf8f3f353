//go:build !unix

package slab

// Systems without anonymous mmap get their memory from Go's heap. It holds no
// pointers, so the collector does not look into it, but pages go back only
// with their arena.

func mapMem(n int) []byte { return make([]byte, n) }

func unmapMem([]byte) {}

func releaseMem(mem []byte) { clear(mem) }

func remapMem(mem []byte, n int) []byte {
	next := make([]byte, n)
	copy(next, mem)
	return next
}
