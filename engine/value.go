package engine

import (
	"coatcheck/engine/errs"
	"coatcheck/engine/internal/listpack"
)

// Value is a whole value by itself, as it comes from a file.
type Value struct {
	Type Type
	Str  []byte // a string
	// Elems are a list's elements in order, a set's or a sorted set's members
	// in any order, or a hash's fields, each followed by its value.
	Elems [][]byte
	// Scores are those of a sorted set's members.
	Scores []float64
	// FieldAts are the deadlines of a hash's fields, Never for none; nil when no
	// field has one.
	FieldAts []UnixMilli
	Stream   *StreamValue
}

// RestoreOptions are the choices of ValueRestore.
type RestoreOptions struct {
	At      UnixMilli // the deadline; 0 or Never for none
	Replace bool      // replace what the key holds
	// Idle (seconds) and Freq are what eviction is to know, where the policy
	// keeps such; negative: as for a new key.
	Idle, Freq int64
	// Argv is the command that repeats it, told to sinks.
	Argv [][]byte
}

// ErrValue says that a Value is none: it has an element twice, a score that is no
// number, or nothing in it.
var ErrValue = &errs.Error{Code: "ERR", Text: "Bad data format"}

// EachPacked calls fn for every element of a listpack that came from outside,
// whose bytes are checked first; not ok when they are no listpack. fn's bytes are
// good until it returns.
func EachPacked(lp []byte, fn func(elem []byte)) (ok bool) {
	if _, err := listpack.Validate(lp); err != nil {
		return false
	}
	var buf [20]byte
	for at := listpack.First(lp); at < listpack.End(lp); at = listpack.Next(lp, at) {
		fn(listpack.Get(lp, at).Bytes(&buf))
	}
	return true
}

// ValueRestore makes key hold the value.
//
// It fails with errs.BusyKey when there is one and it is not to be replaced, and
// with ErrValue. A deadline that has passed leaves no key. Effects: "restore"; "del"
// when a passed deadline leaves none of the old value (Redis cluster.c,
// restoreCommand). O(n).
func (tx *Tx) ValueRestore(key []byte, v *Value, opt RestoreOptions) error {
	p := tx.write(key)
	if p.exists() && !opt.Replace {
		return errs.BusyKey
	}
	at := opt.At
	if at == 0 {
		at = Never
	}
	if at != Never && at <= tx.past {
		if p.exists() {
			tx.drop(&p, "DEL")
		}
		return nil
	}
	isNew := !p.exists()
	if err := tx.putValue(&p, v, at); err != nil {
		return err
	}
	tx.remember(&p, opt)
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	tx.announce(ClassGeneric, "restore", key, opt.Argv...)
	return nil
}

// ValueLoad puts a value from a file under key in a db, announcing nothing: for
// an engine that is being filled. It fails with ErrValue.
func (tx *Tx) ValueLoad(db int, key []byte, v *Value, opt RestoreOptions) error {
	here := tx.on(db)
	defer tx.on(here)
	p := tx.write(key)
	at := opt.At
	if at == 0 {
		at = Never
	}
	if err := tx.putValue(&p, v, at); err != nil {
		return err
	}
	tx.remember(&p, opt)
	return nil
}

// putValue puts a value at p.
func (tx *Tx) putValue(p *place, v *Value, at UnixMilli) error {
	switch v.Type {
	case TString:
		tx.put(p, TString, stringEncoding(v.Str), v.Str, at)
	case TList:
		return tx.listValue(p, v, at)
	case TSet:
		return tx.setValue(p, v, at)
	case TZSet:
		return tx.zsetValue(p, v, at)
	case TStream:
		return tx.streamValue(p, v.Stream, at)
	case THash:
		return tx.putHash(p, v, at)
	default:
		return ErrValue
	}
	return nil
}

// remember gives the entry at p what eviction knew of it elsewhere.
func (tx *Tx) remember(p *place, opt RestoreOptions) {
	switch {
	case tx.eng.lfu && opt.Freq >= 0:
		p.ent.setLRU(minutes(tx.UsedNow())<<8 | uint32(min(opt.Freq, 255)))
	case !tx.eng.lfu && opt.Idle >= 0:
		p.ent.setLRU(seconds(tx.UsedNow() - UnixMilli(min(opt.Idle, lruMask)*1000)))
	}
}

// HasFieldDeadlines says whether a hash has a field with a deadline.
func (h Held) HasFieldDeadlines() bool {
	for _, d := range h.eng.dbs {
		if d.fields.Len() > 0 {
			return true
		}
	}
	return false
}
