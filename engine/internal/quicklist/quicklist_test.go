package quicklist

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// model is a list as a slice.
type model struct {
	t    *testing.T
	rand *rand.Rand
	slab *slab.Slab
	list *List
	want [][]byte
	b    Bounds
}

func (m *model) elem() []byte {
	switch m.rand.IntN(12) {
	case 0:
		return fmt.Append(nil, m.rand.Int64()-m.rand.Int64())
	case 1, 2:
		return fmt.Append(nil, m.rand.IntN(20))
	case 3:
		return bytes.Repeat([]byte{'x'}, m.rand.IntN(300))
	case 4:
		if m.rand.IntN(20) == 0 {
			return bytes.Repeat([]byte{'L'}, m.rand.IntN(30000))
		}
	}
	return fmt.Append(nil, "elem", m.rand.IntN(30))
}

// step changes list and model alike.
func (m *model) step() {
	n := len(m.want)
	switch op := m.rand.IntN(20); {
	case op < 4:
		e := m.elem()
		m.list.Push(Tail, e, m.b)
		m.want = append(m.want, e)
	case op < 8:
		e := m.elem()
		m.list.Push(Head, e, m.b)
		m.want = slices.Insert(m.want, 0, e)
	case n == 0:
	case op < 10:
		m.list.Drop(Head)
		m.want = m.want[1:]
	case op < 12:
		m.list.Drop(Tail)
		m.want = m.want[:n-1]
	case op < 14:
		i, e := m.rand.IntN(n), m.elem()
		p, ok := m.list.Seek(i)
		require.True(m.t, ok)
		require.Equal(m.t, i, m.list.Index(p))
		m.list.Replace(&p, e, m.b)
		m.want[i] = e
		require.Equal(m.t, i, m.list.Index(p))
	case op < 17:
		i, e, after := m.rand.IntN(n), m.elem(), m.rand.IntN(2)
		p, _ := m.list.Seek(i)
		m.list.Insert(p, after == 1, e, m.b)
		m.want = slices.Insert(m.want, i+after, e)
	case op < 18:
		from := m.rand.IntN(n)
		k := m.rand.IntN(min(n-from, 1+m.rand.IntN(40)) + 1)
		m.list.Delete(from, k)
		m.want = slices.Delete(m.want, from, from+k)
	default:
		m.remove()
	}
}

func (m *model) remove() {
	e, most, end := m.elem(), m.rand.IntN(4), End(m.rand.IntN(2))
	gone, kept := 0, [][]byte{}
	if end == Tail {
		slices.Reverse(m.want)
	}
	for _, w := range m.want {
		if bytes.Equal(w, e) && (most == 0 || gone < most) {
			gone++
		} else {
			kept = append(kept, w)
		}
	}
	if end == Tail {
		slices.Reverse(kept)
	}
	m.want = kept
	require.Equal(m.t, gone, m.list.Remove(end, most, e))
}

// check compares all of the list.
func (m *model) check() {
	require.NoError(m.t, m.list.Check())
	require.Equal(m.t, len(m.want), m.list.Len())
	require.Equal(m.t, m.list.SlabBytes(), m.slab.Allocated())
	for _, to := range []End{Head, Tail} {
		var have [][]byte
		from := 0
		if to == Head {
			from = -1
		}
		if p, ok := m.list.Seek(from); ok {
			m.list.Each(p, to, len(m.want)+1, func(_ Pos, v listpack.Value) bool {
				have = append(have, v.Append(nil))
				return true
			})
		}
		if to == Head {
			slices.Reverse(have)
		}
		require.Equal(m.t, len(m.want), len(have))
		for i := range have {
			require.Equal(m.t, string(m.want[i]), string(have[i]))
		}
	}
}

func TestListIsASlice(t *testing.T) {
	for _, size := range []int{-1, -2, 1, 2, 7, 128} {
		for seed := range uint64(6) {
			s := &slab.Slab{}
			s.Poison()
			m := &model{t: t, rand: rand.New(rand.NewPCG(seed, 1)), slab: s, list: New(s), b: BoundsOf(size)}
			for i := range 3000 {
				s.Ready()
				m.step()
				if i%100 == 0 {
					m.check()
				}
			}
			m.check()
			c := m.list.Clone(s)
			require.NoError(t, c.Check())
			for !c.Dismantle(3) {
			}
			m.check()
			for !m.list.Dismantle(5) {
			}
			require.Zero(t, s.Allocated())
			s.Close()
		}
	}
}

// Without memory an operation changes nothing.
func TestListWithoutMemory(t *testing.T) {
	s := &slab.Slab{}
	s.Poison()
	m := &model{t: t, rand: rand.New(rand.NewPCG(7, 1)), slab: s, list: New(s), b: BoundsOf(4)}
	for range 2000 {
		s.Ready()
		m.step()
	}
	refused := 0
	try := func(step func()) {
		before := slices.Clone(m.want)
		defer func() {
			if p := recover(); p != nil {
				err, _ := p.(error)
				require.True(t, errors.Is(err, slab.ErrNoMemory), "%v", p)
				refused++
				m.want = before
			}
		}()
		s.Ready()
		step()
	}
	s.Refuse(true)
	for refused == 0 {
		try(func() {
			e := bytes.Repeat([]byte{'L'}, 30000)
			m.list.Push(Tail, e, m.b)
			m.want = append(m.want, e)
		})
	}
	for i := range 2000 {
		try(m.step)
		if i%20 == 0 {
			m.check()
		}
	}
	m.check()
	s.Refuse(false)
	for range 200 {
		try(m.step)
	}
	m.check()
}

func TestBounds(t *testing.T) {
	require.Equal(t, Bounds{Bytes: 8192}, BoundsOf(-2))
	require.Equal(t, Bounds{Bytes: 65536}, BoundsOf(-9))
	require.Equal(t, Bounds{Elems: 1}, BoundsOf(0))
	require.True(t, BoundsOf(3).Exceeded(10, 4))
	require.False(t, BoundsOf(3).Exceeded(8192, 3))
	require.True(t, BoundsOf(3).Exceeded(8193, 1))
	require.True(t, BoundsOf(-1).Exceeded(4097, 1))
	require.True(t, BoundsOf(8).Half().Fits(100000, 4))
}
