// Package hll counts different elements approximately, in Redis' own representation
// of a HyperLogLog, byte for byte: a string that goes anywhere that Redis' do. The
// algorithm is that of Heule, Nunkesser, Hall (2013) and Ertl (arXiv:1702.01284), the
// bytes are those of Redis hyperloglog.c:
//
//	0   "HYLL"
//	4   0 dense, 1 sparse
//	5   zeros, 3
//	8   the count as it was last worked out, 8; the highest bit says that it is out of date
//	16  dense: 16384 registers of 6 bits, the lowest bits first
//	    sparse: runs, 00nnnnnn: n+1 zeros; 01nnnnnn nnnnnnnn: n+1 zeros;
//	    1vvvvvnn: n+1 times v+1
//
// All functions but IsOne take bytes for which that holds. The runs may be of any kind:
// they are looked at as they are read.
package hll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

const (
	registers  = 1 << 14
	header     = 16
	denseSize  = header + registers*6/8
	maxRank    = 51 // of 50 bits that are zeros
	maxSparse  = 32 // the highest register that a run can have
	maxRun     = 4  // of registers that are not zero
	shortZeros = 64
)

// ErrCorrupt says that runs are none, or do not make 16384 registers.
var ErrCorrupt = errors.New("hll: corrupt runs")

// New is an empty one.
func New() []byte {
	b := make([]byte, header, header+2)
	copy(b, "HYLL")
	b[4] = 1
	return appendZeros(b, registers)
}

// IsOne says whether b is one, as far as its header tells.
func IsOne(b []byte) bool {
	return len(b) >= header && string(b[:4]) == "HYLL" && (b[4] == 1 || b[4] == 0 && len(b) == denseSize)
}

// IsDense says which of the two representations b has.
func IsDense(b []byte) bool { return b[4] == 0 }

// Cached is the count that was worked out last; not ok when it is out of date.
func Cached(b []byte) (n uint64, ok bool) {
	return binary.LittleEndian.Uint64(b[8:]), b[15]&0x80 == 0
}

// SetCached keeps a count.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[8:], n) }

// Outdate says that the count is to be worked out again.
func Outdate(b []byte) { b[15] |= 0x80 }

// place is the register that elem belongs to, and the value that it asks for.
func place(elem []byte) (register int, rank byte) {
	h := murmur(elem, 0xadc83b19)
	return int(h & (registers - 1)), byte(bits.TrailingZeros64(h>>14|1<<50)) + 1
}

// murmur is MurmurHash64A (Appleby) of little-endian words.
func murmur(b []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		h = (h ^ binary.LittleEndian.Uint64(last[:])) * m
	}
	h ^= h >> r
	h *= m
	return h ^ h>>r
}

// Add adds an element to b, whose bytes it may change, and returns what b is then: a
// sparse one of more than most bytes becomes dense.
func Add(b, elem []byte, most int64) (next []byte, changed bool, err error) {
	register, rank := place(elem)
	return Raise(b, register, rank, most)
}

// Raise makes a register at least rank, as Add does.
func Raise(b []byte, register int, rank byte, most int64) (next []byte, changed bool, err error) {
	if IsDense(b) {
		if denseAt(b, register) >= rank {
			return b, false, nil
		}
		setDense(b, register, rank)
		return b, true, nil
	}
	return raiseSparse(b, register, rank, most)
}

func denseAt(b []byte, i int) byte {
	at, shift := header+i*6/8, uint(i*6%8)
	v := uint(b[at]) >> shift
	if shift > 2 {
		v |= uint(b[at+1]) << (8 - shift)
	}
	return byte(v & 63)
}

func setDense(b []byte, i int, v byte) {
	at, shift := header+i*6/8, uint(i*6%8)
	b[at] = b[at]&^byte(63<<shift) | v<<shift
	if shift > 2 {
		b[at+1] = b[at+1]&^(63>>(8-shift)) | v>>(8-shift)
	}
}

// Dense is b, or a dense one of the same registers.
func Dense(b []byte) ([]byte, error) {
	if IsDense(b) {
		return b, nil
	}
	d := make([]byte, denseSize)
	copy(d, b[:header])
	d[4] = 0
	err := Each(b, func(register int, v byte) { setDense(d, register, v) })
	return d, err
}

// Each calls visit for every register that is not zero.
func Each(b []byte, visit func(register int, v byte)) error {
	if IsDense(b) {
		for i := range registers {
			if v := denseAt(b, i); v > 0 {
				visit(i, v)
			}
		}
		return nil
	}
	at, err := runs(b, func(_, from, n int, v byte) bool {
		for i := from; v > 0 && i < from+n; i++ {
			visit(i, v)
		}
		return true
	})
	if err == nil && at != registers {
		err = ErrCorrupt
	}
	return err
}

// Registers is how many there are.
const Registers = registers

// Values are all registers of b.
func Values(b []byte) (v [registers]byte, err error) {
	err = Each(b, func(register int, value byte) { v[register] = value })
	return v, err
}

// Count is about how many different elements were added.
func Count(b []byte) (uint64, error) {
	var histogram [64]int
	left := registers
	err := Each(b, func(_ int, v byte) {
		histogram[v]++
		left--
	})
	histogram[0] = left
	return estimate(&histogram), err
}

// CountOf is Count of registers by themselves.
func CountOf(v *[registers]byte) uint64 {
	var histogram [64]int
	for _, r := range v {
		histogram[r&63]++
	}
	return estimate(&histogram)
}

// estimate is Ertl's estimator of how many registers have each value.
func estimate(histogram *[64]int) uint64 {
	const m = float64(registers)
	z := m * tau((m-float64(histogram[maxRank]))/m)
	for i := maxRank - 1; i >= 1; i-- {
		z = (z + float64(histogram[i])) * 0.5
	}
	z += m * sigma(float64(histogram[0])/m)
	const alpha = 0.721347520444481703680 // 1/(2 ln 2)
	return uint64(math.Round(alpha * m * m / z))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	z, y := x, 1.0
	for before := math.NaN(); z != before; y += y {
		x *= x
		before = z
		z += x * y
	}
	return z
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z, y := 1-x, 1.0
	for before := math.NaN(); z != before; {
		x = math.Sqrt(x)
		before = z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
	}
	return z / 3
}
