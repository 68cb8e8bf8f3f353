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

// A sink that names a prefix hears of the keys under it, and of changes of a whole
// db; others hear of all keys as before.
func TestWantsOfAPrefix(t *testing.T) {
	f := enginetest.New(t)
	abc, abd, all := &recorder{}, &recorder{}, &recorder{}
	abc.wants = engine.Wants{Events: engine.ClassString, Prefix: []byte("abc")}
	abd.wants = engine.Wants{Events: engine.ClassString, Prefix: []byte("abd")}
	all.wants = engine.Wants{Events: engine.ClassString}
	write := func() {
		for _, key := range []string{"x", "ab", "abc", "abd1", "abc2"} {
			require.NoError(t, set(f, 0, key, 1, engine.Never))
		}
		held(f, func(h engine.Held) {
			tx := h.Begin(0)
			defer tx.End()
			tx.FlushDB()
		})
	}
	held(f, func(h engine.Held) { h.AddSink(abc); h.AddSink(abd) })
	write()
	require.Len(t, abc.seen, 3)
	require.Len(t, abd.seen, 2)
	held(f, func(h engine.Held) { h.AddSink(all) })
	write()
	require.Len(t, abc.seen, 6)
	require.Len(t, abd.seen, 4)
	require.Len(t, all.seen, 6)
	held(f, func(h engine.Held) { h.RemoveSink(all); h.RemoveSink(abd) })
	write()
	require.Len(t, abc.seen, 9)
	require.Len(t, all.seen, 6)
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
