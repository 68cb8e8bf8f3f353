package config

var valueParams = []param{
	{name: "hash-max-listpack-entries", alias: "hash-max-ziplist-entries", kind: number(0, maxInt64), def: "512", field: intField(func(c *Config) *int64 { return &c.Packing.HashEntries })},
	{name: "hash-max-listpack-value", alias: "hash-max-ziplist-value", kind: size(0, maxInt64), def: "64", field: intField(func(c *Config) *int64 { return &c.Packing.HashValue })},
	{name: "list-max-listpack-size", alias: "list-max-ziplist-size", kind: number(-maxInt-1, maxInt), def: "-2", field: intField(func(c *Config) *int { return &c.Packing.ListSize })},
	{name: "list-compress-depth", kind: number(0, maxInt), def: "0", note: "nodes of lists are not compressed"},
	{name: "set-max-intset-entries", kind: number(0, maxInt64), def: "512", field: intField(func(c *Config) *int64 { return &c.Packing.SetInts })},
	{name: "set-max-listpack-entries", kind: number(0, maxInt64), def: "128", field: intField(func(c *Config) *int64 { return &c.Packing.SetEntries })},
	{name: "set-max-listpack-value", kind: size(0, maxInt64), def: "64", field: intField(func(c *Config) *int64 { return &c.Packing.SetValue })},
	{name: "zset-max-listpack-entries", alias: "zset-max-ziplist-entries", kind: number(0, maxInt64), def: "128", field: intField(func(c *Config) *int64 { return &c.Packing.ZSetEntries })},
	{name: "zset-max-listpack-value", alias: "zset-max-ziplist-value", kind: size(0, maxInt64), def: "64", field: intField(func(c *Config) *int64 { return &c.Packing.ZSetValue })},
	{name: "hll-sparse-max-bytes", kind: size(0, maxInt64), def: "3000", field: intField(func(c *Config) *int64 { return &c.Packing.HLLSparse })},
	{name: "stream-node-max-bytes", kind: size(0, maxInt64), def: "4096", field: intField(func(c *Config) *int64 { return &c.Packing.StreamBytes })},
	{name: "stream-node-max-entries", kind: number(0, maxInt64), def: "100", field: intField(func(c *Config) *int64 { return &c.Packing.StreamEntries })},
}
