package coatchecktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFakeClockRingsInOrderAtTheMoment(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	c := newFakeClock(start)
	require.Equal(t, 678*time.Millisecond, time.Duration(c.Now().Nanosecond()), "milliseconds, as the store counts")
	start = c.Now()

	var rang []string
	note := func(name string) func() {
		return func() { rang = append(rang, fmt.Sprintf("%s@%v", name, c.Now().Sub(start))) }
	}
	c.AfterFunc(3*time.Second, note("c"))
	c.AfterFunc(time.Second, func() {
		note("a")()
		c.AfterFunc(time.Second, note("b"))
		c.AfterFunc(-time.Second, note("at once"))
	})
	stop := c.AfterFunc(time.Second, note("stopped"))
	c.AfterFunc(5*time.Second, note("later"))
	c.AfterFunc(3*time.Second, note("d"))
	stop()

	c.moveTo(start.Add(4 * time.Second))
	require.Equal(t, []string{"a@1s", "at once@1s", "b@2s", "c@3s", "d@3s"}, rang)
	require.Equal(t, start.Add(4*time.Second), c.Now())

	c.moveTo(start)
	require.Equal(t, start, c.Now(), "back in time")
	require.Len(t, rang, 5)
	c.moveTo(start.Add(time.Hour))
	require.Equal(t, "later@5s", rang[5])
}
