package engine

// WarmKeys is how many keys Warm takes at a time.
const WarmKeys = 16

// Warm has the processor fetch what look-ups of keys in a db will need, for all
// of them at the same time. A look-up waits two or three times for memory, each
// time some hundred instructions long; what several would wait for one after the
// other, they wait for together. It changes nothing and may be given anything;
// keys beyond WarmKeys are passed over.
func (h Held) Warm(db int, keys [][]byte) {
	if len(keys) < 2 || !h.Warms(db) {
		return
	}
	d := h.eng.dbs[db]
	hashes := &h.eng.hashes
	keys = keys[:min(len(keys), WarmKeys)]
	sum := byte(0)
	for i, key := range keys {
		hashes[i] = d.hash(key)
		sum += d.dict.Warm(hashes[i])
	}
	if w := h.eng.warmer; w != nil {
		w.Warm(db, hashes[:len(keys)])
	}
	for _, hash := range hashes[:len(keys)] {
		if _, s, ok := d.dict.Seek(hash); ok {
			sum += *(*byte)(d.slab.Ptr(s.Ref()))
		}
	}
	d.warmth = sum
}

// Warms says whether Warm is worth its cost for keys of a db: not when what
// look-ups need is in the caches anyway.
func (h Held) Warms(db int) bool {
	if db < 0 || db >= len(h.eng.dbs) {
		return false
	}
	d := h.eng.dbs[db]
	return d.dict.Len() >= warmKeys && d.slab.Allocated() >= warmBytes
}

// A db of so many keys and bytes no longer fits the caches. Measured with HSET on
// 1000 hashes in 0.4 MB: warming cost 8 % of the server's time there.
const (
	warmKeys  = 1000
	warmBytes = 4 << 20
)
