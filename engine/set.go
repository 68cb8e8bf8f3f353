package engine

import (
	"bytes"
	"slices"
	"strconv"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// Sets: members, each once. One of integers is an intset (intset.go), another small one
// a listpack, a large one an object.

// set is a large set: elements without anything behind their names.
type set struct{ elems }

// elements is as object has it.
func (s *set) elements() int { return s.len() }

// clone is as object has it.
func (s *set) clone(from, to *db) object { return &set{s.elems.clone(from, to, nil)} }

// setMember is where a member is, good until the next write.
type setMember struct {
	at   int // the integer of an intset, the offset in a listpack
	slot dict.Place
	ref  slab.Ref
}

// setAt says whether there is a set at p. It fails with errs.WrongType when there is
// something else.
func setAt(p *place) (ok bool, err error) {
	switch p.typ() {
	case None:
		return false, nil
	case TSet:
		return true, nil
	}
	return false, errs.WrongType
}

// setLen is the number of members of the set at p.
func setLen(p *place) int {
	switch p.enc() {
	case EncIntset:
		return intsetLen(p.bytes())
	case EncListpack:
		return listpack.Len(p.bytes())
	}
	return p.object().elements()
}

// setFind looks a member of the set at p up.
func setFind(p *place, member []byte) (m setMember, ok bool) {
	switch p.enc() {
	case EncIntset:
		n, isInt := ParseInt(member)
		if !isInt {
			return m, false
		}
		m.at, ok = intsetSearch(p.bytes(), n)
	case EncListpack:
		m.at, ok = listpack.Find(p.bytes(), listpack.HeaderSize, member, 0)
	default:
		m.slot, m.ref, ok = p.object().(*set).find(p.db, member)
	}
	return m, ok
}

// setHas says whether the set at p has a member.
func setHas(p *place, member []byte) bool {
	_, ok := setFind(p, member)
	return ok
}

// setEach calls visit with the members of the set at p until it returns false. The
// bytes are good for the call.
func setEach(p *place, visit func(member []byte) bool) {
	var buf [20]byte
	switch p.enc() {
	case EncIntset:
		ints := p.bytes()
		for i := range intsetLen(ints) {
			if !visit(strconv.AppendInt(buf[:0], intsetAt(ints, i), 10)) {
				return
			}
		}
	case EncListpack:
		lp := p.bytes()
		for at := listpack.First(lp); at < listpack.End(lp); at = listpack.Next(lp, at) {
			if !visit(listpack.Get(lp, at).Bytes(&buf)) {
				return
			}
		}
	default:
		p.object().(*set).all(func(r slab.Ref) bool { return visit(elemName(p.db, r)) })
	}
}

// keep copies a member of the value at p, as an operation visited it, if it is not the
// store's own bytes: one that is packed as an integer was written into a buffer.
func (p *place) keep(member []byte) []byte {
	if p.object() == nil && len(member) <= 20 {
		if _, ok := ParseInt(member); ok {
			return bytes.Clone(member)
		}
	}
	return member
}

// SetAdd adds members to the set at key, creating it when absent, and returns how many
// of them are new. It keeps copies.
//
// It fails with errs.WrongType when key holds another type. Effect: "sadd" (Redis
// t_set.c, saddCommand). O(1) a member.
func (tx *Tx) SetAdd(key []byte, members ...[]byte) (added int, err error) {
	p := tx.write(key)
	if _, err := setAt(&p); err != nil {
		return 0, err
	}
	isNew := !p.exists()
	if added = tx.setAddAll(&p, members); added == 0 {
		return 0, nil
	}
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	tx.changedSet(&p, "sadd", added, "SADD", members...)
	return added, nil
}

// changedSet tells of a change of the set at p that counts as n, with the verb and
// the words behind the key that repeat it.
func (tx *Tx) changedSet(p *place, event string, n int, verb string, words ...[]byte) {
	if tx.wantsArgv() {
		argv := append(make([][]byte, 0, 2+len(words)), []byte(verb), p.key)
		tx.announce(ClassSet, event, p.key, append(argv, words...)...)
	} else {
		tx.announce(ClassSet, event, p.key)
	}
	tx.eng.stats.Changes += int64(n - 1)
}

// setAddAll adds members to the set at p, which is created where missing, and returns
// how many are new.
func (tx *Tx) setAddAll(p *place, members [][]byte) (added int) {
	if !p.exists() {
		tx.setCreate(p, members)
		added, members = 1, members[1:]
	} else if p.object() == nil && tx.tooManyFor(p.enc(), len(members)) {
		tx.setUnpack(p)
	}
	for _, member := range members {
		if tx.setPut(p, member) {
			added++
		}
	}
	if p.object() != nil {
		p.resized()
	}
	return added
}

// tooManyFor says whether so many members are beyond the bounds of a packed encoding.
func (tx *Tx) tooManyFor(enc Encoding, members int) bool {
	if enc == EncIntset {
		return members > tx.intsetMost()
	}
	return int64(members) > tx.eng.packing.SetEntries
}

// setCreate makes the missing key at p a set of the first of members, in the encoding
// that may suit all of them.
func (tx *Tx) setCreate(p *place, members [][]byte) {
	first := members[0]
	if n, isInt := ParseInt(first); isInt && !tx.tooManyFor(EncIntset, len(members)) {
		var buf [intsetHeader + 8]byte
		tx.put(p, TSet, EncIntset, appendIntset(buf[:0], n), Never)
		return
	}
	if tx.setFits(0, 0, first) && !tx.tooManyFor(EncListpack, len(members)) {
		tx.putPacked(p, TSet, Never, first)
		return
	}
	tx.setObject(p, Never, func(visit func(member []byte) bool) { visit(first) })
}

// setObject makes p a large set of the members that each visits, which may be the
// store's bytes.
func (tx *Tx) setObject(p *place, at UnixMilli, each func(visit func(member []byte) bool)) {
	d := p.db
	o := &set{newElems(d)}
	done := false
	defer func() {
		if !done { // no memory
			for !o.dismantle(d, digSlice) {
			}
		}
	}()
	each(func(member []byte) bool {
		o.insert(d, member, 0)
		return true
	})
	tx.putObject(p, TSet, EncHashtable, o, at)
	done = true
}

// maxPackedSet is how many bytes a packed set takes, whatever the bounds of Packing.
const maxPackedSet = 1 << 30

// setFits says whether a further member may be in a packed set of n members and size
// bytes.
func (tx *Tx) setFits(n, size int, member []byte) bool {
	return int64(n) < tx.eng.packing.SetEntries && int64(len(member)) <= tx.eng.packing.SetValue &&
		size+len(member) <= maxPackedSet
}

// setPut adds a member to the set at p, which exists, and says whether it is new. An
// object's memory is not counted yet.
func (tx *Tx) setPut(p *place, member []byte) (isNew bool) {
	switch p.enc() {
	case EncIntset:
		n, isInt := ParseInt(member)
		if !isInt {
			tx.setUnlikeInts(p, member)
			return tx.setPut(p, member)
		}
		i, ok := intsetSearch(p.bytes(), n)
		if ok {
			return false
		}
		tx.intsetInsert(p, i, n)
		if intsetLen(p.bytes()) > tx.intsetMost() {
			tx.setUnpack(p)
		}
		return true
	case EncListpack:
		lp := p.bytes()
		if setHas(p, member) {
			return false
		}
		if tx.setFits(listpack.Len(lp), len(lp), member) {
			tx.packedReplace(p, listpack.End(lp), listpack.End(lp), 0, member)
			return true
		}
		tx.setUnpack(p)
	}
	s := p.object().(*set)
	if _, _, ok := s.find(p.db, member); ok {
		return false
	}
	s.insert(p.db, member, 0)
	return true
}

// setUnlikeInts makes the intset at p another set, in which a member that is no
// integer may be: a listpack, if that suits.
func (tx *Tx) setUnlikeInts(p *place, member []byte) {
	b := p.bytes()
	size := intsetLen(b)
	longest := max(len(decimal(intsetAt(b, 0))), len(decimal(intsetAt(b, size-1))))
	if !tx.setFits(size, 0, member) || int64(longest) > tx.eng.packing.SetValue {
		tx.setUnpack(p)
		return
	}
	lp := make([]byte, listpack.HeaderSize, listpack.EmptySize+size*(intsetWidth(b)+2))
	for i := range size {
		lp = listpack.AppendInt(lp, intsetAt(b, i))
	}
	lp = append(lp, 0)
	listpack.SetHeader(lp, size)
	tx.put(p, TSet, EncListpack, lp, p.expireAt())
}

// setUnpack makes an object of the packed set at p.
func (tx *Tx) setUnpack(p *place) {
	tx.setObject(p, p.expireAt(), func(visit func(member []byte) bool) { setEach(p, visit) })
}

// SetRemove removes members from the set at key, and returns how many there were.
//
// It fails with errs.WrongType when key holds another type. Effects: "srem", and "del"
// when none is left. O(1) a member.
func (tx *Tx) SetRemove(key []byte, members ...[]byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := setAt(&p); !ok {
		return 0, err
	}
	for _, member := range members {
		if m, ok := setFind(&p, member); ok {
			tx.setDelete(&p, &m)
			if n++; setLen(&p) == 0 {
				break
			}
		}
	}
	if n > 0 {
		tx.setShrunk(&p)
		tx.changedSet(&p, "srem", n, "SREM", members...)
		tx.setGone(&p)
	}
	return n, nil
}

// setDelete takes a member out of the set at p.
func (tx *Tx) setDelete(p *place, m *setMember) {
	switch p.enc() {
	case EncIntset:
		tx.intsetRemove(p, m.at)
	case EncListpack:
		tx.packedReplace(p, m.at, listpack.Next(p.bytes(), m.at), 1)
	default:
		p.object().(*set).remove(p.db, m.slot, m.ref)
	}
}

// setShrunk is to be called when members of the set at p were removed: its memory is
// counted, and an empty one removed. setGone tells of that.
func (tx *Tx) setShrunk(p *place) {
	if p.object() != nil {
		p.resized()
	}
	if setLen(p) == 0 {
		tx.remove(p)
	}
}

// setGone announces that the key at p is gone, if it is, after the effect that repeats
// it.
func (tx *Tx) setGone(p *place) {
	if !p.exists() {
		tx.also(ClassGeneric, "del", p.key)
	}
}

// SetMove moves a member from the set at src to the one at dst, which is created when
// absent, and returns whether src had it.
//
// It fails with errs.WrongType when there is a key of another type. Effects: "srem" of
// src, "del" when that is empty then, and "sadd" of dst, if the member is new there
// (Redis t_set.c, smoveCommand). O(1).
func (tx *Tx) SetMove(src, dst, member []byte) (moved bool, err error) {
	from, to := tx.write(src), tx.write(dst)
	ok, err := setAt(&from)
	if !ok {
		return false, err
	}
	if _, err := setAt(&to); err != nil {
		return false, err
	}
	if !setHas(&from, member) || bytes.Equal(src, dst) {
		return setHas(&from, member), nil
	}
	isNew := !to.exists()
	added := tx.setAddAll(&to, [][]byte{member}) > 0 // first, as there may be no memory for it
	from = tx.write(src)
	m, _ := setFind(&from, member)
	tx.setDelete(&from, &m)
	tx.setShrunk(&from)
	if tx.wantsArgv() {
		tx.announce(ClassSet, "srem", src, []byte("SMOVE"), src, dst, member)
	} else {
		tx.announce(ClassSet, "srem", src)
	}
	tx.setGone(&from)
	if isNew {
		tx.also(ClassNew, "new", dst)
	}
	if added {
		tx.also(ClassSet, "sadd", dst)
		tx.eng.stats.Changes++
	}
	return true, nil
}

// SetPop removes up to n members by chance from the set at key. It calls begin with how
// many there will be, and then visit with each, whose bytes are good for the call;
// neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type. Effects:
// "spop", repeated by an SREM, and "del" when none is left (Redis t_set.c,
// spopWithCountCommand). O(n).
func (tx *Tx) SetPop(key []byte, n int64, begin func(n int), visit func(member []byte)) error {
	p := tx.write(key)
	ok, err := setAt(&p)
	if err != nil {
		return err
	}
	size := 0
	if ok {
		size = setLen(&p)
	}
	count := int(min(n, int64(size)))
	begin(count)
	if count <= 0 {
		return nil
	}
	if count == size {
		tx.countOnly(&p) // Redis reads the set here
		setEach(&p, func(member []byte) bool {
			visit(member)
			return true
		})
		tx.remove(&p)
		tx.changedSet(&p, "spop", count, "DEL")
		tx.setGone(&p)
		return nil
	}
	var gone [][]byte // for sinks
	for range count {
		m, member := tx.setRandom(&p)
		visit(member)
		if tx.wantsArgv() {
			gone = append(gone, bytes.Clone(member))
		}
		tx.setDelete(&p, &m)
	}
	tx.setShrunk(&p)
	tx.changedSet(&p, "spop", count, "SREM", gone...)
	return nil
}

// SetPopOne removes a member by chance from the set at key and returns it, and whether
// there was one. The bytes are good until the unit's next operation.
//
// It fails with errs.WrongType when key holds another type. Effects: "spop", repeated by
// an SREM, and "del" when none is left. O(1).
func (tx *Tx) SetPopOne(key []byte) (member []byte, ok bool, err error) {
	p := tx.write(key)
	if ok, err = setAt(&p); !ok {
		return nil, false, err
	}
	m, member := tx.setRandom(&p)
	member = append(tx.carried[:0], member...)
	if cap(member) <= maxStash {
		tx.carried = member
	}
	tx.setDelete(&p, &m)
	tx.setShrunk(&p)
	tx.changedSet(&p, "spop", 1, "SREM", member)
	tx.setGone(&p)
	return member, true, nil
}

// setRandom is a member of the set at p by chance.
func (tx *Tx) setRandom(p *place) (m setMember, member []byte) {
	switch p.enc() {
	case EncIntset:
		m.at = tx.eng.rand.IntN(intsetLen(p.bytes()))
		return m, strconv.AppendInt(tx.numbers[0][:0], intsetAt(p.bytes(), m.at), 10)
	case EncListpack:
		lp := p.bytes()
		m.at, _ = listpack.Seek(lp, tx.eng.rand.IntN(listpack.Len(lp)))
		return m, listpack.Get(lp, m.at).Bytes(&tx.numbers[0])
	}
	s := p.object().(*set)
	r, _ := s.random(tx.eng.rand)
	member = elemName(p.db, r)
	m.slot, m.ref, _ = s.find(p.db, member)
	return m, member
}

// SetHas says whether the set at key has a member.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) SetHas(key, member []byte) (bool, error) {
	p := tx.read(key)
	if ok, err := setAt(&p); !ok {
		return false, err
	}
	return setHas(&p, member), nil
}

