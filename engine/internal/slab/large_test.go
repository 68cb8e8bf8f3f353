package slab

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hundreds of thousands of blocks of medium size, half of them freed anywhere,
// are few mappings: a system allows some 65 000. Pages that nobody writes to take
// no memory.
func TestMediumBlocksAreFewMappings(t *testing.T) {
	const n, size = 150_000, 33_000
	s := &Slab{}
	defer s.Close()
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = s.Alloc(size)
	}
	require.Less(t, len(s.pages), 500)
	require.NoError(t, s.Check())
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, r := range refs[:n/2] {
		s.Free(r)
	}
	require.NoError(t, s.Check())
	mapped := s.Mapped()
	for i := range refs[:n/2] {
		refs[i] = s.Alloc(size)
	}
	require.Equal(t, mapped, s.Mapped(), "holes were not used again")
	for _, r := range refs {
		s.Free(r)
	}
	require.Zero(t, s.Allocated())
	require.LessOrEqual(t, s.Mapped(), int64(pageArenaSize))
	require.NoError(t, s.Check())
}

// A medium block that comes where another was reads as zeros.
func TestMediumBlocksBeginZeroed(t *testing.T) {
	s := &Slab{}
	defer s.Close()
	keep := s.Alloc(100_000)
	r := s.Alloc(1_000_000)
	for i := range s.Bytes(r) {
		s.Bytes(r)[i] = 'x'
	}
	s.Free(r)
	r = s.Resize(s.Alloc(50_000), 1_500_000)
	require.Equal(t, make([]byte, 1_500_000), s.Bytes(r)[:1_500_000])
	s.Free(r)
	s.Free(keep)
}

func TestNoMemoryForALargeBlock(t *testing.T) {
	s := &Slab{}
	defer s.Close()
	r := s.Alloc(5 << 20)
	copy(s.Bytes(r), "abc")
	s.Wrote(r, 0, 3)
	allocated, mapped := s.Allocated(), s.Mapped()
	const tooMuch = 1 << 50
	require.PanicsWithValue(t, ErrNoMemory, func() { s.Alloc(tooMuch) })
	require.PanicsWithValue(t, ErrNoMemory, func() { s.Resize(r, tooMuch) })
	require.Equal(t, "abc", string(s.Bytes(r)[:3]))
	require.Equal(t, allocated, s.Allocated())
	require.Equal(t, mapped, s.Mapped())
	require.NoError(t, s.Check())
}

// Without more from the system a change that was begun goes on from the reserve,
// and the next does not begin.
func TestReserve(t *testing.T) {
	m := newModel(t)
	m.s.Ready()
	m.s.Refuse(true)
	for n := 0; m.s.reserve != nil; n++ {
		require.Less(t, n, 1000)
		m.s.Ready()
		m.alloc(30_000, 1)
	}
	require.PanicsWithValue(t, ErrNoMemory, m.s.Ready)
	for size := 16; size < 3000; size += 300 {
		m.alloc(size, 2)
	}
	m.check()
	m.free(0)
	m.s.Refuse(false)
	m.s.Ready()
	m.alloc(30_000, 3)
	m.check()
}

// What the system does not take back serves the next mappings.
func TestStrandedMappings(t *testing.T) {
	mem := tryMap(4 << 20)
	for i := range mem {
		mem[i] = 'x'
	}
	strand(mem)
	for _, part := range [][]byte{mem[:1<<20], mem[1<<20:]} {
		got := mapMem(len(part))
		require.Same(t, &part[0], &got[0])
		require.Equal(t, make([]byte, len(part)), got)
		require.True(t, tryUnmap(got))
	}
	require.False(t, stranded.some.Load())
}
