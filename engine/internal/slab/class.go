package slab

import "math/bits"

// Size classes: steps of 8 bytes up to 1 KiB, then eight steps a doubling up to
// 8 KiB, then whole fractions of a span. A block wastes 4 bytes on average
// where sessions live, and at most an eighth above.

const (
	fineMax  = 1 << 10
	stepMax  = 8 << 10
	smallMax = 32 << 10
	minSize  = 16
)

// classSize is the size of a class's blocks, in bytes.
var classSize = makeClasses()

var (
	stepClass  = classFor(fineMax) + 1 // the first class above fineMax
	spanClass  = classFor(stepMax) + 1 // the first class above stepMax
	numClasses = len(classSize)
)

func makeClasses() []uint32 {
	var sizes []uint32
	for n := minSize; n <= fineMax; n += 8 {
		sizes = append(sizes, uint32(n))
	}
	for base := fineMax; base < stepMax; base *= 2 {
		for i := 1; i <= 8; i++ {
			sizes = append(sizes, uint32(base+base/8*i))
		}
	}
	for parts := spanSize/stepMax - 1; parts >= spanSize/smallMax; parts-- {
		sizes = append(sizes, uint32(spanSize/parts&^7))
	}
	return sizes
}

// classFor finds the class of a table entry; only for the table's own set-up.
func classFor(size uint32) int {
	for c, n := range classSize {
		if n == size {
			return c
		}
	}
	panic("slab: no such class")
}

// classOf is the smallest class that holds n bytes, n at most smallMax.
func classOf(n int) int {
	switch {
	case n <= minSize:
		return 0
	case n <= fineMax:
		return (n+7)/8 - minSize/8
	case n <= stepMax:
		exp := bits.Len(uint(n-1)) - 1 // 2^exp < n ≤ 2^(exp+1)
		step := (n - 1 - 1<<exp) >> (exp - 3)
		return stepClass + (exp-10)*8 + step
	}
	c := spanClass
	for int(classSize[c]) < n {
		c++
	}
	return c
}
