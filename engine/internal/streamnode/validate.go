package streamnode

import (
	"errors"

	"coatcheck/engine/internal/listpack"
)

// ErrCorrupt is what Validate says of bytes that are no node.
var ErrCorrupt = errors.New("streamnode: corrupt")

// Validate checks bytes from outside to the last, and returns how many entries are
// there. A node has at least one, be it deleted.
func Validate(lp []byte) (live int64, err error) {
	if _, err := listpack.Validate(lp); err != nil {
		return 0, err
	}
	r := reader{lp: lp, at: listpack.First(lp)}
	live, deleted, fields := r.int(), r.int(), r.int()
	r.skip(fields)
	r.check(r.int() == 0 && live >= 0 && deleted >= 0)
	var dead int64
	entries := int64(0)
	for ; !r.bad && r.at < listpack.End(lp); entries++ {
		if r.entry(fields)&flagDeleted != 0 {
			dead++
		}
	}
	r.check(entries > 0 && dead == deleted && entries == live+deleted)
	if r.bad {
		return 0, ErrCorrupt
	}
	return live, nil
}

// reader reads elements of a right listpack and notes when there is another than
// was to be there.
type reader struct {
	lp  []byte
	at  int
	bad bool
}

func (r *reader) check(holds bool) { r.bad = r.bad || !holds }

// int is the next element, an integer.
func (r *reader) int() int64 {
	if r.bad || r.at >= listpack.End(r.lp) {
		r.bad = true
		return 0
	}
	n, ok := listpack.Get(r.lp, r.at).Int()
	r.check(ok)
	r.at = listpack.Next(r.lp, r.at)
	return n
}

// skip passes over n elements.
func (r *reader) skip(n int64) {
	r.check(n >= 0)
	for ; n > 0 && !r.bad; n-- {
		if r.at >= listpack.End(r.lp) {
			r.bad = true
			return
		}
		r.at = listpack.Next(r.lp, r.at)
	}
}

// entry reads an entry and returns its flags.
func (r *reader) entry(fields int64) (flags int64) {
	flags = r.int()
	r.check(flags >= 0 && flags <= flagDeleted|flagSameFields)
	r.int()
	r.int()
	elems := fields + 3
	if flags&flagSameFields == 0 {
		fields = r.int()
		r.check(fields >= 0 && fields <= int64(len(r.lp)))
		elems = 2*fields + 4
		r.skip(fields)
	}
	r.skip(fields)
	r.check(r.int() == elems)
	return flags
}
