package engine

import (
	"unsafe"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/slab"
)

// ErrNoMemory is what a unit panics with when the system gives no more memory. The
// change that it was about has not happened; the engine can be used on.
var ErrNoMemory = slab.ErrNoMemory

// noMemory is deferred around a unit: the panic becomes an error.
func noMemory(err *error) {
	switch p := recover(); p {
	case nil:
	case any(ErrNoMemory):
		*err = errs.NoMemory
	case any(ErrRefused):
		*err = ErrRefused
	default:
		panic(p)
	}
}

// fixedSize is what an engine without keys counts as using beside its dbs.
const fixedSize = int64(unsafe.Sizeof(Engine{}))

// used is the memory that the limit is about, in bytes: the keyspace, exact but
// for the btrees over the expire indexes' pages, and what Account was told of.
func (e *Engine) used() int64 {
	n := fixedSize + e.outside + int64(cap(e.expirer.buf))*16
	for _, d := range e.dbs {
		n += d.used()
	}
	e.peak = max(e.peak, n)
	return n
}

// Memory returns what the keyspace occupies.
func (h Held) Memory() Memory {
	e := h.eng
	m := Memory{Used: e.used()}
	for _, d := range e.dbs {
		m.Dicts += d.dict.Bytes()
		m.Expires += d.due.Bytes() + d.fields.Bytes()
		m.Entries += d.slab.Allocated() - d.dict.SlabBytes() - d.due.SlabBytes() - d.fields.SlabBytes() + d.objects.used()
		m.Mapped += d.slab.Mapped()
	}
	m.Elsewhere = e.outside
	m.Dicts += m.Used - m.Elsewhere - m.Dicts - m.Expires - m.Entries // the fixed part
	m.Peak = e.peak
	return m
}

// Account counts n more bytes of memory in use that is not the keyspace's, clients'
// buffers say, or fewer when n is negative. They count against the limit.
func (h Held) Account(n int64) { h.eng.outside += n }

// ResetPeak makes the memory in use the peak.
func (h Held) ResetPeak() { h.eng.peak = h.eng.used() }

// MemoryOf is what the entry of key occupies, in bytes, with its share of the
// structures that find it; not ok without a key. O(1) for strings.
func (tx *Tx) MemoryOf(key []byte) (n int64, ok bool) {
	p := tx.peek(key)
	if !p.exists() {
		return 0, false
	}
	return p.size(), true
}

// size is the memory of the entry at p.
func (p *place) size() int64 {
	d := p.db
	n := int64(d.slab.Size(p.ref)) + d.dict.Bytes()/int64(d.dict.Len())
	if r := p.ent.apart(); r != 0 {
		n += int64(d.slab.Size(r))
	}
	if o := p.object(); o != nil {
		heap, blocks := o.memory()
		n += heap + blocks
	}
	if p.ent.volatile() {
		n += d.due.Bytes() / int64(d.due.Len())
	}
	return n
}

// Purge gives memory that is mapped and not used back to the system, as MEMORY
// PURGE asks.
func (h Held) Purge() {
	for _, d := range h.eng.dbs {
		d.slab.Release()
	}
}
