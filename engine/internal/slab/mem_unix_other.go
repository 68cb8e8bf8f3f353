//go:build unix && !linux

package slab

// releaseMem clears mem. MADV_DONTNEED keeps the content on these systems, so
// the pages stay until their arena goes.
func releaseMem(mem []byte) { clear(mem) }

// tryRemap would change the size of what tryMap returned without copying.
func tryRemap([]byte, int) []byte { return nil }

// smallPages would ask for pages of the usual size.
func smallPages([]byte) {}
