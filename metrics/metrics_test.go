package metrics

import (
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/realredis"
)

// full is a snapshot in which every family has a figure.
func full() *Snapshot {
	now := time.Unix(1_700_000_000, 123_456_000)
	s := &Snapshot{
		Now: now, Started: now.Add(-90 * time.Minute), Version: "0.1.0", RedisVersion: "7.2.4", RunID: strings.Repeat("a", 40),
		Commit: strings.Repeat("c", 40), TCPPort: 6379, Hz: 10, Loops: 1, LoopAPI: "epoll", MaxMemoryPolicy: "noeviction",
		MaxMemory: 4 << 20, Databases: 16, Percentiles: []float64{50, 99, 99.9}, LatencyTracking: true,
		Replication: Replication{ID: strings.Repeat("b", 40), BacklogSize: 1 << 20, SecondOffset: -1, Good: -1, FailoverState: "no-failover"}, Listeners: []Listener{{Name: "tcp", Bind: []string{"*", "-::*"}, Port: 6379}, {Name: "unix", Path: "/s"}},
		Clients:  Clients{Connected: 3, Max: 10000, Received: 7, Rejected: 1},
		Net:      Net{In: 1000, Out: 2000, Reads: 10, Writes: 20},
		Memory:   engine.Memory{Used: 3 << 20, Peak: 4 << 20, Entries: 2 << 20, Dicts: 1 << 19, Expires: 1 << 19, Mapped: 5 << 20},
		DBs:      []engine.DBStats{{DB: 0, Keys: 5, Volatile: 4, AvgTTL: 1500 * time.Millisecond}, {DB: 3, Keys: 1}},
		Commands: []Command{{Name: "get", Group: "string", Calls: 4, Rejected: 1, Failed: 1, Time: 10 * time.Microsecond, Durations: durations{1500, 2000, 2500, 4000}}, {Name: "client|list", Group: "connection", Rejected: 2}},
		Errors:   map[string]int64{"ERR": 2, "WRONGTYPE": 1},
		Slowlog:  Slowlog{Len: 1, LastID: 4, Last: 11 * time.Millisecond},
		Spikes:   []Spike{{Event: "command", At: now, Last: 20 * time.Millisecond, Max: 30 * time.Millisecond}},
		Sessions: []Sessions{{Prefix: "myapp:\xff", Active: 5, Created: 9, Touched: 3, Expired: 2, Deleted: 2}},
		Process:  Process{PID: 42, OS: "Linux x", RSS: 9 << 20, GoVersion: "go1.26"},
		Rates:    Rates{Commands: 12.6, In: 2048, Out: 1024},
		Replied:  Replied{Commands: 11, Errors: 3},
	}
	s.Engine.Expired = 2
	s.Engine.Lateness.Add(3 * time.Millisecond)
	s.Engine.Lateness.Add(time.Minute)
	return s
}

// durations are a Distribution in nanoseconds, in order.
type durations []time.Duration

func (d durations) Count() uint64 { return uint64(len(d)) }

func (d durations) Below(bound time.Duration) (n uint64) {
	for _, x := range d {
		if x <= bound {
			n++
		}
	}
	return n
}

func (d durations) Quantile(q float64) time.Duration { return d[min(int(q*float64(len(d))), len(d)-1)] }

// isExporters says of a name that redis_exporter gave it: dashboards know it,
// whatever the linter has against it.
func isExporters(metric string) bool { return strings.HasPrefix(metric, "redis_") }

func TestNamesAreGoodPrometheus(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(Collector(full)))
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	for _, p := range problems {
		if !isExporters(p.Metric) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestHandlerServesBothFamilies(t *testing.T) {
	rec := httptest.NewRecorder()
	Handler(full).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, rec.Code)
	body, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	for _, want := range []string{
		`coatcheck_clients 3`, `redis_connected_clients 3`, `redis_up 1`, `redis_uptime_in_seconds 5400`, `coatcheck_uptime_seconds 5400`,
		`redis_memory_used_bytes 3.145728e+06`, `redis_memory_max_bytes 4.194304e+06`, `redis_commands_processed_total 11`,
		`redis_db_keys{db="db0"} 5`, `redis_db_keys{db="db15"} 0`, `redis_db_keys_expiring{db="db0"} 4`, `redis_db_avg_ttl_seconds{db="db0"} 1.5`,
		`redis_commands_total{cmd="get"} 4`, `redis_commands_duration_seconds_total{cmd="get"} 1e-05`,
		`coatcheck_commands_total{cmd="get",outcome="ok"} 3`, `coatcheck_commands_total{cmd="get",outcome="failed"} 1`, `coatcheck_commands_total{cmd="client|list",outcome="rejected"} 2`,
		`redis_errors_total{err="WRONGTYPE"} 1`, `redis_slowlog_length 1`, `redis_slowlog_last_id 4`, `redis_last_slow_execution_duration_seconds 0.011`,
		`redis_latency_spike_duration_seconds{event_name="command"} 0.02`, `redis_config_maxmemory 4.194304e+06`, `redis_config_maxclients 10000`,
		`maxmemory_policy="noeviction",os="Linux x"`, `coatcheck_sessions_active{prefix="myapp:�"} 5`, `coatcheck_sessions_touched_total{prefix="myapp:�"} 3`,
		`coatcheck_command_duration_seconds_bucket{group="string",le="2.5e-06"} 3`, `coatcheck_command_duration_seconds_count{group="string"} 4`,
		`coatcheck_expire_lateness_seconds_bucket{le="0.005"} 1`, `coatcheck_expire_lateness_seconds_bucket{le="+Inf"} 2`,
		`redis_latency_usec_bucket{cmd="get",le="2"} 2`, `redis_latency_percentiles_usec{cmd="get",quantile="99.9"} 4`,
		`coatcheck_memory_bytes{kind="expires"} 524288`, `redis_rdb_last_bgsave_status 1`, `redis_latest_fork_seconds 0`, `go_goroutines`,
	} {
		require.True(t, strings.Contains(string(body), want), want)
	}
}

