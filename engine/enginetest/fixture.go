package enginetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
)

// Start is when a Fixture's time begins.
var Start = time.UnixMilli(1_700_000_000_000)

// Fixture is an engine with a clock that is moved by hand and with chance that
// repeats.
type Fixture struct {
	*engine.Engine
	*Clock
	t testing.TB
}

// New makes an engine that is checked and closed when the test ends.
func New(t testing.TB) *Fixture {
	c := NewClock(Start)
	f := &Fixture{
		Engine: engine.New(engine.Options{Clock: c, Rand: engine.NewRand(1), Poison: true}),
		Clock:  c, t: t,
	}
	t.Cleanup(func() {
		f.Check()
		f.Close()
	})
	return f
}

// Check fails the test when the engine's invariants do not hold.
func (f *Fixture) Check() {
	f.t.Helper()
	h := f.Lock()
	defer h.Unlock()
	require.NoError(f.t, h.CheckInvariants())
}

// Tx runs fn as a unit on db 0.
func (f *Fixture) Tx(fn func(tx *engine.Tx)) {
	f.t.Helper()
	require.NoError(f.t, f.Do(0, func(tx *engine.Tx) error {
		fn(tx)
		return nil
	}))
}
