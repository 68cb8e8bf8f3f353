package server

import "time"

// rates tells how much happened a second of late: an average over samples that
// the housekeeping takes, as Redis' instantaneous_ figures are.
type rates struct {
	samples [16]rateSample
	n       int // samples taken, ever
	last    rateTotals
	lastAt  time.Time
}

// rateTotals are counters that only grow.
type rateTotals struct{ commands, in, out int64 }

// rateSample is what was added between two looks.
type rateSample struct {
	rateTotals
	over time.Duration
}

// sample looks at the counters. Counters that were reset start over.
func (r *rates) sample(now time.Time, t rateTotals) {
	over := now.Sub(r.lastAt)
	if !r.lastAt.IsZero() && over <= 0 {
		return
	}
	if !r.lastAt.IsZero() && t.commands >= r.last.commands && t.in >= r.last.in && t.out >= r.last.out {
		r.samples[r.n%len(r.samples)] = rateSample{rateTotals{t.commands - r.last.commands, t.in - r.last.in, t.out - r.last.out}, over}
		r.n++
	}
	r.last, r.lastAt = t, now
}

// perSecond is the average over the samples.
func (r *rates) perSecond() (commands, in, out float64) {
	var sum rateTotals
	var over time.Duration
	for _, s := range r.samples[:min(r.n, len(r.samples))] {
		sum.commands += s.commands
		sum.in += s.in
		sum.out += s.out
		over += s.over
	}
	if over <= 0 {
		return 0, 0, 0
	}
	sec := over.Seconds()
	return float64(sum.commands) / sec, float64(sum.in) / sec, float64(sum.out) / sec
}
