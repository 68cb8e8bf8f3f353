package coatchecktest

import (
	"sync"
	"time"
)

// fakeClock stands still until it is told to move. On the way it calls what
// became due, in order, each with the time standing at its moment.
type fakeClock struct {
	moving sync.Mutex // one Advance at a time

	mu     sync.Mutex
	now    time.Time
	alarms map[*alarm]struct{}
	set    int // numbers alarms, so that those of one moment ring in order
}

type alarm struct {
	at    time.Time
	order int
	ring  func()
}

func newFakeClock(now time.Time) *fakeClock {
	return &fakeClock{now: now.Truncate(time.Millisecond), alarms: map[*alarm]struct{}{}}
}

// Now implements engine.Clock.
func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements engine.Clock.
func (c *fakeClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set++
	a := &alarm{at: c.now.Add(max(d, 0)), order: c.set, ring: f}
	c.alarms[a] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.alarms, a)
	}
}

// moveTo sets the time; forwards, it rings the alarms on the way.
func (c *fakeClock) moveTo(t time.Time) {
	c.moving.Lock()
	defer c.moving.Unlock()
	for a := c.next(t); a != nil; a = c.next(t) {
		a.ring()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// next takes the first alarm until t and sets the time to its moment.
func (c *fakeClock) next(t time.Time) *alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first *alarm
	for a := range c.alarms {
		if a.at.After(t) {
			continue
		}
		if first == nil || a.at.Before(first.at) || a.at.Equal(first.at) && a.order < first.order {
			first = a
		}
	}
	if first != nil {
		delete(c.alarms, first)
		if first.at.After(c.now) {
			c.now = first.at
		}
	}
	return first
}
