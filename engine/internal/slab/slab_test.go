package slab

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// model is what a slab should hold: every block with the bytes written to it.
type model struct {
	t      testing.TB
	s      *Slab
	refs   []Ref
	blocks [][]byte
}

func newModel(t testing.TB) *model {
	m := &model{t: t, s: &Slab{}}
	m.s.Poison()
	t.Cleanup(func() {
		m.s.Close()
		require.Zero(t, m.s.Mapped())
	})
	return m
}

func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i*7)
	}
	return b
}

func (m *model) alloc(n int, seed byte) {
	r := m.s.Alloc(n)
	require.NotZero(m.t, r)
	require.Less(m.t, uint64(r), uint64(1)<<RefBits)
	require.GreaterOrEqual(m.t, m.s.Size(r), n)
	val := pattern(n, seed)
	copy(m.s.Bytes(r), val)
	m.s.Wrote(r, 0, n)
	m.refs, m.blocks = append(m.refs, r), append(m.blocks, val)
}

func (m *model) free(i int) {
	m.verify(i)
	m.s.Free(m.refs[i])
	last := len(m.refs) - 1
	m.refs[i], m.blocks[i] = m.refs[last], m.blocks[last]
	m.refs, m.blocks = m.refs[:last], m.blocks[:last]
}

func (m *model) resize(i, n int, seed byte) {
	old := m.blocks[i]
	m.refs[i] = m.s.Resize(m.refs[i], n)
	val := pattern(n, seed)
	kept := copy(val, old)
	if kept < n {
		m.s.Zero(m.refs[i], kept, n)
		require.True(m.t, len(bytes.Trim(m.s.Bytes(m.refs[i])[kept:n], "\x00")) == 0, "not zeroed")
		copy(m.s.Bytes(m.refs[i])[kept:], val[kept:])
		m.s.Wrote(m.refs[i], kept, n)
	}
	m.blocks[i] = val
}

func (m *model) verify(i int) {
	require.True(m.t, bytes.Equal(m.s.Bytes(m.refs[i])[:len(m.blocks[i])], m.blocks[i]), "content of block %d", i)
}

func (m *model) check() {
	require.NoError(m.t, m.s.Check())
	sum := int64(0)
	for i := range m.refs {
		m.verify(i)
		sum += int64(m.s.Size(m.refs[i]))
	}
	require.Equal(m.t, sum, m.s.Allocated())
}

// run reads operations from data: kind, size, which block.
func (m *model) run(data []byte) {
	for len(data) >= 5 {
		op, seed := data[0]%8, data[0]
		n := int(binary.LittleEndian.Uint16(data[1:])) + 1
		at := int(binary.LittleEndian.Uint16(data[3:]))
		data = data[5:]
		switch {
		case op < 4 || len(m.refs) == 0:
			m.alloc(n, seed)
		case op < 7:
			m.free(at % len(m.refs))
		default:
			m.resize(at%len(m.refs), n, seed)
		}
	}
	m.check()
}

// runLarge allocates, resizes and frees blocks of all kinds of large sizes.
func (m *model) runLarge(rng *rand.Rand) {
	size := func() int {
		if rng.IntN(16) == 0 {
			return mediumMax - 2*pageSize + rng.IntN(4*pageSize)
		}
		return smallMax + rng.IntN(12*pageSize)
	}
	for range 60 {
		switch op := rng.IntN(8); {
		case op < 3 || len(m.refs) == 0:
			m.alloc(size(), byte(op))
		case op < 6:
			m.free(rng.IntN(len(m.refs)))
		default:
			m.resize(rng.IntN(len(m.refs)), size(), byte(op))
		}
	}
	m.check()
}

func FuzzSlab(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 4, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 200, 0, 0, 7, 0, 250, 0, 0, 7, 9, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) { newModel(t).run(data) })
}

func TestRandomOperations(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := newModel(t)
		for range 8 {
			data := make([]byte, 5*500)
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			// Mostly small blocks, so that spans fill and empty.
			for i := 2; i < len(data); i += 5 {
				data[i] >>= rng.UintN(8)
			}
			m.run(data)
			m.runLarge(rng)
		}
	}
}

func TestClasses(t *testing.T) {
	require.LessOrEqual(t, numClasses, maxClasses)
	for n := 1; n <= smallMax; n++ {
		c := classOf(n)
		require.GreaterOrEqual(t, int(classSize[c]), n)
		require.Zero(t, classSize[c]%8)
		if c > 0 {
			require.Less(t, int(classSize[c-1]), n, "class of %d", n)
		}
	}
}

func TestEmptySpansServeOtherClasses(t *testing.T) {
	m := newModel(t)
	for range 4000 {
		m.alloc(400, 1)
	}
	mapped := m.s.Mapped()
	for len(m.refs) > 0 {
		m.free(len(m.refs) - 1)
	}
	for range 1500 {
		m.alloc(1000, 2)
	}
	m.check()
	require.LessOrEqual(t, m.s.Mapped(), mapped)
}

func TestEmptyArenasAreUnmapped(t *testing.T) {
	m := newModel(t)
	for range 40_000 {
		m.alloc(400, 1)
	}
	for len(m.refs) > 1 {
		m.free(len(m.refs) - 1)
	}
	m.s.Release()
	m.check()
	require.LessOrEqual(t, m.s.Mapped(), int64(arenaSize))
}

func TestSparseLargeBlock(t *testing.T) {
	s := &Slab{}
	defer s.Close()
	r := s.Alloc(40 << 10)
	s.Bytes(r)[0] = 'x'
	s.Wrote(r, 0, 1)
	r = s.Resize(r, 512<<20)
	s.Zero(r, 1, 512<<20) // would take a second and 512 MB if it wrote
	require.Equal(t, byte('x'), s.Bytes(r)[0])
	require.Zero(t, s.Bytes(r)[512<<20-1])
	require.Equal(t, int64(512<<20), s.Allocated())
	r = s.Resize(r, 100)
	require.Equal(t, byte('x'), s.Bytes(r)[0])
	require.Less(t, s.Allocated(), int64(200))
	s.Free(r)
	require.Zero(t, s.Allocated())
}

func TestPoisonCatchesUseAfterFree(t *testing.T) {
	s := &Slab{}
	s.Poison()
	defer s.Close()
	keep, r := s.Alloc(64), s.Alloc(64)
	b := s.Bytes(r)
	s.Free(r)
	b[9] = 1
	require.Panics(t, func() { s.Alloc(64) })
	s.Free(keep)
}

func BenchmarkAllocFree(b *testing.B) {
	s := &Slab{}
	defer s.Close()
	var ring [4096]Ref
	for i := range ring {
		ring[i] = s.Alloc(300 + i%100)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Free(ring[i%4096])
		ring[i%4096] = s.Alloc(300 + i*7%100)
	}
}
