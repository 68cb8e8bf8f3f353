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
