package engine

// View is a look at an entry for those who write it down: snapshots, DUMP. It is
// good until the keyspace changes; bytes are the store's.
type View struct {
	p   place
	now UnixMilli
	// past is up to when fields' deadlines have come.
	past UnixMilli
	eng  *Engine
}

// View looks at the entry at key as peek does; not ok without one. It neither
// counts nor touches.
func (tx *Tx) View(key []byte) (v View, ok bool) {
	p := tx.peek(key)
	return View{p, tx.now, tx.past, tx.eng}, p.exists()
}

// ViewRead is View as a reader's look-up.
func (tx *Tx) ViewRead(key []byte) (v View, ok bool) {
	p := tx.read(key)
	return View{p, tx.now, tx.past, tx.eng}, p.exists()
}

// Key is the entry's name.
func (v View) Key() []byte { return v.p.key }

// Type is the value's type.
func (v View) Type() Type { return v.p.typ() }

// Encoding is how the value is kept. It tells what Packed is.
func (v View) Encoding() Encoding { return v.p.enc() }

// ExpireAt is the deadline, Never for none.
func (v View) ExpireAt() UnixMilli { return v.p.expireAt() }

// Packed is the bytes of a packed value: a string, a listpack, an intset; nil for
// an object.
func (v View) Packed() []byte {
	if v.p.enc().isObject() {
		return nil
	}
	return v.p.bytes()
}

// Idle is the seconds since the entry was touched; not ok unless the policy is an
// LRU one.
func (v View) Idle() (seconds int64, ok bool) {
	if p := v.eng.limits.Policy; p != AllKeysLRU && p != VolatileLRU {
		return 0, false
	}
	return idleSeconds(v.p.ent.lru(), v.now), true
}

// Freq is the entry's LFU counter; not ok unless the policy is an LFU one.
func (v View) Freq() (n byte, ok bool) {
	if !v.eng.lfu {
		return 0, false
	}
	return byte(v.eng.decayed(v.p.ent.lru(), v.now)), true
}

// HashEach calls begin with the number of fields of a hash and then visit with each.
// due is the field's deadline, Never for none. The bytes are good for the call.
func (v View) HashEach(begin func(n int), visit func(field, value []byte, due UnixMilli)) {
	var numbers [2][20]byte
	begin(v.p.fields(v.past))
	v.p.eachField(v.past, &numbers, func(field, value []byte, due UnixMilli) bool {
		visit(field, value, due)
		return true
	})
}

// HashDue is the first deadline of a hash's fields, Never when none has one.
func (v View) HashDue() (first UnixMilli) {
	first = Never
	if !v.p.ent.hasFieldsDue() {
		return first
	}
	var numbers [2][20]byte
	v.p.eachField(v.past, &numbers, func(_, _ []byte, due UnixMilli) bool {
		if due != Never && (first == Never || due < first) {
			first = due
		}
		return true
	})
	return first
}
