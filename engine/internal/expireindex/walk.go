package expireindex

// Rand is the source of chance that Random takes.
type Rand interface {
	IntN(n int) int
}

// Random picks an item, each with nearly the same chance. ok is false when
// there is none.
func (x *Index) Random(r Rand) (k Item, ok bool) {
	if x.n == 0 {
		return Item{}, false
	}
	if len(x.pages) <= 16 {
		i := r.IntN(x.n)
		for j := range x.pages {
			p := &x.pages[j]
			if i < int(p.n) {
				return get(x.bytes(p)[i*itemSize:]), true
			}
			i -= int(p.n)
		}
	}
	// A page counts by how full it is: draw one of 256 places, and again
	// where there is no item.
	for range 1000 {
		p := &x.pages[r.IntN(len(x.pages))]
		if i := r.IntN(maxItems); i < int(p.n) {
			return get(x.bytes(p)[i*itemSize:]), true
		}
	}
	return x.First()
}

// All yields the items in order. The index must not change meanwhile.
func (x *Index) All(yield func(Item) bool) {
	if x.tree == nil {
		return
	}
	x.tree.Scan(func(key pageKey) bool {
		b := x.bytes(&x.pages[key.id])
		for at := 0; at < len(b); at += itemSize {
			if !yield(get(b[at:])) {
				return false
			}
		}
		return true
	})
}
