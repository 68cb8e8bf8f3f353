package engine

import (
	"slices"

	"coatcheck/engine/internal/listpack"
)

// Hashes as a whole, for those who load them from elsewhere.

// loadedField is a field of a Value that is a hash.
type loadedField struct {
	name, value []byte
	due         UnixMilli
}

// loadedFields takes the fields out of v. It fails with ErrValue when one is there
// twice, when a deadline is none, and when there is no field.
func loadedFields(v *Value) (fields []loadedField, err error) {
	n := len(v.Elems) / 2
	if n == 0 || len(v.Elems)%2 != 0 || v.FieldAts != nil && len(v.FieldAts) != n {
		return nil, ErrValue
	}
	fields = make([]loadedField, n)
	names := make(map[string]struct{}, n)
	for i := range fields {
		f := loadedField{v.Elems[2*i], v.Elems[2*i+1], Never}
		if v.FieldAts != nil && v.FieldAts[i] != Never {
			if f.due = max(v.FieldAts[i], 1); f.due > MaxFieldDue {
				return nil, ErrValue
			}
		}
		fields[i] = f
		names[string(f.name)] = struct{}{}
	}
	if len(names) < n {
		return nil, ErrValue
	}
	return fields, nil
}

// putHash makes the key at p the hash v, in the encoding that fits, whatever it
// held. It fails with ErrValue before anything changes.
func (tx *Tx) putHash(p *place, v *Value, at UnixMilli) error {
	fields, err := loadedFields(v)
	if err != nil {
		return err
	}
	if tx.hashFits(0, v.Elems) {
		enc, lp := packFields(fields)
		tx.put(p, THash, enc, lp, at)
		return nil
	}
	d := p.db
	h := &hash{elems: newElems(d)}
	done := false
	defer func() {
		if !done { // no memory
			for !h.dismantle(d, digSlice) {
			}
		}
	}()
	for _, f := range fields {
		h.add(d, f.name, f.value, f.due)
	}
	enc := EncHashtable
	if h.due != nil {
		enc = EncHashtableEx
	}
	tx.putObject(p, THash, enc, h, at)
	done = true
	return nil
}

// packFields is the listpack of fields and its encoding. It sorts them by their
// deadlines.
func packFields(fields []loadedField) (enc Encoding, lp []byte) {
	enc = EncListpack
	for _, f := range fields {
		if f.due != Never {
			enc = EncListpackEx
		}
	}
	if enc == EncListpackEx {
		slices.SortStableFunc(fields, func(a, b loadedField) int { return compareDues(a.due, b.due) })
	}
	lp = make([]byte, listpack.HeaderSize, 1024)
	for _, f := range fields {
		lp = listpack.Append(listpack.Append(lp, f.name), f.value)
		if enc == EncListpackEx {
			lp = listpack.AppendInt(lp, int64(max(f.due, 0)))
		}
	}
	lp = append(lp, 0)
	listpack.SetHeader(lp, len(fields)*hashStride(enc))
	return enc, lp
}

// compareDues says which of two deadlines is earlier, as a comparison does. Never
// is the latest.
func compareDues(a, b UnixMilli) int {
	switch {
	case a == b:
		return 0
	case b == Never || a != Never && a < b:
		return -1
	}
	return 1
}
