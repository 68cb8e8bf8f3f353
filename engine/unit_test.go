package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// units notes effects' events and the ends of their units.
type units struct {
	wants engine.Wants
	heard []string
}

func (u *units) Wants() engine.Wants { return u.wants }
func (u *units) Effect(_ *engine.Tx, e *engine.Effect) {
	u.heard = append(u.heard, fmt.Sprintf("%d:%s", e.DB, e.Event))
}
func (u *units) EndUnit(*engine.Tx) { u.heard = append(u.heard, "end") }

func (u *units) take() []string {
	heard := u.heard
	u.heard = nil
	return heard
}

func TestUnitsEnd(t *testing.T) {
	f := enginetest.New(t)
	u := &units{wants: engine.Wants{Events: engine.ClassString | engine.ClassExpired}}
	held(f, func(h engine.Held) {
		h.AddSink(u)
		h.Begin(0).End()
		require.Empty(t, u.take(), "nothing changed")

		tx := h.Begin(0)
		put(t, tx, "a", "v", engine.Never)
		tx.End()
		require.Equal(t, []string{"0:set", "end"}, u.take())

		// A unit of several parts has one time and one end.
		tx = h.BeginAt(1, 1000)
		for db := range 3 {
			part := h.BeginAt(db, 5000)
			require.EqualValues(t, 1000, part.Now())
			require.Equal(t, db, part.DB())
			put(t, part, "a", "v", engine.Never)
			part.End()
			require.Equal(t, 1, tx.DB())
		}
		require.EqualValues(t, 1000, h.Begin(2).Now())
		tx.End()
		require.Equal(t, []string{"0:set", "1:set", "2:set"}, u.take())
		tx.End()
		require.Equal(t, []string{"end"}, u.take())
	})
	// Keys that expire by themselves are each a unit.
	f.Tx(func(tx *engine.Tx) {
		put(t, tx, "x", "v", tx.Now()+5)
		put(t, tx, "y", "v", tx.Now()+5)
	})
	u.take()
	f.Advance(5 * time.Millisecond)
	require.Equal(t, []string{"0:expired", "end", "0:expired", "end"}, u.take())
}

func TestConcerns(t *testing.T) {
	swap := &engine.Effect{DB: 1, Argv: [][]byte{[]byte("SWAPDB"), []byte("1"), []byte("3")}}
	for db, want := range []bool{false, true, false, true} {
		require.Equal(t, want, swap.Concerns(db), db)
	}
	require.True(t, (&engine.Effect{DB: -1}).Concerns(7))
	require.False(t, (&engine.Effect{DB: 0, Argv: [][]byte{[]byte("FLUSHDB")}}).Concerns(7))
}
