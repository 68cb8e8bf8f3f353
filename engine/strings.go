package engine

import (
	"strconv"

	"coatcheck/engine/errs"
)

// Strings: whole values. Their bytes are kept as they came; the encoding is
// what Redis would have chosen, for OBJECT ENCODING to tell.

// maxEmbStr is the longest string that Redis keeps in one piece with its
// object.
const maxEmbStr = 44

// stringEncoding is how Redis keeps a string that a client sent.
func stringEncoding(val []byte) Encoding {
	if len(val) <= 20 {
		if _, ok := ParseInt(val); ok {
			return EncInt
		}
	}
	if len(val) <= maxEmbStr {
		return EncEmbStr
	}
	return EncRaw
}

// Cond is what must hold for a write to happen.
type Cond uint8

// The conditions.
const (
	Always    Cond = iota
	IfMissing      // NX
	IfExists       // XX
)

// SetOptions are the choices of StringSet.
type SetOptions struct {
	If Cond
	// At is the deadline; 0 or Never for none. One in the past is kept: the
	// key is set, and expires at once.
	At      UnixMilli
	KeepTTL bool // keep the deadline there is, instead of At
	Get     bool // return the old value, which then must be a string
}

// SetResult is what StringSet found and did.
type SetResult struct {
	Done bool // false: the condition did not hold
	Had  bool // there was an old value; only with Get
	// Old is a copy of the old value, good until the unit's next operation;
	// only with Get.
	Old []byte
}

// String returns the string at key and whether there is one. The bytes are the
// store's, good until the unit's next write.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) String(key []byte) (val []byte, ok bool, err error) {
	p := tx.read(key)
	return stringAt(&p)
}

// stringAt is the string at a place, and whether there is one.
func stringAt(p *place) (val []byte, ok bool, err error) {
	if !p.exists() {
		return nil, false, nil
	}
	if p.typ() != TString {
		return nil, false, errs.WrongType
	}
	return p.bytes(), true, nil
}

// StringSet makes key hold a copy of val, whatever it held before, if the
// options' condition holds.
//
// It fails with errs.WrongType only when the old value is asked for and is no
// string. Effects: "set", and "expire" with a deadline (Redis t_string.c,
// setGenericCommand). O(1).
func (tx *Tx) StringSet(key, val []byte, opt SetOptions) (res SetResult, err error) {
	p := tx.write(key)
	if opt.Get {
		tx.countLookup(&p)
		old, had, err := stringAt(&p)
		if err != nil {
			return res, err
		}
		res.Had, res.Old = had, tx.stash(old)
	}
	if p.exists() && opt.If == IfMissing || !p.exists() && opt.If == IfExists {
		return res, nil
	}
	at := opt.At
	if at == 0 {
		at = Never
	}
	if opt.KeepTTL && p.exists() {
		at = p.expireAt()
	}
	tx.set(&p, val, at)
	if len(tx.shortened) > 0 {
		at, tx.shortened = p.expireAt(), nil
		opt.KeepTTL = false
	}
	if tx.wantsArgv() {
		tx.announce(ClassString, "set", key, setArgv(key, val, at, opt.KeepTTL)...)
	} else {
		tx.announce(ClassString, "set", key)
	}
	if at != Never && !opt.KeepTTL {
		tx.also(ClassGeneric, "expire", key)
	}
	res.Done = true
	return res, nil
}

// set puts a string that a client sent at p, and tells of a new key.
func (tx *Tx) set(p *place, val []byte, at UnixMilli) {
	tx.putString(p, stringEncoding(val), val, at)
}

// putString puts a string at p, and tells of a new key.
func (tx *Tx) putString(p *place, enc Encoding, val []byte, at UnixMilli) {
	isNew := !p.exists()
	tx.put(p, TString, enc, val, at)
	if isNew {
		tx.also(ClassNew, "new", p.key)
	}
}

// setArgv is the command that repeats a SET.
func setArgv(key, val []byte, at UnixMilli, keep bool) [][]byte {
	argv := [][]byte{[]byte("SET"), key, val}
	switch {
	case keep:
		argv = append(argv, []byte("KEEPTTL"))
	case at != Never:
		argv = append(argv, []byte("PXAT"), decimal(int64(at)))
	}
	return argv
}

func decimal(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// StringSetMany sets pairs of key and value one after another, dropping
// deadlines. With onlyNew it does so if none of the keys exists (a key may come
// twice), and otherwise nothing; done says which.
//
// Effects: "set" for each. O(len(pairs)).
func (tx *Tx) StringSetMany(pairs [][]byte, onlyNew bool) (done bool) {
	if onlyNew {
		for i := 0; i < len(pairs); i += 2 {
			if p := tx.peek(pairs[i]); p.exists() {
				return false
			}
		}
	}
	tx.admitAll(pairs)
	for i := 0; i < len(pairs); i += 2 {
		p := tx.write(pairs[i])
		tx.set(&p, pairs[i+1], Never)
		tx.announce(ClassString, "set", p.key)
	}
	if tx.wantsArgv() {
		tx.announceRepeat(append([][]byte{[]byte("MSET")}, pairs...)...)
	}
	return true
}

// TTLChange is what StringGetExpire does to a deadline.
type TTLChange struct {
	Persist bool      // drop it
	At      UnixMilli // set it; 0 to leave it alone
}

// StringGetExpire returns the string at key, as String does, and changes its
// deadline. A deadline that has come already deletes the key.
//
// It fails with errs.WrongType when key holds another type. Effects: "expire",
// "persist" or "del" (Redis t_string.c, getexCommand). O(1).
func (tx *Tx) StringGetExpire(key []byte, c TTLChange) (val []byte, ok bool, err error) {
	p := tx.write(key)
	tx.countLookup(&p)
	val, ok, err = stringAt(&p)
	if !ok || err != nil {
		return nil, false, err
	}
	switch {
	case c.At != 0 && c.At <= tx.past:
		val = tx.stash(val)
		tx.drop(&p, "DEL")
		return val, true, nil
	case c.At != 0:
		tx.expireAt(&p, c.At)
	case c.Persist:
		tx.persist(&p)
	}
	return p.bytes(), true, nil
}

// StringGetDelete returns a copy of the string at key, good until the unit's
// next operation, and deletes the key.
//
// It fails with errs.WrongType when key holds another type. Effect: "del". O(1).
func (tx *Tx) StringGetDelete(key []byte) (val []byte, ok bool, err error) {
	p := tx.write(key)
	tx.countLookup(&p)
	val, ok, err = stringAt(&p)
	if ok {
		val = tx.stash(val)
		tx.drop(&p, "DEL")
	}
	return val, ok, err
}

// maxStash is the largest copy whose memory is kept for the next one.
const maxStash = 64 << 10

// stash copies bytes of the store that a write is about to change. The copy is
// good until the next one.
func (tx *Tx) stash(b []byte) []byte {
	if len(b) > maxStash {
		return append([]byte(nil), b...)
	}
	tx.stashed = append(tx.stashed[:0], b...)
	return tx.stashed
}
