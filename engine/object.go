package engine

import (
	"encoding/binary"
	"math"
	"time"
)

// A value that is too large or too intricate to be packed is an object: a Go
// value, whose elements lie in blocks of its db's slab. The entry holds its
// handle, 4 bytes, where a packed value would be. Which encodings are objects is
// told by Encoding.isObject.
//
// An object belongs to its entry: whoever removes or replaces the entry gives it
// up. Large ones are freed in slices, see dig.

// object is what the door needs to know of one.
type object interface {
	// elements is how many there are. Freeing n of them takes time O(n).
	elements() int
	// memory is what it occupies in bytes: in Go's heap, and in the slab. O(1).
	memory() (heap, blocks int64)
	// clone is a copy with blocks of the db to, which may be another than the
	// object's own. Without memory it panics with ErrNoMemory and leaves
	// nothing behind.
	clone(from, to *db) object
	// dismantle frees about n elements, or what little is left, and says whether
	// there is nothing more to free. Nobody uses the object once this has begun.
	dismantle(d *db, n int) (done bool)
	// check looks at everything and says what does not fit together.
	check(d *db) error
}

// handle is the number of an object in its db; 0 is none.
type handle uint32

const (
	handleSize = 4
	// freeAtOnce is how many elements are freed with the entry. The rest goes
	// in slices of digSlice elements, as many as take digTime.
	freeAtOnce = 256
	digSlice   = 256
	digTime    = 500 * time.Microsecond
)

// objects are those of one db.
type objects struct {
	slots  []objectSlot // by handle; 0 is not used
	free   []handle
	heap   int64    // of all of them, in bytes
	graves []object // given up, to be freed in slices
}

type objectSlot struct {
	obj  object
	heap int64 // as last counted in objects.heap
}

// object is the value at p, nil when it is packed or missing.
func (p *place) object() object {
	if h := p.handle(); h != 0 {
		return p.db.objects.slots[h].obj
	}
	return nil
}

func (p *place) handle() handle {
	if p.ref == 0 || !p.ent.enc().isObject() {
		return 0
	}
	return handle(binary.LittleEndian.Uint32(p.ent.tail(handleSize)))
}

// setHandle changes which object the entry at p refers to.
func (p *place) setHandle(h handle) { binary.LittleEndian.PutUint32(p.ent.tail(handleSize), uint32(h)) }

// putObject creates or replaces the key at p with an object, which is the
// entry's from now on, and a deadline (Never for none). Like put, it announces
// nothing. Without memory it panics with ErrNoMemory, and the object is still the
// caller's.
func (tx *Tx) putObject(p *place, typ Type, enc Encoding, o object, at UnixMilli) {
	d := p.db
	if tx.eng.guard != nil { // before the object has an owner
		at = tx.admit(p, typ, nil, at)
	}
	d.slab.Ready()
	h := d.adopt(o)
	var val [handleSize]byte
	binary.LittleEndian.PutUint32(val[:], uint32(h))
	tx.put(p, typ, enc, val[:], at)
}

// resized is to be called when an operation has changed the object at p, so that
// its memory is counted.
func (p *place) resized() {
	s := &p.db.objects.slots[p.handle()]
	heap, _ := s.obj.memory()
	p.db.objects.heap += heap - s.heap
	s.heap = heap
}

// adopt makes o an object of the db.
func (d *db) adopt(o object) handle {
	a := &d.objects
	heap, _ := o.memory()
	a.heap += heap
	if n := len(a.free); n > 0 {
		h := a.free[n-1]
		a.free = a.free[:n-1]
		a.slots[h] = objectSlot{o, heap}
		return h
	}
	if len(a.slots) == 0 {
		a.slots = make([]objectSlot, 1)
	}
	if len(a.slots) > math.MaxUint32 {
		panic(ErrNoMemory)
	}
	a.slots = append(a.slots, objectSlot{o, heap})
	return handle(len(a.slots) - 1)
}

// release takes an object out of the db without freeing it.
func (d *db) release(h handle) object {
	a := &d.objects
	s := a.slots[h]
	a.heap -= s.heap
	a.slots[h] = objectSlot{}
	a.free = append(a.free, h)
	return s.obj
}

// giveUp frees the object h, if it is one: at once when it is small.
func (d *db) giveUp(h handle) {
	if h == 0 {
		return
	}
	o := d.release(h)
	if o.elements() <= freeAtOnce {
		for !o.dismantle(d, digSlice) {
		}
		return
	}
	d.objects.graves = append(d.objects.graves, o)
	d.eng.digLater()
}

// digLater frees what was given up, a slice at a time, off the commands' way.
func (e *Engine) digLater() {
	if e.digging != nil || e.closed {
		return
	}
	e.digging = e.clock.AfterFunc(0, func() {
		h := e.Lock()
		defer h.Unlock()
		if e.digging = nil; !e.closed && h.dig() {
			e.digLater()
		}
	})
}

// dig frees a slice of what was given up and says whether there is more.
func (h Held) dig() (more bool) {
	start := h.eng.clock.Now()
	for _, d := range h.eng.dbs {
		for len(d.objects.graves) > 0 {
			d.digSome()
			if h.eng.clock.Now().Sub(start) >= digTime {
				return true
			}
		}
	}
	return false
}

// digSome frees a slice of the last object that was given up.
func (d *db) digSome() {
	graves := d.objects.graves
	last := len(graves) - 1
	if graves[last].dismantle(d, digSlice) {
		graves[last] = nil
		d.objects.graves = graves[:last]
	}
}

// digAll frees all that was given up, for those who need memory now.
func (d *db) digAll() {
	for len(d.objects.graves) > 0 {
		d.digSome()
	}
}

// used is the memory of the objects in Go's heap.
func (a *objects) used() int64 {
	n := a.heap + int64(cap(a.slots))*24 + int64(cap(a.free))*4 + int64(cap(a.graves))*16
	for _, o := range a.graves {
		heap, _ := o.memory()
		n += heap
	}
	return n
}
