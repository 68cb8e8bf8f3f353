package engine

import (
	"math"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/hll"
)

// HyperLogLogs: strings that count different elements approximately.

// hllAt is the HyperLogLog at p, and whether there is one. It fails with errs.WrongType,
// and errs.HLLInvalid for another string.
func hllAt(p *place) (b []byte, ok bool, err error) {
	b, ok, err = stringAt(p)
	if ok && (p.enc() == EncInt || !hll.IsOne(b)) {
		return nil, false, errs.HLLInvalid
	}
	return b, ok, err
}

// HLLAdd adds elements to the HyperLogLog at key, creating it when absent, and returns
// whether its count may be another one now.
//
// It fails with errs.WrongType when key holds another type, errs.HLLInvalid when it is
// another string, and errs.HLLCorrupt. Effect: "pfadd" (Redis hyperloglog.c,
// pfaddCommand). O(1) an element, with the length of a sparse one.
func (tx *Tx) HLLAdd(key []byte, elems ...[]byte) (changed bool, err error) {
	p := tx.write(key)
	b, ok, err := hllAt(&p)
	if err != nil {
		return false, err
	}
	n := 0
	if !ok {
		b = hll.New()
		n++
	} else {
		b = tx.hllForChange(&p, b)
	}
	for _, elem := range elems {
		var more bool
		if b, more, err = hll.Add(b, elem, tx.eng.packing.HLLSparse); err != nil {
			return false, errs.HLLCorrupt
		}
		if more {
			n++
		}
	}
	if n == 0 {
		return false, nil
	}
	hll.Outdate(b)
	tx.hllPut(&p, b)
	if tx.wantsArgv() {
		tx.announce(ClassString, "pfadd", key, append([][]byte{[]byte("PFADD"), key}, elems...)...)
	} else {
		tx.announce(ClassString, "pfadd", key)
	}
	tx.eng.stats.Changes += int64(n - 1)
	return true, nil
}

// hllForChange is b, the HyperLogLog at p, to be changed and given to hllPut: a dense one
// where it is, a sparse one as a copy.
func (tx *Tx) hllForChange(p *place, b []byte) []byte {
	if hll.IsDense(b) {
		return tx.grow(p, len(b))
	}
	return append([]byte(nil), b...)
}

// hllPut makes p hold what became of hllForChange.
func (tx *Tx) hllPut(p *place, b []byte) {
	if p.exists() && p.ent.valLen() == len(b) && &p.bytes()[0] == &b[0] {
		return
	}
	at := Never
	if p.exists() {
		at = p.expireAt()
	}
	tx.putString(p, EncRaw, b, at)
}

// HLLCount is about how many different elements the HyperLogLog at key has seen, 0
// without one. It is worked out once, and kept in the value.
//
// It fails as HLLAdd does. Effect: that which repeats it, when it was worked out. O(1), or
// the registers.
func (tx *Tx) HLLCount(key []byte) (uint64, error) {
	p := tx.read(key)
	b, ok, err := hllAt(&p)
	if !ok {
		return 0, err
	}
	if n, ok := hll.Cached(b); ok {
		return n, nil
	}
	n, err := hll.Count(b)
	if err != nil {
		return 0, errs.HLLCorrupt
	}
	p = tx.write(key)
	hll.SetCached(tx.grow(&p, len(b)), n)
	tx.repeat([]byte("PFCOUNT"), key)
	return n, nil
}

// HLLCountAll is about how many different elements the HyperLogLogs at keys have seen
// together. It fails as HLLAdd does. O(registers) a key.
func (tx *Tx) HLLCountAll(keys [][]byte) (uint64, error) {
	var most [hll.Registers]byte
	_, err := tx.hllMost(&most, keys, func(key []byte) place { return tx.read(key) })
	return hll.CountOf(&most), err
}

// hllMost makes most the greatest registers of the HyperLogLogs at keys, and says whether
// one of them is dense.
func (tx *Tx) hllMost(most *[hll.Registers]byte, keys [][]byte, look func(key []byte) place) (dense bool, err error) {
	for _, key := range keys {
		p := look(key)
		b, ok, err := hllAt(&p)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		dense = dense || hll.IsDense(b)
		if hll.Each(b, func(i int, v byte) { most[i] = max(most[i], v) }) != nil {
			return false, errs.HLLCorrupt
		}
	}
	return dense, nil
}

