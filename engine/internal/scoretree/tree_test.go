package scoretree

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/internal/slab"
)

// named is items' names by ref.
type named map[slab.Ref][]byte

func (n named) Name(r slab.Ref) []byte { return n[r] }

// model is a tree and a sorted row that must be the same.
type model struct {
	t     *testing.T
	slab  slab.Slab
	tree  Tree
	names named
	row   []Item
	last  slab.Ref
}

func newModel(t *testing.T) *model {
	m := &model{t: t, names: named{}}
	m.slab.Poison()
	m.tree = New(&m.slab)
	return m
}

func (m *model) compare(a, b Item) int {
	switch {
	case a.Score < b.Score:
		return -1
	case a.Score > b.Score:
		return 1
	}
	return strings.Compare(string(m.names[a.Ref]), string(m.names[b.Ref]))
}

func (m *model) insert(score float64) {
	m.last++
	m.names[m.last] = fmt.Appendf(nil, "%x", uint32(m.last)*2654435761)
	x := Item{score, m.last}
	m.tree.Insert(m.names, x)
	at, _ := slices.BinarySearchFunc(m.row, x, m.compare)
	m.row = slices.Insert(m.row, at, x)
}

func (m *model) delete(at int) {
	m.tree.Delete(m.names, m.row[at])
	m.row = slices.Delete(m.row, at, at+1)
}

func (m *model) deleteAt(at int) {
	require.Equal(m.t, m.row[at], m.tree.DeleteAt(at))
	m.row = slices.Delete(m.row, at, at+1)
}

func (m *model) move(at int, score float64) {
	x := m.row[at]
	m.tree.Move(m.names, x, score)
	m.row = slices.Delete(m.row, at, at+1)
	x.Score = score
	to, _ := slices.BinarySearchFunc(m.row, x, m.compare)
	m.row = slices.Insert(m.row, to, x)
}

// check compares everything.
func (m *model) check() {
	m.t.Helper()
	require.NoError(m.t, m.tree.Check(m.names))
	require.NoError(m.t, m.slab.Check())
	require.Equal(m.t, m.tree.Bytes(), m.slab.Allocated())
	require.Equal(m.t, len(m.row), m.tree.Len())
	if len(m.row) == 0 {
		require.Zero(m.t, m.tree.First(func(Item) bool { return true }))
		return
	}
	c := m.tree.At(0)
	for i, x := range m.row {
		require.Equal(m.t, x, c.Item())
		require.Equal(m.t, i < len(m.row)-1, c.Next())
	}
	c = m.tree.At(len(m.row) - 1)
	for i := len(m.row) - 1; i >= 0; i-- {
		require.Equal(m.t, m.row[i], c.Item())
		require.Equal(m.t, i > 0, c.Prev())
	}
	for i := 0; i < len(m.row); i += 1 + len(m.row)/50 {
		x := m.row[i]
		require.Equal(m.t, i, m.tree.Rank(m.names, x))
		at := m.tree.At(i)
		require.Equal(m.t, x, at.Item())
		want := slices.IndexFunc(m.row, func(y Item) bool { return y.Score >= x.Score })
		require.Equal(m.t, want, m.tree.First(func(y Item) bool { return y.Score >= x.Score }))
	}
	require.Equal(m.t, len(m.row), m.tree.First(func(Item) bool { return false }))
}

// Trees that grow and shrink at random are as sorted rows.
func TestModel(t *testing.T) {
	for _, scores := range []int{1, 5, 1 << 30} {
		m, rng := newModel(t), rand.New(rand.NewPCG(uint64(scores), 1))
		score := func() float64 { return float64(rng.IntN(scores)) }
		for round, grow := range []int{3, 1, 3, 0} {
			for i := range 2500 {
				switch n := len(m.row); {
				case n == 0 || rng.IntN(4) < grow:
					m.insert(score())
				case rng.IntN(3) == 0:
					m.move(rng.IntN(n), score())
				case rng.IntN(2) == 0:
					m.deleteAt(rng.IntN(n))
				default:
					m.delete(rng.IntN(n))
				}
				if i%997 == 0 {
					m.check()
				}
			}
			m.check()
			t.Logf("round %d: %d items of %d bytes, height %d", round, len(m.row), m.tree.Bytes(), m.tree.height)
		}
		m.tree.Close()
		require.Zero(t, m.slab.Allocated())
	}
}

