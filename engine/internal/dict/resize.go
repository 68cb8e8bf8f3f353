package dict

// Splitting and merging of segments, and the directory over them.

// maySplit says whether a full segment can split. The directory never gets out
// of proportion: with a hash worth the name it has at most one segment in
// sixteen entries; where very many tags collide, segments get longer instead.
func (d *Dict) maySplit(sg *segment) bool {
	if sg.depth < d.depth {
		return true
	}
	return d.depth < TagBits && len(d.dir) <= 16+d.n/16
}

// split parts a segment by its next bit.
func (d *Dict) split(id uint32) {
	if d.segs[id].depth == d.depth {
		d.double()
	}
	d.segs = append(d.segs, segment{})
	lo, hi := &d.segs[id], &d.segs[len(d.segs)-1]
	d.atDepth[lo.depth]--
	lo.depth++
	d.atDepth[lo.depth] += 2
	*hi = segment{epoch: lo.epoch, depth: lo.depth, first: lo.first + 1<<(TagBits-lo.depth)}

	slots := d.slots(lo)
	cut := lower(slots, hi.first)
	upper := slots[cut:]
	if len(upper) > 0 {
		hi.n = 0
		d.setCap(hi, roomy(len(upper)))
		hi.n = uint32(len(upper))
		copy(d.slots(hi), upper)
	}
	lo.n = uint32(cut)
	d.setCap(lo, roomy(cut))
	d.point(hi, uint32(len(d.segs)-1))
}

// lower is the index of the first slot whose tag is not below tag, by bisection.
func lower(slots []Slot, tag uint32) int {
	lo, hi := 0, len(slots)
	for lo < hi {
		mid := (lo + hi) / 2
		if slots[mid].Tag() < tag {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// point makes the directory say id where sg's tags are.
func (d *Dict) point(sg *segment, id uint32) {
	from := uint64(sg.first) >> (TagBits - d.depth)
	for i := range uint64(1) << (d.depth - sg.depth) {
		d.dir[from+i] = id
	}
}

// double makes the directory look at one bit more.
func (d *Dict) double() {
	dir := make([]uint32, 2*len(d.dir))
	for i, id := range d.dir {
		dir[2*i], dir[2*i+1] = id, id
	}
	d.dir = dir
	d.depth++
}

// halve makes the directory look at one bit less while no segment needs the
// last two.
func (d *Dict) halve() {
	for d.depth > 1 && d.atDepth[d.depth] == 0 && d.atDepth[d.depth-1] == 0 {
		dir := make([]uint32, len(d.dir)/2)
		for i := range dir {
			dir[i] = d.dir[2*i]
		}
		d.dir = dir
		d.depth--
	}
}

// merge joins a sparse segment with its buddy, the other half of what they once
// were, as long as both together are far from full.
func (d *Dict) merge(id uint32) {
	for d.segs[id].depth > 0 && d.segs[id].n < mergeBelow {
		sg := &d.segs[id]
		bit := uint32(1) << (TagBits - sg.depth)
		buddy := d.dir[uint64(sg.first^bit)>>(TagBits-d.depth)]
		if d.segs[buddy].depth != sg.depth || d.segs[buddy].n+sg.n > mergeMax {
			break
		}
		lo, hi := id, buddy
		if sg.first&bit != 0 {
			lo, hi = buddy, id
		}
		d.touch(buddy)
		d.join(&d.segs[lo], &d.segs[hi])
		d.point(&d.segs[lo], lo)
		id = d.drop(hi, lo)
	}
	d.halve()
}

// join appends the slots of hi to those of lo, its lower buddy.
func (d *Dict) join(lo, hi *segment) {
	d.atDepth[lo.depth] -= 2
	lo.depth--
	d.atDepth[lo.depth]++
	n := lo.n + hi.n
	if lo.cap < n {
		d.setCap(lo, roomy(int(n)))
	}
	at := lo.n
	lo.n = n
	copy(d.slots(lo)[at:], d.slots(hi))
	hi.n = 0
	d.setCap(hi, 0)
}

// drop takes the segment id, which the directory no longer names, out of the
// list. The last one takes its number. It returns keep's number afterwards.
func (d *Dict) drop(id, keep uint32) uint32 {
	last := uint32(len(d.segs) - 1)
	if id != last {
		d.segs[id] = d.segs[last]
		d.point(&d.segs[id], id)
		if keep == last {
			keep = id
		}
	}
	d.segs = d.segs[:last]
	if cap(d.segs) > 64 && len(d.segs) < cap(d.segs)/4 {
		d.segs = append(make([]segment, 0, 2*len(d.segs)), d.segs...)
	}
	return keep
}
