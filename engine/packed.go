package engine

import "coatcheck/engine/internal/listpack"

// Packed values of collections: a listpack where a string would have its bytes.
// Operations look elements up in place.bytes() with package listpack and change
// them here. Offsets are those of the listpack, good until its next change.

// splice makes del bytes from at on in the packed value at p become ins bytes,
// moving what is behind them, and returns those for the caller to write. Offsets
// before at stay.
func (tx *Tx) splice(p *place, at, del, ins int) []byte {
	d := p.db
	d.slab.Ready()
	old := p.ent.valLen()
	n := old - del + ins
	if n > old {
		d.fit(p, n, 0)
	}
	b := p.bytes()[:max(old, n)]
	copy(b[at+ins:], b[at+del:old])
	switch {
	case n < old && p.ent.apart() != 0:
		d.fit(p, n, 0)
	case n < old:
		p.ent.setValLen(n)
		d.trim(p)
	}
	b = p.bytes()
	if r := p.ent.apart(); r != 0 {
		d.slab.Wrote(r, 0, n)
	}
	return b[at : at+ins]
}

// putPacked makes key hold a listpack of elems, whatever it held, and a deadline
// (Never for none). elems may point into the store.
func (tx *Tx) putPacked(p *place, typ Type, at UnixMilli, elems ...[]byte) {
	lp := listpack.AppendOf(tx.scratch[:0], elems...)
	tx.put(p, typ, EncListpack, lp, at)
	tx.keepScratch(lp)
}

// keepScratch keeps what was made in tx.scratch for the next that needs it.
func (tx *Tx) keepScratch(b []byte) {
	if cap(b) <= maxStash {
		tx.scratch = b
	}
}

// packedReplace makes what is in the listpack at p from offset at to end, which
// is gone elements, become elems. They must not point into the store.
func (tx *Tx) packedReplace(p *place, at, end, gone int, elems ...[]byte) {
	if gone == 1 && len(elems) == 1 && listpack.Overwrite(p.bytes()[at:end], elems[0]) {
		return
	}
	size := 0
	for _, e := range elems {
		size += listpack.EncodedLen(e)
	}
	n := listpack.Len(p.bytes()) - gone + len(elems)
	hole := tx.splice(p, at, end-at, size)[:0]
	for _, e := range elems {
		hole = listpack.Append(hole, e)
	}
	listpack.SetHeader(p.bytes(), n)
}
