package metrics

import (
	"math/bits"
	"time"
)

var serverRows = []row{
	{section: "server", field: "redis_version", get: func(s *Snapshot) value { return words(s.RedisVersion) }},
	{section: "server", field: "coatcheck_version", get: func(s *Snapshot) value { return words(s.Version) }},
	{section: "server", field: "redis_git_sha1", get: func(s *Snapshot) value { return words(shortCommit(s.Commit)) }},
	{section: "server", field: "redis_git_dirty", get: constant(count(0))},
	{section: "server", field: "redis_build_id", get: func(s *Snapshot) value { return words(buildID(s)) }},
	{section: "server", field: "redis_mode", get: constant(words("standalone"))},
	{section: "server", field: "os", get: func(s *Snapshot) value { return words(s.Process.OS) }},
	{section: "server", field: "arch_bits", get: constant(count(bits.UintSize))},
	{section: "server", field: "monotonic_clock", get: constant(words("POSIX clock_gettime"))},
	{section: "server", field: "multiplexing_api", get: func(s *Snapshot) value { return words(s.LoopAPI) }},
	{section: "server", field: "go_version", get: func(s *Snapshot) value { return words(s.Process.GoVersion) }},
	{section: "server", field: "process_id", get: func(s *Snapshot) value { return integer(s.Process.PID) }, exporter: "redis_process_id"},
	{section: "server", field: "process_supervised", get: constant(words("no"))},
	{section: "server", field: "run_id", get: func(s *Snapshot) value { return words(s.RunID) }},
	{section: "server", field: "tcp_port", get: func(s *Snapshot) value { return integer(s.TCPPort) }},
	{section: "server", field: "server_time_usec", get: func(s *Snapshot) value { return count(s.Now.UnixMicro()) }, exporter: "redis_server_time_usec"},
	{section: "server", field: "uptime_in_seconds", get: func(s *Snapshot) value { return count(uptime(s)) }, exporter: "redis_uptime_in_seconds",
		ours: "coatcheck_uptime_seconds", help: "Time since the server started."},
	{section: "server", field: "uptime_in_days", get: func(s *Snapshot) value { return count(uptime(s) / 86400) }},
	{section: "server", field: "hz", get: func(s *Snapshot) value { return integer(s.Hz) }, exporter: "redis_hz"},
	{section: "server", field: "configured_hz", get: func(s *Snapshot) value { return integer(s.Hz) }, exporter: "redis_configured_hz"},
	{section: "server", field: "lru_clock", get: func(s *Snapshot) value { return count(s.Now.Unix() & (1<<24 - 1)) }},
	{section: "server", field: "executable", get: func(s *Snapshot) value { return words(s.Executable) }},
	{section: "server", field: "config_file", get: func(s *Snapshot) value { return words(s.ConfigFile) }},
	{section: "server", field: "io_threads_active", get: func(s *Snapshot) value { return flag(s.Loops > 1) }, exporter: "redis_io_threads_active"},

	{get: func(s *Snapshot) value { return count(s.Started.Unix()) }, exporter: "redis_start_time_seconds",
		ours: "coatcheck_start_time_seconds", help: "When the server started, in seconds since the Unix epoch."},
	{get: constant(count(1)), exporter: "redis_up", help: "Whether the server answers; it does, since it answers this."},
	{get: func(s *Snapshot) value { return integer(s.Process.Goroutines) }, ours: "coatcheck_goroutines", help: "Goroutines of the process."},
	{get: func(s *Snapshot) value { return integer(s.Loops) }, ours: "coatcheck_loops", help: "Loops that serve sockets."},
}

func uptime(s *Snapshot) int64 { return int64(s.Now.Sub(s.Started) / time.Second) }

func shortCommit(c string) string {
	if len(c) < 8 {
		return "00000000"
	}
	return c[:8]
}

func buildID(s *Snapshot) string {
	if len(s.Commit) < 16 {
		return "0"
	}
	return s.Commit[:16]
}

