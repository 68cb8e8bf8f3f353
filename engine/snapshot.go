package engine

import (
	"errors"
	"slices"
	"time"

	"coatcheck/engine/internal/dict"
)

// Snapshot visits every entry as it was at one moment, while the keyspace goes on
// changing. Each segment of a db's dict is visited once: just before its first
// change, or when the walk comes by. So it needs memory only for what the
// visitor keeps.
//
// A db that is flushed meanwhile is taken over and walked to its end, as if
// nothing had happened to it.
type Snapshot struct {
	eng   *Engine
	visit func(db int, v View)
	dbs   []*db // by their numbers at the start; nil for one that it has done with
	now   UnixMilli
	past  UnixMilli // up to when deadlines have come; 0 where what has expired stays
	db    int       // the walk is in this one
	pos   uint32    // … and has come so far
	taken []*db     // flushed meanwhile, to be closed
	// left is how many entries the walk and the changes have not visited yet,
	// total how many there were.
	left, total int
	ended       bool
}

// ErrSnapshot is returned by StartSnapshot while another snapshot runs.
var ErrSnapshot = errors.New("engine: a snapshot is running")

// StartSnapshot begins a snapshot of this moment. visit is called with each entry
// that lives at this moment, or is kept (Follow), in no particular order, under the lock, in the middle
// of others' operations: it must not use the engine but for the View. Step does
// the walk; End must be called at last.
func (h Held) StartSnapshot(visit func(db int, v View)) (*Snapshot, error) {
	e := h.eng
	if e.snapshot != nil {
		return nil, ErrSnapshot
	}
	s := &Snapshot{eng: e, visit: visit, dbs: append([]*db(nil), e.dbs...), now: UnixMilli(e.clock.Now().UnixMilli())}
	if s.past = s.now; e.following {
		s.past = 0
	}
	e.snapshot = s
	for n, d := range s.dbs {
		s.total += d.dict.Len()
		d.dict.StartEpoch(func(slots []dict.Slot) { s.visitAll(n, d, slots) })
	}
	s.left = s.total
	return s, nil
}

func (s *Snapshot) visitAll(n int, d *db, slots []dict.Slot) {
	s.left -= len(slots)
	for _, slot := range slots {
		p := d.placeOf(slot)
		if at := p.expireAt(); (at == Never || at > s.past) && !p.isHollow(s.past) {
			s.visit(n, View{p, s.now, s.past, s.eng})
		}
	}
}

// Step goes on with the walk for about so long and says whether all entries have
// been visited. Closing the engine ends the snapshot: see Ended.
func (s *Snapshot) Step(h Held, atMost time.Duration) (done bool) {
	clock := s.eng.clock
	if _, machine := clock.(SystemClock); !machine {
		clock = SystemClock{} // a test's clock stands still
	}
	start := clock.Now()
	for ; s.db < len(s.dbs); s.db, s.pos = s.db+1, 0 {
		for s.pos < dict.End {
			s.pos = s.dbs[s.db].dict.Settle(s.pos)
			if clock.Now().Sub(start) >= atMost {
				return false
			}
		}
	}
	return true
}

// Progress is how many of how many entries have been visited.
func (s *Snapshot) Progress(h Held) (visited, total int) { return s.total - s.left, s.total }

// Ended says whether End was called, or the engine closed. Then Step must not be
// called.
func (s *Snapshot) Ended(h Held) bool { return s.ended }

// End ends the snapshot, finished or not. Ending twice does nothing.
func (s *Snapshot) End(h Held) {
	if s.ended {
		return
	}
	s.ended = true
	s.eng.snapshot = nil
	for _, d := range s.dbs {
		if d != nil {
			d.dict.StartEpoch(nil)
		}
	}
	for _, d := range s.taken {
		s.eng.reaper.closeDB(d)
	}
}

// takeOver keeps a db that is flushed, if the snapshot still needs it; else it
// forgets it.
func (s *Snapshot) takeOver(d *db) bool {
	if s == nil {
		return false
	}
	i := slices.Index(s.dbs, d)
	if i < 0 {
		return false
	}
	if i < s.db {
		s.dbs[i] = nil
		return false
	}
	s.taken = append(s.taken, d)
	return true
}