// absent is fields of Redis' INFO that describe its own program.
var absent = []string{"atomicvar_api", "gcc_version"}

// added is fields of ours that a redis-server 7.0.15 lacks: ours, or of 7.2 or 7.4.
var added = []string{
	"coatcheck_version", "go_version", "listener0", "listener1",
	"total_blocking_keys", "total_blocking_keys_on_nokey", "client_query_buffer_limit_disconnections", "client_output_buffer_limit_disconnections",
	"expired_subkeys",
	"acl_access_denied_auth", "acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel",
}

func TestInfoHasTheFieldsOfRedis(t *testing.T) {
	peer := realredis.Start(t)
	peer.Text(t, "set", "k", "v")
	peer.Text(t, "get", "k", "wrong arity")
	for _, sections := range [][]string{nil, {"default"}, {"all"}, {"everything"}, {"nosuch"}, {"CPU", "server"}, {"keyspace", "cluster", "keyspace"}} {
		theirs := fields(peer.Text(t, append([]string{"info"}, sections...)...))
		ours := fields(Info(full(), sections...))
		if !slices.Contains(sections, "everything") {
			require.Equal(t, theirs.titles, ours.titles, "%q", sections)
		}
		for title, names := range theirs.names {
			switch title {
			case "Commandstats", "Latencystats", "Errorstats", "Keyspace":
				continue
			}
			want := slices.DeleteFunc(names, func(n string) bool { return slices.Contains(absent, n) })
			got := slices.DeleteFunc(ours.names[title], func(n string) bool { return slices.Contains(added, n) })
			require.Equal(t, want, got, "fields of section %s, in order", title)
		}
	}
}

type parsedInfo struct {
	titles []string
	names  map[string][]string
}

func fields(text string) parsedInfo {
	p := parsedInfo{names: map[string][]string{}}
	for line := range strings.SplitSeq(text, "\r\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			p.titles = append(p.titles, title)
			continue
		}
		if name, _, ok := strings.Cut(line, ":"); ok {
			last := p.titles[len(p.titles)-1]
			p.names[last] = append(p.names[last], name)
		}
	}
	return p
}

func TestInfoLines(t *testing.T) {
	text := Info(full(), "everything")
	for _, want := range []string{
		"used_memory_human:3.00M\r\n", "used_memory_peak_perc:75.00%\r\n", "maxmemory_human:4.00M\r\n", "instantaneous_ops_per_sec:13\r\n",
		"instantaneous_input_kbps:2.00\r\n", "server_time_usec:1700000000123456\r\n", "redis_git_sha1:cccccccc\r\n",
		"listener0:name=tcp,bind=*,bind=-::*,port=6379\r\n", "listener1:name=unix,bind=/s\r\n",
		"cmdstat_get:calls=4,usec=10,usec_per_call=2.50,rejected_calls=1,failed_calls=1\r\n",
		"cmdstat_client|list:calls=0,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0\r\n",
		"latency_percentiles_usec_get:p50=2.500,p99=4.000,p99.9=4.000\r\n", "errorstat_ERR:count=2\r\n",
		"db0:keys=5,expires=4,avg_ttl=1500\r\n", "# Sessions\r\nsessions0:prefix=myapp:\xff,active=5,created=9,touched=3,expired=2,evicted=0,deleted=2,revoked=0,late_writes_refused=0\r\n",
	} {
		require.Contains(t, text, want)
	}
	require.Empty(t, Info(full(), "nosuch"))
	require.NotContains(t, Info(full()), "cmdstat_")
}

func TestPowerBuckets(t *testing.T) {
	d := durations{900, 1024, 1025, 40_000, 5 * time.Millisecond, 20 * time.Second}
	require.Equal(t, []Bucket{{1, 2}, {2, 3}, {66, 4}, {8454, 5}, {34628173, 6}}, PowerBuckets(d))
}

// The fields that redis-cli --stat, redis_exporter and clients look for.
func TestRowsHaveOneNameEach(t *testing.T) {
	seen := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		for _, name := range []string{r.section + "." + r.field, r.ours, r.exporter} {
			if name == "." || name == "" {
				continue
			}
			require.False(t, seen[name], name)
			seen[name] = true
		}
		require.True(t, r.ours == "" && r.section != "" || r.help != "", "%s%s needs a help text", r.ours, r.exporter)
	}
	require.Greater(t, len(slices.Collect(maps.Keys(seen))), 200)
}
