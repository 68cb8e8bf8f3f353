package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coatcheck/engine"
)

// family is figures with labels.
type family struct {
	name, help string
	labels     []string
	counter    bool
	// collect gives each figure with its labels' values to emit.
	collect func(s *Snapshot, emit func(v float64, labels ...string))
}

// families with one number each. The first are ours, the others have the
// names and labels of redis_exporter.
var families = []family{
	{"coatcheck_build_info", "What is running.", []string{"version", "redis_version", "go_version", "commit"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			emit(1, s.Version, s.RedisVersion, s.Process.GoVersion, s.Commit)
		}},
	{"coatcheck_commands_total", "Commands by how they ended: ok, failed (an error reply) or rejected (before they ran).", []string{"cmd", "outcome"}, true, collectOutcomes},
	{"coatcheck_errors_total", "Error replies by their code.", []string{"code"}, true, collectErrors},
	{"coatcheck_keys", "Keys by database.", []string{"db"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			eachDB(s, func(db string, d engine.DBStats) { emit(float64(d.Keys), db) })
		}},
	{"coatcheck_keys_volatile", "Keys with a time to live by database.", []string{"db"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			eachDB(s, func(db string, d engine.DBStats) { emit(float64(d.Volatile), db) })
		}},
	{"coatcheck_memory_bytes", "Memory by kind: entries (keys and values), dict and expires (what finds them), mapped (held for the three), go_heap.", []string{"kind"}, false, collectMemory},
	{"coatcheck_latency_spike_seconds", "The latest slow event that the latency monitor saw.", []string{"event"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			for _, x := range s.Spikes {
				emit(x.Last.Seconds(), x.Event)
			}
		}},
	sessionFamily("coatcheck_sessions_active", "Sessions that exist.", false, func(x *Sessions) int64 { return x.Active }),
	sessionFamily("coatcheck_sessions_created_total", "Sessions that came into being.", true, func(x *Sessions) int64 { return x.Created }),
	sessionFamily("coatcheck_sessions_touched_total", "Writes to sessions that existed, and new deadlines of theirs.", true, func(x *Sessions) int64 { return x.Touched }),
	sessionFamily("coatcheck_sessions_expired_total", "Sessions that ended because their time had come.", true, func(x *Sessions) int64 { return x.Expired }),
	sessionFamily("coatcheck_sessions_evicted_total", "Sessions evicted because of maxmemory.", true, func(x *Sessions) int64 { return x.Evicted }),
	sessionFamily("coatcheck_sessions_deleted_total", "Sessions deleted, renamed or moved away, or flushed.", true, func(x *Sessions) int64 { return x.Deleted }),
	sessionFamily("coatcheck_sessions_revoked_total", "Sessions that SESSION.REVOKE ended.", true, func(x *Sessions) int64 { return x.Revoked }),
	sessionFamily("coatcheck_sessions_over_limit_total", "Sessions that ended because their user had newer ones, as many as may be.", true, func(x *Sessions) int64 { return x.OverLimit }),
	sessionFamily("coatcheck_sessions_late_writes_refused_total", "Writes refused because the session had ended.", true, func(x *Sessions) int64 { return x.LateRefused }),
	sessionFamily("coatcheck_sessions_over_limit_refused_total", "Writes refused because the user had as many sessions as may be.", true, func(x *Sessions) int64 { return x.OverRefused }),
	sessionFamily("coatcheck_session_users", "Users who have sessions.", false, func(x *Sessions) int64 { return x.Users }),
	sessionFamily("coatcheck_session_tombstones", "Ids of sessions that can't be written again for a while.", false, func(x *Sessions) int64 { return x.Tombstones }),

	{"redis_instance_info", "Information about the instance.",
		[]string{"role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id", "process_id", "master_replid"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			emit(1, "master", s.RedisVersion, buildID(s), "standalone", s.Process.OS, s.MaxMemoryPolicy,
				strconv.Itoa(s.TCPPort), s.RunID, strconv.Itoa(s.Process.PID), s.Replication.ID)
		}},
	commandFamily("redis_commands_total", "Calls by command.", func(c *Command) float64 { return float64(c.Calls) }),
	commandFamily("redis_commands_duration_seconds_total", "Time spent by command.", func(c *Command) float64 { return c.Time.Seconds() }),
	commandFamily("redis_commands_rejected_calls_total", "Calls rejected before they ran, by command.", func(c *Command) float64 { return float64(c.Rejected) }),
	commandFamily("redis_commands_failed_calls_total", "Calls that replied an error, by command.", func(c *Command) float64 { return float64(c.Failed) }),
	{"redis_errors_total", "Error replies by their code.", []string{"err"}, true, collectErrors},
	{"redis_db_keys", "Keys by database.", []string{"db"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			eachDB(s, func(db string, d engine.DBStats) { emit(float64(d.Keys), "db"+db) })
		}},
	{"redis_db_keys_expiring", "Keys with a time to live by database.", []string{"db"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			eachDB(s, func(db string, d engine.DBStats) { emit(float64(d.Volatile), "db"+db) })
		}},
	{"redis_db_avg_ttl_seconds", "Average time to live by database.", []string{"db"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			for _, d := range s.DBs {
				emit(d.AvgTTL.Seconds(), "db"+strconv.Itoa(d.DB))
			}
		}},
	{"redis_latency_spike_last", "When the latency monitor last saw the event, in seconds since the Unix epoch.", []string{"event_name"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			for _, x := range s.Spikes {
				emit(float64(x.At.Unix()), x.Event)
			}
		}},
	{"redis_latency_spike_duration_seconds", "How long the event last took.", []string{"event_name"}, false,
		func(s *Snapshot, emit func(float64, ...string)) {
			for _, x := range s.Spikes {
				emit(x.Last.Seconds(), x.Event)
			}
		}},
}

