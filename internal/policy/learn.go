package policy

import (
	"bytes"
	"slices"

	"coatcheck/engine"
)

// learn makes all records anew by a walk over all keys. Sessions whose creation nobody
// knows count as created now. O(keys).
func (k *Keeper) learn(h engine.Held, now engine.UnixMilli) {
	before := k.dbs
	k.dbs = make([]*table, len(before))
	k.forget()
	k.idle = true
	defer func() { k.idle = false }()
	for _, d := range h.DBs() {
		tx := h.BeginAt(d.DB, now)
		var found []*record
		var keys [][]byte
		opt := engine.ScanOptions{Count: 1000}
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			cursor = tx.KeyScan(cursor, opt, func(key []byte) {
				if bytes.HasPrefix(key, k.prefix) {
					keys = append(keys, bytes.Clone(key))
				}
			})
			for _, key := range keys {
				found = append(found, k.recall(before[d.DB].find(k.hash(key), key), d.DB, string(key), now))
			}
			keys = keys[:0]
		}
		// In the order of creation, as lists by user are made from their ends.
		slices.SortStableFunc(found, func(a, b *record) int {
			switch {
			case a.born != b.born:
				return int(min(max(a.born-b.born, -1), 1))
			case a.age < b.age:
				return -1
			}
			return 1
		})
		for _, r := range found {
			k.age++
			r.age = k.age
			if k.opt.Users != nil {
				k.look(tx, r, []byte(r.key))
			}
		}
		tx.End()
	}
}

// recall is the record of a session that is there, with what was known of it.
func (k *Keeper) recall(old *record, db int, key string, now engine.UnixMilli) *record {
	born, ok := k.loads[loadedKey{db, key}]
	if !ok {
		born = now
	}
	r := k.add(db, key, born)
	if old != nil {
		r.born, r.age = old.born, old.age
	}
	return r
}

// enforce applies the policies to what is there: deadlines, and sessions per user.
func (k *Keeper) enforce(h engine.Held, now engine.UnixMilli) {
	if k.follow {
		return
	}
	for db, m := range k.dbs {
		var late []*record
		tx := h.BeginAt(db, now)
		m.each(func(r *record) {
			if k.opt.MaxLifetime <= 0 {
				return
			}
			v, ok := tx.Glance([]byte(r.key))
			if ok && capped(r.born, k.opt.MaxLifetime, v.ExpireAt()) != v.ExpireAt() {
				late = append(late, r)
			}
		})
		for _, r := range late {
			tx.KeyExpire([]byte(r.key), capped(r.born, k.opt.MaxLifetime, engine.Never), 0)
		}
		tx.End()
	}
	tx := h.BeginAt(0, now)
	k.EndUnit(tx)
	tx.End()
}
