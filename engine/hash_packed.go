package engine

import (
	"strconv"

	"coatcheck/engine/internal/listpack"
)

// Packed hashes: listpacks of field and value in turn. EncListpackEx has the
// field's deadline as a third element, an integer, 0 for none; its fields are
// sorted by deadline, those without one last, as in Redis' encoding of that name.

// maxPackedHash is how many bytes of fields and values a packed hash takes,
// whatever the bounds of Packing.
const maxPackedHash = 1 << 30

// hashStride is how many elements a field takes in a packed hash.
func hashStride(enc Encoding) int {
	if enc == EncListpackEx {
		return 3
	}
	return 2
}

// tupleEnd is what follows the field whose value is at value, and the field's
// deadline.
func tupleEnd(lp []byte, value, stride int) (end int, due UnixMilli) {
	end, due = listpack.Next(lp, value), Never
	if stride > 2 {
		if n, _ := listpack.Get(lp, end).Int(); n != 0 {
			due = UnixMilli(n)
		}
		end = listpack.Next(lp, end)
	}
	return end, due
}

// packedPassed finds the fields of an EncListpackEx whose deadlines have come:
// they are before at, n of them.
func packedPassed(lp []byte, now UnixMilli) (at, n int) {
	at = listpack.First(lp)
	for at < listpack.End(lp) {
		end, due := tupleEnd(lp, listpack.Next(lp, at), 3)
		if due == Never || due > now {
			break
		}
		at = end
		n++
	}
	return at, n
}

// packedDue is the first deadline in an EncListpackEx.
func packedDue(lp []byte) UnixMilli {
	if first := listpack.First(lp); first < listpack.End(lp) {
		_, due := tupleEnd(lp, listpack.Next(lp, first), 3)
		return due
	}
	return Never
}

// packedSlot is where in an EncListpackEx a field with a deadline belongs: behind
// those with the same one.
func packedSlot(lp []byte, due UnixMilli) int {
	if due == Never {
		return listpack.End(lp)
	}
	at := listpack.First(lp)
	for at < listpack.End(lp) {
		end, there := tupleEnd(lp, listpack.Next(lp, at), 3)
		if there == Never || there > due {
			break
		}
		at = end
	}
	return at
}

// packedAdd adds a field that is not in the packed hash at p. Its bytes must not
// point into the store.
func (tx *Tx) packedAdd(p *place, field, value []byte, due UnixMilli) {
	at := listpack.End(p.bytes())
	if p.enc() != EncListpackEx {
		tx.packedReplace(p, at, at, 0, field, value)
		return
	}
	at = packedSlot(p.bytes(), due)
	tx.packedReplace(p, at, at, 0, field, value, dueText(&tx.numbers[1], due))
}

// dueText is how an EncListpackEx has a deadline.
func dueText(buf *[20]byte, due UnixMilli) []byte {
	return strconv.AppendInt(buf[:0], int64(max(due, 0)), 10)
}

// packedSetDue changes the deadline of a field of the EncListpackEx at p, which
// moves it to its place.
func (tx *Tx) packedSetDue(p *place, f *hashField, due UnixMilli) {
	lp := p.bytes()
	field := listpack.Get(lp, f.at).Append(nil)
	value := listpack.Get(lp, f.value).Append(nil)
	tx.packedReplace(p, f.at, f.end, 3)
	tx.packedAdd(p, field, value, due)
}

// packedEx makes the packed hash at p an EncListpackEx.
func (tx *Tx) packedEx(p *place) {
	if p.enc() == EncListpackEx {
		return
	}
	old := p.bytes()
	lp := make([]byte, listpack.HeaderSize, len(old)+len(old)/4)
	n := 0
	for at := listpack.First(old); at < listpack.End(old); n += 3 {
		end, _ := tupleEnd(old, listpack.Next(old, at), 2)
		lp = append(lp, old[at:end]...)
		lp = listpack.AppendInt(lp, 0)
		at = end
	}
	lp = append(lp, 0)
	listpack.SetHeader(lp, n)
	tx.put(p, THash, EncListpackEx, lp, p.expireAt())
}

// hashFits says whether fields with values of these sizes may be in a packed hash
// of size bytes.
func (tx *Tx) hashFits(size int, pairs [][]byte) bool {
	if int64(len(pairs)/2) > tx.eng.packing.HashEntries {
		return false
	}
	for _, b := range pairs {
		if int64(len(b)) > tx.eng.packing.HashValue {
			return false
		}
		size += len(b)
	}
	return size <= maxPackedHash
}

// hashSetAll sets pairs of field and value in the hash at p, which is created
// where missing, with its event, and returns how many fields are new. Deadlines
// are dropped, or with keep stay.
func (tx *Tx) hashSetAll(p *place, pairs [][]byte, keep bool) (added int) {
	before := p.fieldsDue()
	isNew := !p.exists()
	size := 0
	if !isNew && p.object() == nil {
		size = len(p.bytes())
	}
	if fits := tx.hashFits(size, pairs); !isNew && !fits && p.object() == nil {
		tx.hashUnpack(p)
	} else if isNew {
		if fits {
			pairs, added = tx.hashPack(p, pairs)
		} else {
			tx.newHash(p)
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if tx.hashPut(p, pairs[i], pairs[i+1], keep) {
			added++
		}
	}
	tx.hashSettled(p, before)
	if p.object() == nil && int64(listpack.Len(p.bytes())/hashStride(p.enc())) > tx.eng.packing.HashEntries {
		tx.hashUnpack(p)
	}
	if isNew {
		tx.also(ClassNew, "new", p.key)
	}
	return added
}

// hashPack makes the missing key at p a packed hash of the leading pairs up to
// the first field that comes again, and returns the other ones.
func (tx *Tx) hashPack(p *place, pairs [][]byte) (rest [][]byte, added int) {
	lp := append(tx.scratch[:0], make([]byte, listpack.HeaderSize)...)
	for len(pairs) > 0 {
		if added > 0 {
			lp = append(lp, 0)
			listpack.SetHeader(lp, 2*added)
			_, again := listpack.Find(lp, listpack.First(lp), pairs[0], 1)
			lp = lp[:len(lp)-1]
			if again {
				break
			}
		}
		lp = listpack.Append(listpack.Append(lp, pairs[0]), pairs[1])
		pairs = pairs[2:]
		added++
	}
	lp = append(lp, 0)
	listpack.SetHeader(lp, 2*added)
	tx.put(p, THash, EncListpack, lp, Never)
	tx.keepScratch(lp)
	return pairs, added
}

// hashPut sets a field of the hash at p, which exists, and says whether it is
// new. The index of hashes does not hear of it.
func (tx *Tx) hashPut(p *place, field, value []byte, keep bool) (isNew bool) {
	if o := p.object(); o != nil {
		return o.(*hash).set(p.db, field, value, keep)
	}
	f, ok := tx.hashFind(p, field)
	switch {
	case !ok:
		tx.packedAdd(p, field, value, Never)
	case f.due != Never && !keep:
		tx.packedReplace(p, f.at, f.end, 3)
		tx.packedAdd(p, field, value, Never)
	default:
		tx.packedReplace(p, f.value, listpack.Next(p.bytes(), f.value), 1, value)
	}
	return !ok
}
