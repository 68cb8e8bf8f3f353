package engine

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/slab"
)

// elems is a hash table of named elements: what large hashes, sets and sorted
// sets are made of. An element is a block of the db's slab:
//
//	length of the name, a uvarint | name | rest, which is its owner's to use
//
// The rest may be longer than was asked for, as blocks come in size classes.
// Positions are those of the keyspace's dict: a cursor of a walk stays valid
// whatever comes and goes.
type elems struct {
	table  *dict.Dict
	blocks int64  // size of the elements' blocks
	buried uint32 // dismantle: where the elements begin that are still there
}

func newElems(d *db) elems { return elems{table: dict.New(&d.slab)} }

// len is the number of elements.
func (t *elems) len() int { return t.table.Len() }

// memory is as object has it.
func (t *elems) memory() (heap, blocks int64) {
	return t.table.Bytes() - t.table.SlabBytes(), t.table.SlabBytes() + t.blocks
}

// find looks an element up. at is good until the table's next change; rest is
// the element's own.
func (t *elems) find(d *db, name []byte) (at dict.Place, r slab.Ref, ok bool) {
	at, s, ok := t.table.Seek(d.hash(name))
	for ok {
		if string(elemName(d, s.Ref())) == string(name) {
			return at, s.Ref(), true
		}
		at, s, ok = t.table.Following(at)
	}
	return at, 0, false
}

// elemName is the name of an element, good until it is removed.
func elemName(d *db, r slab.Ref) []byte {
	name, _ := splitElem(d, r)
	return name
}

// elemRest is what follows the name, to the end of the block.
func elemRest(d *db, r slab.Ref) []byte {
	_, rest := splitElem(d, r)
	return rest
}

func splitElem(d *db, r slab.Ref) (name, rest []byte) {
	p := d.slab.Ptr(r)
	if n := *(*byte)(p); n < 0x80 { // nearly always
		name = unsafe.Slice((*byte)(unsafe.Add(p, 1)), int(n))
		return name, d.slab.Bytes(r)[1+int(n):]
	}
	b := d.slab.Bytes(r)
	n, used := binary.Uvarint(b)
	end := used + int(n)
	return b[used:end:end], b[end:]
}

// elemSize is the block that an element needs with rest bytes behind its name.
func elemSize(name []byte, rest int) int {
	n := len(name)
	return uvarintLen(uint64(n)) + n + rest
}

func uvarintLen(n uint64) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// insert adds an element that is not there and returns where it is, with rest
// bytes behind its name for the caller to write. name may point into the store.
func (t *elems) insert(d *db, name []byte, rest int) slab.Ref {
	d.slab.Ready()
	r := t.newBlock(d, name, rest)
	t.table.Insert(d.hash(name), r)
	return r
}

func (t *elems) newBlock(d *db, name []byte, rest int) slab.Ref {
	r := d.slab.Alloc(elemSize(name, rest))
	b := d.slab.Bytes(r)
	t.blocks += int64(len(b))
	n := binary.PutUvarint(b, uint64(len(name)))
	n += copy(b[n:], name)
	d.slab.Wrote(r, 0, n+rest)
	return r
}

// resize gives the element at at a block that has rest bytes behind its name,
// which are for the caller to write anew.
func (t *elems) resize(d *db, at dict.Place, r slab.Ref, rest int) slab.Ref {
	name := elemName(d, r)
	need, have := elemSize(name, rest), d.slab.Size(r)
	if need <= have && need > have/2 {
		return r
	}
	d.slab.Ready()
	next := t.newBlock(d, name, rest)
	t.table.SetRef(at, next)
	t.blocks -= int64(have)
	d.slab.Free(r)
	return next
}

// remove takes the element at at out.
func (t *elems) remove(d *db, at dict.Place, r slab.Ref) {
	t.table.Delete(at)
	t.blocks -= int64(d.slab.Size(r))
	d.slab.Free(r)
}

// random is an element by chance; not ok when there is none.
func (t *elems) random(rand Rand) (r slab.Ref, ok bool) {
	s, ok := t.table.Random(rand)
	return s.Ref(), ok
}

// all calls visit for every element until it returns false. The table must not
// change meanwhile.
func (t *elems) all(visit func(r slab.Ref) bool) {
	for pos := uint32(0); pos < dict.End; {
		slots, next := t.table.From(pos)
		for _, s := range slots {
			if !visit(s.Ref()) {
				return
			}
		}
		pos = next
	}
}

// scan visits elements from cursor on (0: the first) until at least n were seen, and
// returns where to go on, 0 at the end, with the guarantee of Tx.scan. The table
// must not change meanwhile.
func (t *elems) scan(cursor uint64, n int, visit func(r slab.Ref)) (next uint64) {
	return walk(t.table, cursor, n, func(slots []dict.Slot) {}, func(s dict.Slot) { visit(s.Ref()) })
}

// clone is a copy of the table and its elements, with blocks of the db to. With
// moved, it is told of each element's old and new place.
func (t *elems) clone(from, to *db, moved func(old, new slab.Ref)) elems {
	c := newElems(to)
	whole := false
	defer func() {
		if !whole { // no memory
			for !c.dismantle(to, digSlice) {
			}
		}
	}()
	t.all(func(r slab.Ref) bool {
		to.slab.Ready()
		name, rest := splitElem(from, r)
		next, ok := to.slab.TryAlloc(elemSize(name, len(rest)))
		if !ok {
			panic(ErrNoMemory)
		}
		b := to.slab.Bytes(next)
		c.blocks += int64(len(b))
		to.slab.Wrote(next, 0, copy(b, from.slab.Bytes(r)))
		c.table.Insert(to.hash(name), next)
		if moved != nil {
			moved(r, next)
		}
		return true
	})
	whole = true
	return c
}

// dismantle is as object has it.
func (t *elems) dismantle(d *db, n int) (done bool) {
	for n > 0 && t.buried < dict.End {
		slots, next := t.table.From(t.buried)
		for _, s := range slots {
			t.blocks -= int64(d.slab.Size(s.Ref()))
			d.slab.Free(s.Ref())
		}
		n -= len(slots) + 1
		t.buried = next
	}
	if t.buried < dict.End {
		return false
	}
	t.table.Close()
	return true
}

// check is as object has it.
func (t *elems) check(d *db) error {
	if err := t.table.Check(); err != nil {
		return err
	}
	names, size := map[string]bool{}, int64(0)
	var err error
	t.all(func(r slab.Ref) bool {
		name := string(elemName(d, r))
		if names[name] {
			err = fmt.Errorf("element %q is there twice", name)
		}
		if _, at, ok := t.find(d, []byte(name)); !ok || at != r {
			err = fmt.Errorf("element %q is not found", name)
		}
		names[name] = true
		size += int64(d.slab.Size(r))
		return err == nil
	})
	if err == nil && size != t.blocks {
		err = fmt.Errorf("elements' blocks are %d bytes, counted %d", size, t.blocks)
	}
	return err
}
