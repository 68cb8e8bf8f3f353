package engine

import (
	"slices"

	"coatcheck/engine/errs"
	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/quicklist"
)

// Lists: a short one is a listpack, a long one an object (list_object.go).

// ListEnd is one of the two ends of a list.
type ListEnd = quicklist.End

// The ends: the first element and the last.
const (
	Head = quicklist.Head
	Tail = quicklist.Tail
)

// listAt says whether there is a list at p. It fails with errs.WrongType when there is
// something else.
func listAt(p *place) (ok bool, err error) {
	switch p.typ() {
	case None:
		return false, nil
	case TList:
		return true, nil
	}
	return false, errs.WrongType
}

// listLen is the number of elements of the list at p.
func listLen(p *place) int {
	if o := p.object(); o != nil {
		return o.elements()
	}
	return listpack.Len(p.bytes())
}

// listBounds are those of a node, and of a packed list.
func (tx *Tx) listBounds() quicklist.Bounds { return quicklist.BoundsOf(tx.eng.packing.ListSize) }

// ListPush adds elements to the list at key, one after another at the same end,
// creating it when absent unless onlyExisting says not to. It keeps copies, and
// returns how many elements the list has then, 0 without one.
//
// It fails with errs.WrongType when key holds another type. Effect: "lpush" or "rpush"
// (Redis t_list.c, pushGenericCommand). O(1) an element.
func (tx *Tx) ListPush(key []byte, end ListEnd, onlyExisting bool, elems ...[]byte) (n int, err error) {
	p := tx.write(key)
	ok, err := listAt(&p)
	if err != nil || !ok && onlyExisting {
		return 0, err
	}
	tx.listPush(&p, end, elems)
	if !ok {
		tx.also(ClassNew, "new", key)
	}
	event, verb := pushed(end)
	if onlyExisting {
		verb += "X"
	}
	tx.changedList(&p, event, len(elems), verb, elems...)
	return listLen(&p), nil
}

func pushed(end ListEnd) (event, verb string) {
	if end == Head {
		return "lpush", "LPUSH"
	}
	return "rpush", "RPUSH"
}

func popped(end ListEnd) (event, verb string) {
	if end == Head {
		return "lpop", "LPOP"
	}
	return "rpop", "RPOP"
}

// changedList tells of a change of the list at p that counts as n, with the verb and
// the words behind the key that repeat it.
func (tx *Tx) changedList(p *place, event string, n int, verb string, words ...[]byte) {
	if tx.wantsArgv() {
		argv := append(make([][]byte, 0, 2+len(words)), []byte(verb), p.key)
		tx.announce(ClassList, event, p.key, append(argv, words...)...)
	} else {
		tx.announce(ClassList, event, p.key)
	}
	tx.eng.stats.Changes += int64(n - 1)
}

// listPush adds elements to the list at p, which is created where missing. They must not
// point into the store.
func (tx *Tx) listPush(p *place, end ListEnd, elems [][]byte) {
	tx.listGrows(p, elems)
	if !p.exists() {
		if end == Head && len(elems) > 1 {
			elems = slices.Clone(elems)
			slices.Reverse(elems)
		}
		tx.listOf(p, elems, Never)
		return
	}
	if o := p.object(); o != nil {
		l, b := o.(*list), tx.listBounds()
		for _, elem := range elems {
			p.db.slab.Ready()
			l.Push(end, elem, b)
		}
		p.resized()
		return
	}
	for _, elem := range elems {
		at := listpack.HeaderSize
		if end == Tail {
			at = listpack.End(p.bytes())
		}
		tx.packedReplace(p, at, at, 0, elem)
	}
}

// listGrows makes a long list of the packed one at p, if it would be too long with
// elems.
func (tx *Tx) listGrows(p *place, elems [][]byte) {
	if !p.exists() || p.object() != nil {
		return
	}
	lp := p.bytes()
	if size, n := len(lp), listpack.Len(lp); tx.listTooLong(size, n, elems) {
		tx.listUnpack(p)
	}
}

