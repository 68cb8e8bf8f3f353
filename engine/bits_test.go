package engine_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// row is bits, one a byte.
type row []byte

func (r row) at(n int64) byte {
	if n < int64(len(r)) {
		return r[n]
	}
	return 0
}

func rowOf(val []byte) (r row) {
	for _, b := range val {
		for i := 7; i >= 0; i-- {
			r = append(r, b>>i&1)
		}
	}
	return r
}

// Every way of looking at bits agrees with looking at one after another.
func TestBitsModel(t *testing.T) {
	f, rng := enginetest.New(t), rand.New(rand.NewPCG(1, 7))
	key := []byte("k")
	for range 3000 {
		val := make([]byte, rng.IntN(40))
		fill := []byte{0, 0xff, byte(rng.Uint32())}[rng.IntN(3)]
		for i := range val {
			if val[i] = fill; rng.IntN(12) == 0 {
				val[i] = byte(rng.Uint32())
			}
		}
		f.Tx(func(tx *engine.Tx) {
			_, err := tx.StringSet(key, val, engine.SetOptions{})
			require.NoError(t, err)
			checkRanges(t, tx, rng, key, rowOf(val))
			checkFields(t, tx, rng, key, rowOf(val))
		})
	}
}

func checkRanges(t *testing.T, tx *engine.Tx, rng *rand.Rand, key []byte, r row) {
	rg := engine.BitRange{Given: true, HasEnd: rng.IntN(4) > 0, Bits: rng.IntN(2) > 0}
	n, unit := int64(len(r)), int64(1)
	if !rg.Bits {
		n, unit = n/8, 8
	}
	rg.Start, rg.End = rng.Int64N(2*n+4)-n-2, rng.Int64N(2*n+4)-n-2
	first, last := rg.Start, rg.End
	if !rg.HasEnd {
		last = n - 1
	}
	if first < 0 {
		first = max(first+n, 0)
	}
	if last < 0 {
		last = max(last+n, 0)
	}
	last = min(last, n-1)
	count, pos := int64(0), [2]int64{-1, -1}
	for i := first * unit; i < (last+1)*unit; i++ {
		bit := r.at(i)
		count += int64(bit)
		if pos[bit] < 0 {
			pos[bit] = i
		}
	}
	if pos[0] < 0 && !rg.HasEnd && first <= last {
		pos[0] = int64(len(r))
	}
	if !rg.HasEnd || rg.Start >= 0 || rg.End >= 0 || rg.Start <= rg.End {
		got, err := tx.BitCount(key, rg)
		require.NoError(t, err)
		require.Equal(t, count, got, "%+v of %v", rg, r)
	}
	for bit := range 2 {
		got, err := tx.BitPos(key, bit == 1, rg)
		require.NoError(t, err)
		require.Equal(t, pos[bit], got, "%d in %+v of %v", bit, rg, r)
	}
}

// checkFields compares steps with sums of big integers.
func checkFields(t *testing.T, tx *engine.Tx, rng *rand.Rand, key []byte, r row) {
	for range 8 {
		s := engine.BitField{
			Verb: engine.BitFieldVerb(rng.IntN(3)), Signed: rng.IntN(2) > 0, Bits: 1 + rng.IntN(63), At: rng.Int64N(300),
			Value: rng.Int64() >> rng.IntN(64), Overflow: engine.BitOverflow(rng.IntN(3)),
		}
		if s.Signed && rng.IntN(4) == 0 {
			s.Bits = 64
		}
		if rng.IntN(2) == 0 {
			s.Value = -s.Value
		}
		old := r.number(s)
		want, fits := wanted(s, old)
		var got int64
		var ok bool
		require.NoError(t, tx.BitFields(key, []engine.BitField{s}, nil, func(v int64, done bool) { got, ok = v, done }))
		if s.Verb == engine.FieldGet {
			require.True(t, ok)
			require.Equal(t, old.Int64(), got)
			continue
		}
		require.Equal(t, fits || s.Overflow != engine.OverflowFail, ok, "%+v", s)
		for int64(len(r)) < (s.At+int64(s.Bits)+7)/8*8 {
			r = append(r, 0)
		}
		if ok {
			if s.Verb == engine.FieldSet {
				require.Equal(t, old.Int64(), got, "%+v", s)
			} else {
				require.Equal(t, want.Int64(), got, "%+v of %v", s, old)
			}
			for i := range s.Bits {
				r[s.At+int64(i)] = byte(want.Uint64() >> (s.Bits - 1 - i) & 1)
				if want.Sign() < 0 {
					r[s.At+int64(i)] = byte(uint64(want.Int64()) >> (s.Bits - 1 - i) & 1)
				}
			}
		}
		val, _, err := tx.String(key)
		require.NoError(t, err)
		require.Equal(t, r, rowOf(val), "%+v", s)
	}
}

