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
