package engine

import "coatcheck/engine/errs"

// The longest common subsequence of two strings. The lengths of all prefixes
// need two rows only; the way back through the table needs to know of each cell
// no more than whether it went up or left, so it is kept in one bit a cell,
// where Redis keeps four bytes.

// maxLCSCells bounds the table of StringLCS: its time, under the lock, and, at
// an eighth of a byte a cell, its memory. It is what Redis' default of
// proto-max-bulk-len, 512 MiB, holds of its cells.
const maxLCSCells = 1 << 27

// LCSRange is a run of bytes that two strings share: from First to Last, both
// included, in each.
type LCSRange struct {
	AFirst, ALast, BFirst, BLast int
}

// LCSResult is what StringLCS found.
type LCSResult struct {
	Len     int
	Text    []byte
	Matches []LCSRange // from the last to the first
}

// LCSWants chooses what StringLCS works out beside the length.
type LCSWants struct {
	Text    bool
	Matches bool
	// MinLen leaves shorter matches out.
	MinLen int64
}

// LCSKeys fails with errs.LCSNotStrings when one of two keys holds anything but
// a string. It counts as a look-up of both.
func (tx *Tx) LCSKeys(keyA, keyB []byte) error {
	_, _, err := tx.String(keyA)
	if _, _, errB := tx.String(keyB); err != nil || errB != nil {
		return errs.LCSNotStrings
	}
	return nil
}

// StringLCS finds the longest common subsequence of the strings at two keys, a
// missing one being empty.
//
// It fails with errs.LCSNotStrings when one holds another type, and with
// errs.LCSMemory when they are too long. O(len(a)·len(b)).
func (tx *Tx) StringLCS(keyA, keyB []byte, want LCSWants) (res LCSResult, err error) {
	a, err := tx.lcsString(keyA)
	b, errB := tx.lcsString(keyB)
	if err != nil || errB != nil {
		return res, errs.LCSNotStrings
	}
	if len(b)+1 > maxLCSCells/(len(a)+1) {
		return res, errs.LCSMemory
	}
	if !want.Text && !want.Matches {
		res.Len = lcsTable(a, b, nil)
		return res, nil
	}
	up := make([]uint64, (len(a)*len(b)+63)/64)
	res.Len = lcsTable(a, b, up)
	res.trace(a, b, up, want)
	return res, nil
}

// lcsString is a copy of the string at key, since reading a second one may
// remove an expired key. LCSKeys has counted the look-up.
func (tx *Tx) lcsString(key []byte) ([]byte, error) {
	p := tx.peek(key)
	val, _, err := stringAt(&p)
	return append([]byte(nil), val...), err
}

// lcsTable returns the length for all of a and b. Where up is not nil, bit
// i·len(b)+j says that a[:i], b[:j+1] share more than a[:i+1], b[:j].
func lcsTable(a, b []byte, up []uint64) int {
	row := make([]uint32, len(b)+1) // of the prefixes of b with a[:i]
	for i := range a {
		diagonal := uint32(0)
		cell := i * len(b)
		for j := range b {
			above, left := row[j+1], row[j]
			switch {
			case a[i] == b[j]:
				row[j+1] = diagonal + 1
			case above > left:
				if up != nil {
					up[(cell+j)/64] |= 1 << ((cell + j) % 64)
				}
			default:
				row[j+1] = left
			}
			diagonal = above
		}
	}
	return int(row[len(b)])
}

// trace walks the table back from its end, as Redis does: along equal bytes,
// else up where that shares more, else left.
func (res *LCSResult) trace(a, b []byte, up []uint64, want LCSWants) {
	if want.Text {
		res.Text = make([]byte, res.Len)
	}
	var run LCSRange
	inRun := false
	endRun := func() {
		if inRun && want.Matches && int64(run.ALast-run.AFirst+1) >= want.MinLen {
			res.Matches = append(res.Matches, run)
		}
		inRun = false
	}
	at := res.Len
	for i, j := len(a), len(b); i > 0 && j > 0; {
		if a[i-1] != b[j-1] {
			endRun()
			cell := (i-1)*len(b) + j - 1
			if up[cell/64]&(1<<(cell%64)) != 0 {
				i--
			} else {
				j--
			}
			continue
		}
		i, j, at = i-1, j-1, at-1
		if want.Text {
			res.Text[at] = a[i]
		}
		if !inRun {
			inRun, run = true, LCSRange{AFirst: i, ALast: i, BFirst: j, BLast: j}
		} else {
			run.AFirst, run.BFirst = i, j
		}
	}
	endRun()
}
