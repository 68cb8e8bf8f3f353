package dict

import "fmt"

// Check looks at every segment and says what is wrong, nil if nothing is.
func (d *Dict) Check() error {
	if len(d.dir) != 1<<d.depth {
		return fmt.Errorf("directory of %d at depth %d", len(d.dir), d.depth)
	}
	var atDepth [TagBits + 1]uint32
	n, named := 0, 0
	for id := range d.segs {
		sg := &d.segs[id]
		n += int(sg.n)
		atDepth[sg.depth]++
		from := uint64(sg.first) >> (TagBits - d.depth)
		for i := range uint64(1) << (d.depth - sg.depth) {
			if d.dir[from+i] != uint32(id) {
				return fmt.Errorf("directory at %d names segment %d, not %d", from+i, d.dir[from+i], id)
			}
			named++
		}
		if err := d.checkSegment(sg); err != nil {
			return fmt.Errorf("segment %d: %w", id, err)
		}
	}
	switch {
	case n != d.n:
		return fmt.Errorf("%d entries, %d counted", n, d.n)
	case named != len(d.dir):
		return fmt.Errorf("segments cover %d of %d directory entries", named, len(d.dir))
	case atDepth != d.atDepth:
		return fmt.Errorf("segments by depth: %v, counted %v", atDepth, d.atDepth)
	}
	return nil
}

func (d *Dict) checkSegment(sg *segment) error {
	if sg.n > sg.cap {
		return fmt.Errorf("%d slots of %d at depth %d", sg.n, sg.cap, sg.depth)
	}
	if sg.cap > 0 && d.slab.Size(sg.ref) < int(sg.cap)*8 {
		return fmt.Errorf("%d slots in %d bytes", sg.cap, d.slab.Size(sg.ref))
	}
	last := sg.first
	for i, s := range d.slots(sg) {
		if tag := s.Tag(); tag < last || uint64(tag) >= uint64(sg.first)+1<<(TagBits-sg.depth) {
			return fmt.Errorf("slot %d has tag %x after %x", i, tag, last)
		}
		last = s.Tag()
	}
	return nil
}
