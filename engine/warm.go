package engine

// WarmKeys is how many keys Warm takes at a time.
const WarmKeys = 16

// Warm has the processor fetch what look-ups of keys in a db will need, for all
// of them at the same time. A look-up waits two or three times for memory, each
// time some hundred instructions long; what several would wait for one after the
// other, they wait for together. It changes nothing and may be given anything;
// keys beyond WarmKeys are passed over.
func (h Held) Warm(db int, keys [][]byte) {
	if db < 0 || db >= len(h.eng.dbs) || len(keys) < 2 {
		return
	}
	d := h.eng.dbs[db]
	if d.dict.Len() < warmFrom {
		return
	}
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

// warmFrom is how many keys a db has when it no longer fits the caches.
const warmFrom = 1000
