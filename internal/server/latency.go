package server

import (
	"maps"
	"slices"
	"time"
)

// latencyMonitor keeps, by event, the times that something took at least
// latency-monitor-threshold: commands ("command", "fast-command"), and the
// engine's rounds ("expire-cycle", "eviction-cycle").
type latencyMonitor struct{ events map[string]*latencyEvent }

// latencySamples is how many samples an event keeps (Redis latency.h).
const latencySamples = 160

type latencyEvent struct {
	samples []latencySample // the oldest first
	max     time.Duration   // of all time
}

// latencySample is the longest of a second.
type latencySample struct {
	at   time.Time
	took time.Duration // whole milliseconds
}

// add keeps a sample.
func (m *latencyMonitor) add(event string, at time.Time, took time.Duration) {
	took = took.Truncate(time.Millisecond)
	e := m.events[event]
	if e == nil {
		if m.events == nil {
			m.events = map[string]*latencyEvent{}
		}
		e = &latencyEvent{}
		m.events[event] = e
	}
	e.max = max(e.max, took)
	if n := len(e.samples); n > 0 && e.samples[n-1].at.Unix() == at.Unix() {
		e.samples[n-1].took = max(e.samples[n-1].took, took)
		return
	}
	if len(e.samples) == latencySamples {
		copy(e.samples, e.samples[1:])
		e.samples = e.samples[:latencySamples-1]
	}
	e.samples = append(e.samples, latencySample{at, took})
}

// last is the newest sample.
func (e *latencyEvent) last() latencySample { return e.samples[len(e.samples)-1] }

// names are the events with samples, in order.
func (m *latencyMonitor) names() []string { return slices.Sorted(maps.Keys(m.events)) }

// reset forgets events, all without names, and returns how many there were.
func (m *latencyMonitor) reset(names ...string) int {
	if len(names) == 0 {
		n := len(m.events)
		m.events = nil
		return n
	}
	n := 0
	for _, name := range names {
		if _, ok := m.events[name]; ok {
			delete(m.events, name)
			n++
		}
	}
	return n
}

// spread is the average of an event's samples, their mean deviation from it and
// how many seconds lie between two of them.
func (e *latencyEvent) spread() (average, deviation time.Duration, period float64) {
	n := time.Duration(len(e.samples))
	for _, s := range e.samples {
		average += s.took
	}
	average /= n
	for _, s := range e.samples {
		deviation += (s.took - average).Abs()
	}
	deviation /= n
	between := e.last().at.Sub(e.samples[0].at)
	return average, deviation, max(between.Seconds(), 1) / float64(n)
}

// latencyEventOf is the event that a slow command is.
func latencyEventOf(cmd *Cmd) string {
	if cmd.isFast() {
		return "fast-command"
	}
	return "command"
}
