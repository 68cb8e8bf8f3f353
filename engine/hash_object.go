package engine

import (
	"encoding/binary"
	"fmt"

	"coatcheck/engine/internal/expireindex"
	"coatcheck/engine/internal/slab"
)

// hash is a large hash: its fields are elements, each followed by
//
//	length of the value, twice that, plus 1 with a deadline; a uvarint
//	deadline, if it has one, 6 bytes
//	value
//
// A hash with deadlines keeps them in an index of its own and has the encoding
// EncHashtableEx.
type hash struct {
	elems
	due *expireindex.Index // nil: no field has a deadline
}

// hashElem is the value of a field and its deadline, Never for none.
func hashElem(d *db, r slab.Ref) (val []byte, due UnixMilli) {
	rest := elemRest(d, r)
	n, used := uint64(rest[0]), 1
	if n >= 0x80 {
		n, used = binary.Uvarint(rest)
	}
	due = Never
	if n&1 != 0 {
		due = getDue(rest[used:])
		used += dueSize
	}
	end := used + int(n>>1)
	return rest[used:end:end], due
}

// hashElemDue is a field's deadline, Never for none.
func hashElemDue(d *db, r slab.Ref) UnixMilli {
	rest := elemRest(d, r)
	if rest[0]&1 == 0 {
		return Never
	}
	_, used := binary.Uvarint(rest)
	return getDue(rest[used:])
}

const dueSize = 6

func getDue(b []byte) UnixMilli {
	return UnixMilli(uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32)
}

// hashElemSize is what stands behind the name of a field.
func hashElemSize(val []byte, due UnixMilli) int {
	n := uvarintLen(uint64(len(val))<<1) + len(val)
	if due != Never {
		n += dueSize
	}
	return n
}

// writeHashElem writes it.
func writeHashElem(rest, val []byte, due UnixMilli) {
	head := uint64(len(val)) << 1
	if due != Never {
		head |= 1
	}
	n := binary.PutUvarint(rest, head)
	if due != Never {
		binary.LittleEndian.PutUint32(rest[n:], uint32(due))
		binary.LittleEndian.PutUint16(rest[n+4:], uint16(due>>32))
		n += dueSize
	}
	copy(rest[n:], val)
}

// newHash makes the missing key at p a hash without fields, for the caller to
// add some.
func (tx *Tx) newHash(p *place) {
	tx.putObject(p, THash, EncHashtable, &hash{elems: newElems(p.db)}, Never)
}

// hashUnpack makes an object of the packed hash at p.
func (tx *Tx) hashUnpack(p *place) {
	d := p.db
	o := &hash{elems: newElems(d)}
	done := false
	defer func() {
		if !done { // no memory
			for !o.dismantle(d, digSlice) {
			}
		}
	}()
	tx.hashEach(p, func(field, value []byte, due UnixMilli) bool {
		o.add(d, field, value, due)
		return true
	})
	enc := EncHashtable
	if o.due != nil {
		enc = EncHashtableEx
	}
	tx.putObject(p, THash, enc, o, p.expireAt())
	done = true
}

// elements is as object has it.
func (h *hash) elements() int { return h.len() }

// add adds a field that is not there.
func (h *hash) add(d *db, field, value []byte, due UnixMilli) {
	r := h.insert(d, field, hashElemSize(value, due))
	writeHashElem(elemRest(d, r), value, due)
	if due != Never {
		h.index(d, field, due)
	}
}

// set sets a field and says whether it is new. Its deadline is dropped, or stays
// with keep.
func (h *hash) set(d *db, field, value []byte, keep bool) (isNew bool) {
	at, r, ok := h.find(d, field)
	if !ok {
		h.add(d, field, value, Never)
		return true
	}
	due := hashElemDue(d, r)
	if due != Never && !keep {
		h.unindex(d, field, due)
		due = Never
	}
	r = h.resize(d, at, r, hashElemSize(value, due))
	writeHashElem(elemRest(d, r), value, due)
	return false
}

// removeField takes a field out.
func (h *hash) removeField(d *db, f *hashField) {
	if f.due != Never {
		h.unindex(d, elemName(d, f.ref), f.due)
	}
	h.remove(d, f.slot, f.ref)
}

