package engine

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/expireindex"
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// Fields that come due. The db has an index of its own, fields, with one item for
// each hash that has fields with deadlines: the first of them. It is always exact,
// so what an item says can be read off the hash. Fields whose deadlines have come
// are removed when their hash is looked up, and by the timer (expirer.go).

const maxInt = math.MaxInt

// hasFieldsDue says whether e is a hash that may have fields with deadlines.
func (e entry) hasFieldsDue() bool {
	kind := e.header()[0]
	return kind == byte(THash)|byte(EncListpackEx)<<4 || kind == byte(THash)|byte(EncHashtableEx)<<4
}

// fieldsDue is the first deadline of a field of the hash at p; Never without one,
// and for all that is no hash.
func (p *place) fieldsDue() UnixMilli {
	switch {
	case p.ref == 0 || !p.ent.hasFieldsDue():
		return Never
	case p.enc() == EncListpackEx:
		return packedDue(p.bytes())
	}
	return p.object().(*hash).firstDue()
}

// fieldsMoved puts the index of hashes right after a change of the entry at p,
// before which its fieldsDue was before.
func (d *db) fieldsMoved(p *place, before UnixMilli) {
	after := p.fieldsDue()
	if after == before {
		return
	}
	d.settle(p)
	if before != Never {
		d.fieldsForget(p, before)
	}
	if after != Never {
		d.slab.Ready()
		d.fields.Insert(p.item(uint64(after)))
		d.eng.expirer.hear(after)
	}
}

func (d *db) fieldsForget(p *place, due UnixMilli) {
	if !d.fields.Delete(p.item(uint64(due))) {
		panic("engine: a hash with fields' deadlines is not in their index")
	}
}

// forgetFields takes the entry at p, which is about to go, out of the index of
// hashes. It has no fields with deadlines any more.
func (d *db) forgetFields(p *place) {
	if !p.ent.hasFieldsDue() {
		return
	}
	if due := p.fieldsDue(); due != Never {
		d.fieldsForget(p, due)
	}
	if p.enc() == EncListpackEx {
		p.ent.setKind(THash, EncListpack)
	} else {
		p.ent.setKind(THash, EncHashtable)
	}
}

// isHollow says whether all fields of the hash at p have expired by now; not if
// there is something else.
func (p *place) isHollow(now UnixMilli) bool {
	due := p.fieldsDue()
	return due != Never && due <= now && p.fields(now) == 0
}

// findFieldsDue is the part of find for a hash whose fields may have expired.
func (tx *Tx) findFieldsDue(p *place, mayRemove bool) {
	switch due := p.fieldsDue(); {
	case due == Never || due > tx.past:
	case mayRemove:
		tx.expireFields(p, maxInt)
	case p.isHollow(tx.past):
		p.ref, p.ent = 0, entry{}
	}
}

// fieldsSlice is how many fields one effect tells of.
const fieldsSlice = 200

// expireFields removes fields of the hash at p whose deadlines have come, at most
// limit, and the key with the last one, with their effects. It returns how many
// they were.
func (tx *Tx) expireFields(p *place, limit int) (n int) {
	p.db.settle(p)
	p.db.dict.Touch(p.at)
	for n < limit {
		due := p.fieldsDue()
		if due == Never || due > tx.past {
			break
		}
		gone, names := tx.removeDue(p, min(limit-n, fieldsSlice))
		n += gone
		tx.eng.stats.ExpiredFields += int64(gone)
		tx.eng.stats.Lateness.Add(time.Duration(tx.now-due) * time.Millisecond)
		tx.hashShrunk(p, due)
		tx.announceLossOf(p.key, names)
		tx.hashGone(p)
	}
	return n
}

// removeDue takes out the first at most limit fields whose deadlines have come.
// Of these it returns the names, if a sink wants the command.
func (tx *Tx) removeDue(p *place, limit int) (n int, names [][]byte) {
	tell := tx.wantsArgv()
	if o := p.object(); o != nil {
		return o.(*hash).removeDue(p.db, tx.past, limit, tell)
	}
	lp := p.bytes()
	at := listpack.First(lp)
	for ; at < listpack.End(lp) && n < limit; n++ {
		end, due := tupleEnd(lp, listpack.Next(lp, at), 3)
		if due == Never || due > tx.past {
			break
		}
		if tell {
			names = append(names, listpack.Get(lp, at).Append(nil))
		}
		at = end
	}
	tx.packedReplace(p, listpack.First(lp), at, 3*n)
	return n, names
}

