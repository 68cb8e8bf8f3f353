package server

import (
	"bytes"
	"strconv"

	"coatcheck/engine"
	"coatcheck/metrics"
)

// sessions counts the keys under session-prefix from the effects that the
// engine announces, so that the figures cost a comparison a write and are
// exact at any time.
//
// Active is kept by db, so that FLUSHDB and SWAPDB need no walk. Another prefix
// is counted by one walk over all keys.
type sessions struct {
	prefix []byte
	active []int64 // by db
	metrics.Sessions

	// fresh says that the running operation has created a session: the effect
	// that stands for it is no touch.
	fresh      bool
	recounting bool
}

func newSessions(dbs int) *sessions { return &sessions{active: make([]int64, dbs)} }

// Wants implements engine.Sink.
func (x *sessions) Wants() engine.Wants {
	if len(x.prefix) == 0 {
		return engine.Wants{}
	}
	return engine.Wants{Prefix: x.prefix, Events: engine.ClassGeneric | engine.ClassString | engine.ClassList | engine.ClassSet |
		engine.ClassHash | engine.ClassZSet | engine.ClassStream | engine.ClassExpired | engine.ClassEvicted |
		engine.ClassNew | engine.ClassOverwritten}
}

// Effect implements engine.Sink.
func (x *sessions) Effect(tx *engine.Tx, e *engine.Effect) {
	if e.Key == nil {
		x.space(e)
		return
	}
	if x.recounting {
		return
	}
	switch e.Event {
	case "new":
		x.Created++
		x.active[e.DB]++
		x.fresh = true
	case "expired":
		x.gone(e.DB, &x.Expired)
	case "evicted":
		x.gone(e.DB, &x.Evicted)
	case "del", "rename_from", "move_from", "overwritten":
		x.gone(e.DB, &x.Deleted)
	case "rename_to", "move_to", "copy_to":
		x.fresh = false
	default:
		x.touch(e)
	}
}

func (x *sessions) gone(db int, why *int64) {
	*why++
	x.active[db]--
}

// touch counts a write to a session, once for all effects of an operation.
func (x *sessions) touch(e *engine.Effect) {
	if e.Also {
		return
	}
	if !x.fresh {
		x.Touched++
	}
	x.fresh = false
}

// space is a change of a whole db or of all.
func (x *sessions) space(e *engine.Effect) {
	switch {
	case len(e.Argv) == 0: // the other half of a SWAPDB
	case string(e.Argv[0]) == "SWAPDB":
		a, err1 := strconv.Atoi(string(e.Argv[1]))
		b, err2 := strconv.Atoi(string(e.Argv[2]))
		if err1 == nil && err2 == nil {
			x.active[a], x.active[b] = x.active[b], x.active[a]
		}
	default:
		for db := range x.active {
			if e.DB < 0 || e.DB == db {
				x.Deleted += x.active[db]
				x.active[db] = 0
			}
		}
	}
}

// setPrefix counts another prefix from now on, and what is there of it. The
// counters start over. O(keys) when there are any.
func (x *sessions) setPrefix(h engine.Held, now engine.UnixMilli, prefix string) {
	x.prefix = []byte(prefix)
	h.WantsChanged()
	x.Sessions = metrics.Sessions{}
	x.fresh = false
	clear(x.active)
	if prefix == "" {
		return
	}
	x.recounting = true
	defer func() { x.recounting = false }()
	for _, d := range h.DBs() {
		tx := h.BeginAt(d.DB, now)
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			cursor = tx.KeyScan(cursor, engine.ScanOptions{Count: 1000}, func(key []byte) {
				if bytes.HasPrefix(key, x.prefix) {
					x.active[d.DB]++
				}
			})
		}
		tx.End()
	}
}

// figures is the counts at the present; none without a prefix.
func (x *sessions) figures() []metrics.Sessions {
	if len(x.prefix) == 0 {
		return nil
	}
	f := x.Sessions
	f.Prefix, f.Active = string(x.prefix), 0
	for _, n := range x.active {
		f.Active += n
	}
	return []metrics.Sessions{f}
}
