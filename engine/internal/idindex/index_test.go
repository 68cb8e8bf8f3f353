package idindex

import (
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/internal/slab"
)

type item struct {
	id ID
	v  uint64
}

// The index is as a sorted slice.
func TestModel(t *testing.T) {
	s := new(slab.Slab)
	s.Poison()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		u := new(Usage)
		x := New[item](s, u)
		var model []item
		space := []uint64{20, 300, 3000}[seed%3]
		for i := range 20_000 {
			id := ID{Ms: r.Uint64N(space), Seq: r.Uint64N(3)}
			if seed >= 3 && r.IntN(3) > 0 && len(model) > 0 { // appended
				id, _ = model[len(model)-1].id.Next()
			}
			at := sort.Search(len(model), func(i int) bool { return !model[i].id.Less(id) })
			has := at < len(model) && model[at].id == id
			found := x.Find(id)
			require.Equal(t, has, found != nil)
			switch {
			case has && r.IntN(4) == 0:
				found.v++
				model[at].v++
			case has || len(model) > 4000 && r.IntN(2) == 0:
				require.Equal(t, has, x.Delete(id))
				if has {
					model = slices.Delete(model, at, at+1)
				}
				for range min(len(model), r.IntN(10)/9*300) { // from the front
					x.DeleteAt(Pos{})
					model = model[1:]
				}
			default:
				x.Insert(item{id, uint64(i)})
				model = slices.Insert(model, at, item{id, uint64(i)})
			}
			compareAround(t, &x, model, ID{Ms: r.Uint64N(space), Seq: r.Uint64N(3)})
			if i%500 == 0 {
				compareAll(t, &x, u, model)
			}
		}
		compareAll(t, &x, u, model)
		for !x.Close(1) {
		}
		require.Equal(t, Usage{}, *u)
	}
	require.Zero(t, s.Allocated())
}

func compareAround(t *testing.T, x *Index[item], model []item, id ID) {
	at := sort.Search(len(model), func(i int) bool { return !model[i].id.Less(id) })
	p := x.Seek(id)
	if at == len(model) {
		require.Nil(t, x.At(p))
		require.Equal(t, x.End(), p)
	} else {
		require.Equal(t, model[at], *x.At(p))
	}
	prev, ok := x.Prev(p)
	require.Equal(t, at > 0, ok)
	if ok {
		require.Equal(t, model[at-1], *x.At(prev))
		require.Equal(t, p, x.Next(prev))
	}
	floor, ok := x.Floor(id)
	switch {
	case at < len(model) && model[at].id == id:
		require.Equal(t, id, x.At(floor).id)
	case at == 0:
		require.False(t, ok)
	default:
		require.Equal(t, model[at-1], *x.At(floor))
	}
}

func compareAll(t *testing.T, x *Index[item], u *Usage, model []item) {
	used, err := x.Check()
	require.NoError(t, err)
	require.Equal(t, *u, used)
	require.Equal(t, len(model), x.Len())
	p := Pos{}
	for i := range model {
		require.Equal(t, model[i], *x.At(p))
		p = x.Next(p)
	}
	require.Equal(t, x.End(), p)
	if len(model) > 0 {
		require.Equal(t, model[0], *x.First())
		require.Equal(t, model[len(model)-1], *x.Last())
	} else {
		require.Nil(t, x.First())
		require.Nil(t, x.Last())
	}
}

// Items that are appended fill their pages.
func TestAppendedPagesAreFull(t *testing.T) {
	s := new(slab.Slab)
	u := new(Usage)
	x := New[item](s, u)
	for i := range uint64(100_000) {
		x.Insert(item{id: ID{Ms: i}})
	}
	require.Less(t, u.Blocks, int64(100_000*24*106/100))
}