// eachDB visits every db, also the empty ones.
func eachDB(s *Snapshot, visit func(db string, d engine.DBStats)) {
	all := make([]engine.DBStats, s.Databases)
	for _, d := range s.DBs {
		if d.DB < len(all) {
			all[d.DB] = d
		}
	}
	for i, d := range all {
		visit(strconv.Itoa(i), d)
	}
}

func collectOutcomes(s *Snapshot, emit func(float64, ...string)) {
	for i := range s.Commands {
		c := &s.Commands[i]
		emit(float64(c.Calls-c.Failed), c.Name, "ok")
		emit(float64(c.Failed), c.Name, "failed")
		emit(float64(c.Rejected), c.Name, "rejected")
	}
}

func collectErrors(s *Snapshot, emit func(float64, ...string)) {
	for code, n := range s.Errors {
		emit(float64(n), code)
	}
}

func collectMemory(s *Snapshot, emit func(float64, ...string)) {
	emit(float64(s.Memory.Entries), "entries")
	emit(float64(s.Memory.Dicts), "dict")
	emit(float64(s.Memory.Expires), "expires")
	emit(float64(s.Memory.Mapped), "mapped")
	emit(float64(s.Process.HeapLive), "go_heap")
}

func sessionFamily(name, help string, counter bool, get func(x *Sessions) int64) family {
	return family{name, help, []string{"prefix"}, counter, func(s *Snapshot, emit func(float64, ...string)) {
		for i := range s.Sessions {
			emit(float64(get(&s.Sessions[i])), s.Sessions[i].Prefix)
		}
	}}
}

func commandFamily(name, help string, get func(c *Command) float64) family {
	return family{name, help, []string{"cmd"}, true, func(s *Snapshot, emit func(float64, ...string)) {
		for i := range s.Commands {
			emit(get(&s.Commands[i]), s.Commands[i].Name)
		}
	}}
}

