//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// run makes up samples: rss grows by perMinute bytes.
func run(perMinute int64, left int) []sample {
	all := []sample{{goroutines: 10, fds: 12, rss: 20 << 20}}
	for i := range 30 {
		all = append(all, sample{
			at: time.Duration(i+1) * time.Minute, phase: during, goroutines: 20 + i%3, fds: 300 + i%5, rss: 80<<20 + perMinute*int64(i),
		})
	}
	return append(all, sample{at: 31 * time.Minute, phase: after, goroutines: 10, fds: 12 + left, rss: 30 << 20})
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		samples []sample
		flat    bool
	}{
		"flat":                {run(0, 0), true},
		"memory grows":        {run(2<<20, 0), false},
		"a descriptor stayed": {run(0, 1), false},
	} {
		var b strings.Builder
		require.Equal(t, c.flat, report(&b, c.samples), name)
		require.Contains(t, b.String(), "| resident memory, MiB |", name)
		require.Equal(t, !c.flat, strings.Contains(b.String(), "NOT FLAT"), name)
	}
}