// removeDue is Tx.removeDue of a large hash.
func (h *hash) removeDue(d *db, now UnixMilli, limit int, tell bool) (n int, names [][]byte) {
	items := h.due.PopDue(uint64(now), make([]expireindex.Item, 0, limit))
	for _, item := range items {
		f, ok := h.owner(d, item)
		if !ok {
			panic("engine: a hash's index knows a field that does not exist")
		}
		if tell {
			names = append(names, bytes.Clone(elemName(d, f.ref)))
		}
		h.remove(d, f.slot, f.ref)
	}
	return len(items), names
}

// announceLossOf tells the sinks of fields that have expired, which does not
// count as a change.
func (tx *Tx) announceLossOf(key []byte, fields [][]byte) {
	f := Effect{DB: tx.db, Class: ClassHash, Event: "hexpired", Key: key, ArgvDB: tx.db}
	switch {
	case tx.wantsArgv():
		f.Argv = append([][]byte{[]byte("HDEL"), bytes.Clone(key)}, fields...)
		tx.tell(f)
	case tx.hears(f.Class, key):
		tx.tell(f)
	}
}

// fieldsComeDue removes at most limit fields of d's hashes that are due, as long
// as the slice that began at start may take, and returns how many they were.
func (tx *Tx) fieldsComeDue(d *db, limit int, start time.Time) (n int) {
	for n < limit {
		first, ok := d.fields.First()
		if !ok || UnixMilli(first.At) > tx.past {
			return n
		}
		p, ok := d.fieldsOwner(first)
		if !ok {
			panic("engine: the index of hashes knows a key that does not exist")
		}
		n += tx.expireFields(&p, min(limit-n, expireGlance))
		if tx.eng.clock.Now().Sub(start) >= expireTime {
			return limit
		}
	}
	return n
}

// fieldsOwner is the place of the hash that an item of d.fields is about.
func (d *db) fieldsOwner(item expireindex.Item) (p place, ok bool) {
	at, s, ok := d.dict.Seek(item.Hash << 16)
	for ; ok; at, s, ok = d.dict.Following(at) {
		e := d.entry(s.Ref())
		p = place{key: e.key(), db: d, ref: s.Ref(), ent: e, at: at, changes: d.changes}
		if !e.hasFieldsDue() || p.fieldsDue() != UnixMilli(item.At) {
			continue
		}
		if p.hash = d.hash(p.key); p.hash>>16 == item.Hash {
			return p, true
		}
	}
	return place{}, false
}

// checkFields matches the index of hashes with those that belong in it.
func (d *db) checkFields() error {
	if err := d.fields.Check(); err != nil {
		return fmt.Errorf("index of hashes: %w", err)
	}
	want := map[slab.Ref]bool{}
	for pos := uint32(0); pos < dict.End; {
		slots, next := d.dict.From(pos)
		for _, s := range slots {
			p := d.placeOf(s)
			if p.fieldsDue() != Never {
				want[s.Ref()] = true
			}
			if err := p.checkHash(); err != nil {
				return fmt.Errorf("key %q: %w", p.key, err)
			}
		}
		pos = next
	}
	for item := range d.fields.All {
		p, ok := d.fieldsOwner(item)
		if !ok || !want[p.ref] {
			return fmt.Errorf("index of hashes has %+v of no hash", item)
		}
		delete(want, p.ref)
	}
	if len(want) > 0 {
		return fmt.Errorf("%d hashes are not in their index", len(want))
	}
	return nil
}

// checkHash looks at the packed hash or the encoding of a large one at p.
func (p *place) checkHash() error {
	if p.typ() != THash {
		return nil
	}
	if o := p.object(); o != nil {
		if (o.(*hash).due != nil) != (p.enc() == EncHashtableEx) {
			return fmt.Errorf("encoding %s does not tell of deadlines", p.enc())
		}
		return nil
	}
	lp, stride := p.bytes(), hashStride(p.enc())
	n, err := listpack.Validate(lp)
	if err != nil || n == 0 || n%stride != 0 {
		return fmt.Errorf("%d elements in a packed hash: %w", n, err)
	}
	names, last := map[string]bool{}, UnixMilli(0)
	for at := listpack.First(lp); at < listpack.End(lp); {
		names[string(listpack.Get(lp, at).Append(nil))] = true
		end, due := tupleEnd(lp, listpack.Next(lp, at), stride)
		if due == Never {
			due = maxInt
		}
		if due < last {
			return fmt.Errorf("packed fields are not sorted by deadline")
		}
		at, last = end, due
	}
	if len(names) != n/stride {
		return fmt.Errorf("a field is there twice")
	}
	return nil
}