var clientRows = []row{
	{section: "clients", field: "connected_clients", get: func(s *Snapshot) value { return integer(s.Clients.Connected) }, exporter: "redis_connected_clients",
		ours: "coatcheck_clients", help: "Connections that are open."},
	{section: "clients", field: "cluster_connections", get: constant(count(0))},
	{section: "clients", field: "maxclients", get: func(s *Snapshot) value { return integer(s.Clients.Max) }, exporter: "redis_max_clients",
		ours: "coatcheck_clients_limit", help: "Connections allowed at a time (maxclients)."},
	{section: "clients", field: "client_recent_max_input_buffer", get: func(s *Snapshot) value { return count(s.Clients.MaxInput) }, exporter: "redis_client_recent_max_input_buffer_bytes"},
	{section: "clients", field: "client_recent_max_output_buffer", get: func(s *Snapshot) value { return count(s.Clients.MaxOutput) }, exporter: "redis_client_recent_max_output_buffer_bytes"},
	{section: "clients", field: "blocked_clients", get: func(s *Snapshot) value { return integer(s.Clients.Blocked) }, exporter: "redis_blocked_clients",
		ours: "coatcheck_clients_blocked", help: "Clients that wait for a key."},
	{section: "clients", field: "tracking_clients", get: func(s *Snapshot) value { return integer(s.Tracking.Clients) }, exporter: "redis_tracking_clients",
		ours: "coatcheck_tracking_clients", help: "Clients with client-side caching."},
	{section: "clients", field: "clients_in_timeout_table", get: func(s *Snapshot) value { return integer(s.Clients.Timed) }, exporter: "redis_clients_in_timeout_table"},
	{section: "clients", field: "total_blocking_keys", get: func(s *Snapshot) value { return integer(s.Clients.WaitKeys) }, exporter: "redis_total_blocking_keys"},
	{section: "clients", field: "total_blocking_keys_on_nokey", get: func(s *Snapshot) value { return integer(s.Clients.GoneKeys) }, exporter: "redis_total_blocking_keys_on_nokey"},

	{get: func(s *Snapshot) value { return integer(s.Clients.Monitors) }, ours: "coatcheck_clients_monitoring", help: "Clients in MONITOR."},
}

var cpuRows = []row{
	{section: "cpu", field: "used_cpu_sys", get: func(s *Snapshot) value { return fixed(s.Process.System.Seconds(), 6) }, counter: true, exporter: "redis_cpu_sys_seconds_total",
		ours: "coatcheck_cpu_system_seconds_total", help: "CPU time of the process in the system."},
	{section: "cpu", field: "used_cpu_user", get: func(s *Snapshot) value { return fixed(s.Process.User.Seconds(), 6) }, counter: true, exporter: "redis_cpu_user_seconds_total",
		ours: "coatcheck_cpu_user_seconds_total", help: "CPU time of the process outside the system."},
	{section: "cpu", field: "used_cpu_sys_children", get: constant(fixed(0, 6)), counter: true, exporter: "redis_cpu_sys_children_seconds_total"},
	{section: "cpu", field: "used_cpu_user_children", get: constant(fixed(0, 6)), counter: true, exporter: "redis_cpu_user_children_seconds_total"},
	{section: "cpu", field: "used_cpu_sys_main_thread", get: func(s *Snapshot) value { return fixed(s.Process.MainSystem.Seconds(), 6) }, counter: true, exporter: "redis_cpu_sys_main_thread_seconds_total"},
	{section: "cpu", field: "used_cpu_user_main_thread", get: func(s *Snapshot) value { return fixed(s.Process.MainUser.Seconds(), 6) }, counter: true, exporter: "redis_cpu_user_main_thread_seconds_total"},
}

var clusterRows = []row{
	{section: "cluster", field: "cluster_enabled", get: constant(count(0)), exporter: "redis_cluster_enabled"},
}