// HLLMerge makes the HyperLogLog at dest, which is created when absent, one that has also
// seen what those at keys have.
//
// It fails as HLLAdd does. Effect: "pfadd" (Redis hyperloglog.c, pfmergeCommand).
// O(registers) a key.
func (tx *Tx) HLLMerge(dest []byte, keys ...[]byte) error {
	var most [hll.Registers]byte
	all := append([][]byte{dest}, keys...)
	dense, err := tx.hllMost(&most, all, func(key []byte) place { return tx.read(key) })
	if err != nil {
		return err
	}
	p := tx.write(dest)
	b, ok, err := hllAt(&p)
	switch {
	case err != nil:
		return err
	case ok:
		b = tx.hllForChange(&p, b)
	default:
		b = hll.New()
	}
	if dense {
		b, err = hll.Dense(b)
	}
	for i, v := range most {
		if v > 0 && err == nil {
			b, _, err = hll.Raise(b, i, v, tx.eng.packing.HLLSparse)
		}
	}
	if err != nil {
		return errs.HLLCorrupt
	}
	hll.Outdate(b)
	tx.hllPut(&p, b)
	if tx.wantsArgv() {
		tx.announce(ClassString, "pfadd", dest, append([][]byte{[]byte("PFMERGE")}, all...)...)
	} else {
		tx.announce(ClassString, "pfadd", dest)
	}
	return nil
}

// HLLView is a HyperLogLog as PFDEBUG looks at it.
type HLLView struct{ b []byte }

// HLLView looks at the HyperLogLog at key, good until the unit's next operation; not ok
// without one. It fails as HLLAdd does.
func (tx *Tx) HLLView(key []byte) (v HLLView, ok bool, err error) {
	p := tx.write(key)
	b, ok, err := hllAt(&p)
	return HLLView{b}, ok, err
}

// IsDense says which representation it has.
func (v HLLView) IsDense() bool { return hll.IsDense(v.b) }

// Runs is what a sparse one is made of, as people read it.
func (v HLLView) Runs() string { return hll.Runs(v.b) }

// HLLToDense makes the HyperLogLog at key a dense one, and says whether it was none. It
// fails as HLLAdd does. Effect: that which repeats it.
func (tx *Tx) HLLToDense(key []byte) (changed bool, err error) {
	p := tx.write(key)
	b, ok, err := hllAt(&p)
	if !ok || hll.IsDense(b) {
		return false, err
	}
	if b, err = hll.Dense(b); err != nil {
		return false, errs.HLLCorrupt
	}
	tx.hllPut(&p, b)
	tx.repeat([]byte("PFDEBUG"), []byte("TODENSE"), key)
	return true, nil
}

// HLLRegisters are the registers of the HyperLogLog at key, which becomes a dense one. It
// fails as HLLAdd does.
func (tx *Tx) HLLRegisters(key []byte) (v [hll.Registers]byte, err error) {
	if _, err := tx.HLLToDense(key); err != nil {
		return v, err
	}
	p := tx.write(key)
	b, ok, err := hllAt(&p)
	if ok {
		v, err = hll.Values(b)
	}
	return v, err
}

// HLLSelfTest counts elements of which it knows how many they are. It fails with what
// came out when that is more than the algorithm may be off.
func HLLSelfTest() error {
	sparse := hll.New()
	dense, err := hll.Dense(hll.New())
	if err != nil {
		return err
	}
	elem := []byte("00000000")
	next := uint64(100)
	for i := uint64(1); i <= 100_000; i++ {
		for at := range elem {
			elem[at] = "0123456789abcdef"[i>>(4*at)&15]
		}
		if sparse, _, err = hll.Add(sparse, elem, DefaultPacking.HLLSparse); err != nil {
			return err
		}
		dense, _, _ = hll.Add(dense, elem, 0)
		if i != next {
			continue
		}
		next *= 10
		a, errA := hll.Count(sparse)
		b, errB := hll.Count(dense)
		off := math.Abs(float64(a) - float64(i))
		if errA != nil || errB != nil || a != b || off > 6*1.04/math.Sqrt(hll.Registers)*float64(i)+1 {
			return &errs.Error{Code: "TESTFAILED", Text: "counted " + string(decimal(int64(a))) + " and " + string(decimal(int64(b))) + " of " + string(decimal(int64(i)))}
		}
	}
	return nil
}
