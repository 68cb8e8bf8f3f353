package config

var memoryParams = []param{
	{name: "maxmemory", kind: size(0, maxInt64), def: "0", field: intField(func(c *Config) *int64 { return &c.MaxMemory })},
	{name: "maxmemory-policy", kind: oneOf("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
		"allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"), def: "noeviction", field: textField(func(c *Config) *string { return &c.MaxMemoryPolicy })},
	{name: "maxmemory-samples", kind: number(1, maxInt), def: "5", field: intField(func(c *Config) *int { return &c.MaxMemorySamples })},
	{name: "maxmemory-eviction-tenacity", kind: number(0, 100), def: "10", note: "a command evicts until it fits"},
	{name: "maxmemory-clients", kind: intKind{0, maxInt64, percent}, def: "0", field: textField(func(c *Config) *string { return &c.MaxMemoryClients })},
	{name: "lfu-log-factor", kind: number(0, maxInt), def: "10", field: intField(func(c *Config) *int { return &c.LFULogFactor })},
	{name: "lfu-decay-time", kind: number(0, maxInt), def: "1", field: intField(func(c *Config) *int { return &c.LFUDecayTime })},
	{name: "hz", kind: clampKind{intKind{0, maxInt, plain}, 1, 500}, def: "10", field: intField(func(c *Config) *int { return &c.Hz }), note: "work is done when it is due, not by ticks"},
	{name: "dynamic-hz", kind: boolean, def: "yes", note: "work is done when it is due, not by ticks"},
	{name: "active-expire-effort", kind: number(1, 10), def: "1", field: intField(func(c *Config) *int { return &c.ActiveExpireEffort }), note: "keys expire when they are due, whatever the effort"},
	{name: "activerehashing", kind: boolean, def: "yes", note: "the keyspace grows in steps that need no rehashing"},
	{name: "databases", flags: immutable, kind: number(1, maxInt), def: "16", field: intField(func(c *Config) *int { return &c.Databases })},
	{name: "notify-keyspace-events", kind: eventsKind{}, field: textField(func(c *Config) *string { return &c.NotifyEvents })},

	{name: "lazyfree-lazy-eviction", kind: boolean, def: "no", note: alwaysLazy},
	{name: "lazyfree-lazy-expire", kind: boolean, def: "no", note: alwaysLazy},
	{name: "lazyfree-lazy-server-del", kind: boolean, def: "no", note: alwaysLazy},
	{name: "lazyfree-lazy-user-del", kind: boolean, def: "no", note: alwaysLazy},
	{name: "lazyfree-lazy-user-flush", kind: boolean, def: "no", note: alwaysLazy},

	{name: "activedefrag", kind: boolean, def: "no", only: []string{"no"}, refusal: "Active defragmentation cannot be enabled: the store's memory needs none"},
	{name: "active-defrag-cycle-min", kind: number(1, 99), def: "1", note: "belongs to activedefrag"},
	{name: "active-defrag-cycle-max", kind: number(1, 99), def: "25", note: "belongs to activedefrag"},
	{name: "active-defrag-threshold-lower", kind: number(0, 1000), def: "10", note: "belongs to activedefrag"},
	{name: "active-defrag-threshold-upper", kind: number(0, 1000), def: "100", note: "belongs to activedefrag"},
	{name: "active-defrag-ignore-bytes", kind: size(1, maxInt64), def: "100mb", note: "belongs to activedefrag"},
	{name: "active-defrag-max-scan-fields", kind: number(1, maxInt64), def: "1000", note: "belongs to activedefrag"},
	{name: "jemalloc-bg-thread", kind: boolean, def: "yes", note: goRuntime},
	{name: "disable-thp", flags: immutable, kind: boolean, def: "yes", note: goRuntime},
}
