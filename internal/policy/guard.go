package policy

import (
	"bytes"
	"math"

	"coatcheck/engine"
)

// Allow implements engine.Guard.
func (k *Keeper) Allow(tx *engine.Tx, c *engine.Change) bool {
	if !bytes.HasPrefix(c.Key, k.prefix) || k.idle {
		return true
	}
	if !c.Exists && k.tombs.has(c.DB, c.Key, tx.Now()) {
		k.counts.LateRefused++
		return false
	}
	var r *record
	if c.Exists && (k.opt.MaxLifetime > 0 || k.opt.Users != nil) {
		r = k.dbs[c.DB].find(c.Hash, c.Key)
	}
	k.same = nil
	if r != nil && r.user != nil && c.Value != nil && k.opt.Users.stays(r.at, c.Old, c.Value) {
		k.same = r
	}
	if k.opt.Refuse && k.same == nil && c.Type == engine.TString && c.From == nil && k.isOver(r, c.Value) {
		k.counts.OverRefused++
		return false
	}
	born := tx.Now()
	if r != nil {
		born = r.born
	}
	if c.From != nil {
		born = k.inherit(c, born)
	}
	if k.opt.MaxLifetime > 0 {
		c.At = capped(born, k.opt.MaxLifetime, c.At)
	}
	return true
}

// Warm implements engine.Warmer.
func (k *Keeper) Warm(db int, hashes []uint64) {
	if k.opt.MaxLifetime > 0 || k.opt.Users != nil {
		k.warmth = k.dbs[db].warm(hashes)
	}
}

// capped is a deadline that is no later than so many milliseconds after born.
func capped(born engine.UnixMilli, life int64, at engine.UnixMilli) engine.UnixMilli {
	if life > math.MaxInt64-int64(born) {
		return at
	}
	if last := born + engine.UnixMilli(life); at == engine.Never || at > last {
		return last
	}
	return at
}

// isOver says whether a value would give its user one session too many. r is the
// record of the key, nil for a new one.
func (k *Keeper) isOver(r *record, value []byte) bool {
	if k.opt.MaxPerUser <= 0 || k.opt.Users == nil {
		return false
	}
	name := k.opt.Users.Find(value)
	if len(name) == 0 {
		return false
	}
	u := k.index.names[string(name)]
	return u != nil && u.n >= k.opt.MaxPerUser && (r == nil || r.user != u)
}

// inherit has the key that a value goes to be as old as the session that it comes
// from, or as the one whose name it takes when that is older, and returns when that
// was created.
func (k *Keeper) inherit(c *engine.Change, born engine.UnixMilli) engine.UnixMilli {
	k.heir = heir{}
	if from := k.find(c.FromDB, c.From); from != nil {
		k.heir = heir{is: true, born: from.born, age: from.age}
	}
	if f := k.fallen; f != nil && f.db == c.DB && f.key == string(c.Key) && (!k.heir.is || f.born < k.heir.born) {
		k.heir.is, k.heir.born = true, f.born
	}
	k.fallen = nil
	if k.heir.is {
		k.heir.db, k.heir.key = c.DB, string(c.Key)
		return k.heir.born
	}
	return born
}