// listTooLong says whether a list of n elements and size bytes is too long to be packed
// with further elements, of which each counts with its text.
func (tx *Tx) listTooLong(size, n int, elems [][]byte) bool {
	for _, elem := range elems {
		size += len(elem)
	}
	return tx.listBounds().Exceeded(size, n+len(elems))
}

// listOf makes p a list of elements, of which there is at least one, in the encoding
// that fits. They must not point into the store.
func (tx *Tx) listOf(p *place, elems [][]byte, at UnixMilli) {
	if tx.listTooLong(0, 0, elems) {
		tx.listObject(p, elems, at)
		return
	}
	tx.putPacked(p, TList, at, elems...)
}

// ListPop removes up to n elements from an end of the list at key. It calls begin with
// how many there will be, and whether there is a list at all, and then visit with each,
// whose bytes are good for the call; neither must use tx. argv is the command that
// repeats it, for sinks; none is that which pops so many.
//
// It fails with errs.WrongType, before any call, when key holds another type. Effects:
// "lpop" or "rpop", and "del" when none is left (Redis t_list.c,
// listElementsRemoved). O(n).
func (tx *Tx) ListPop(key []byte, end ListEnd, n int64, begin func(n int, exists bool), visit func(elem []byte), argv ...[]byte) error {
	p := tx.write(key)
	ok, err := listAt(&p)
	if err != nil {
		return err
	}
	count := 0
	if ok {
		count = int(min(n, int64(listLen(&p))))
	}
	begin(count, ok)
	if count <= 0 {
		return nil
	}
	listEach(&p, &tx.numbers[0], endIndex(end), end.Other(), count, func(elem []byte) bool {
		visit(elem)
		return true
	})
	tx.listDrop(&p, end, count)
	event, verb := popped(end)
	if argv == nil && tx.wantsArgv() {
		argv = [][]byte{[]byte(verb), key, decimal(int64(count))}
	}
	tx.announce(ClassList, event, key, argv...)
	tx.eng.stats.Changes += int64(count - 1)
	tx.listGone(&p)
	return nil
}

// endIndex is the index of the element at an end.
func endIndex(end ListEnd) int {
	if end == Head {
		return 0
	}
	return -1
}

// listDrop removes n elements from an end of the list at p, with the last of them the
// key. listGone tells of that.
func (tx *Tx) listDrop(p *place, end ListEnd, n int) {
	size := listLen(p)
	switch o := p.object(); {
	case n == size:
		tx.remove(p)
	case o == nil && end == Head:
		at, _ := listpack.Seek(p.bytes(), n)
		tx.packedReplace(p, listpack.HeaderSize, at, n)
	case o == nil:
		at, _ := listpack.Seek(p.bytes(), -n)
		tx.packedReplace(p, at, listpack.End(p.bytes()), n)
	default:
		l := o.(*list)
		switch {
		case n == 1:
			l.Drop(end)
		case end == Head:
			l.Delete(0, n)
		default:
			l.Delete(size-n, n)
		}
		tx.listTidy(p)
	}
}

// listTidy is to be called when elements of the large list at p were removed: it is
// packed if it is short enough for that, with a margin.
func (tx *Tx) listTidy(p *place) {
	l := p.object().(*list)
	if l.Nodes() == 1 && tx.listBounds().Half().Fits(len(l.Node(0)), l.Len()) {
		tx.put(p, TList, EncListpack, l.Node(0), p.expireAt())
		return
	}
	p.resized()
}

// listGone announces that the key at p is gone, if it is, after the effect that repeats
// it.
func (tx *Tx) listGone(p *place) {
	if !p.exists() {
		tx.also(ClassGeneric, "del", p.key)
	}
}

