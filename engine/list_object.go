package engine

import (
	"coatcheck/engine/internal/quicklist"
)

// list is a long list.
type list struct{ *quicklist.List }

// elements is as object has it.
func (l *list) elements() int { return l.Len() }

// memory is as object has it.
func (l *list) memory() (heap, blocks int64) { return l.HeapBytes() + 16, l.SlabBytes() }

// clone is as object has it.
func (l *list) clone(_, to *db) object { return &list{l.Clone(&to.slab)} }

// dismantle is as object has it. Nodes count as elements.
func (l *list) dismantle(_ *db, n int) (done bool) { return l.Dismantle(n) }

// check is as object has it.
func (l *list) check(*db) error { return l.Check() }

// listUnpack makes an object of the packed list at p.
func (tx *Tx) listUnpack(p *place) {
	d := p.db
	l := &list{quicklist.New(&d.slab)}
	d.slab.Ready()
	l.Adopt(p.bytes())
	tx.listPut(p, l, p.expireAt())
}

// listObject makes p a long list of elements, whatever it held. They must not point into
// the store.
func (tx *Tx) listObject(p *place, elems [][]byte, at UnixMilli) {
	d := p.db
	l := &list{quicklist.New(&d.slab)}
	whole := false
	defer func() {
		if !whole { // no memory
			for !l.dismantle(d, digSlice) {
			}
		}
	}()
	b := tx.listBounds()
	for _, elem := range elems {
		d.slab.Ready()
		l.Push(Tail, elem, b)
	}
	whole = true
	tx.listPut(p, l, at)
}

// listPut makes p the list l, or frees that when there is no memory.
func (tx *Tx) listPut(p *place, l *list, at UnixMilli) {
	done := false
	defer func() {
		if !done {
			for !l.dismantle(p.db, digSlice) {
			}
		}
	}()
	tx.putObject(p, TList, EncQuicklist, l, at)
	done = true
}

// listValue puts the list of a file at p. It fails with ErrValue when there is no
// element.
func (tx *Tx) listValue(p *place, v *Value, at UnixMilli) error {
	if len(v.Elems) == 0 {
		return ErrValue
	}
	tx.listOf(p, v.Elems, at)
	return nil
}

// EachNode calls begin with the number of listpacks in which the elements of a list are
// kept, and then visit with each, in order. The bytes are good for the call.
func (v View) EachNode(begin func(n int), visit func(lp []byte)) {
	o := v.p.object()
	if o == nil {
		begin(1)
		visit(v.p.bytes())
		return
	}
	l := o.(*list)
	begin(l.Nodes())
	for i := range l.Nodes() {
		visit(l.Node(i))
	}
}
