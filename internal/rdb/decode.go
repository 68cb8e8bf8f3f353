package rdb

import (
	"math"
	"strconv"

	"coatcheck/engine"
)

// decoder reads values. Elements are copied out of the source, since they must
// stay until the value is whole.
type decoder struct {
	source
	arena []byte
}

// arenaChunk is how much is allocated for elements at a time.
const arenaChunk = 64 << 10

// keep copies b.
func (d *decoder) keep(b []byte) []byte {
	if cap(d.arena)-len(d.arena) < len(b) {
		if len(b) > arenaChunk/4 {
			return append([]byte(nil), b...)
		}
		d.arena = make([]byte, 0, arenaChunk)
	}
	at := len(d.arena)
	d.arena = append(d.arena, b...)
	return d.arena[at:len(d.arena):len(d.arena)]
}

// value reads a value of a kind. Strings' bytes are good until the next call.
func (d *decoder) value(kind byte) (v engine.Value) {
	switch kind {
	case kindString:
		v.Type = engine.TString
		v.Str = d.string()
	case kindList, kindListQuicklist, kindListQuicklist2, kindListZiplist:
		v.Type = engine.TList
		d.list(kind, &v)
	case kindSet, kindSetIntset, kindSetListpack:
		v.Type = engine.TSet
		d.set(kind, &v)
	case kindHash, kindHashZipmap, kindHashZiplist, kindHashListpack, kindHashFields, kindHashListpackEx:
		v.Type = engine.THash
		d.hash(kind, &v)
	case kindZSet, kindZSetText, kindZSetZiplist, kindZSetListpack:
		v.Type = engine.TZSet
		d.zset(kind, &v)
	case kindStream, kindStream2, kindStream3:
		v.Type = engine.TStream
		v.Stream = d.stream(kind)
	default:
		d.bad("value of unknown kind %d", kind)
	}
	return v
}

// strings appends n strings to v's elements.
func (d *decoder) strings(n uint64, v *engine.Value) {
	for ; n > 0 && d.err == nil; n-- {
		if b := d.string(); d.err == nil {
			v.Elems = append(v.Elems, d.keep(b))
		}
	}
}

// packed appends the elements of a string that is a packed collection.
func (d *decoder) packed(each func([]byte, func([]byte)) bool, v *engine.Value) {
	blob := d.string()
	if d.err == nil && !each(blob, func(b []byte) { v.Elems = append(v.Elems, d.keep(b)) }) {
		d.bad("corrupt packed value")
	}
}

func (d *decoder) list(kind byte, v *engine.Value) {
	if kind == kindListZiplist {
		d.packed(eachZiplist, v)
		return
	}
	n := d.length()
	if kind == kindList {
		d.strings(n, v)
		return
	}
	for ; n > 0 && d.err == nil; n-- {
		plain := false
		if kind == kindListQuicklist2 {
			container := d.length()
			plain = container == nodePlain
			if container != nodePlain && container != nodePacked {
				d.bad("list node of unknown kind %d", container)
			}
		}
		switch {
		case plain:
			d.strings(1, v)
		case kind == kindListQuicklist:
			d.packed(eachZiplist, v)
		default:
			d.packed(engine.EachPacked, v)
		}
	}
}

func (d *decoder) set(kind byte, v *engine.Value) {
	switch kind {
	case kindSet:
		d.strings(d.length(), v)
	case kindSetIntset:
		d.packed(eachIntset, v)
	default:
		d.packed(engine.EachPacked, v)
	}
}

func (d *decoder) hash(kind byte, v *engine.Value) {
	switch kind {
	case kindHash:
		if n := d.length(); n <= math.MaxInt64/2 {
			d.strings(2*n, v)
		} else {
			d.bad("%d fields", n)
		}
	case kindHashZipmap:
		d.packed(eachZipmap, v)
	case kindHashZiplist:
		d.packed(eachZiplist, v)
	case kindHashListpack:
		d.packed(engine.EachPacked, v)
	case kindHashFields:
		d.hashFields(v)
	case kindHashListpackEx:
		d.uint64() // the first deadline, which follows from the rest
		d.packed(engine.EachPacked, v)
		d.splitTriples(v)
	}
	if len(v.Elems)%2 != 0 {
		d.bad("a field without a value")
	}
}

// hashFields reads a hash with deadlines: each is told by how much it is later
// than the first one, and one more; 0 for none.
func (d *decoder) hashFields(v *engine.Value) {
	first := d.uint64()
	for n := d.length(); n > 0 && d.err == nil; n-- {
		at := engine.Never
		if later := d.length(); later > 0 {
			if first > math.MaxInt64 || later > math.MaxInt64-first {
				d.bad("deadline of a field")
			}
			at = engine.UnixMilli(first + later - 1)
		}
		d.strings(2, v)
		v.FieldAts = append(v.FieldAts, at)
	}
}

// splitTriples takes the deadlines out of elements that are field, value,
// deadline.
func (d *decoder) splitTriples(v *engine.Value) {
	if len(v.Elems)%3 != 0 {
		d.bad("a field without a value or deadline")
		return
	}
	all := v.Elems
	v.Elems = v.Elems[:0]
	for i := 0; i+2 < len(all); i += 3 {
		at, ok := engine.ParseInt(all[i+2])
		if !ok || at < 0 {
			d.bad("deadline of a field")
		}
		if at == 0 {
			at = int64(engine.Never)
		}
		v.Elems = append(v.Elems, all[i], all[i+1])
		v.FieldAts = append(v.FieldAts, engine.UnixMilli(at))
	}
}

func (d *decoder) zset(kind byte, v *engine.Value) {
	switch kind {
	case kindZSetZiplist, kindZSetListpack:
		each := engine.EachPacked
		if kind == kindZSetZiplist {
			each = eachZiplist
		}
		d.packed(each, v)
		d.splitScores(v)
		return
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		d.strings(1, v)
		if kind == kindZSetText {
			v.Scores = append(v.Scores, d.textDouble())
		} else {
			v.Scores = append(v.Scores, d.double())
		}
	}
}

// splitScores takes the scores out of elements that are member and score.
func (d *decoder) splitScores(v *engine.Value) {
	if len(v.Elems)%2 != 0 {
		d.bad("a member without a score")
		return
	}
	all := v.Elems
	v.Elems = v.Elems[:0]
	for i := 0; i+1 < len(all); i += 2 {
		score, err := strconv.ParseFloat(string(all[i+1]), 64)
		if err != nil {
			d.bad("score")
		}
		v.Elems = append(v.Elems, all[i])
		v.Scores = append(v.Scores, score)
	}
}