// SetHasMany calls visit for each member in turn, as one look-up of key. It fails with
// errs.WrongType, before any call, when key holds another type.
func (tx *Tx) SetHasMany(key []byte, members [][]byte, visit func(has bool)) error {
	p := tx.read(key)
	ok, err := setAt(&p)
	if err != nil {
		return err
	}
	for _, member := range members {
		visit(ok && setHas(&p, member))
	}
	return nil
}

// SetLen is the number of members of the set at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) SetLen(key []byte) (int, error) {
	p := tx.read(key)
	if ok, err := setAt(&p); !ok {
		return 0, err
	}
	return setLen(&p), nil
}

// SetEach calls begin with the number of members of the set at key, 0 without one, and
// then visit with each, until that returns false: in the order in which they are kept.
// The bytes are good for the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type.
func (tx *Tx) SetEach(key []byte, begin func(n int), visit func(member []byte) bool) error {
	p := tx.read(key)
	ok, err := setAt(&p)
	switch {
	case err != nil:
		return err
	case !ok:
		begin(0)
		return nil
	}
	begin(setLen(&p))
	setEach(&p, visit)
	return nil
}

// setOf makes p a set of members, of which there is at least one and all are different,
// in the encoding that fits. They may be the store's bytes.
func (tx *Tx) setOf(p *place, members [][]byte, at UnixMilli) {
	if enc, packed := tx.setPack(members); packed != nil {
		tx.put(p, TSet, enc, packed, at)
		return
	}
	tx.setObject(p, at, func(visit func(member []byte) bool) {
		for _, member := range members {
			visit(member)
		}
	})
}

