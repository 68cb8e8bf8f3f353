package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// gathered is what a full snapshot yields, by the names that queries use, with
// the labels that the family has.
func gathered(t *testing.T) map[string]map[string]bool {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(Collector(full)))
	families, err := reg.Gather()
	require.NoError(t, err)
	all := map[string]map[string]bool{}
	for _, f := range families {
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		all[f.GetName()] = labels
		if f.GetType() == dto.MetricType_HISTOGRAM {
			labels["le"] = true
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				all[f.GetName()+suffix] = labels
			}
		}
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\b(?:coatcheck|redis)_[a-z_]+`)
	labelled   = regexp.MustCompile(`\{[^}]*\}`)
	selector   = regexp.MustCompile(`((?:coatcheck|redis)_[a-z_]+)\{([^}]*)\}`)
	labelName  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// checkQuery requires that every metric and label of a query exists.
func checkQuery(t *testing.T, all map[string]map[string]bool, query string) (names int) {
	t.Helper()
	for _, name := range metricName.FindAllString(labelled.ReplaceAllString(query, ""), -1) {
		require.Contains(t, all, name, query)
		names++
	}
	for _, m := range selector.FindAllStringSubmatch(query, -1) {
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "job" && l[1] != "instance" { // which the scrape adds
				require.True(t, all[m[1]][l[1]], "label %s of %s in %s", l[1], m[1], query)
			}
		}
	}
	require.Equal(t, strings.Count(query, "("), strings.Count(query, ")"), query)
	return names
}

func TestDashboardAsksForWhatThereIs(t *testing.T) {
	b, err := os.ReadFile("../deploy/grafana/coatcheck.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct{ List []struct{ Query string } }
	}
	require.NoError(t, json.Unmarshal(b, &dashboard))
	all := gathered(t)
	n := 0
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			require.Positive(t, checkQuery(t, all, target.Expr), p.Title)
			n++
		}
	}
	for _, v := range dashboard.Templating.List {
		checkQuery(t, all, v.Query)
	}
	require.Greater(t, n, 30)
}

func TestAlertsAskForWhatThereIs(t *testing.T) {
	b, err := os.ReadFile("../deploy/prometheus/alerts.yml")
	require.NoError(t, err)
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(b, &rules))
	all := gathered(t)
	n := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if found := checkQuery(t, all, r.Expr); r.Alert != "CoatcheckDown" {
				require.Positive(t, found, r.Alert)
			}
			require.Contains(t, []string{"warning", "critical"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			n++
		}
	}
	require.Greater(t, n, 8)
}

// The queries of the dashboards 763 and 11835 of grafana.com, which many have for
// Redis, in short: what they ask redis_exporter for.
func TestKnownRedisDashboards(t *testing.T) {
	all := gathered(t)
	for _, query := range []string{
		`max(max_over_time(redis_uptime_in_seconds{instance=~"$instance"}[$__interval]))`,
		`sum(redis_connected_clients{instance=~"$instance"})`, `redis_blocked_clients{instance=~"$instance"}`,
		`100 * (redis_memory_used_bytes{instance=~"$instance"} / redis_memory_max_bytes{instance=~"$instance"})`,
		`rate(redis_commands_processed_total{instance=~"$instance"}[1m])`,
		`irate(redis_keyspace_hits_total{instance=~"$instance"}[5m])`, `irate(redis_keyspace_misses_total{instance=~"$instance"}[5m])`,
		`rate(redis_net_input_bytes_total{instance=~"$instance"}[5m])`, `rate(redis_net_output_bytes_total{instance=~"$instance"}[5m])`,
		`sum(redis_db_keys{instance=~"$instance"}) by (db)`,
		`sum(redis_db_keys{instance=~"$instance"}) - sum(redis_db_keys_expiring{instance=~"$instance"})`,
		`sum(rate(redis_expired_keys_total{instance=~"$instance"}[5m])) by (instance)`, `sum(rate(redis_evicted_keys_total{instance=~"$instance"}[5m]))`,
		`topk(5, irate(redis_commands_total{instance=~"$instance",cmd=~".+"}[1m]))`,
		`irate(redis_commands_duration_seconds_total{instance=~"$instance",cmd=~".+"}[1m])`,
		`redis_instance_info{instance=~"$instance",role="master",redis_version=~".+",os=~".+",redis_mode=~".+",tcp_port=~".+"}`, `redis_up{instance=~"$instance"}`,
		`redis_config_maxclients{instance=~"$instance"}`, `redis_connected_slaves{instance=~"$instance"}`, `redis_slowlog_length{instance=~"$instance"}`,
		`redis_start_time_seconds{instance=~"$instance"}`, `increase(redis_rejected_connections_total{instance=~"$instance"}[1m])`,
		`redis_memory_used_rss_bytes{instance=~"$instance"}`, `redis_mem_fragmentation_ratio`, `redis_db_avg_ttl_seconds{db=~"db.+"}`,
		`redis_connections_received_total`, `redis_rdb_last_save_timestamp_seconds`, `redis_rdb_changes_since_last_save`, `redis_last_slow_execution_duration_seconds`,
		`rate(redis_cpu_sys_seconds_total[1m])`, `rate(redis_cpu_user_seconds_total[1m])`, `redis_latency_spike_duration_seconds{event_name=~".+"}`,
		`histogram_quantile(0.99, rate(redis_latency_usec_bucket{cmd=~".+"}[1m]))`, `redis_latency_percentiles_usec{cmd=~".+"}`,
	} {
		require.Positive(t, checkQuery(t, all, query), query)
	}
}
