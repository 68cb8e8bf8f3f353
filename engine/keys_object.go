package engine

import "coatcheck/engine/errs"

// What OBJECT tells: how a value is kept, and what eviction knows of it.

// SharedIntegers is the number of integers, from 0 on, that Redis keeps once
// for all keys; they have SharedReferences.
const (
	SharedIntegers   = 10000
	SharedReferences = 1<<31 - 1
)

// EncodingOf is how the value at key is kept; not ok without a key. O(1).
func (tx *Tx) EncodingOf(key []byte) (enc Encoding, ok bool) {
	p := tx.object(key)
	if !p.exists() {
		return 0, false
	}
	return p.enc(), true
}

// object looks key up for one who looks from outside: it counts as a look-up,
// but neither is the entry touched nor a miss announced.
func (tx *Tx) object(key []byte) place {
	p := tx.peek(key)
	tx.countOnly(&p)
	return p
}

// ReferencesOf is what Redis would count as the references to the value at key:
// 1 except for small integers, which it keeps once for all. Not ok without a
// key. O(1).
func (tx *Tx) ReferencesOf(key []byte) (n int, ok bool) {
	p := tx.object(key)
	if !p.exists() {
		return 0, false
	}
	if p.typ() == TString && p.enc() == EncInt && tx.eng.limits.sharesIntegers() {
		if v, _ := ParseInt(p.bytes()); v >= 0 && v < SharedIntegers {
			return SharedReferences, true
		}
	}
	return 1, true
}

// sharesIntegers says whether Redis would keep small integers once for all:
// while eviction wants to know when each key was used, it does not.
func (l *Limits) sharesIntegers() bool {
	switch l.Policy {
	case AllKeysLRU, VolatileLRU, AllKeysLFU, VolatileLFU:
		return l.MaxMemory == 0
	}
	return true
}

// IdleTimeOf is the number of seconds since key was last touched; not ok
// without a key. It fails with errs.NoIdle under an LFU policy. O(1).
func (tx *Tx) IdleTimeOf(key []byte) (seconds int64, ok bool, err error) {
	p := tx.object(key)
	if !p.exists() {
		return 0, false, nil
	}
	if tx.lfu() {
		return 0, false, errs.NoIdle
	}
	return tx.idle(&p), true, nil
}

// FreqOf is the LFU counter of key, 0 … 255, with its decay until now; not ok
// without a key. It fails with errs.NoFreq unless the policy is an LFU one. O(1).
func (tx *Tx) FreqOf(key []byte) (n int, ok bool, err error) {
	p := tx.object(key)
	if !p.exists() {
		return 0, false, nil
	}
	if !tx.lfu() {
		return 0, false, errs.NoFreq
	}
	return tx.freq(&p), true, nil
}

var typeNames = [...]string{
	None: "none", TString: "string", TList: "list", TSet: "set",
	THash: "hash", TZSet: "zset", TStream: "stream",
}

// String is the type as TYPE tells it.
func (t Type) String() string { return typeNames[t] }

var encodingNames = [...]string{
	EncRaw: "raw", EncInt: "int", EncEmbStr: "embstr", EncListpack: "listpack", EncListpackEx: "listpackex",
	EncIntset: "intset", EncHashtable: "hashtable", EncSkiplist: "skiplist", EncQuicklist: "quicklist", EncStream: "stream",
	EncHashtableEx: "hashtable",
}

// String is the encoding as OBJECT ENCODING tells it.
func (e Encoding) String() string { return encodingNames[e] }
