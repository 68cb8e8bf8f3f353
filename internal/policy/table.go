package policy

import "unsafe"

// table finds the records of a db by the hash that the engine has worked out for the key
// already. It is in 256 parts, which grow one by one, so that no growth holds others up.
// A nil table is empty.
type table struct {
	parts [256]part
	n     int
}

// part is a hash table with linear probing, never more than three quarters full.
type part struct {
	slots []slot
	n     int
}

type slot struct {
	hash uint64
	r    *record // nil: the slot is free
}

const (
	slotSize  = int64(unsafe.Sizeof(slot{}))
	tableSize = int64(unsafe.Sizeof(table{}))
	minSlots  = 4
)

func (t *table) count() int {
	if t == nil {
		return 0
	}
	return t.n
}

// find is the record of a key, nil without one.
func (t *table) find(hash uint64, key []byte) *record {
	if t == nil {
		return nil
	}
	p := &t.parts[hash>>56]
	if p.n == 0 {
		return nil
	}
	mask := uint64(len(p.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &p.slots[i]
		if s.r == nil || s.hash == hash && s.r.key == string(key) {
			return s.r
		}
	}
}

// insert adds a record whose key is not there, and returns how many bytes more the table
// takes.
func (t *table) insert(hash uint64, r *record) (grown int64) {
	p := &t.parts[hash>>56]
	if 4*(p.n+1) > 3*len(p.slots) {
		old := p.slots
		p.slots = make([]slot, max(2*len(old), minSlots))
		grown = int64(len(p.slots)-len(old)) * slotSize
		for _, s := range old {
			if s.r != nil {
				p.place(s)
			}
		}
	}
	p.place(slot{hash, r})
	p.n++
	t.n++
	return grown
}

func (p *part) place(s slot) {
	mask := uint64(len(p.slots) - 1)
	i := s.hash & mask
	for p.slots[i].r != nil {
		i = (i + 1) & mask
	}
	p.slots[i] = s
}

// remove takes a record out, which is there. What stands behind it moves up, so that
// no look-up ends at the gap.
func (t *table) remove(hash uint64, r *record) {
	p := &t.parts[hash>>56]
	mask := uint64(len(p.slots) - 1)
	i := hash & mask
	for p.slots[i].r != r {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; p.slots[j].r != nil; j = (j + 1) & mask {
		if home := p.slots[j].hash & mask; (j-home)&mask >= (j-i)&mask {
			p.slots[i] = p.slots[j]
			i = j
		}
	}
	p.slots[i] = slot{}
	p.n--
	t.n--
}

// bytes is what the table takes, without the records.
func (t *table) bytes() int64 {
	if t == nil {
		return 0
	}
	n := tableSize
	for i := range t.parts {
		n += int64(len(t.parts[i].slots)) * slotSize
	}
	return n
}

// each calls visit for every record. It must not change the table.
func (t *table) each(visit func(r *record)) {
	if t == nil {
		return
	}
	for i := range t.parts {
		for _, s := range t.parts[i].slots {
			if s.r != nil {
				visit(s.r)
			}
		}
	}
}

// warm reads what look-ups of keys with these hashes will, so that the processor fetches
// it for all of them at a time.
func (t *table) warm(hashes []uint64) (sum byte) {
	if t == nil {
		return 0
	}
	for _, hash := range hashes {
		if p := &t.parts[hash>>56]; p.n > 0 {
			sum += byte(p.slots[hash&uint64(len(p.slots)-1)].hash)
		}
	}
	for _, hash := range hashes {
		p := &t.parts[hash>>56]
		if p.n == 0 {
			continue
		}
		mask := uint64(len(p.slots) - 1)
		i := hash & mask
		for p.slots[i].r != nil && p.slots[i].hash != hash {
			i = (i + 1) & mask
		}
		if r := p.slots[i].r; r != nil {
			sum += byte(r.born) + byte(r.at.to)
			if len(r.key) > 0 {
				sum += r.key[0]
			}
		}
	}
	return sum
}
