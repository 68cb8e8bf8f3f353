package engine

import "time"

// Stats are figures of the engine since it was made, or since ResetStats.
type Stats struct {
	Hits, Misses     int64 // look-ups by readers
	Expired, Evicted int64 // keys
	ExpiredFields    int64 // of hashes
	// Changes counts changes of the keyspace; ResetStats leaves it.
	Changes int64
	// ExpireTime is time spent in removing keys that were due, ExpireCapped
	// the rounds that ended before all of them were gone.
	ExpireTime   time.Duration
	ExpireCapped int64
	EvictTime    time.Duration
	// Lateness is how long after their deadline keys were removed, be it by
	// the timer or by a look-up.
	Lateness Lateness
}

// LatenessBounds are the upper bounds of the buckets of Lateness but the last,
// which has none.
var LatenessBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// Lateness is a histogram.
type Lateness struct {
	Buckets [len(LatenessBounds) + 1]int64
	Sum     time.Duration
}

// Add counts a key removed so late.
func (l *Lateness) Add(late time.Duration) {
	i := 0
	for i < len(LatenessBounds) && late > LatenessBounds[i] {
		i++
	}
	l.Buckets[i]++
	l.Sum += late
}

// Memory is what the keyspace occupies, in bytes.
type Memory struct {
	Used    int64 // what maxmemory bounds: Entries, Dicts, Expires and Elsewhere
	Peak    int64 // the highest Used so far
	Entries int64 // keys and values with their headers
	Dicts   int64 // what finds entries by key
	Expires int64 // what finds entries by deadline
	// Elsewhere is what Account was told of.
	Elsewhere int64
	Mapped    int64 // held from the system for all this
}

// DBStats are figures of one db.
type DBStats struct {
	DB             int
	Keys, Volatile int           // with those that are due and not removed yet
	AvgTTL         time.Duration // estimate over the volatile keys; 0 without
}

// Stats returns the figures at the present.
func (h Held) Stats() Stats { return h.eng.stats }

// ResetStats zeroes Stats but its Changes.
func (h Held) ResetStats() { h.eng.stats = Stats{Changes: h.eng.stats.Changes} }

// OnCycle has fn called, under the lock, after each round of removing due keys
// ("expire-cycle") and of evicting ("eviction-cycle"), with what it took.
func (h Held) OnCycle(fn func(event string, took time.Duration)) { h.eng.onCycle = fn }

// cycle tells of a round that began at start, and returns what it took.
func (e *Engine) cycle(event string, start time.Time) time.Duration {
	took := e.clock.Now().Sub(start)
	if e.onCycle != nil {
		e.onCycle(event, took)
	}
	return took
}

// DBs returns the figures of the dbs that have keys, in order.
func (h Held) DBs() []DBStats {
	var out []DBStats
	now := UnixMilli(h.eng.clock.Now().UnixMilli())
	for i, d := range h.eng.dbs {
		if n := d.dict.Len(); n > 0 {
			out = append(out, DBStats{DB: i, Keys: n, Volatile: d.due.Len(), AvgTTL: d.averageTTL(now)})
		}
	}
	return out
}

// averageTTL estimates from a few volatile keys.
func (d *db) averageTTL(now UnixMilli) time.Duration {
	const samples = 20
	sum, n := int64(0), int64(0)
	for range min(samples, d.due.Len()) {
		item, _ := d.due.Random(d.eng.rand)
		if p, ok := d.owner(item); ok {
			sum += int64(max(p.ent.at()-now, 0))/samples + 1
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return time.Duration(sum/n*samples) * time.Millisecond
}

// Overhead is what finds the keys of a db, in bytes: by name, and by deadline.
func (h Held) Overhead(db int) (dict, expires int64) {
	d := h.eng.dbs[db]
	return d.dict.Bytes(), d.due.Bytes()
}