// setDue changes the deadline of a field.
func (h *hash) setDue(d *db, f *hashField, due UnixMilli) {
	name := elemName(d, f.ref)
	if f.due != Never {
		h.unindex(d, name, f.due)
	}
	old, _ := hashElem(d, f.ref)
	val := append([]byte(nil), old...)
	r := h.resize(d, f.slot, f.ref, hashElemSize(val, due))
	writeHashElem(elemRest(d, r), val, due)
	if due != Never {
		h.index(d, elemName(d, r), due)
	}
}

func fieldItem(d *db, field []byte, due UnixMilli) expireindex.Item {
	return expireindex.Item{At: uint64(due), Hash: d.hash(field) >> 16}
}

func (h *hash) index(d *db, field []byte, due UnixMilli) {
	if h.due == nil {
		h.due = expireindex.New(&d.slab)
	}
	d.slab.Ready()
	h.due.Insert(fieldItem(d, field, due))
}

func (h *hash) unindex(d *db, field []byte, due UnixMilli) {
	if !h.due.Delete(fieldItem(d, field, due)) {
		panic("engine: a field's deadline is not in its hash's index")
	}
}

// owner is the field that an item of the index is about.
func (h *hash) owner(d *db, item expireindex.Item) (f hashField, ok bool) {
	at, s, ok := h.table.Seek(item.Hash << 16)
	for ; ok; at, s, ok = h.table.Following(at) {
		r := s.Ref()
		if due := hashElemDue(d, r); due == UnixMilli(item.At) && d.hash(elemName(d, r))>>16 == item.Hash {
			return hashField{slot: at, ref: r, due: due}, true
		}
	}
	return hashField{}, false
}

// firstDue is the first deadline of any field, Never for none.
func (h *hash) firstDue() UnixMilli {
	if h.due == nil {
		return Never
	}
	if first, ok := h.due.First(); ok {
		return UnixMilli(first.At)
	}
	return Never
}

// passed counts the fields whose deadlines have come. O(what it counts).
func (h *hash) passed(now UnixMilli) (n int) {
	if h.due == nil {
		return 0
	}
	for item := range h.due.All {
		if UnixMilli(item.At) > now {
			break
		}
		n++
	}
	return n
}

// memory is as object has it.
func (h *hash) memory() (heap, blocks int64) {
	heap, blocks = h.elems.memory()
	if h.due != nil {
		heap += h.due.Bytes() - h.due.SlabBytes()
		blocks += h.due.SlabBytes()
	}
	return heap, blocks
}

// clone is as object has it.
func (h *hash) clone(from, to *db) object {
	c := &hash{elems: h.elems.clone(from, to, nil)}
	if h.due == nil {
		return c
	}
	whole := false
	defer func() {
		if !whole { // no memory
			for !c.dismantle(to, digSlice) {
			}
		}
	}()
	c.all(func(r slab.Ref) bool {
		if due := hashElemDue(to, r); due != Never {
			c.index(to, elemName(to, r), due)
		}
		return true
	})
	whole = true
	return c
}

// dismantle is as object has it.
func (h *hash) dismantle(d *db, n int) (done bool) {
	if h.due != nil {
		h.due.Close()
		h.due = nil
	}
	return h.elems.dismantle(d, n)
}

// check is as object has it.
func (h *hash) check(d *db) error {
	if err := h.elems.check(d); err != nil {
		return err
	}
	volatile := map[slab.Ref]bool{}
	h.all(func(r slab.Ref) bool {
		if hashElemDue(d, r) != Never {
			volatile[r] = true
		}
		return true
	})
	if h.due != nil {
		if err := h.due.Check(); err != nil {
			return fmt.Errorf("fields' deadlines: %w", err)
		}
		for item := range h.due.All {
			f, ok := h.owner(d, item)
			if !ok || !volatile[f.ref] {
				return fmt.Errorf("fields' deadlines have %+v of no field", item)
			}
			delete(volatile, f.ref)
		}
	}
	if len(volatile) > 0 {
		return fmt.Errorf("%d fields' deadlines are not indexed", len(volatile))
	}
	return nil
}
