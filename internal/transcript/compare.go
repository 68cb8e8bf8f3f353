package transcript

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"coatcheck/resp"
)

// expectation is how the next reply is compared.
type expectation struct {
	unordered bool
	margin    int64
	re        *regexp.Regexp
}

// met says whether got is what was expected.
func (e expectation) met(want, got resp.Value) bool {
	switch {
	case e.re != nil:
		return e.re.MatchString(got.String())
	case e.unordered:
		return e.equal(ordered(want), ordered(got))
	}
	return e.equal(want, got)
}

func (e expectation) equal(want, got resp.Value) bool {
	if want.Kind != got.Kind || want.Absent != got.Absent || len(want.Elems) != len(got.Elems) || len(want.Attr) != len(got.Attr) {
		return false
	}
	for i := range want.Elems {
		if !e.equal(want.Elems[i], got.Elems[i]) {
			return false
		}
	}
	for i := range want.Attr {
		if !e.equal(want.Attr[i], got.Attr[i]) {
			return false
		}
	}
	if want.Text == got.Text {
		return true
	}
	a, errA := strconv.ParseFloat(want.Text, 64)
	b, errB := strconv.ParseFloat(got.Text, 64)
	return e.margin > 0 && errA == nil && errB == nil && a-b <= float64(e.margin) && b-a <= float64(e.margin)
}

// ordered sorts the elements of v; of a map, the pairs.
func ordered(v resp.Value) resp.Value {
	size := 1
	if v.Kind == resp.KindMap {
		size = 2
	}
	pairs := slices.Collect(slices.Chunk(v.Elems, size))
	slices.SortFunc(pairs, func(a, b []resp.Value) int { return strings.Compare(a[0].String(), b[0].String()) })
	v.Elems = slices.Concat(pairs...)
	return v
}

// olderThan compares versions: "7.0.15" is older than "7.2".
func olderThan(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range b {
		if i == len(a) {
			return true
		}
		x, _ := strconv.Atoi(a[i])
		y, _ := strconv.Atoi(b[i])
		if x != y {
			return x < y
		}
	}
	return false
}
