package engine

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/internal/dict"
)

// dummySnapshot saves a db as a real snapshot will: what is about to change
// first, the rest step by step.
type dummySnapshot struct {
	t     *testing.T
	d     *db
	saved map[string]string
}

func (s *dummySnapshot) save(slots []dict.Slot) {
	for _, slot := range slots {
		e := s.d.entry(slot.Ref())
		key := string(e.key())
		require.NotContains(s.t, s.saved, key, "saved twice")
		s.saved[key] = fmt.Sprint(e.at(), crc32.ChecksumIEEE(e.val(&s.d.slab)))
	}
}

// content is the whole db, expired keys too.
func content(d *db) map[string]string {
	s := dummySnapshot{d: d, saved: map[string]string{}}
	for pos := uint32(0); pos < dict.End; {
		slots, next := d.dict.From(pos)
		for _, slot := range slots {
			e := d.entry(slot.Ref())
			s.saved[string(e.key())] = fmt.Sprint(e.at(), crc32.ChecksumIEEE(e.val(&d.slab)))
		}
		pos = next
	}
	return s.saved
}

// anyWrite is one of the operations that change a db, on one of many keys.
func anyWrite(tx *Tx, rng *rand.Rand) {
	key := func() []byte { return fmt.Append(nil, "key:", rng.IntN(3000)) }
	val := make([]byte, []int{0, 10, 300, 20_000}[rng.IntN(4)]+rng.IntN(40))
	for i := range val {
		val[i] = byte(rng.Uint32())
	}
	at := Never
	if rng.IntN(2) == 0 {
		at = tx.now + UnixMilli(rng.IntN(5000))
	}
	switch rng.IntN(9) {
	case 0, 1, 2:
		_, _ = tx.StringSet(key(), val, SetOptions{At: at})
	case 3:
		_, _ = tx.StringAppend(key(), val)
	case 4:
		_, _ = tx.StringSetRange(key(), 3, val)
	case 5:
		tx.KeyExpire(key(), at, 0)
	case 6:
		tx.Delete("DEL", key())
	case 7:
		_, _ = tx.KeyRename(key(), key(), false)
	case 8:
		_, _ = tx.KeyMove(key(), 1)
	}
}

// A snapshot shows the db as it was at its start, whatever is written, expires
// and is evicted before it is done.
func TestSnapshotIsPointInTime(t *testing.T) {
	for seed := range uint64(2) {
		e := New(Options{Poison: true})
		h := e.Lock()
		h.SetActiveExpire(false)
		rng := rand.New(rand.NewPCG(seed, 9))
		now := UnixMilli(1_700_000_000_000)
		write := func(n int) {
			tx := h.BeginAt(0, now)
			for range n {
				anyWrite(tx, rng)
			}
			tx.End()
		}
		write(4000)
		d := e.dbs[0]
		want := content(d)
		s := &dummySnapshot{t, d, map[string]string{}}
		d.dict.StartEpoch(s.save)
		for pos := uint32(0); pos < dict.End; pos = d.dict.Settle(pos) {
			write(100)
			now += 100
			h.expireSome(now)
			l := DefaultLimits
			l.Policy, l.MaxMemory = AllKeysLRU, e.used()-2000
			h.SetLimits(l)
			require.NoError(t, h.MakeRoom())
		}
		d.dict.StartEpoch(nil)
		require.Equal(t, want, s.saved)
		require.Positive(t, e.stats.Evicted)
		require.Positive(t, e.stats.Expired)
		e.expirer.off = false
		e.expirer.next = 0
		require.NoError(t, h.CheckInvariants())
		e.expirer.off = true
		h.Unlock()
		e.Close()
	}
}

// What is flushed, swapped, moved and expired while a Snapshot runs is in it as
// it was at the start.
func TestSnapshotOfAllDBs(t *testing.T) {
	for seed := range uint64(4) {
		e := New(Options{Databases: 3, Poison: true})
		h := e.Lock()
		h.SetActiveExpire(false)
		rng := rand.New(rand.NewPCG(seed, 5))
		now := UnixMilli(e.clock.Now().UnixMilli())
		write := func(n int) {
			for range n {
				tx := h.BeginAt(rng.IntN(3), now)
				anyWrite(tx, rng)
				switch rng.IntN(400) {
				case 0:
					tx.FlushDB()
				case 1:
					require.NoError(t, tx.SwapDB(0, rng.IntN(3)))
				case 2:
					tx.FlushAll()
				}
				tx.End()
			}
		}
		write(3000)
		want := map[string]string{}
		start := UnixMilli(e.clock.Now().UnixMilli())
		for n, d := range e.dbs {
			for key, val := range contentAt(d, start+1000) {
				want[fmt.Sprint(n, key)] = val
			}
		}
		got := map[string]string{}
		s, err := h.StartSnapshot(func(n int, v View) {
			if at := v.ExpireAt(); at != Never && at <= start+1000 { // it may have come due since
				return
			}
			key := fmt.Sprint(n, string(v.Key()))
			require.NotContains(t, got, key, "visited twice")
			got[key] = fmt.Sprint(v.ExpireAt(), crc32.ChecksumIEEE(v.Packed()))
		})
		require.NoError(t, err)
		_, err = h.StartSnapshot(nil)
		require.ErrorIs(t, err, ErrSnapshot)
		for !s.Step(h, 0) {
			write(20)
			now += 20
			h.expireSome(now)
		}
		visited, total := s.Progress(h)
		require.Equal(t, total, visited)
		require.Equal(t, want, got)
		s.End(h)
		s.End(h)
		e.expirer.off, e.expirer.next = false, 0
		require.NoError(t, h.CheckInvariants())
		e.expirer.off = true
		h.Unlock()
		e.Close()
	}
}

// contentAt is content without what expires until then.
func contentAt(d *db, until UnixMilli) map[string]string {
	all := content(d)
	for pos := uint32(0); pos < dict.End; {
		slots, next := d.dict.From(pos)
		for _, slot := range slots {
			if e := d.entry(slot.Ref()); e.at() != Never && e.at() <= until {
				delete(all, string(e.key()))
			}
		}
		pos = next
	}
	return all
}
