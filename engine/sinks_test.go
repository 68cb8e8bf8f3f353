package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// A sink hears what it wants from the time on at which it says so.
func TestWantsChanged(t *testing.T) {
	f := enginetest.New(t)
	r := &recorder{}
	held(f, func(h engine.Held) { h.AddSink(r) })
	change := func(w engine.Wants) {
		r.wants = w
		held(f, func(h engine.Held) { h.WantsChanged() })
		r.seen = nil
		require.NoError(t, set(f, 0, "k", 1, engine.Never))
	}
	change(engine.Wants{})
	require.Empty(t, r.seen)
	change(engine.Wants{Events: engine.ClassString})
	require.Len(t, r.seen, 1)
	change(engine.Wants{})
	require.Empty(t, r.seen)
}

// What waits for the end of a batch is called once, in order, also what comes up
// on the way.
func TestBeforeUnlock(t *testing.T) {
	f := enginetest.New(t)
	var done []int
	h := f.Lock()
	h.BeforeUnlock(func(h engine.Held) {
		done = append(done, 1)
		h.BeforeUnlock(func(engine.Held) { done = append(done, 3) })
	})
	h.BeforeUnlock(func(engine.Held) { done = append(done, 2) })
	require.Empty(t, done)
	h.Unlock()
	require.Equal(t, []int{1, 2, 3}, done)
	f.Lock().Unlock()
	require.Len(t, done, 3)
}
