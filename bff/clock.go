package bff

import "time"

// Clock tells the time to a Manager. A store's clock should be the same one;
// coatcheck's engine takes it as it is.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine (a fake clock: inside Advance)
	// once d has passed, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// SystemClock is the machine's clock. This file is the only one that asks it.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc implements Clock.
func (SystemClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}
