package config

var persistenceParams = []param{
	{name: "save", flags: multi, kind: saveKind{}, field: textField(func(c *Config) *string { return &c.Save })},
	{name: "dbfilename", flags: protected, kind: textKind{isBaseName("dbfilename")}, def: "dump.rdb", field: textField(func(c *Config) *string { return &c.DBFilename })},
	{name: "rdbcompression", kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.RDBCompression })},
	{name: "rdbchecksum", flags: immutable, kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.RDBChecksum })},
	{name: "rdb-del-sync-files", kind: boolean, def: "no", note: noPersistence},
	{name: "rdb-save-incremental-fsync", kind: boolean, def: "yes", note: noPersistence},
	{name: "rdb-key-save-delay", flags: hidden, kind: number(-maxInt-1, maxInt), def: "0", note: noPersistence},
	{name: "key-load-delay", flags: hidden, kind: number(-maxInt-1, maxInt), def: "0", note: noPersistence},
	{name: "loading-process-events-interval-bytes", flags: hidden, kind: number(1024, maxInt), def: "2097152", note: noPersistence},
	{name: "stop-writes-on-bgsave-error", kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.StopWritesOnBgsaveError })},
	{name: "sanitize-dump-payload", kind: oneOf("no", "yes", "clients"), def: "no", note: noPersistence},

	{name: "appendonly", kind: boolean, def: "no", field: boolField(func(c *Config) *bool { return &c.AOF.On })},
	{name: "appendfilename", flags: immutable, kind: textKind{isBaseName("appendfilename")}, def: "appendonly.aof", field: textField(func(c *Config) *string { return &c.AOF.FileName })},
	{name: "appenddirname", flags: immutable, kind: textKind{isBaseName("appenddirname")}, def: "appendonlydir", field: textField(func(c *Config) *string { return &c.AOF.DirName })},
	{name: "appendfsync", kind: oneOf("everysec", "always", "no"), def: "everysec", field: textField(func(c *Config) *string { return &c.AOF.Sync })},
	{name: "no-appendfsync-on-rewrite", kind: boolean, def: "no", field: boolField(func(c *Config) *bool { return &c.AOF.NoSyncOnRewrite })},
	{name: "auto-aof-rewrite-percentage", kind: number(0, maxInt), def: "100", field: intField(func(c *Config) *int64 { return &c.AOF.RewritePercentage })},
	{name: "auto-aof-rewrite-min-size", kind: size(0, maxInt64), def: "64mb", field: intField(func(c *Config) *int64 { return &c.AOF.RewriteMinSize })},
	{name: "aof-load-truncated", kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.AOF.LoadTruncated })},
	{name: "aof-use-rdb-preamble", kind: boolean, def: "yes", note: "the base is always a snapshot, which Redis loads either way"},
	{name: "aof-timestamp-enabled", kind: boolean, def: "no", field: boolField(func(c *Config) *bool { return &c.AOF.Timestamps })},
	{name: "aof-rewrite-incremental-fsync", kind: boolean, def: "yes", note: noPersistence},
	{name: "aof-disable-auto-gc", kind: boolean, def: "no", note: noPersistence},
}
