package server

import (
	"fmt"
	"strings"
	"time"
)

// drawLatency draws an event's samples as columns, the newest at the right, with
// the age of each written downwards below.
func drawLatency(name string, e *latencyEvent, now time.Time) string {
	const rows = 4
	low, high := e.samples[0].took, e.samples[0].took
	for _, s := range e.samples {
		low, high = min(low, s.took), max(high, s.took)
	}
	samples := e.samples[max(0, len(e.samples)-80):]
	var b strings.Builder
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n", name, high.Milliseconds(), low.Milliseconds(), e.max.Milliseconds())
	b.WriteString(strings.Repeat("-", 80) + "\n")
	for row := rows; row > 0; row-- {
		for _, s := range samples {
			b.WriteByte(column(s.took, low, high, row, rows))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	ages := make([]string, len(samples))
	tallest := 0
	for i, s := range samples {
		ages[i] = ago(now.Sub(s.at))
		tallest = max(tallest, len(ages[i]))
	}
	for i := range tallest {
		for _, a := range ages {
			if i < len(a) {
				b.WriteByte(a[i])
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// column is the mark of a sample in one of the rows above the bottom.
func column(v, low, high time.Duration, row, rows int) byte {
	height := 1.0 // of rows, for a single level
	if high > low {
		height = float64(v-low)/float64(high-low)*float64(rows-1) + 1
	}
	switch top := float64(row); {
	case height >= top && row == rows:
		return '#'
	case height >= top:
		return '|'
	case height > top-1:
		return '_'
	}
	return ' '
}

// latencyReport says in words what the latency monitor saw and what to do.
func (s *Server) latencyReport() string {
	m, limit := &s.latency, s.cfg.LatencyMonitorThreshold
	if len(m.events) == 0 {
		if limit == 0 {
			return "The latency monitor is off. Set latency-monitor-threshold to the milliseconds from which on you care, " +
				"for example: CONFIG SET latency-monitor-threshold 100\n"
		}
		return fmt.Sprintf("Nothing took %d ms or longer so far.\n", limit)
	}
	var b strings.Builder
	for i, name := range m.names() {
		e := m.events[name]
		average, deviation, period := e.spread()
		fmt.Fprintf(&b, "%d. %s: %d latency spikes (average %dms, mean deviation %dms, period %.2f sec). Worst all time event %dms.\n",
			i+1, name, len(e.samples), average.Milliseconds(), deviation.Milliseconds(), period, e.max.Milliseconds())
	}
	b.WriteString("\nWhat to look at:\n\n")
	for _, advice := range s.latencyAdvice() {
		b.WriteString("- " + advice + "\n")
	}
	return b.String()
}

func (s *Server) latencyAdvice() []string {
	var out []string
	events := s.latency.events
	if events["command"] != nil || events["fast-command"] != nil {
		if slow := s.cfg.SlowlogSlowerThan; slow < 0 || slow > s.cfg.LatencyMonitorThreshold*1000 {
			out = append(out, fmt.Sprintf("The slow log does not log what the latency monitor sees; CONFIG SET slowlog-log-slower-than %d makes it.",
				s.cfg.LatencyMonitorThreshold*1000))
		}
		out = append(out, "SLOWLOG GET names the commands that took long: large values, long ranges, patterns over many keys.")
	}
	if events["fast-command"] != nil {
		out = append(out, "Commands that never take long did: the process waited for the CPU, or its memory was swapped out.")
	}
	if events["expire-cycle"] != nil {
		out = append(out, "Many keys share a deadline. Spread the times to live by a few per cent.")
	}
	if events["eviction-cycle"] != nil {
		out = append(out, "The memory limit is reached and keys are evicted while writes wait. Raise maxmemory or shorten the times to live.")
	}
	return out
}
