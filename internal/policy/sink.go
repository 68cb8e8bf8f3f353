package policy

import (
	"strconv"

	"coatcheck/engine"
)

// Wants implements engine.Sink.
func (k *Keeper) Wants() engine.Wants {
	return engine.Wants{Prefix: k.prefix, Events: engine.ClassGeneric | engine.ClassString | engine.ClassList | engine.ClassSet |
		engine.ClassHash | engine.ClassZSet | engine.ClassStream | engine.ClassExpired | engine.ClassEvicted |
		engine.ClassNew | engine.ClassOverwritten}
}

// Effect implements engine.Sink.
func (k *Keeper) Effect(tx *engine.Tx, e *engine.Effect) {
	if e.Key == nil {
		k.space(tx, e)
		return
	}
	if k.idle {
		return
	}
	switch e.Event {
	case "set":
		if r := k.same; r != nil && r.db == e.DB && r.key == string(e.Key) {
			k.same = nil
			return
		}
		k.changed(tx, e)
	case "expire", "persist":
	case "new":
		k.begin(tx, e)
	case "del":
		k.end(tx, e, Deleted)
	case "expired":
		k.end(tx, e, Expired)
	case "evicted":
		k.end(tx, e, Evicted)
	case "rename_from":
		k.end(tx, e, Renamed)
	case "move_from":
		k.end(tx, e, Moved)
	case "overwritten":
		k.end(tx, e, Overwritten)
	default:
		k.changed(tx, e)
	}
}

// begin is about a key that has come into being. Its value may come with the next
// effect.
func (k *Keeper) begin(tx *engine.Tx, e *engine.Effect) {
	k.counts.Ended[Created]++
	r := k.add(e.DB, string(e.Key), tx.Now())
	if k.heir.is && k.heir.db == e.DB && k.heir.key == r.key {
		r.born = k.heir.born
	} else {
		k.heir.age = 0
	}
	k.heir.is = false
	if k.log.size > 0 {
		k.log.add(Event{At: tx.Now(), Reason: Created, DB: e.DB, Key: r.key, By: k.by()})
	}
	k.account(tx)
}

// add makes the record of a session.
func (k *Keeper) add(db int, key string, born engine.UnixMilli) *record {
	name := []byte(key)
	hash := k.hash(name)
	t := k.dbs[db]
	if old := t.find(hash, name); old != nil { // it was overlooked that it went
		k.drop(old)
		t = k.dbs[db]
	}
	if t == nil {
		t = &table{}
		k.dbs[db] = t
		k.index.bytes += tableSize
	}
	k.age++
	r := &record{key: key, db: db, age: k.age, born: born}
	k.counts.Active++
	k.index.bytes += perRecord + int64(len(key)) + t.insert(hash, r)
	return r
}

// drop forgets a session.
func (k *Keeper) drop(r *record) {
	k.index.assign(r, nil)
	t := k.dbs[r.db]
	if t.remove(k.hash([]byte(r.key)), r); t.n == 0 {
		k.index.bytes -= t.bytes()
		k.dbs[r.db] = nil
	}
	k.counts.Active--
	k.index.bytes -= perRecord + int64(len(r.key))
}

// changed looks who the user of a session is by now.
func (k *Keeper) changed(tx *engine.Tx, e *engine.Effect) {
	if k.opt.Users == nil {
		return
	}
	r := k.find(e.DB, e.Key)
	if r == nil {
		return
	}
	if k.heir.age != 0 && (e.Event == "rename_to" || e.Event == "move_to") { // it takes the place that it had
		r.age, k.heir.age = k.heir.age, 0
	}
	if e.DB != tx.DB() {
		tx.InDB(e.DB, func() { k.look(tx, r, e.Key) })
	} else {
		k.look(tx, r, e.Key)
	}
}

// look reads the user out of a session.
func (k *Keeper) look(tx *engine.Tx, r *record, key []byte) {
	v, ok := tx.Glance(key)
	if !ok { // it has expired, and will be told so
		return
	}
	name, at := k.userOf(tx, &v)
	r.at = at
	if r.user != nil && r.user.name == string(name) || r.user == nil && len(name) == 0 {
		return
	}
	k.index.assign(r, name)
	if u := r.user; u != nil && !k.follow && k.opt.MaxPerUser > 0 && u.n > k.opt.MaxPerUser {
		k.over = append(k.over, u)
	}
	k.account(tx)
}

