package engine

import "math"

// Description is how a value is kept, for those who look inside.
type Description struct {
	Encoding   Encoding
	References int    // as ReferencesOf
	Address    uint64 // where its entry is; it changes when the entry moves
	Serialized int64  // bytes that it takes in a dump, uncompressed
	LRU        uint32 // the entry's 24 bits for eviction
	Idle       int64  // seconds since it was touched; 0 under an LFU policy
}

// Describe tells how the value at key is kept; not ok without a key. It neither
// counts nor touches. O(1) for strings.
func (tx *Tx) Describe(key []byte) (d Description, ok bool) {
	p := tx.peek(key)
	if !p.exists() {
		return d, false
	}
	d = Description{Encoding: p.enc(), Address: uint64(p.ref), LRU: p.ent.lru(), Serialized: serializedString(p.bytes())}
	d.References, _ = tx.ReferencesOf(key)
	if !tx.lfu() {
		d.Idle = tx.idle(&p)
	}
	return d, true
}

// serializedString is the length of a string in a dump: small integers as such,
// all else behind its length (Redis rdb.c, rdbSaveRawString).
func serializedString(val []byte) int64 {
	if n, ok := ParseInt(val); ok {
		switch {
		case n >= math.MinInt8 && n <= math.MaxInt8:
			return 2
		case n >= math.MinInt16 && n <= math.MaxInt16:
			return 3
		case n >= math.MinInt32 && n <= math.MaxInt32:
			return 5
		}
	}
	n := int64(len(val))
	switch {
	case n < 1<<6:
		return 1 + n
	case n < 1<<14:
		return 2 + n
	case n <= math.MaxUint32:
		return 5 + n
	}
	return 9 + n
}
