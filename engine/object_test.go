package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/internal/listpack"
	"coatcheck/engine/internal/slab"
)

// testObject is the simplest object: a bag of names.
type testObject struct{ elems }

func (o *testObject) elements() int { return o.len() }
func (o *testObject) clone(from, to *db) object {
	return &testObject{o.elems.clone(from, to, nil)}
}

func newTestObject(d *db, n int) *testObject {
	o := &testObject{newElems(d)}
	for i := range n {
		copy(elemRest(d, o.insert(d, fmt.Append(nil, "name:", i), 3)), "abc")
	}
	return o
}

func (tx *Tx) putTest(key string, n int, at UnixMilli) {
	p := tx.write([]byte(key))
	tx.putObject(&p, TSet, EncHashtable, newTestObject(p.db, n), at)
}

func testLen(tx *Tx, key string) int {
	p := tx.peek([]byte(key))
	if o := p.object(); o != nil {
		return o.elements()
	}
	return -1
}

func TestObjectsGoWithTheirEntries(t *testing.T) {
	e := New(Options{Poison: true})
	defer e.Close()
	h := e.Lock()
	defer h.Unlock()
	now := UnixMilli(1_700_000_000_000)
	check := func() { t.Helper(); require.NoError(t, h.CheckInvariants()) }
	tx := h.BeginAt(0, now)
	tx.putTest("a", 10, Never)
	tx.putTest("b", 5000, now+1000)
	check()
	require.Equal(t, 5000, testLen(tx, "b"))
	p := tx.write([]byte("a"))
	o := p.object().(*testObject)
	for i := range 1000 {
		o.insert(p.db, fmt.Append(nil, "more:", i), 0)
	}
	p.resized()
	check()

	done, err := tx.KeyRename([]byte("b"), []byte("c"), false)
	require.NoError(t, err)
	require.True(t, done)
	check()
	done, err = tx.KeyMove([]byte("c"), 1)
	require.NoError(t, err)
	require.True(t, done)
	check()
	require.Len(t, e.dbs[0].objects.graves, 1, "what a move leaves is freed later")
	done, err = tx.KeyCopy([]byte("a"), []byte("a2"), 2, false)
	require.NoError(t, err)
	require.True(t, done)
	check()
	tx.on(1)
	require.Equal(t, 5000, testLen(tx, "c"))
	require.True(t, tx.KeyPersist([]byte("c")))
	check()
	require.Equal(t, 5000, testLen(tx, "c"))
	_, err = tx.StringSet([]byte("c"), []byte("v"), SetOptions{})
	require.NoError(t, err)
	require.Len(t, e.dbs[1].objects.graves, 1)
	check()
	for h.dig() {
	}
	require.Empty(t, e.dbs[0].objects.graves)
	require.Empty(t, e.dbs[1].objects.graves)
	check()
	tx.on(0)
	tx.putTest("a", 300, now+5) // over another, and it expires
	check()
	tx.End()
	tx = h.BeginAt(0, now+5)
	require.Equal(t, -1, testLen(tx, "a"))
	check()
	tx.putTest("d", 300, Never)
	tx.FlushAll()
	check()
	require.Equal(t, -1, testLen(tx, "d"))
	tx.End()
}

func TestObjectsAreEvictedWhole(t *testing.T) {
	e := New(Options{Poison: true})
	defer e.Close()
	h := e.Lock()
	defer h.Unlock()
	tx := h.BeginAt(0, 1_700_000_000_000)
	for i := range 20 {
		tx.putTest(fmt.Sprint("k", i), 2000, Never)
	}
	tx.End()
	l := DefaultLimits
	l.Policy, l.MaxMemory = AllKeysRandom, e.used()/2
	h.SetLimits(l)
	require.NoError(t, h.MakeRoom())
	require.LessOrEqual(t, e.used(), l.MaxMemory)
	require.Greater(t, e.dbs[0].dict.Len(), 5, "no more than must")
	require.NoError(t, h.CheckInvariants())
}

// Elements are as in a map, and a walk meets all that stay.
func TestElems(t *testing.T) {
	e := New(Options{Poison: true})
	defer e.Close()
	d := e.dbs[0]
	o := &testObject{newElems(d)}
	model := map[string]string{}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 30_000 {
		name := fmt.Append(nil, "n", rng.IntN(3000))
		if rng.IntN(20) == 0 {
			name = fmt.Append(name, make([]byte, 200))
		}
		val := make([]byte, rng.IntN(100))
		for j := range val {
			val[j] = byte(i)
		}
		at, r, ok := o.find(d, name)
		_, want := model[string(name)]
		require.Equal(t, want, ok)
		switch {
		case !ok:
			copy(elemRest(d, o.insert(d, name, len(val))), val)
			model[string(name)] = string(val)
		case rng.IntN(3) == 0:
			o.remove(d, at, r)
			delete(model, string(name))
		default:
			copy(elemRest(d, o.resize(d, at, r, len(val))), val)
			model[string(name)] = string(val)
		}
	}
	require.NoError(t, o.check(d))
	require.Equal(t, len(model), o.len())
	r, ok := o.random(e.rand)
	require.True(t, ok)
	require.Contains(t, model, string(elemName(d, r)))
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		cursor = o.scan(cursor, 10, func(r slab.Ref) {
			name := string(elemName(d, r))
			require.Equal(t, model[name], string(elemRest(d, r)[:len(model[name])]))
			seen[name] = true
		})
		if cursor == 0 {
			break
		}
	}
	require.Len(t, seen, len(model))
	for !o.dismantle(d, 100) {
	}
	require.NoError(t, d.slab.Check())
}

func TestPackedReplace(t *testing.T) {
	e := New(Options{Poison: true})
	defer e.Close()
	h := e.Lock()
	defer h.Unlock()
	tx := h.BeginAt(0, 1_700_000_000_000)
	rng := rand.New(rand.NewPCG(1, 2))
	var model []string
	key := []byte("key")
	p := tx.write(key)
	tx.putPacked(&p, TList, Never)
	elem := func() []byte { return make([]byte, []int{0, 3, 70, 900, 9000}[rng.IntN(5)]+rng.IntN(5)) }
	for range 3000 {
		p := tx.write(key)
		at := rng.IntN(len(model) + 1)
		gone := min(rng.IntN(4), len(model)-at)
		var in [][]byte
		for range rng.IntN(4) {
			in = append(in, elem())
		}
		if len(model) > 20 {
			in = nil
		}
		off, end := seekOrEnd(p.bytes(), at), seekOrEnd(p.bytes(), at+gone)
		tx.packedReplace(&p, off, end, gone, in...)
		rest := append([]string{}, model[at+gone:]...)
		model = model[:at]
		for _, b := range in {
			model = append(model, string(b))
		}
		model = append(model, rest...)
		n, err := listpack.Validate(p.bytes())
		require.NoError(t, err)
		require.Equal(t, len(model), n)
		i := 0
		for at := listpack.First(p.bytes()); at < listpack.End(p.bytes()); at = listpack.Next(p.bytes(), at) {
			require.True(t, listpack.Get(p.bytes(), at).Equal([]byte(model[i])))
			i++
		}
	}
	require.NoError(t, h.CheckInvariants())
}

func seekOrEnd(lp []byte, i int) int {
	if at, ok := listpack.Seek(lp, i); ok {
		return at
	}
	return listpack.End(lp)
}