// listEach calls visit with up to n elements of the list at p from the one at index on
// (-1 is the last), which there must be, towards an end, until it returns false. The
// bytes are good for the call; integers become text in buf.
func listEach(p *place, buf *[20]byte, index int, to ListEnd, n int, visit func(elem []byte) bool) {
	if o := p.object(); o != nil {
		l := o.(*list)
		at, _ := l.Seek(index)
		l.Each(at, to, n, func(_ quicklist.Pos, v listpack.Value) bool { return visit(v.Bytes(buf)) })
		return
	}
	lp := p.bytes()
	at, ok := listpack.Seek(lp, index)
	for end := listpack.End(lp); ok && n > 0 && at < end; n-- {
		if !visit(listpack.Get(lp, at).Bytes(buf)) {
			return
		}
		if to == Tail {
			at = listpack.Next(lp, at)
		} else {
			at, ok = listpack.Prev(lp, at)
		}
	}
}

// ListLen is the number of elements of the list at key, 0 without one.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) ListLen(key []byte) (int, error) {
	p := tx.read(key)
	if ok, err := listAt(&p); !ok {
		return 0, err
	}
	return listLen(&p), nil
}

// ListIndex returns the element at an index of the list at key, from the end when that is
// negative (-1 is the last), and whether there is one. The bytes are good until the
// unit's next operation.
//
// It fails with errs.WrongType when key holds another type. O(n) in the distance to the
// nearer end.
func (tx *Tx) ListIndex(key []byte, index int64) (elem []byte, ok bool, err error) {
	p := tx.read(key)
	if ok, err = listAt(&p); !ok {
		return nil, false, err
	}
	i, ok := indexWithin(index, listLen(&p))
	if !ok {
		return nil, false, nil
	}
	listEach(&p, &tx.numbers[0], i, Tail, 1, func(e []byte) bool {
		elem = e
		return false
	})
	return elem, true, nil
}

// indexWithin is an index counted from the first of n elements; not ok beyond.
func indexWithin(index int64, n int) (i int, ok bool) {
	if index < 0 {
		index += int64(n)
	}
	return int(index), index >= 0 && index < int64(n)
}

// listSpan is the range from start to stop, both counted in and from the end when
// negative, of n elements: from the first one on, count of them.
func listSpan(start, stop int64, n int) (first, count int) {
	size := int64(n)
	if start < 0 {
		start = max(start+size, 0)
	}
	if stop < 0 {
		stop += size
	}
	stop = min(stop, size-1)
	if start > stop || start >= size {
		return 0, 0
	}
	return int(start), int(stop - start + 1)
}

// ListRange calls begin with the number of elements of the list at key from index start
// to stop, both counted in and from the end when negative, and then visit with each,
// until that returns false. The bytes are good for the call; neither must use tx.
//
// It fails with errs.WrongType, before any call, when key holds another type. O(n) in
// what is visited and the distance to the nearer end.
func (tx *Tx) ListRange(key []byte, start, stop int64, begin func(n int), visit func(elem []byte) bool) error {
	p := tx.read(key)
	ok, err := listAt(&p)
	if err != nil {
		return err
	}
	first, count := 0, 0
	if ok {
		first, count = listSpan(start, stop, listLen(&p))
	}
	begin(count)
	if count > 0 {
		listEach(&p, &tx.numbers[0], first, Tail, count, visit)
	}
	return nil
}

// ListTrim removes all elements of the list at key but those from index start to stop,
// both counted in and from the end when negative.
//
// It fails with errs.WrongType when key holds another type. Effects: "ltrim", and "del"
// when none is left (Redis t_list.c, ltrimCommand). O(n) in what is removed.
func (tx *Tx) ListTrim(key []byte, start, stop int64) error {
	p := tx.write(key)
	if ok, err := listAt(&p); !ok {
		return err
	}
	size := listLen(&p)
	first, count := listSpan(start, stop, size)
	if count == 0 {
		first = size
	}
	behind := size - first - count
	if first > 0 {
		tx.listDrop(&p, Head, first)
	}
	if behind > 0 {
		tx.listDrop(&p, Tail, behind)
	}
	if first+behind == 0 {
		tx.also(ClassList, "ltrim", key)
		return nil
	}
	if tx.wantsArgv() {
		tx.changedList(&p, "ltrim", first+behind, "LTRIM", decimal(start), decimal(stop))
	} else {
		tx.changedList(&p, "ltrim", first+behind, "")
	}
	tx.listGone(&p)
	return nil
}

