package engine

import (
	"cmp"
	"slices"
)

// Sets out of others: unions, intersections and differences.

// SetInputs are the sets at several keys. They, and the bytes of what is made of them,
// are good until the unit's next write.
type SetInputs struct{ all []setInput }

type setInput struct {
	p    place
	size int
}

// SetInputs looks up the sets at keys, of which there is at least one. A missing key is
// an empty one.
//
// It fails with errs.WrongType when a key holds another type.
func (tx *Tx) SetInputs(keys [][]byte) (*SetInputs, error) {
	in := &SetInputs{all: make([]setInput, len(keys))}
	for i, key := range keys {
		s := &in.all[i]
		s.p = tx.read(key)
		ok, err := setAt(&s.p)
		if err != nil {
			return nil, err
		}
		if ok {
			s.size = setLen(&s.p)
		}
	}
	return in, nil
}

// each calls visit with every member, whose bytes stay good, until it returns false.
func (s *setInput) each(visit func(member []byte) bool) {
	if s.size > 0 {
		setEach(&s.p, func(member []byte) bool { return visit(s.p.keep(member)) })
	}
}

func (s *setInput) has(member []byte) bool { return s.size > 0 && setHas(&s.p, member) }

// Inter is what is in all inputs. O(n·inputs), n of the smallest.
func (in *SetInputs) Inter() (members [][]byte) {
	in.inter(func(member []byte) bool {
		members = append(members, member)
		return true
	})
	return members
}

// InterLen is the number of members in all inputs, at most limit where that is above 0.
func (in *SetInputs) InterLen(limit int64) (n int64) {
	in.inter(func([]byte) bool {
		n++
		return n != limit
	})
	return n
}

func (in *SetInputs) inter(visit func(member []byte) bool) {
	slices.SortStableFunc(in.all, func(a, b setInput) int { return cmp.Compare(a.size, b.size) })
	in.all[0].each(func(member []byte) bool {
		for i := range in.all[1:] {
			if !in.all[1+i].has(member) {
				return true
			}
		}
		return visit(member)
	})
}

// Union is what is in any input. O(n).
func (in *SetInputs) Union() (members [][]byte) {
	seen := map[string]struct{}{}
	for i := range in.all {
		in.all[i].each(func(member []byte) bool {
			if _, again := seen[textOf(member)]; !again {
				seen[textOf(member)] = struct{}{}
				members = append(members, member)
			}
			return true
		})
	}
	return members
}

// Diff is what is in the first input and in no other. O(n·inputs), n of the first, or
// the sum of all, whichever is less.
func (in *SetInputs) Diff() (members [][]byte) {
	first, others, total := &in.all[0], in.all[1:], 0
	for i := range others {
		total += others[i].size
	}
	var gone map[string]struct{}
	few := total < first.size*len(others)/2
	if few {
		gone = make(map[string]struct{}, total)
		for i := range others {
			others[i].each(func(member []byte) bool {
				gone[textOf(member)] = struct{}{}
				return true
			})
		}
	}
	first.each(func(member []byte) bool {
		_, taken := gone[textOf(member)]
		for i := 0; !few && !taken && i < len(others); i++ {
			taken = others[i].has(member)
		}
		if !taken {
			members = append(members, member)
		}
		return true
	})
	return members
}

// SetStore makes key hold a set of members, which are all different and may be the
// store's bytes, whatever it held, without a deadline, or no value at all when there are
// none. It keeps copies. argv is the command that repeats it, for sinks.
//
// Effect: event; "del" when there are no members but was a value (Redis t_set.c,
// sinterGenericCommand). O(members).
func (tx *Tx) SetStore(key []byte, members [][]byte, event string, argv ...[]byte) {
	p := tx.write(key)
	if len(members) == 0 {
		if p.exists() {
			tx.remove(&p)
			tx.announce(ClassGeneric, "del", key, argv...)
		}
		return
	}
	isNew := !p.exists()
	tx.setOf(&p, members, Never)
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	tx.announce(ClassSet, event, key, argv...)
}
