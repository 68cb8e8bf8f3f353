// Package enginetest is an engine for tests: its clock is moved by hand, and
// its invariants are checked when the test ends.
package enginetest

import (
	"sync"
	"time"
)

// Clock is a fake engine.Clock. It stands still until Advance or SetTime. Make
// one with NewClock.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*timer
}

type timer struct {
	at time.Time
	f  func()
}

// NewClock returns a clock that says now.
func NewClock(now time.Time) *Clock { return &Clock{now: now.Round(0)} }

// Now implements engine.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements engine.Clock: f is called by the Advance or SetTime that
// reaches its time.
func (c *Clock) AfterFunc(d time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(t)
	}
}

func (c *Clock) remove(t *timer) bool {
	for i := range c.timers {
		if c.timers[i] == t {
			c.timers = append(c.timers[:i], c.timers[i+1:]...)
			return true
		}
	}
	return false
}

// Advance moves the clock by d and calls what comes due on the way, each at its
// time, one after another, in the caller's goroutine. Whatever expires meanwhile
// is gone when Advance returns. The caller must not hold an engine's lock.
func (c *Clock) Advance(d time.Duration) { c.SetTime(c.Now().Add(d)) }

// SetTime moves the clock to now, as Advance does; back too, then nothing comes
// due.
func (c *Clock) SetTime(now time.Time) {
	now = now.Round(0)
	for {
		c.mu.Lock()
		var first *timer
		for _, t := range c.timers {
			if !t.at.After(now) && (first == nil || t.at.Before(first.at)) {
				first = t
			}
		}
		if first == nil {
			c.now = now
			c.mu.Unlock()
			return
		}
		if first.at.After(c.now) {
			c.now = first.at
		}
		c.remove(first)
		c.mu.Unlock()
		first.f()
	}
}
