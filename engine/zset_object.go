package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"coatcheck/engine/internal/scoretree"
	"coatcheck/engine/internal/slab"
)

// zset is a large sorted set: its members are elements, each followed by its score
// in 8 bytes, and an index has them in order.
type zset struct {
	elems
	order scoretree.Tree
}

const scoreSize = 8

func newZSet(d *db) *zset { return &zset{elems: newElems(d), order: scoretree.New(&d.slab)} }

// Name implements scoretree.Names: the order among equal scores is that of the
// members' bytes.
func (d *db) Name(r slab.Ref) []byte { return elemName(d, r) }

// memberScore is the score of a member.
func memberScore(d *db, r slab.Ref) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(elemRest(d, r)))
}

func setMemberScore(d *db, r slab.Ref, score float64) {
	binary.LittleEndian.PutUint64(elemRest(d, r), math.Float64bits(score))
}

// add adds a member that is not there. member may point into the store.
func (z *zset) add(d *db, member []byte, score float64) {
	r := z.insert(d, member, scoreSize)
	setMemberScore(d, r, score)
	z.order.Insert(d, scoretree.Item{Score: score, Ref: r})
}

// append is add for one that comes behind all others.
func (z *zset) append(d *db, member []byte, score float64) {
	r := z.insert(d, member, scoreSize)
	setMemberScore(d, r, score)
	z.order.Append(scoretree.Item{Score: score, Ref: r})
}

// move gives a member another score.
func (z *zset) move(d *db, r slab.Ref, score float64) {
	d.slab.Ready()
	z.order.Move(d, scoretree.Item{Score: memberScore(d, r), Ref: r}, score)
	setMemberScore(d, r, score)
}

// removeMember takes out the member where e says.
func (z *zset) removeMember(d *db, e *zmember) {
	d.slab.Ready()
	z.order.Delete(d, scoretree.Item{Score: e.score, Ref: e.ref})
	z.remove(d, e.slot, e.ref)
}

// removeRanks takes out n members from a rank on.
func (z *zset) removeRanks(d *db, from, n int) {
	d.slab.Ready()
	for range n {
		x := z.order.DeleteAt(from)
		at, r, _ := z.find(d, elemName(d, x.Ref))
		z.remove(d, at, r)
	}
}

// elements is as object has it.
func (z *zset) elements() int { return z.len() }

// memory is as object has it.
func (z *zset) memory() (heap, blocks int64) {
	heap, blocks = z.elems.memory()
	return heap, blocks + z.order.Bytes()
}

// clone is as object has it.
func (z *zset) clone(from, to *db) object {
	c := &zset{elems: z.elems.clone(from, to, nil), order: scoretree.New(&to.slab)}
	whole := false
	defer func() {
		if !whole { // no memory
			for !c.dismantle(to, digSlice) {
			}
		}
	}()
	if z.len() > 0 {
		for at, ok := z.order.At(0), true; ok; ok = at.Next() {
			x := at.Item()
			to.slab.Ready()
			_, r, _ := c.find(to, elemName(from, x.Ref))
			c.order.Append(scoretree.Item{Score: x.Score, Ref: r})
		}
	}
	whole = true
	return c
}

// dismantle is as object has it.
func (z *zset) dismantle(d *db, n int) (done bool) {
	if !z.order.Dismantle(n) {
		return false
	}
	return z.elems.dismantle(d, n)
}

// check is as object has it.
func (z *zset) check(d *db) error {
	if err := z.elems.check(d); err != nil {
		return err
	}
	if err := z.order.Check(d); err != nil {
		return err
	}
	if z.order.Len() != z.len() {
		return fmt.Errorf("%d members, %d in order", z.len(), z.order.Len())
	}
	if z.len() == 0 {
		return nil
	}
	for at, ok := z.order.At(0), true; ok; ok = at.Next() {
		x := at.Item()
		if _, r, ok := z.find(d, elemName(d, x.Ref)); !ok || r != x.Ref || memberScore(d, r) != x.Score {
			return fmt.Errorf("member %q has score %v, in order %v", elemName(d, x.Ref), memberScore(d, x.Ref), x.Score)
		}
	}
	return nil
}