// The families that are distributions.
var (
	groupDurations = prometheus.NewDesc("coatcheck_command_duration_seconds", "Time that commands took to run, by group.", []string{"group"}, nil)
	lateness       = prometheus.NewDesc("coatcheck_expire_lateness_seconds", "Time from the deadline of keys to their removal.", nil, nil)
	latencyUsec    = prometheus.NewDesc("redis_latency_usec", "Time that commands took to run, in microseconds, by command.", []string{"cmd"}, nil)
	latencySummary = prometheus.NewDesc("redis_latency_percentiles_usec", "Percentiles of the time that commands took, in microseconds, by command.", []string{"cmd"}, nil)

	distributions = []*prometheus.Desc{groupDurations, lateness, latencyUsec, latencySummary}
)

// durationBounds are the buckets of coatcheck_command_duration_seconds.
var durationBounds = []time.Duration{
	time.Microsecond, 2500 * time.Nanosecond, 5 * time.Microsecond, 10 * time.Microsecond, 25 * time.Microsecond,
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond,
	2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond,
	time.Second, 10 * time.Second,
}

func collectDistributions(s *Snapshot, ch chan<- prometheus.Metric) {
	type sum struct {
		count   uint64
		time    time.Duration
		buckets map[float64]uint64
	}
	groups := map[string]*sum{}
	for i := range s.Commands {
		c := &s.Commands[i]
		if c.Durations == nil {
			continue
		}
		g := groups[c.Group]
		if g == nil {
			g = &sum{buckets: map[float64]uint64{}}
			groups[c.Group] = g
		}
		g.count += c.Durations.Count()
		g.time += c.Time
		for _, bound := range durationBounds {
			g.buckets[bound.Seconds()] += c.Durations.Below(bound)
		}
		if s.LatencyTracking {
			collectExporterLatency(s, c, ch)
		}
	}
	for name, g := range groups {
		ch <- prometheus.MustNewConstHistogram(groupDurations, g.count, g.time.Seconds(), g.buckets, name)
	}
	collectLateness(s, ch)
}

// collectExporterLatency is what redis_exporter makes of LATENCY HISTOGRAM and
// INFO latencystats.
func collectExporterLatency(s *Snapshot, c *Command, ch chan<- prometheus.Metric) {
	buckets := map[float64]uint64{}
	for _, b := range PowerBuckets(c.Durations) {
		buckets[float64(b.Micros)] = b.Count
	}
	ch <- prometheus.MustNewConstHistogram(latencyUsec, c.Durations.Count(), micros(c.Time), buckets, c.Name)
	quantiles := map[float64]float64{}
	for _, p := range s.Percentiles {
		quantiles[p] = micros(c.Durations.Quantile(p / 100))
	}
	ch <- prometheus.MustNewConstSummary(latencySummary, c.Durations.Count(), micros(c.Time), quantiles, c.Name)
}

func collectLateness(s *Snapshot, ch chan<- prometheus.Metric) {
	var total uint64
	buckets := map[float64]uint64{}
	for i, n := range s.Engine.Lateness.Buckets {
		total += uint64(n)
		if i < len(engine.LatenessBounds) {
			buckets[engine.LatenessBounds[i].Seconds()] = total
		}
	}
	ch <- prometheus.MustNewConstHistogram(lateness, total, s.Engine.Lateness.Sum.Seconds(), buckets)
}

// Bucket is a bucket of LATENCY HISTOGRAM.
type Bucket struct {
	Micros int64  // upper bound
	Count  uint64 // of it and all below
}

// PowerBuckets are the buckets of LATENCY HISTOGRAM: by powers of two of about a
// microsecond, only those that add to the one before, up to the whole count.
//
// The bounds are those that Redis shows, whose histogram has 128 steps in each
// power of two and names a bucket by its highest nanosecond: 1, 2, 4, 8, 16, 33,
// 66, 132, … µs.
func PowerBuckets(d Distribution) []Bucket {
	var out []Bucket
	var seen uint64
	for bound := time.Duration(1024); seen < d.Count(); bound *= 2 {
		n := d.Below(bound)
		if bound > 24*time.Hour {
			n = d.Count()
		}
		if n > seen {
			out = append(out, Bucket{(bound + bound/128 - 1).Microseconds(), n})
			seen = n
		}
	}
	return out
}
