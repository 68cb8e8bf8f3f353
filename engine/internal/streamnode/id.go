package streamnode

import (
	"cmp"
	"math"
	"strconv"
)

// ID names an entry of a stream: a time in milliseconds since the Unix epoch by
// custom, and a number within it. IDs are ordered by both.
type ID struct{ Ms, Seq uint64 }

// MaxID is the highest ID; the zero value is the lowest.
var MaxID = ID{math.MaxUint64, math.MaxUint64}

// Compare is negative, 0 or positive as a is below, equal to or above b.
func (a ID) Compare(b ID) int {
	if c := cmp.Compare(a.Ms, b.Ms); c != 0 {
		return c
	}
	return cmp.Compare(a.Seq, b.Seq)
}

// Less says whether a is below b.
func (a ID) Less(b ID) bool { return a.Ms < b.Ms || a.Ms == b.Ms && a.Seq < b.Seq }

// IsZero says whether a is 0-0, which no entry has.
func (a ID) IsZero() bool { return a == ID{} }

// Next is the ID behind a; not ok, and 0-0, behind the highest.
func (a ID) Next() (next ID, ok bool) {
	switch {
	case a.Seq < math.MaxUint64:
		return ID{a.Ms, a.Seq + 1}, true
	case a.Ms < math.MaxUint64:
		return ID{a.Ms + 1, 0}, true
	}
	return ID{}, false
}

// Prev is the ID before a; not ok, and the highest, before 0-0.
func (a ID) Prev() (prev ID, ok bool) {
	switch {
	case a.Seq > 0:
		return ID{a.Ms, a.Seq - 1}, true
	case a.Ms > 0:
		return ID{a.Ms - 1, math.MaxUint64}, true
	}
	return MaxID, false
}

// MaxIDLen is the length of the longest ID as text.
const MaxIDLen = 41

// Append appends the ID as text: "1526919030474-55".
func (a ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, a.Ms, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, a.Seq, 10)
}

// String is the ID as text.
func (a ID) String() string { return string(a.Append(nil)) }
