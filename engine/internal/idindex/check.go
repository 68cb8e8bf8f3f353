package idindex

import "fmt"

// Check looks at every item and says what does not fit together. It returns the
// index's own memory.
func (x *Index[T]) Check() (u Usage, err error) {
	n := 0
	var last ID
	for i := range x.heads {
		h := &x.heads[i]
		if h.n == 0 || h.n > h.cap || int(h.cap)*itemSize[T]() > x.slab.Size(h.ref) {
			return u, fmt.Errorf("page %d has %d items, room for %d in %d bytes", i, h.n, h.cap, x.slab.Size(h.ref))
		}
		items := x.items(h)
		for j := range items {
			id := *idOf(&items[j])
			if id.Less(h.low) || n > 0 && !last.Less(id) {
				return u, fmt.Errorf("%v comes behind %v in page %d, which begins at %v", id, last, i, h.low)
			}
			last = id
			n++
		}
		u.Blocks += int64(x.slab.Size(h.ref))
		u.Pages++
	}
	u.Heap = headBytes * int64(cap(x.heads))
	if n != x.n {
		return u, fmt.Errorf("%d items, counted %d", n, x.n)
	}
	return u, nil
}
