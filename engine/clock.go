package engine

import (
	"math/rand/v2"
	"time"
)

// UnixMilli is an absolute time in milliseconds since the Unix epoch by the
// engine's clock.
type UnixMilli int64

// Never is the deadline of a key without expiry.
const Never UnixMilli = -1

// Time converts to a time.Time.
func (t UnixMilli) Time() time.Time { return time.UnixMilli(int64(t)) }

// Clock tells the time to an engine and wakes it up at deadlines. Tests
// replace it to move time by hand.
type Clock interface {
	// Now is the present time; it need not be monotonic.
	Now() time.Time
	// AfterFunc calls f in its own goroutine (a fake clock: inside Advance)
	// once d has passed, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// SystemClock is the machine's clock. This file is the only one that asks it.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// Later is what Now would return, told from an earlier Now: half the cost, since
// it asks only how much time has passed. It misses when the clock was set.
func (SystemClock) Later(earlier time.Time) time.Time { return earlier.Add(time.Since(earlier)) }

// AfterFunc implements Clock.
func (SystemClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// Rand is the engine's source of chance; *rand.Rand of math/rand/v2 is one.
type Rand interface {
	Uint64() uint64
	// IntN returns a number in [0, n); it panics when n ≤ 0.
	IntN(n int) int
}

// NewRand returns a source that gives the same numbers for the same seed.
func NewRand(seed uint64) Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }
