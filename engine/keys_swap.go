package engine

import "coatcheck/engine/errs"

// SwapDB exchanges the keyspaces of two dbs: whoever is on one of them sees
// the keys of the other.
//
// It fails with errs.DBIndex. Effect: one without a key, whose Argv names both. O(1).
func (tx *Tx) SwapDB(a, b int) error {
	if !tx.HasDB(a) || !tx.HasDB(b) {
		return errs.DBIndex
	}
	if a != b {
		tx.swap(a, b)
	}
	tx.announceSpace(a, 1, []byte("SWAPDB"), decimal(int64(a)), decimal(int64(b)))
	return nil
}