// ListSet replaces the element at an index of the list at key, counted from the end when
// negative.
//
// It fails with errs.NoSuchKey, errs.WrongType when key holds another type, and
// errs.IndexOutOfRange. Effect: "lset". O(n) in the distance to the nearer end.
func (tx *Tx) ListSet(key []byte, index int64, elem []byte) error {
	p := tx.write(key)
	ok, err := listAt(&p)
	switch {
	case err != nil:
		return err
	case !ok:
		return errs.NoSuchKey
	}
	i, ok := indexWithin(index, listLen(&p))
	if !ok {
		return errs.IndexOutOfRange
	}
	tx.listGrows(&p, [][]byte{elem})
	if o := p.object(); o != nil {
		l := o.(*list)
		p.db.slab.Ready()
		at, _ := l.Seek(i)
		l.Replace(&at, elem, tx.listBounds())
		tx.listTidy(&p)
	} else {
		at, _ := listpack.Seek(p.bytes(), i)
		tx.packedReplace(&p, at, listpack.Next(p.bytes(), at), 1, elem)
	}
	if tx.wantsArgv() {
		tx.changedList(&p, "lset", 1, "LSET", decimal(index), elem)
	} else {
		tx.changedList(&p, "lset", 1, "")
	}
	return nil
}

// ListInsert puts elem before or, with after, behind the first element of the list at
// key that equals pivot. It returns how many elements the list has then, 0 without a
// list, -1 without a pivot.
//
// It fails with errs.WrongType when key holds another type. Effect: "linsert" (Redis
// t_list.c, linsertCommand). O(n) in the distance to the pivot.
func (tx *Tx) ListInsert(key []byte, after bool, pivot, elem []byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := listAt(&p); !ok {
		return 0, err
	}
	tx.listGrows(&p, [][]byte{elem})
	if !tx.listInsert(&p, after, pivot, elem) {
		return -1, nil
	}
	where := []byte("BEFORE")
	if after {
		where = []byte("AFTER")
	}
	tx.changedList(&p, "linsert", 1, "LINSERT", where, pivot, elem)
	return listLen(&p), nil
}

func (tx *Tx) listInsert(p *place, after bool, pivot, elem []byte) (found bool) {
	if o := p.object(); o != nil {
		l := o.(*list)
		var at quicklist.Pos
		if at, found = l.Find(pivot); found {
			p.db.slab.Ready()
			l.Insert(at, after, elem, tx.listBounds())
			p.resized()
		}
		return found
	}
	at, found := listpack.Find(p.bytes(), listpack.HeaderSize, pivot, 0)
	if !found {
		return false
	}
	if after {
		at = listpack.Next(p.bytes(), at)
	}
	tx.packedReplace(p, at, at, 0, elem)
	return true
}

// ListRemove removes elements of the list at key that equal elem: the first count ones,
// the last ones when count is negative, all of them when it is 0. It returns how many
// there were.
//
// It fails with errs.WrongType when key holds another type. Effects: "lrem", and "del"
// when none is left. O(n).
func (tx *Tx) ListRemove(key []byte, count int64, elem []byte) (n int, err error) {
	p := tx.write(key)
	if ok, err := listAt(&p); !ok {
		return 0, err
	}
	end, most := Head, count
	if count < 0 {
		end, most = Tail, -max(count, -int64(listLen(&p)))
	}
	most = min(most, int64(listLen(&p)))
	if o := p.object(); o != nil {
		l := o.(*list)
		n = l.Remove(end, int(most), elem)
		if l.Len() == 0 {
			tx.remove(&p)
		} else if n > 0 {
			tx.listTidy(&p)
		}
	} else {
		n = tx.packedRemove(&p, end, int(most), elem)
		if listLen(&p) == 0 {
			tx.remove(&p)
		}
	}
	if n == 0 {
		return 0, nil
	}
	if tx.wantsArgv() {
		tx.changedList(&p, "lrem", n, "LREM", decimal(count), elem)
	} else {
		tx.changedList(&p, "lrem", n, "")
	}
	tx.listGone(&p)
	return n, nil
}

