package engine

import "strings"

// Walks over a db's keys.

// ScanOptions narrow a walk. The zero value takes every key.
type ScanOptions struct {
	Match []byte // a glob pattern; nil for all
	// Type is the name of a type, in any case; "" for all. A name that is no
	// type takes none.
	Type string
	// Count is how many keys to look at in this step, about; 0 means 10.
	Count int
}

// KeyScan calls found for keys from cursor on, which is 0 or what the step
// before returned, until about Count keys were looked at. It returns where to
// go on, 0 when all are done. Every key that exists during a whole walk is found
// at least once. found gets bytes of the store; it must not use tx.
//
// Effects: "expired" for those it comes upon that match. O(Count).
func (tx *Tx) KeyScan(cursor uint64, opt ScanOptions, found func(key []byte)) (next uint64) {
	n := opt.Count
	if n <= 0 {
		n = 10
	}
	all := len(opt.Match) == 0 && opt.Match == nil || string(opt.Match) == "*"
	var expired [][]byte
	next = tx.scan(cursor, n, func(p *place) {
		switch {
		case !all && !Match(opt.Match, p.key):
		case tx.isExpired(p):
			expired = append(expired, append([]byte(nil), p.key...))
		case opt.Type == "" || strings.EqualFold(p.typ().String(), opt.Type):
			found(p.key)
		}
	})
	for _, key := range expired {
		tx.peek(key)
	}
	return next
}

// Len is the number of keys in the db; one whose deadline has just come may be
// among them. O(1).
func (tx *Tx) Len() int { return tx.count() }

// Has says whether key exists, without counting as a look-up. O(1).
func (tx *Tx) Has(key []byte) bool {
	p := tx.peek(key)
	return p.exists()
}

// Holds says whether key holds a value of a type, without counting as use of it.
func (tx *Tx) Holds(key []byte, typ Type) bool {
	p := tx.peek(key)
	return p.typ() == typ
}

// FlushDB removes all keys of the db. Effect: one without a key. The memory is
// given back later, off the lock.
func (tx *Tx) FlushDB() {
	tx.announceSpace(tx.db, tx.flush(tx.db), []byte("FLUSHDB"))
}

// FlushAll removes all keys of all dbs. Effect: one without a key. The memory is
// given back later, off the lock.
func (tx *Tx) FlushAll() {
	n := 0
	for db := range tx.databases() {
		n += tx.flush(db)
	}
	tx.announceSpace(-1, n, []byte("FLUSHALL"))
}
