package engine

import "coatcheck/engine/errs"

// SwapDB exchanges the keyspaces of two dbs: whoever is on one of them sees
// the keys of the other.
//
// It fails with errs.DBIndex. Effects: one without a key for each of them. O(1).
func (tx *Tx) SwapDB(a, b int) error {
	if !tx.HasDB(a) || !tx.HasDB(b) {
		return errs.DBIndex
	}
	if a != b {
		tx.swap(a, b)
		tx.announceSpace(b, 0)
	}
	tx.announceSpace(a, 1, []byte("SWAPDB"), decimal(int64(a)), decimal(int64(b)))
	return nil
}
