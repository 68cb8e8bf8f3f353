//go:build !unix

package slab

// Systems without anonymous mmap get their memory from Go's heap. It holds no
// pointers, so the collector does not look into it, but pages go back only
// with their arena.

func tryMap(n int) []byte { return make([]byte, n) }

func tryUnmap([]byte) bool { return true }

func releaseMem(mem []byte) { clear(mem) }

func tryRemap([]byte, int) []byte { return nil }

func smallPages([]byte) {}
