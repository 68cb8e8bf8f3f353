package config

var networkParams = []param{
	{name: "bind", flags: multi, kind: list, def: "* -::*", field: wordsField(func(c *Config) *[]string { return &c.Bind })},
	{name: "bind-source-addr", kind: text, note: noReplication},
	{name: "port", kind: number(0, 65535), def: "6379", field: intField(func(c *Config) *int { return &c.Port })},
	{name: "tcp-backlog", flags: immutable, kind: number(0, maxInt), def: "511", field: intField(func(c *Config) *int { return &c.TCPBacklog })},
	{name: "tcp-keepalive", kind: number(0, maxInt), def: "300", field: intField(func(c *Config) *int { return &c.TCPKeepalive })},
	{name: "timeout", kind: number(0, maxInt), def: "0", field: intField(func(c *Config) *int { return &c.Timeout })},
	{name: "unixsocket", flags: immutable, kind: text, field: textField(func(c *Config) *string { return &c.UnixSocket })},
	{name: "unixsocketperm", flags: immutable, kind: intKind{0, 0o777, octal}, def: "0", field: octalField(func(c *Config) *uint32 { return &c.UnixSocketPerm })},
	{name: "socket-mark-id", flags: immutable, kind: number(0, maxUint), def: "0", only: []string{"0"}, refusal: "sockets cannot be marked on this server"},
	{name: "protected-mode", kind: boolean, def: "yes", field: boolField(func(c *Config) *bool { return &c.ProtectedMode })},
	{name: "maxclients", kind: number(1, maxUint), def: "10000", field: intField(func(c *Config) *int { return &c.MaxClients })},
	{name: "requirepass", flags: sensitive, kind: text, field: textField(func(c *Config) *string { return &c.RequirePass })},
	{name: "io-threads", flags: immutable, kind: number(0, 128), def: "0", field: ioThreadsField},
	{name: "io-threads-do-reads", flags: immutable, kind: boolean, def: "no", note: "loops always read and write"},
	{name: "proto-max-bulk-len", kind: size(1<<20, maxInt64), def: "512mb", field: intField(func(c *Config) *int64 { return &c.ProtoMaxBulkLen })},
	{name: "client-query-buffer-limit", kind: size(1<<20, maxInt64), def: "1gb", field: intField(func(c *Config) *int64 { return &c.ClientQueryBufferLimit })},
	{name: "client-output-buffer-limit", flags: multi, kind: limitsKind{}, def: "normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60", field: limitsField},
	{name: "tracking-table-max-keys", kind: number(0, maxInt64), def: "1000000", field: intField(func(c *Config) *int64 { return &c.TrackingTableMaxKeys })},

	{name: "tls-port", kind: number(0, 65535), def: "0", field: intField(func(c *Config) *int { return &c.TLSPort })},
	{name: "tls-cert-file", flags: contents, kind: text, field: textField(func(c *Config) *string { return &c.TLSCertFile })},
	{name: "tls-key-file", flags: contents, kind: text, field: textField(func(c *Config) *string { return &c.TLSKeyFile })},
	{name: "tls-key-file-pass", flags: sensitive, kind: text, field: textField(func(c *Config) *string { return &c.TLSKeyFilePass }), only: []string{""}, refusal: "encrypted private keys cannot be read on this server; decrypt the key file"},
	{name: "tls-ca-cert-file", flags: contents, kind: text, field: textField(func(c *Config) *string { return &c.TLSCACertFile })},
	{name: "tls-ca-cert-dir", flags: contents, kind: text, field: textField(func(c *Config) *string { return &c.TLSCACertDir })},
	{name: "tls-auth-clients", kind: oneOf("no", "yes", "optional"), def: "yes", field: textField(func(c *Config) *string { return &c.TLSAuthClients })},
	{name: "tls-protocols", kind: text, field: textField(func(c *Config) *string { return &c.TLSProtocols })},
	{name: "tls-client-cert-file", kind: text, note: noReplication},
	{name: "tls-client-key-file", kind: text, note: noReplication},
	{name: "tls-client-key-file-pass", flags: sensitive, kind: text, note: noReplication},
	{name: "tls-dh-params-file", kind: text, note: goTLS},
	{name: "tls-ciphers", kind: text, only: []string{""}, refusal: "TLS ciphers cannot be chosen on this server"},
	{name: "tls-ciphersuites", kind: text, only: []string{""}, refusal: "TLS ciphers cannot be chosen on this server"},
	{name: "tls-prefer-server-ciphers", kind: boolean, def: "no", note: goTLS},
	{name: "tls-session-caching", kind: boolean, def: "yes", note: goTLS},
	{name: "tls-session-cache-size", kind: number(0, maxInt), def: "20480", note: goTLS},
	{name: "tls-session-cache-timeout", kind: number(0, maxInt), def: "300", note: goTLS},
	{name: "tls-cluster", kind: boolean, def: "no", note: noCluster},
	{name: "tls-replication", kind: boolean, def: "no", note: noReplication},
}

// ioThreadsField shows the 0 that leaves the number of loops to the server as
// 1, the least that Redis knows.
var ioThreadsField = func() *field {
	f := intField(func(c *Config) *int { return &c.IOThreads })
	return &field{store: f.store, load: func(c *Config) string {
		if c.IOThreads == 0 {
			return "1"
		}
		return f.load(c)
	}}
}()
