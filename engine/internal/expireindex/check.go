package expireindex

import "fmt"

// Check looks at every page and says what is wrong, nil if nothing is.
func (x *Index) Check() error {
	n, pages := 0, 0
	var last Item
	var err error
	visit := func(key pageKey) bool {
		p := &x.pages[key.id]
		pages++
		n += int(p.n)
		if p.n == 0 || p.n > p.cap || p.cap > maxItems || x.slab.Size(p.ref) < int(p.cap)*itemSize {
			err = fmt.Errorf("page %d has %d of %d items", key.id, p.n, p.cap)
			return false
		}
		b := x.bytes(p)
		for at := 0; at < len(b); at += itemSize {
			k := get(b[at:])
			if k.less(last) || pages > 1 && k.less(key.low) {
				err = fmt.Errorf("page %d from %v: %v after %v", key.id, key.low, k, last)
				return false
			}
			last = k
		}
		return true
	}
	if x.tree != nil {
		x.tree.Scan(visit)
	}
	if err != nil {
		return err
	}
	free := 0
	for at := x.unused; at != 0; at = x.pages[at-1].next {
		if free++; free > len(x.pages) {
			return fmt.Errorf("unused pages go round in circles")
		}
	}
	if n != x.n || pages+free != len(x.pages) {
		return fmt.Errorf("%d items in %d pages and %d unused, counted %d and %d", n, pages, free, x.n, len(x.pages))
	}
	return nil
}