func (r row) number(s engine.BitField) *big.Int {
	v := new(big.Int)
	for i := range s.Bits {
		v.Lsh(v, 1).Or(v, big.NewInt(int64(r.at(s.At+int64(i)))))
	}
	if s.Signed && r.at(s.At) == 1 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(s.Bits)))
	}
	return v
}

// wanted is what is to be written, and whether it fits without more ado.
func wanted(s engine.BitField, old *big.Int) (v *big.Int, fits bool) {
	size := new(big.Int).Lsh(big.NewInt(1), uint(s.Bits))
	low, high := new(big.Int), new(big.Int).Sub(size, big.NewInt(1))
	if s.Signed {
		high.Rsh(high, 1)
		low.Neg(new(big.Int).Add(high, big.NewInt(1)))
	}
	v = big.NewInt(s.Value)
	switch {
	case s.Verb == engine.FieldIncr:
		v.Add(v, old)
	case !s.Signed && s.Value < 0: // stands for one of 64 bits
		v.Add(v, new(big.Int).Lsh(big.NewInt(1), 64))
	}
	if v.Cmp(low) >= 0 && v.Cmp(high) <= 0 {
		return v, true
	}
	if s.Overflow == engine.OverflowSat {
		if v.Cmp(high) > 0 {
			return high, false
		}
		return low, false
	}
	v.Mod(v, size)
	if v.Cmp(high) > 0 {
		v.Sub(v, size)
	}
	return v, false
}

// A bit far behind the end makes a string of zeros, which costs no memory before it
// is written.
func TestBitsOfALongString(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		const last = 512<<23 - 1
		require.NoError(t, tx.BitOffset(last))
		require.Error(t, tx.BitOffset(last+1))
		require.Error(t, tx.BitOffset(-1))
		old, err := tx.BitSet([]byte("k"), last, true)
		require.NoError(t, err)
		require.False(t, old)
		on, err := tx.BitGet([]byte("k"), last)
		require.NoError(t, err)
		require.True(t, on)
		n, err := tx.StringLen([]byte("k"))
		require.NoError(t, err)
		require.Equal(t, 512<<20, n)
	})
}

func TestBitOp(t *testing.T) {
	f, rng := enginetest.New(t), rand.New(rand.NewPCG(3, 7))
	for range 500 {
		keys := [][]byte{[]byte("a"), []byte("b"), []byte("c")}[:1+rng.IntN(3)]
		var vals [][]byte
		longest := 0
		f.Tx(func(tx *engine.Tx) {
			for _, key := range keys {
				tx.Delete("DEL", key)
				val := make([]byte, rng.IntN(30))
				for i := range val {
					val[i] = byte(rng.Uint32())
				}
				if len(val) > 0 {
					_, err := tx.StringSet(key, val, engine.SetOptions{})
					require.NoError(t, err)
				}
				vals, longest = append(vals, val), max(longest, len(val))
			}
			op, dest := engine.BitOperation(rng.IntN(4)), []byte([]string{"d", "a"}[rng.IntN(2)])
			if op == engine.BitNot {
				keys, vals = keys[:1], vals[:1]
				longest = len(vals[0])
			}
			want := make([]byte, longest)
			for i := range want {
				for j, val := range vals {
					b := byte(0)
					if i < len(val) {
						b = val[i]
					}
					switch {
					case j == 0:
						want[i] = b
					case op == engine.BitAnd:
						want[i] &= b
					case op == engine.BitOr:
						want[i] |= b
					case op == engine.BitXor:
						want[i] ^= b
					}
				}
				if op == engine.BitNot {
					want[i] = ^want[i]
				}
			}
			n, err := tx.BitOp(op, dest, keys)
			require.NoError(t, err)
			require.Equal(t, longest, n)
			got, ok, err := tx.String(dest)
			require.NoError(t, err)
			require.Equal(t, longest > 0, ok)
			require.Equal(t, string(want), string(got))
		})
	}
}
