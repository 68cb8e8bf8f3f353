package dict

// Walking and choosing.

// Rand is the source of chance that Random takes.
type Rand interface {
	IntN(n int) int
}

// From returns the slots at position pos and after it, as far as one segment
// goes, and the position where the next segment begins; End after the last.
// The slots are good until the next change of the table.
func (d *Dict) From(pos uint32) (slots []Slot, next uint32) {
	sg := &d.segs[d.dir[uint64(pos)>>(TagBits-d.depth)]]
	slots = d.slots(sg)
	if pos > sg.first {
		slots = slots[search(slots, pos, sg.depth):]
	}
	return slots, sg.first + 1<<(TagBits-sg.depth)
}

// Random picks an entry, each with the same chance. ok is false when there are
// none.
func (d *Dict) Random(r Rand) (s Slot, ok bool) {
	if d.n == 0 {
		return 0, false
	}
	if len(d.segs) <= 16 {
		i := r.IntN(d.n)
		for j := range d.segs {
			sg := &d.segs[j]
			if i < int(sg.n) {
				return d.slots(sg)[i], true
			}
			i -= int(sg.n)
		}
	}
	// A segment counts by how full it is: draw a slot of a full segment, and
	// again when it is not taken. Longer segments exist only where very many
	// tags collide; there chance is a little unfair.
	for range 1000 {
		sg := &d.segs[r.IntN(len(d.segs))]
		if i := r.IntN(max(maxSlots, int(sg.n))); i < int(sg.n) {
			return d.slots(sg)[i], true
		}
	}
	// Deletes have left nearly nothing: take the next from anywhere.
	pos := uint32(r.IntN(End))
	for {
		slots, next := d.From(pos)
		if len(slots) > 0 {
			return slots[r.IntN(len(slots))], true
		}
		pos = next % End
	}
}

// Close gives the slots back to the slab and leaves an empty table.
func (d *Dict) Close() {
	for i := range d.segs {
		if d.segs[i].ref != 0 {
			d.slab.Free(d.segs[i].ref)
		}
	}
	*d = *New(d.slab)
}

// StartEpoch makes before be called for each segment, with the slots it has, when
// it is about to change for the first time from now on, and for each that
// Settle finds unchanged. nil ends it.
func (d *Dict) StartEpoch(before func(slots []Slot)) {
	d.epoch++
	d.before = before
}

// Settle does for the segment at pos what its first change would have done, and
// returns where the next segment begins. Walking from 0 to End visits every
// entry that was there when the epoch started exactly once.
func (d *Dict) Settle(pos uint32) (next uint32) {
	id := d.dir[uint64(pos)>>(TagBits-d.depth)]
	d.touch(id)
	sg := &d.segs[id]
	return sg.first + 1<<(TagBits-sg.depth)
}

// Touch is for a caller that is about to change the entry at p itself.
func (d *Dict) Touch(p Place) { d.touch(p.seg) }

func (d *Dict) touch(id uint32) {
	if d.before != nil && d.segs[id].epoch != d.epoch {
		d.segs[id].epoch = d.epoch
		d.before(d.slots(&d.segs[id]))
	}
}