// userOf is the name of the user whose session an entry is, and where it stands; none
// for an entry that names nobody.
func (k *Keeper) userOf(tx *engine.Tx, v *engine.View) ([]byte, spot) {
	switch v.Type() {
	case engine.TString:
		return k.opt.Users.locate(v.Packed())
	case engine.THash:
		for i := range k.opt.Users.paths {
			if val, ok := tx.HashField(v, k.opt.Users.paths[i].whole); ok && len(val) > 0 && len(val) <= maxUser {
				return val, spot{}
			}
		}
	}
	return nil, spot{}
}

// end is about a session that is gone.
func (k *Keeper) end(tx *engine.Tx, e *engine.Effect, why Reason) {
	r := k.find(e.DB, e.Key)
	if r == nil {
		return
	}
	if why == Deleted && k.busy {
		why = k.why
	}
	k.counts.Ended[why]++
	if k.log.size > 0 {
		ev := Event{At: tx.Now(), Reason: why, DB: e.DB, Key: r.key, Born: r.born}
		if r.user != nil {
			ev.User = r.user.name
		}
		if why != Expired && why != Evicted && why != Limit {
			ev.By = k.by()
		}
		k.log.add(ev)
	}
	k.drop(r)
	if why == Overwritten {
		k.fallen = r
	}
	if k.buries(why) {
		k.tombs.add(r.db, r.key, tx.Now()+engine.UnixMilli(k.opt.TombstoneTTL), tx.Now())
	}
	k.account(tx)
}

// buries says whether the id of a session that ended so is not to be written again.
func (k *Keeper) buries(why Reason) bool {
	switch {
	case k.opt.TombstoneTTL <= 0:
		return false
	case why == Expired:
		return k.opt.TombstoneExpired
	case why == Evicted:
		return k.opt.TombstoneEvicted
	}
	return why != Moved && why != Overwritten // there is a session of that name
}

// space is a change of a whole db or of all.
func (k *Keeper) space(tx *engine.Tx, e *engine.Effect) {
	switch {
	case len(e.Argv) == 0 || e.Class == engine.ClassRepeat:
	case string(e.Argv[0]) == "SWAPDB":
		a, err1 := strconv.Atoi(string(e.Argv[1]))
		b, err2 := strconv.Atoi(string(e.Argv[2]))
		if err1 == nil && err2 == nil && a != b {
			k.swap(a, b)
		}
	default:
		for db := range k.dbs {
			if e.DB < 0 || e.DB == db {
				k.flushed(tx, db)
			}
		}
		k.account(tx)
	}
}

func (k *Keeper) swap(a, b int) {
	k.dbs[a], k.dbs[b] = k.dbs[b], k.dbs[a]
	for _, db := range []int{a, b} {
		k.dbs[db].each(func(r *record) { r.db = db })
	}
}

// flushed ends all sessions of a db, with one event.
func (k *Keeper) flushed(tx *engine.Tx, db int) {
	n := k.dbs[db].count()
	if n == 0 {
		return
	}
	k.counts.Ended[Flushed] += int64(n)
	k.dbs[db].each(func(r *record) {
		k.index.assign(r, nil)
		k.index.bytes -= perRecord + int64(len(r.key))
		if k.buries(Flushed) {
			k.tombs.add(db, r.key, tx.Now()+engine.UnixMilli(k.opt.TombstoneTTL), tx.Now())
		}
	})
	k.index.bytes -= k.dbs[db].bytes()
	k.counts.Active -= n
	k.dbs[db] = nil
	if k.log.size > 0 {
		k.log.add(Event{At: tx.Now(), Reason: Flushed, DB: db, By: k.by()})
	}
}

// EndUnit implements engine.UnitSink: where a user has too many sessions now, the
// oldest of them end, or the youngest where further ones are refused.
func (k *Keeper) EndUnit(tx *engine.Tx) {
	for len(k.over) > 0 {
		u := k.over[len(k.over)-1]
		k.over = k.over[:len(k.over)-1]
		for k.opt.MaxPerUser > 0 && u.n > k.opt.MaxPerUser {
			r := u.head
			if k.opt.Refuse {
				r = u.tail
			}
			if !k.End(tx, r.db, r.key, Limit) {
				k.drop(r) // it has expired already
			}
		}
	}
	k.account(tx)
}

// End deletes a session, for a reason, and says whether there was one.
func (k *Keeper) End(tx *engine.Tx, db int, key string, why Reason) bool {
	n := 0
	k.busy, k.why = true, why
	tx.InDB(db, func() { n = tx.Delete("DEL", []byte(key)) })
	k.busy = false
	return n > 0
}
