//go:build linux

package peers

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLateness(t *testing.T) {
	first := time.UnixMilli(1000)
	ms := func(n int) time.Time { return first.Add(time.Duration(n) * time.Millisecond) }
	// Four deadlines at 0, 10, 20, 30 ms; the last session stays.
	sizes := []observed{{ms(-5), 4}, {ms(1), 3}, {ms(13), 3}, {ms(15), 2}, {ms(26), 1}, {ms(60), 1}}
	require.Equal(t, []time.Duration{1e6, 5e6, 6e6, 30e6}, lateness(sizes, 4, first, 40*time.Millisecond))
	require.Equal(t, 2, sizeAt(sizes, ms(14)))
	require.Equal(t, 1, sizeAt(sizes, ms(500)))
}

func TestRatiosAndLevels(t *testing.T) {
	ours, ref := &Peer{Name: Ours}, &Peer{Name: Reference}
	rep := &Report{}
	m := rep.measure("s", "n", "u").ratioAtMost(0.75)
	require.Same(t, m, rep.measure("s", "n", "u"))
	for _, pair := range [][2]float64{{7, 10}, {16, 20}, {6, 10}} {
		m.add(ours, pair[0])
		m.add(ref, pair[1])
	}
	require.Equal(t, []float64{0.6, 0.7, 0.8}, m.Ratios())
	require.Equal(t, "0.70 (0.60–0.80)", m.ratioText())
	require.Equal(t, "≤ 0.75 × ✓", m.levelText())
	m.ratioAtMost(0.65)
	require.Equal(t, "≤ 0.65 × **missed**", m.levelText())
	m.ratioAtLeast(0.65)
	require.Equal(t, "≥ 0.65 × ✓", m.levelText())
	m.atMost(6.5)
	require.Equal(t, "≤ 6.50 **missed**", m.levelText(), "the median of ours is 7")
	require.Equal(t, "–", m.text("valkey"))
}

func TestTakeAllocs(t *testing.T) {
	r := &run{peers: []*Peer{{Name: Ours}}, report: &Report{}}
	require.NoError(t, r.takeAllocs("BenchmarkHotPath/GET-2  20000  800 ns/op  12 B/op  3 allocs/op\nPASS\n"))
	require.Equal(t, 3.0, r.report.Measures[0].Median(Ours))
	require.Equal(t, "allocations, GET", r.report.Measures[0].Name)
	require.Error(t, r.takeAllocs("PASS\n"))
}

func TestProcessFigures(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	require.NoError(t, err)
	for time.Duration(0) == mustCPU(t)-before {
	}
	rss, err := RSS(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, rss, int64(1<<20))
	_, err = RSS(-1)
	require.Error(t, err)
}

func mustCPU(t *testing.T) time.Duration {
	used, err := CPUTime(os.Getpid())
	require.NoError(t, err)
	return used
}
