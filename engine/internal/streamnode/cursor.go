package streamnode

import "coatcheck/engine/internal/listpack"

// Cursor walks over the entries of a node, the deleted ones too. It is at an entry
// after Next or Prev has returned true. It is good until the node changes.
type Cursor struct {
	// ID, Deleted and Fields are the entry's: its name, whether it carries only
	// a mark, and how many pairs it has.
	ID      ID
	Deleted bool
	Fields  int

	lp     []byte
	master ID
	fields int // of the master entry
	names  int // offset of the first of them
	first  int // offset of the first entry
	at     int // offset of the entry's flags
	same   bool
	left   int // pairs that Pair has not returned yet
	name   int // offset of the next pair's field, with same
	value  int // offset of the next pair's value, or of its field
}

// Start is a cursor before the first entry of a node.
func Start(lp []byte, master ID) Cursor {
	c := Cursor{lp: lp, master: master}
	_, at := intAt(lp, listpack.First(lp))
	_, at = intAt(lp, at)
	n, at := intAt(lp, at)
	c.fields, c.names = int(n), at
	for range n {
		at = listpack.Next(lp, at)
	}
	c.first = listpack.Next(lp, at) // behind the zero
	return c
}

// Next moves on to the next entry; false at the end.
func (c *Cursor) Next() bool {
	at := c.first
	if c.at != 0 {
		at = c.behind()
	}
	c.at = at
	if at == listpack.End(c.lp) {
		return false
	}
	c.read()
	return true
}

// behind is the offset behind the entry.
func (c *Cursor) behind() int {
	if c.at == listpack.End(c.lp) {
		return c.at
	}
	at := c.value
	for n := c.unread(); n > 0; n-- {
		at = listpack.Next(c.lp, at)
	}
	return listpack.Next(c.lp, at)
}

// unread is how many elements Pair has not seen.
func (c *Cursor) unread() int {
	if c.same {
		return c.left
	}
	return 2 * c.left
}

// ToEnd puts the cursor behind the last entry.
func (c *Cursor) ToEnd() { c.at = listpack.End(c.lp) }

// Prev moves back to the previous entry; false at the beginning.
func (c *Cursor) Prev() bool {
	if c.at <= c.first {
		return false
	}
	at, _ := listpack.Prev(c.lp, c.at)
	n, _ := intAt(c.lp, at)
	for range n {
		at, _ = listpack.Prev(c.lp, at)
	}
	c.at = at
	c.read()
	return true
}

// read reads the entry at c.at up to its pairs.
func (c *Cursor) read() {
	flags, at := intAt(c.lp, c.at)
	ms, at := intAt(c.lp, at)
	seq, at := intAt(c.lp, at)
	c.ID = ID{c.master.Ms + uint64(ms), c.master.Seq + uint64(seq)}
	c.Deleted = flags&flagDeleted != 0
	c.same = flags&flagSameFields != 0
	c.Fields, c.name = c.fields, c.names
	if !c.same {
		var n int64
		n, at = intAt(c.lp, at)
		c.Fields = int(n)
	}
	c.left, c.value = c.Fields, at
}

// Pair is the entry's next pair; call it no more than Fields times.
func (c *Cursor) Pair() (field, value listpack.Value) {
	c.left--
	if c.same {
		field = listpack.Get(c.lp, c.name)
		c.name = listpack.Next(c.lp, c.name)
	} else {
		field = listpack.Get(c.lp, c.value)
		c.value = listpack.Next(c.lp, c.value)
	}
	value = listpack.Get(c.lp, c.value)
	c.value = listpack.Next(c.lp, c.value)
	return field, value
}

// MarkDeleted gives the entry its mark. The counts are for the caller to change.
func (c *Cursor) MarkDeleted() {
	flags, _ := intAt(c.lp, c.at)
	c.Deleted = true
	listpack.AppendInt(c.lp[:c.at], flags|flagDeleted) // as long as before: flags are below 4
}

// LastID is the ID of the node's last entry, be it deleted; not ok when the node has
// no entry.
func LastID(lp []byte, master ID) (id ID, ok bool) {
	c := Start(lp, master)
	c.ToEnd()
	if !c.Prev() {
		return ID{}, false
	}
	return c.ID, true
}
