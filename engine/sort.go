package engine

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"

	"coatcheck/engine/errs"
)

// SORT: the elements of a list, set or sorted set in order, which other keys may tell.

// SortOptions are the choices of Sort.
type SortOptions struct {
	// By is the pattern of the keys that tell the order, with the element in the
	// place of its first "*", and behind "->" a field of a hash. Nil: the elements
	// tell it.
	By []byte
	// AsIs: the elements stay in the order that they have.
	AsIs bool
	// Gets are patterns of what is returned for each element, "#" for itself; with
	// none it is the element.
	Gets [][]byte
	// Start and Count bound what is returned; a negative Count does not.
	Start, Count int64
	Desc         bool
	Alpha        bool // the order of bytes, else of numbers
	// Certain: the elements of a set are returned in an order that does not depend
	// on how it is kept.
	Certain bool
}

// sortItem is an element to be sorted.
type sortItem struct {
	elem  []byte
	score float64
	text  []byte // nil: there is none
}

// Sort returns the elements of the list, set or sorted set at key in order, or what opt
// says to get for each; nil for what is missing. They are copies.
//
// It fails with errs.WrongType when key holds another type, and errs.SortScores (Redis
// sort.c, sortCommandGeneric). O(n log n).
func (tx *Tx) Sort(key []byte, opt SortOptions) ([][]byte, error) {
	p := tx.read(key)
	asIs := opt.AsIs
	if asIs && p.typ() == TSet && opt.Certain {
		asIs, opt.Alpha, opt.By = false, true, nil
	}
	items, err := tx.sortItems(&p, asIs && opt.Desc)
	if err != nil {
		return nil, err
	}
	if !asIs {
		if err := tx.sortValues(items, &opt); err != nil {
			return nil, err
		}
		slices.SortStableFunc(items, opt.compare)
	}
	return tx.sortGet(window(items, opt.Start, opt.Count), opt.Gets), nil
}

// window is the part of items from start on, count of them unless that is negative.
func window(items []sortItem, start, count int64) []sortItem {
	size := int64(len(items))
	start = min(max(start, 0), size)
	if count < 0 || count > size-start {
		count = size - start
	}
	return items[start : start+count]
}

// sortItems are the elements at p, as they are kept or, where they have an order,
// backwards.
func (tx *Tx) sortItems(p *place, backwards bool) (items []sortItem, err error) {
	add := func(elem []byte) bool {
		items = append(items, sortItem{elem: bytes.Clone(elem)})
		return true
	}
	switch p.typ() {
	case None:
	case TList:
		listEach(p, &tx.numbers[0], 0, Tail, listLen(p), add)
	case TSet:
		setEach(p, add)
		return items, nil
	case TZSet:
		zsetEach(p, zsetSpan(p, &All), false, func(member []byte, _ float64) bool { return add(member) })
	default:
		return nil, errs.WrongType
	}
	if backwards {
		slices.Reverse(items)
	}
	return items, nil
}

// sortValues looks up what tells the order of items.
func (tx *Tx) sortValues(items []sortItem, opt *SortOptions) error {
	for i := range items {
		it := &items[i]
		text := it.elem
		if opt.By != nil {
			if text = tx.byPattern(opt.By, it.elem); text == nil {
				continue
			}
		}
		if opt.Alpha {
			if it.text = text; !opt.Certain {
				it.text = beforeNUL(text)
			}
			continue
		}
		var ok bool
		if it.score, ok = sortScore(text); !ok {
			return errs.SortScores
		}
	}
	return nil
}

// sortScore reads a number as C's strtod does, which takes blanks in front, nothing for 0,
// ends at a NUL, and complains of one so small that it loses digits.
func sortScore(text []byte) (float64, bool) {
	if text = beforeNUL(text); len(text) == 0 {
		return 0, true
	}
	text = bytes.TrimLeft(text, " \t\n\v\f\r")
	f, ok := ParseDouble(text)
	return f, ok && !math.IsNaN(f) && !losesDigits(f, text)
}

// beforeNUL is the string that C sees in b.
func beforeNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// losesDigits says whether f, which text was read as, is subnormal and another number than
// text.
func losesDigits(f float64, text []byte) bool {
	const smallestNormal = 0x1p-1022
	if f == 0 || math.Abs(f) >= smallestNormal {
		return false
	}
	exact, _, err := big.ParseFloat(string(text), 0, uint(4*len(text)+64), big.ToNearestEven)
	return err != nil || exact.Cmp(big.NewFloat(f)) != 0
}

// compare is the order of two items.
func (opt *SortOptions) compare(a, b sortItem) int {
	c := 0
	switch {
	case !opt.Alpha:
		if c = cmp.Compare(a.score, b.score); c == 0 {
			c = bytes.Compare(a.elem, b.elem)
		}
	case a.text == nil || b.text == nil:
		c = cmp.Compare(btoi(a.text != nil), btoi(b.text != nil))
	default:
		c = bytes.Compare(a.text, b.text)
	}
	if opt.Desc {
		return -c
	}
	return c
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortGet is what is to be got for items.
func (tx *Tx) sortGet(items []sortItem, gets [][]byte) [][]byte {
	rows := make([][]byte, 0, len(items)*max(len(gets), 1))
	for i := range items {
		if len(gets) == 0 {
			rows = append(rows, items[i].elem)
		}
		for _, pattern := range gets {
			rows = append(rows, tx.byPattern(pattern, items[i].elem))
		}
	}
	return rows
}

// byPattern is a copy of the value that a pattern of SORT means for an element, nil
// without one.
func (tx *Tx) byPattern(pattern, elem []byte) []byte {
	if string(pattern) == "#" {
		return elem
	}
	star := bytes.IndexByte(pattern, '*')
	if star < 0 {
		return nil
	}
	rest, field := pattern[star+1:], []byte(nil)
	if arrow := bytes.Index(rest, []byte("->")); arrow >= 0 && arrow+2 < len(rest) {
		rest, field = rest[:arrow], rest[arrow+2:]
	}
	p := tx.read(slices.Concat(pattern[:star], elem, rest))
	switch {
	case field != nil && p.typ() == THash:
		if f, ok := tx.hashFind(&p, field); ok {
			return append([]byte{}, tx.hashValue(&p, &f)...)
		}
	case field == nil && p.typ() == TString:
		return append([]byte{}, p.bytes()...)
	}
	return nil
}

// ListStore makes key hold a list of elements, whatever it held, without a deadline, or no
// value at all when there are none. It keeps copies; nil is an empty element. argv is the
// command that repeats it, for sinks.
//
// Effect: event, counted as so many changes; "del" when there are no elements but was a
// value. O(elements).
func (tx *Tx) ListStore(key []byte, elems [][]byte, event string, argv ...[]byte) {
	p := tx.write(key)
	if len(elems) == 0 {
		if p.exists() {
			tx.remove(&p)
			tx.announce(ClassGeneric, "del", key, argv...)
		}
		return
	}
	isNew := !p.exists()
	tx.listOf(&p, elems, Never)
	if isNew {
		tx.also(ClassNew, "new", key)
	}
	tx.announce(ClassList, event, key, argv...)
	tx.eng.stats.Changes += int64(len(elems) - 1)
}