// setPack is members as a packed set; nil when they are too many or too long.
func (tx *Tx) setPack(members [][]byte) (enc Encoding, packed []byte) {
	if !tx.tooManyFor(EncIntset, len(members)) {
		ints := make([]int64, 0, len(members))
		for _, member := range members {
			n, ok := ParseInt(member)
			if !ok {
				break
			}
			ints = append(ints, n)
		}
		if len(ints) == len(members) {
			slices.Sort(ints)
			return EncIntset, appendIntset(nil, ints...)
		}
	}
	if tx.tooManyFor(EncListpack, len(members)) {
		return 0, nil
	}
	size := 0
	for _, member := range members {
		if !tx.setFits(0, size, member) {
			return 0, nil
		}
		size += len(member)
	}
	return EncListpack, listpack.Of(members...)
}

// setValue puts the set of a file at p. It fails with ErrValue when a member comes
// twice, or there is none.
func (tx *Tx) setValue(p *place, v *Value, at UnixMilli) error {
	seen := make(map[string]struct{}, len(v.Elems))
	for _, member := range v.Elems {
		seen[textOf(member)] = struct{}{}
	}
	if len(seen) == 0 || len(seen) < len(v.Elems) {
		return ErrValue
	}
	tx.setOf(p, v.Elems, at)
	return nil
}

// EachMember calls visit with the members of a set. The bytes are good for the call.
func (v View) EachMember(visit func(member []byte) bool) { setEach(&v.p, visit) }

// MembersLen is the number of members of a set.
func (v View) MembersLen() int { return setLen(&v.p) }
