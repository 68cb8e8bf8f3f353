package engine

// The door: every read and write of the keyspace goes through the few
// functions in this file. Operations (strings.go, keys.go, …) are written on
// it and know nothing of slabs, segments or the expire index.

// Type is what kind of value a key holds.
type Type uint8

// The types. None is the type of a missing key.
const (
	None Type = iota
	TString
	TList
	TSet
	THash
	TZSet
	TStream
)

// Encoding is how a value is kept, as OBJECT ENCODING tells it.
type Encoding uint8

// The encodings of strings.
const (
	EncRaw Encoding = iota
	EncInt
	EncEmbStr
)

// place is one key's place in the unit's db, looked up once, then read or
// written. Its bytes point into the store and are good until the next write
// through the same Tx.
type place struct {
	key []byte
	ent *mapEntry // nil when the key does not exist
}

func (p *place) exists() bool { return p.ent != nil }
func (p *place) typ() Type {
	if p.ent == nil {
		return None
	}
	return p.ent.typ
}
func (p *place) enc() Encoding { return p.ent.enc }

// bytes is the packed value: a string's bytes.
func (p *place) bytes() []byte { return p.ent.val }

// expireAt is when the key stops existing; Never for a key without expiry. Any
// number of milliseconds up to the highest int64 is a deadline that clients set.
func (p *place) expireAt() UnixMilli { return p.ent.at }

// read looks key up for a reader: counts a keyspace hit or miss and touches the
// entry's LRU/LFU figures. An expired key does not exist (and is removed on
// the way, with its effect).
func (tx *Tx) read(key []byte) place {
	p := tx.find(key)
	tx.countLookup(&p)
	return p
}

// peek is read without touching or counting (TTL, OBJECT, TYPE, KEYS …).
func (tx *Tx) peek(key []byte) place { return tx.find(key) }

// write looks key up for a writer. Here is where a running snapshot saves the
// old content first.
func (tx *Tx) write(key []byte) place { return tx.find(key) }

// put creates or replaces the key at p with a packed value, of which it keeps a
// copy, and a deadline (Never for none). p shows the new entry afterwards.
// val may point into the store. No effect is announced.
func (tx *Tx) put(p *place, typ Type, enc Encoding, val []byte, at UnixMilli) {
	e := &mapEntry{typ: typ, enc: enc, val: append([]byte{}, val...), at: at}
	tx.eng.dbs[tx.db].m[string(p.key)] = e
	p.ent = e
}

// resize gives the packed value at p (created as an empty string without expiry
// where missing) n bytes, keeping what fits of the old ones and zeroing new
// ones, and returns them for writing.
func (tx *Tx) resize(p *place, enc Encoding, n int) []byte {
	if p.ent == nil {
		tx.put(p, TString, enc, nil, Never)
	}
	v := make([]byte, n)
	copy(v, p.ent.val)
	p.ent.val, p.ent.enc = v, enc
	return v
}

// remove deletes the key at p, which exists. No effect is announced.
func (tx *Tx) remove(p *place) {
	delete(tx.eng.dbs[tx.db].m, string(p.key))
	p.ent = nil
}

// setExpireAt changes the deadline of the key at p, which exists. A deadline in
// the past is for the caller to handle. No effect is announced.
func (tx *Tx) setExpireAt(p *place, at UnixMilli) { p.ent.at = at }

// hears says whether any sink wants effects of this class. Announcing without
// asking is right too, only slower.
func (tx *Tx) hears(c Class) bool { return tx.eng.wants.Events&c != 0 }

// wantsArgv says whether a sink wants the commands that repeat changes.
func (tx *Tx) wantsArgv() bool { return tx.eng.wants.Argv }

// announce tells the sinks of one effect on key, counts it as a change unless
// its class is ClassMissed, and passes argv (see Effect) on. Call wantsArgv before
// building one that costs.
func (tx *Tx) announce(c Class, event string, key []byte, argv ...[]byte) {
	for _, s := range tx.eng.sinks {
		s.Effect(tx, &Effect{DB: tx.db, Class: c, Event: event, Key: key, Argv: argv, ArgvDB: tx.db})
	}
}

// The first, plain keyspace: a Go map a db.
type db struct{ m map[string]*mapEntry }

type mapEntry struct {
	typ Type
	enc Encoding
	val []byte
	at  UnixMilli
}

func newDB() *db { return &db{m: map[string]*mapEntry{}} }

func (tx *Tx) find(key []byte) place {
	d := tx.eng.dbs[tx.db]
	e := d.m[string(key)]
	if e != nil && e.at != Never && e.at <= tx.now {
		delete(d.m, string(key))
		tx.announce(ClassExpired, "expired", key, []byte("DEL"), key)
		e = nil
	}
	return place{key: key, ent: e}
}
