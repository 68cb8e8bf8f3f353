package engine

import "coatcheck/engine/errs"

// Keys of any type: existence, names, dbs.

// Delete removes keys and returns how many there were. verb is the command that
// repeats it, "DEL" or "UNLINK".
//
// Effects: "del" for each. O(1) a key.
func (tx *Tx) Delete(verb string, keys ...[]byte) int {
	n := 0
	for _, key := range keys {
		p := tx.write(key)
		if !p.exists() {
			continue
		}
		tx.remove(&p)
		tx.announce(ClassGeneric, "del", key)
		n++
	}
	if n > 0 && tx.wantsArgv() {
		tx.announceRepeat(append([][]byte{[]byte(verb)}, keys...)...)
	}
	return n
}

// drop removes the key at p, which exists, with a "del" effect.
func (tx *Tx) drop(p *place, verb string) {
	tx.remove(p)
	if tx.wantsArgv() {
		tx.announce(ClassGeneric, "del", p.key, []byte(verb), p.key)
	} else {
		tx.announce(ClassGeneric, "del", p.key)
	}
}

// Exists counts the keys that exist, one that is named twice twice, as the
// look-ups of a reader that does not touch them. O(1) a key.
func (tx *Tx) Exists(keys ...[]byte) int {
	n := 0
	for _, key := range keys {
		if p := tx.sight(key); p.exists() {
			n++
		}
	}
	return n
}

// sight looks key up for a reader that counts, but does not touch the entry.
func (tx *Tx) sight(key []byte) place {
	p := tx.peek(key)
	tx.countLookup(&p)
	return p
}

// Touch refreshes what eviction knows of keys and returns how many exist. O(1)
// a key.
func (tx *Tx) Touch(keys ...[]byte) int {
	n := 0
	for _, key := range keys {
		if p := tx.sight(key); p.exists() {
			tx.touch(&p)
			n++
		}
	}
	return n
}

// TypeOf is the type of the value at key, None without one. O(1).
func (tx *Tx) TypeOf(key []byte) Type {
	p := tx.sight(key)
	return p.typ()
}

// keptTries is how many keys RandomKey looks at where those that have expired stay
// (Redis db.c, dbRandomKey).
const keptTries = 100

// RandomKey is a key of the db, chosen by the unit's Rand; not ok when there is
// none. Where what has expired stays and little else is there, it may be such a key. The
// bytes are good until the unit's next write.
//
// Effects: "expired" for those it comes upon.
func (tx *Tx) RandomKey() (key []byte, ok bool) {
	for tries := 0; ; tries++ {
		p, ok := tx.random()
		if !ok || !tx.isExpired(&p) {
			return p.key, ok
		}
		if !tx.eng.keeps() {
			tx.expire(&p)
		} else if tries >= keptTries { // there may be no others
			return p.key, ok
		}
	}
}

// isExpired says whether the deadline of the entry at p has come, or those of all
// its fields.
func (tx *Tx) isExpired(p *place) bool {
	at := p.expireAt()
	return at != Never && at <= tx.past || p.isHollow(tx.past)
}

// KeyRename gives the value at from, with its deadline, the name to, replacing
// what to held, unless onlyNew: then it does nothing when to exists, and done is
// false.
//
// It fails with errs.NoSuchKey. Renaming a key to itself changes nothing.
// Effects: "rename_from", "rename_to". O(1).
func (tx *Tx) KeyRename(from, to []byte, onlyNew bool) (done bool, err error) {
	src := tx.write(from)
	if !src.exists() {
		return false, errs.NoSuchKey
	}
	if string(from) == string(to) {
		return !onlyNew, nil
	}
	if dst := tx.write(to); dst.exists() {
		if onlyNew {
			return false, nil
		}
		tx.remove(&dst)
		tx.also(ClassOverwritten, "overwritten", to)
	}
	src = tx.write(from)
	tx.transfer(&src, tx.db, to)
	tx.also(ClassNew, "new", to)
	tx.also(ClassGeneric, "rename_from", from)
	if tx.wantsArgv() {
		tx.announce(ClassGeneric, "rename_to", to, []byte("RENAME"), from, to)
	} else {
		tx.announce(ClassGeneric, "rename_to", to)
	}
	return true, nil
}

// HasDB says whether there is a db of that number.
func (tx *Tx) HasDB(db int) bool { return db >= 0 && db < tx.databases() }

// KeyMove moves key, with its value and deadline, to another db; not done when
// there is no such key or that db has one already.
//
// It fails with errs.DBIndex, and with errs.SameObject when it is the same db.
// Effects: "move_from", and "move_to" in the other db. O(1).
func (tx *Tx) KeyMove(key []byte, db int) (done bool, err error) {
	if !tx.HasDB(db) {
		return false, errs.DBIndex
	}
	if db == tx.db {
		return false, errs.SameObject
	}
	src := tx.write(key)
	if !src.exists() {
		return false, nil
	}
	here := tx.on(db)
	dst := tx.write(key)
	taken := dst.exists()
	tx.on(here)
	if taken {
		return false, nil
	}
	src = tx.write(key)
	tx.transfer(&src, db, key)
	tx.on(db)
	tx.also(ClassNew, "new", key)
	tx.on(here)
	if tx.wantsArgv() {
		tx.announce(ClassGeneric, "move_from", key, []byte("MOVE"), key, decimal(int64(db)))
	} else {
		tx.announce(ClassGeneric, "move_from", key)
	}
	tx.on(db)
	tx.also(ClassGeneric, "move_to", key)
	tx.on(here)
	return true, nil
}

// KeyCopy puts a copy of the value at from, with its deadline, under the name to
// in a db; not done when there is no such key, or when to exists and replace is
// false.
//
// It fails with errs.DBIndex, and with errs.SameObject when both are one key.
// Effect: "copy_to" in that db. O(1) for strings, O(n) for others.
func (tx *Tx) KeyCopy(from, to []byte, db int, replace bool) (done bool, err error) {
	if !tx.HasDB(db) {
		return false, errs.DBIndex
	}
	if db == tx.db && string(from) == string(to) {
		return false, errs.SameObject
	}
	if src := tx.read(from); !src.exists() {
		return false, nil
	}
	here := tx.on(db)
	defer tx.on(here)
	if dst := tx.write(to); dst.exists() {
		if !replace {
			return false, nil
		}
		tx.remove(&dst)
		tx.also(ClassOverwritten, "overwritten", to)
	}
	tx.on(here)
	src := tx.peek(from)
	tx.duplicate(&src, db, to)
	var argv [][]byte
	if tx.wantsArgv() {
		argv = [][]byte{[]byte("COPY"), from, to, []byte("DB"), decimal(int64(db)), []byte("REPLACE")}
	}
	tx.on(db)
	tx.also(ClassNew, "new", to)
	tx.announceFrom(here, ClassGeneric, "copy_to", to, argv...)
	return true, nil
}
