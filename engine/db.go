package engine

import (
	"hash/maphash"
	"unsafe"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/expireindex"
	"coatcheck/engine/internal/slab"
)

// db is one numbered keyspace. It owns all memory of its entries, so that it can
// be emptied by putting another in its place.
type db struct {
	slab slab.Slab
	dict *dict.Dict
	due  *expireindex.Index
	// fields has the first deadline of each hash whose fields have some.
	fields *expireindex.Index
	// objects are the values that are not packed.
	objects objects
	// changes counts inserts and deletes in dict: a place that was looked up
	// before the last one must be looked up again.
	changes uint64
	eng     *Engine
	warmth  byte // keeps the compiler from dropping the reads of warm
}

func newDB(e *Engine) *db {
	d := &db{eng: e}
	d.slab.Retire = e.reaper.unmap
	if e.poison {
		d.slab.Poison()
	}
	d.dict = dict.New(&d.slab)
	d.due = expireindex.New(&d.slab)
	d.fields = expireindex.New(&d.slab)
	return d
}

// used is the memory of the db, in bytes.
func (d *db) used() int64 {
	return int64(unsafe.Sizeof(*d)) + d.slab.Allocated() +
		d.dict.Bytes() - d.dict.SlabBytes() + d.due.Bytes() - d.due.SlabBytes() +
		d.fields.Bytes() - d.fields.SlabBytes() + d.objects.used()
}

func (d *db) entry(r slab.Ref) entry { return entry{d.slab.Ptr(r)} }

func (d *db) hash(key []byte) uint64 { return maphash.Bytes(d.eng.seed, key) }

// lookup finds key, expired or not.
func (d *db) lookup(key []byte) place {
	p := place{key: key, db: d, hash: d.hash(key)}
	d.seek(&p)
	return p
}

// seek sets where p's key is.
func (d *db) seek(p *place) {
	p.changes = d.changes
	at, s, ok := d.dict.Seek(p.hash)
	for ok {
		if e := d.entry(s.Ref()); string(e.key()) == string(p.key) {
			p.at, p.ref, p.ent = at, s.Ref(), e
			return
		}
		at, s, ok = d.dict.Following(at)
	}
	p.ref, p.ent = 0, entry{}
}

// placeOf is the place of an entry that is in the dict under slot s.
func (d *db) placeOf(s dict.Slot) place {
	e := d.entry(s.Ref())
	// where it is in the dict is found when it is needed
	return place{key: e.key(), db: d, ref: s.Ref(), ent: e, changes: ^uint64(0)}
}

// settle makes sure that p.at and p.hash are right before the dict changes.
func (d *db) settle(p *place) {
	if p.changes == ^uint64(0) {
		p.hash = d.hash(p.key)
	}
	if p.changes != d.changes {
		d.seek(p)
	}
}

// replace makes p show the entry in block r, which takes the place of what was
// there, and frees that.
func (d *db) replace(p *place, r slab.Ref) {
	old := p.ref
	p.ref, p.ent = r, d.entry(r)
	if old == 0 {
		d.dict.Insert(p.hash, r)
		d.changes++
		p.changes = d.changes - 1 // it is somewhere now: look again
		return
	}
	d.dict.SetRef(p.at, r)
	d.slab.Free(old)
}

// item is what the expire index has for the entry at p.
func (p *place) item(at uint64) expireindex.Item {
	return expireindex.Item{At: at, Hash: p.hash >> 16}
}

// index tells the expire index of a volatile entry.
func (d *db) index(p *place, at UnixMilli) {
	due := min(uint64(max(at, 0)), maxIndexed)
	p.ent.setIndexed(due)
	d.due.Insert(p.item(due))
	d.eng.expirer.hear(UnixMilli(due))
}

// unindex makes the expire index forget an entry.
func (d *db) unindex(p *place, due uint64) {
	if !d.due.Delete(p.item(due)) {
		panic("engine: a volatile key is not in the expire index")
	}
}

// close gives all memory back.
func (d *db) close() {
	d.slab.Close()
	d.dict, d.due, d.fields, d.objects = nil, nil, nil, objects{}
}
