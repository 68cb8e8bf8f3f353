package engine

import "coatcheck/engine/errs"

// String returns the string at key and whether there is one. The bytes are the
// store's, good until the unit's next write.
//
// It fails with errs.WrongType when key holds another type. O(1).
func (tx *Tx) String(key []byte) (val []byte, ok bool, err error) {
	p := tx.read(key)
	if !p.exists() {
		return nil, false, nil
	}
	if p.typ() != TString {
		return nil, false, errs.WrongType
	}
	return p.bytes(), true, nil
}
