// Package partsort finds the first few of many in order, without sorting the rest.
package partsort

import (
	"math/bits"
	"slices"
)

// First puts the first n of a in their order at its beginning; the rest comes behind in
// no order. Which of equal ones come first follows from the way of Bentley and
// McIlroy's "Engineering a Sort Function" (1993), so that it is the same as with
// Redis' partial sort. O(len(a) + n log n) on average, never worse than
// O(len(a) log len(a)).
func First[T any](a []T, n int, cmp func(x, y *T) int) {
	first(a, n, 2*bits.Len(uint(len(a))), cmp)
}

// first is First; after so many levels of parts that hardly became smaller it takes
// another way.
func first[T any](a []T, n, levels int, cmp func(x, y *T) int) {
	for n > 0 && len(a) >= 7 {
		if levels--; levels < 0 {
			slices.SortStableFunc(a, func(x, y T) int { return cmp(&x, &y) })
			return
		}
		below, above := part(a, cmp)
		lower, upper := a[:below], a[len(a)-above:]
		rest := n - (len(a) - above)
		if below < above { // the smaller by a call, so that calls are not nested deeply
			first(lower, n, levels, cmp)
			a, n = upper, rest
		} else {
			first(upper, rest, levels, cmp)
			a = lower
		}
	}
	if n > 0 {
		insert(a, cmp)
	}
}

func insert[T any](a []T, cmp func(x, y *T) int) {
	for i := 1; i < len(a); i++ {
		for j := i; j > 0 && cmp(&a[j-1], &a[j]) > 0; j-- {
			a[j-1], a[j] = a[j], a[j-1]
		}
	}
}

// part orders a by one of its elements: below come first, then those that equal it,
// then those above.
func part[T any](a []T, cmp func(x, y *T) int) (below, above int) {
	p := pivot(a, cmp)
	a[0], a[p] = a[p], a[0]
	// Equal ones are put aside at both ends: up to sameLow, and behind sameHigh.
	end := len(a)
	sameLow, low, high, sameHigh := 1, 1, end-1, end-1
	for {
		for low <= high {
			c := cmp(&a[low], &a[0])
			if c > 0 {
				break
			}
			if c == 0 {
				a[sameLow], a[low] = a[low], a[sameLow]
				sameLow++
			}
			low++
		}
		for low <= high {
			c := cmp(&a[high], &a[0])
			if c < 0 {
				break
			}
			if c == 0 {
				a[high], a[sameHigh] = a[sameHigh], a[high]
				sameHigh--
			}
			high--
		}
		if low > high {
			break
		}
		a[low], a[high] = a[high], a[low]
		low++
		high--
	}
	n := min(sameLow, low-sameLow)
	exchange(a[:n], a[low-n:low])
	n = min(sameHigh-high, end-1-sameHigh)
	exchange(a[low:low+n], a[end-n:])
	return low - sameLow, sameHigh - high
}

func exchange[T any](x, y []T) {
	for i := range x {
		x[i], y[i] = y[i], x[i]
	}
}

// pivot is the index of a median: of the middle, of three, or of three medians of three.
func pivot[T any](a []T, cmp func(x, y *T) int) int {
	low, mid, high := 0, len(a)/2, len(a)-1
	if len(a) == 7 {
		return mid
	}
	if len(a) > 40 {
		d := len(a) / 8
		low = median(a, low, low+d, low+2*d, cmp)
		mid = median(a, mid-d, mid, mid+d, cmp)
		high = median(a, high-2*d, high-d, high, cmp)
	}
	return median(a, low, mid, high, cmp)
}

func median[T any](a []T, i, j, k int, cmp func(x, y *T) int) int {
	x, y, z := &a[i], &a[j], &a[k]
	if cmp(x, y) < 0 {
		switch {
		case cmp(y, z) < 0:
			return j
		case cmp(x, z) < 0:
			return k
		}
		return i
	}
	switch {
	case cmp(y, z) > 0:
		return j
	case cmp(x, z) < 0:
		return i
	}
	return k
}
