// Package streamnode reads and writes a node of a stream: some hundred entries in
// a listpack, in the format in which Redis keeps and dumps them (Redis t_stream.c).
// It knows entries of one node, not streams.
//
// A node has a master ID, that of its first entry, which its owner keeps, and
// begins with a master entry:
//
//	live | deleted | number of fields | field … | 0
//
// live and deleted count the entries that follow, those that are there and those
// that only carry a mark, each of them
//
//	flags | ms | seq | value … | length                          with sameFields
//	flags | ms | seq | number of fields | field, value … | length
//
// ms and seq are what the ID is beyond the master ID; sameFields means that the
// fields are those of the master entry; length is how many elements of the listpack
// come before it, so that one can walk backwards.
//
// All functions but Validate trust their bytes. Those that write change them in
// place and need room for it, which they tell beforehand.
package streamnode

import (
	"encoding/binary"

	"coatcheck/engine/internal/listpack"
)

const (
	flagDeleted    = 1
	flagSameFields = 2
)

// intAt is the element at at as an integer, and where the next one is.
func intAt(lp []byte, at int) (n int64, next int) {
	if c := lp[at]; c < 0x80 { // nearly always
		return int64(c), at + 2
	}
	n, _ = listpack.Get(lp, at).Int()
	return n, listpack.Next(lp, at)
}

// Counts are the numbers of entries that are there, and of deleted ones.
func Counts(lp []byte) (live, deleted int64) {
	live, at := intAt(lp, listpack.First(lp))
	deleted, _ = intAt(lp, at)
	return live, deleted
}

// LenWithCounts is the length of lp after SetCounts.
func LenWithCounts(lp []byte, live, deleted int64) int {
	_, at := intAt(lp, listpack.First(lp))
	_, end := intAt(lp, at)
	return len(lp) - (end - listpack.First(lp)) + listpack.IntLen(live) + listpack.IntLen(deleted)
}

// SetCounts writes the numbers of entries and returns lp, which must have room for
// the length that LenWithCounts told. Offsets behind change with the length.
func SetCounts(lp []byte, live, deleted int64) []byte {
	_, at := intAt(lp, listpack.First(lp))
	_, end := intAt(lp, at)
	n := LenWithCounts(lp, live, deleted)
	old := len(lp)
	lp = lp[:max(n, old)]
	copy(lp[end+n-old:], lp[end:old])
	lp = lp[:n]
	head := listpack.AppendInt(lp[:listpack.HeaderSize], live)
	listpack.AppendInt(head, deleted)
	binary.LittleEndian.PutUint32(lp, uint32(n))
	return lp
}

// NewLen is the length of a node without entries whose fields are those of pairs:
// field, value, field, value …
func NewLen(pairs [][]byte) int {
	n := listpack.EmptySize + 3*listpack.IntLen(0) + listpack.IntLen(int64(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		n += listpack.EncodedLen(pairs[i])
	}
	return n
}

// FirstLen is the length of a node with pairs as its only entry.
func FirstLen(pairs [][]byte) int {
	n := NewLen(pairs) + 3*listpack.IntLen(0) + listpack.IntLen(int64(len(pairs)/2)+3)
	for i := 1; i < len(pairs); i += 2 {
		n += listpack.EncodedLen(pairs[i])
	}
	return n
}

// New writes a node without entries into buf, which is long enough for NewLen,
// and returns it.
func New(buf []byte, pairs [][]byte) []byte {
	lp := buf[:listpack.HeaderSize]
	lp = listpack.AppendInt(lp, 0)
	lp = listpack.AppendInt(lp, 0)
	lp = listpack.AppendInt(lp, int64(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		lp = listpack.Append(lp, pairs[i])
	}
	lp = listpack.AppendInt(lp, 0)
	lp = append(lp, 0)
	listpack.SetHeader(lp, 4+len(pairs)/2)
	return lp
}

// Addition is an entry that is about to be appended to a node.
type Addition struct {
	// Len is how long the node is with it.
	Len  int
	ms   int64
	seq  int64
	same bool
	size int // of the entry
}

// Plan works out how an entry is appended. master is the node's master ID, pairs as
// in NewLen.
func Plan(lp []byte, master, id ID, pairs [][]byte) Addition {
	a := Addition{ms: int64(id.Ms - master.Ms), seq: int64(id.Seq - master.Seq), same: sameFields(lp, pairs)}
	n := len(pairs) / 2
	a.size = listpack.IntLen(0) + listpack.IntLen(a.ms) + listpack.IntLen(a.seq) + listpack.IntLen(a.elems(n)-1)
	if !a.same {
		a.size += listpack.IntLen(int64(n))
	}
	for i, b := range pairs {
		if i%2 == 1 || !a.same {
			a.size += listpack.EncodedLen(b)
		}
	}
	live, deleted := Counts(lp)
	a.Len = LenWithCounts(lp, live+1, deleted) + a.size
	return a
}

// elems is how many elements an entry of n fields takes.
func (a *Addition) elems(n int) int64 {
	if a.same {
		return int64(n) + 4
	}
	return 2*int64(n) + 5
}

// sameFields says whether the fields of pairs are those of the master entry.
func sameFields(lp []byte, pairs [][]byte) bool {
	_, at := intAt(lp, listpack.First(lp))
	_, at = intAt(lp, at)
	n, at := intAt(lp, at)
	if int(n) != len(pairs)/2 {
		return false
	}
	for i := 0; i < len(pairs); i += 2 {
		if !listpack.Get(lp, at).Equal(pairs[i]) {
			return false
		}
		at = listpack.Next(lp, at)
	}
	return true
}

// Append appends the entry that a was planned for and returns lp, which must have
// room for a.Len.
func Append(lp []byte, a Addition, pairs [][]byte) []byte {
	elems := int(binary.LittleEndian.Uint16(lp[4:]))
	live, deleted := Counts(lp)
	lp = SetCounts(lp, live+1, deleted)
	lp = lp[:len(lp)-1]
	n := len(pairs) / 2
	if a.same {
		lp = listpack.AppendInt(lp, flagSameFields)
	} else {
		lp = listpack.AppendInt(lp, 0)
	}
	lp = listpack.AppendInt(lp, a.ms)
	lp = listpack.AppendInt(lp, a.seq)
	if !a.same {
		lp = listpack.AppendInt(lp, int64(n))
	}
	for i, b := range pairs {
		if i%2 == 1 || !a.same {
			lp = listpack.Append(lp, b)
		}
	}
	lp = listpack.AppendInt(lp, a.elems(n)-1)
	lp = append(lp, 0)
	if elems < 0xffff { // else unknown, and stays so
		elems += int(a.elems(n))
	}
	listpack.SetHeader(lp, elems)
	return lp
}
