package config

var adminParams = []param{
	{name: "slowlog-log-slower-than", kind: number(-1, maxInt64), def: "10000", field: intField(func(c *Config) *int64 { return &c.SlowlogSlowerThan })},
	{name: "slowlog-max-len", kind: number(0, maxInt64), def: "128", field: intField(func(c *Config) *int { return &c.SlowlogMaxLen })},
	{name: "latency-monitor-threshold", kind: number(0, maxInt64), def: "0", field: intField(func(c *Config) *int64 { return &c.LatencyMonitorThreshold })},
	{name: "latency-tracking", kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.LatencyTracking })},
	{name: "latency-tracking-info-percentiles", flags: multi, kind: percentilesKind{}, def: "50 99 99.9", field: percentilesField},

	{name: "enable-debug-command", flags: immutable, kind: oneOf("no", "yes", "local"), def: "no", field: textField(func(c *Config) *string { return &c.EnableDebugCommand })},
	{name: "enable-protected-configs", flags: immutable, kind: oneOf("no", "yes", "local"), def: "no", field: textField(func(c *Config) *string { return &c.EnableProtectedConfigs })},
	{name: "enable-module-command", flags: immutable, kind: oneOf("no", "yes", "local"), def: "no", note: "there are no modules"},

	{name: "loglevel", kind: oneOf("debug", "verbose", "notice", "warning", "nothing"), def: "notice", field: textField(func(c *Config) *string { return &c.LogLevel })},
	{name: "logfile", flags: immutable, kind: text, field: textField(func(c *Config) *string { return &c.LogFile })},
	{name: "log-format", flags: immutable | ours, kind: oneOf("text", "json"), def: "text", field: textField(func(c *Config) *string { return &c.LogFormat })},
	{name: "pidfile", flags: immutable, kind: text, field: textField(func(c *Config) *string { return &c.PidFile })},
	{name: "dir", flags: protected, kind: textKind{isDir}, def: ".", field: dirField},
	{name: "daemonize", flags: immutable, kind: boolean, def: "no", field: boolField(func(c *Config) *bool { return &c.Daemonize })},
	{name: "supervised", flags: immutable, kind: oneOf("upstart", "systemd", "auto", "no"), def: "no", note: "the process stays in the foreground, as every supervisor can handle"},
	{name: "always-show-logo", flags: immutable, kind: boolean, def: "no", note: "the start-up banner is always a few lines"},
	{name: "set-proc-title", flags: immutable, kind: boolean, def: "yes", note: goRuntime},
	{name: "proc-title-template", kind: textKind{isTitleTemplate}, def: "{title} {listen-addr} {server-mode}", note: goRuntime},
	{name: "locale-collate", kind: text, note: "strings are compared as bytes"},
	{name: "syslog-enabled", flags: immutable, kind: boolean, def: "no", only: []string{"no"}, refusal: "there is no logging to syslog; systemd and containers collect standard output"},
	{name: "syslog-ident", flags: immutable, kind: text, def: "redis", note: "belongs to syslog-enabled"},
	{name: "syslog-facility", flags: immutable, kind: oneOf("user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"), def: "local0", note: "belongs to syslog-enabled"},
	{name: "crash-log-enabled", kind: boolean, def: "yes", note: goRuntime},
	{name: "crash-memcheck-enabled", kind: boolean, def: "yes", note: goRuntime},
	{name: "use-exit-on-panic", flags: hidden, kind: boolean, def: "no", note: goRuntime},
	{name: "watchdog-period", flags: hidden, kind: number(0, maxInt), def: "0", note: goRuntime},
	{name: "ignore-warnings", kind: text, note: goRuntime},
	{name: "oom-score-adj", kind: oneOf("no", "yes", "relative", "absolute"), def: "no", note: goRuntime},
	{name: "oom-score-adj-values", flags: multi, kind: oomKind{}, def: "0 200 800", note: goRuntime},
	{name: "server_cpulist", flags: immutable, kind: text, note: goRuntime},
	{name: "bio_cpulist", flags: immutable, kind: text, note: goRuntime},
	{name: "aof_rewrite_cpulist", flags: immutable, kind: text, note: goRuntime},
	{name: "bgsave_cpulist", flags: immutable, kind: text, note: goRuntime},
	{name: "shutdown-timeout", kind: number(0, maxInt), def: "10", field: intField(func(c *Config) *int { return &c.ShutdownTimeout })},
	{name: "shutdown-on-sigint", flags: multi, kind: shutdownKind{shutdownWords}, def: "default", note: noPersistence},
	{name: "shutdown-on-sigterm", flags: multi, kind: shutdownKind{shutdownWords}, def: "default", note: noPersistence},
	{name: "busy-reply-threshold", alias: "lua-time-limit", kind: number(0, maxInt64), def: "5000", field: intField(func(c *Config) *int64 { return &c.BusyReplyThreshold })},

	{name: "aclfile", flags: immutable, kind: text, field: textField(func(c *Config) *string { return &c.ACLFile })},
	{name: "acllog-max-len", kind: number(0, maxInt64), def: "128", field: intField(func(c *Config) *int64 { return &c.ACLLogMax })},
	{name: "acl-pubsub-default", kind: oneOf("allchannels", "resetchannels"), def: "resetchannels", field: textField(func(c *Config) *string { return &c.ACLPubSubDefault })},

	{name: "metrics-addr", flags: immutable | ours, kind: text, field: textField(func(c *Config) *string { return &c.MetricsAddr })},
	{name: "pprof", flags: immutable | ours, kind: boolean, def: "no", field: boolField(func(c *Config) *bool { return &c.Pprof })},
}

var shutdownWords = enumKind{words: []string{"default", "save", "nosave", "now", "force"}, many: true}