// Items that come in order fill their leaves, from either end, and a queue of them
// stays small.
func TestInOrder(t *testing.T) {
	const n = 20_000
	for _, step := range []float64{1, -1} {
		m := newModel(t)
		for i := range n {
			m.insert(step * float64(i))
		}
		m.check()
		require.Less(t, float64(m.tree.Bytes())/n, 18.0)
		for i := range n {
			m.insert(step * float64(n+i))
			if step > 0 {
				m.deleteAt(0)
			} else {
				m.delete(len(m.row) - 1)
			}
		}
		m.check()
		require.Less(t, float64(m.tree.Bytes())/n, 18.0)
		for len(m.row) > 0 {
			m.deleteAt(0)
		}
		m.check()
	}
}

func TestAppend(t *testing.T) {
	m := newModel(t)
	for i := range 10_000 {
		m.last++
		m.names[m.last] = binary.BigEndian.AppendUint64(nil, uint64(i))
		x := Item{float64(i / 100), m.last}
		m.tree.Append(x)
		m.row = append(m.row, x)
	}
	m.check()
}

// Moving one item about leaves the others alone.
func TestMove(t *testing.T) {
	m, rng := newModel(t), rand.New(rand.NewPCG(3, 4))
	for i := range 3000 {
		m.insert(float64(i))
	}
	for range 3000 {
		at := rng.IntN(len(m.row))
		m.move(at, float64(at)+[]float64{0.25, -0.25, 1.5, 1e6, 100}[rng.IntN(5)])
	}
	m.check()
	one := newModel(t)
	one.insert(1)
	one.move(0, 2)
	one.check()
}

func TestDismantle(t *testing.T) {
	m := newModel(t)
	for i := range 5000 {
		m.insert(float64(i % 7))
	}
	steps := 1
	for ; !m.tree.Dismantle(100); steps++ {
	}
	require.InDelta(t, 50, steps, 30)
	require.Zero(t, m.slab.Allocated())
	require.Zero(t, m.tree.Bytes())
}

// Any row of changes, each three bytes: what, where, which score.
func FuzzTree(f *testing.F) {
	var many []byte
	for i := range 400 {
		many = append(many, 0, byte(i), byte(i*7))
	}
	f.Add(many)
	f.Add([]byte("\x00\x01\x02\x03\x01\x02\x01\x01\x02"))
	f.Fuzz(func(t *testing.T, script []byte) {
		m := newModel(t)
		for ; len(script) >= 3; script = script[3:] {
			at, score := 0, float64(script[2])
			if len(m.row) > 0 {
				at = int(script[1]) * len(m.row) / 256
			}
			switch op := script[0] % 8; {
			case op < 4 || len(m.row) == 0:
				for range 1 + script[1]%16 {
					m.insert(score)
				}
			case op == 4:
				m.move(at, score)
			case op == 5:
				m.delete(at)
			default:
				for i := 0; i < 20 && at < len(m.row); i++ {
					m.deleteAt(at)
				}
			}
		}
		m.check()
	})
}

func BenchmarkMove(b *testing.B) {
	m := newModel(&testing.T{})
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		m.last++
		m.names[m.last] = fmt.Appendf(nil, "%x", uint32(m.last)*2654435761)
		m.tree.Append(Item{float64(m.last), m.last})
	}
	at := make([]float64, 100_001)
	for i := range at {
		at[i] = float64(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, to := 1+rng.IntN(100_000), float64(rng.IntN(100_000))
		m.tree.Move(m.names, Item{at[r], slab.Ref(r)}, to)
		at[r] = to
	}
}