// packedRemove takes elements out of the packed list at p as quicklist's Remove does.
func (tx *Tx) packedRemove(p *place, end ListEnd, most int, elem []byte) (n int) {
	at := endOffset(p.bytes(), end)
	for lp := p.bytes(); at >= 0 && at < listpack.End(lp); lp = p.bytes() {
		before, ok := listpack.Prev(lp, at)
		if !ok {
			before = -1
		}
		switch equal := listpack.Get(lp, at).Equal(elem); {
		case equal:
			tx.packedReplace(p, at, listpack.Next(lp, at), 1)
			if n++; n == most {
				return n
			}
		case end == Head:
			at = listpack.Next(lp, at)
		}
		if end == Tail {
			at = before
		}
	}
	return n
}

// endOffset is the offset of the element at an end of a listpack, End when it is empty.
func endOffset(lp []byte, end ListEnd) int {
	if end == Tail {
		return listpack.Last(lp)
	}
	return listpack.HeaderSize
}

// ListPosOptions say which elements ListPos looks for.
type ListPosOptions struct {
	// Rank is which of those that are equal is the first to be told of: 1 for the
	// first one, 2 for the second; -1 for the last one and from there to the front.
	// 0 is 1.
	Rank int64
	// Count is how many are told of; 0: all.
	Count int64
	// MaxLen is how many elements are looked at; 0: all.
	MaxLen int64
}

// ListPos calls found with the index of each element of the list at key that equals
// elem.
//
// It fails with errs.WrongType when key holds another type. O(n).
func (tx *Tx) ListPos(key, elem []byte, opt ListPosOptions, found func(index int)) error {
	p := tx.read(key)
	if ok, err := listAt(&p); !ok {
		return err
	}
	from, to, step, index := Head, Tail, 1, 0
	skip := opt.Rank - 1
	if opt.Rank < 0 {
		from, to, step, index = Tail, Head, -1, listLen(&p)-1
		skip = -opt.Rank - 1
	}
	look := listLen(&p)
	if opt.MaxLen > 0 {
		look = int(min(int64(look), opt.MaxLen))
	}
	left := opt.Count
	listEach(&p, &tx.numbers[0], endIndex(from), to, look, func(e []byte) bool {
		if string(e) == string(elem) {
			if skip <= 0 {
				found(index)
				left--
			}
			skip--
		}
		index += step
		return left != 0 || opt.Count == 0
	})
	return nil
}

// ListMove removes the element at the end from of the list at src and adds it at the end
// to of the list at dst, which is created when absent and may be the same; not ok without
// a list at src. argv is the command that repeats it, for sinks. The bytes are good until
// the unit's next operation.
//
// It fails with errs.WrongType when a key holds another type. Effects: "lpush" or "rpush"
// of dst, "lpop" or "rpop" of src, and "del" when that is empty then (Redis t_list.c,
// lmoveGenericCommand). O(1).
func (tx *Tx) ListMove(src, dst []byte, from, to ListEnd, argv ...[]byte) (elem []byte, ok bool, err error) {
	p := tx.write(src)
	if ok, err = listAt(&p); !ok {
		return nil, false, err
	}
	into := tx.write(dst)
	if _, err := listAt(&into); err != nil {
		return nil, false, err
	}
	listEach(&p, &tx.numbers[0], endIndex(from), from.Other(), 1, func(e []byte) bool {
		elem = append(tx.carried[:0], e...)
		return false
	})
	if cap(elem) <= maxStash {
		tx.carried = elem
	}
	isNew := !into.exists()
	tx.listPush(&into, to, [][]byte{elem})
	p = tx.write(src)
	tx.listDrop(&p, from, 1)
	if isNew {
		tx.also(ClassNew, "new", dst)
	}
	event, _ := pushed(to)
	tx.also(ClassList, event, dst)
	event, _ = popped(from)
	tx.announce(ClassList, event, src, argv...)
	tx.listGone(&p)
	return elem, true, nil
}
