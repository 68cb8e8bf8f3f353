// Package config holds every parameter of a server, with Redis' names, kinds
// and validation errors. It reads redis.conf files, flags and the environment,
// and answers CONFIG GET, SET and REWRITE. It knows nothing of clients.
package config

// OutputLimit bounds a class of clients' reply buffers.
type OutputLimit struct {
	Hard, Soft  int64 // bytes; 0 is no limit
	SoftSeconds int   // how long Soft may be exceeded
}

// The classes of client-output-buffer-limit.
const (
	ClassNormal = iota
	ClassReplica
	ClassPubSub
)

// Config is the values in force. The server reads and writes it under the
// engine's lock; New gives Redis' defaults.
type Config struct {
	Bind           []string
	Port           int // 0: no TCP
	TCPBacklog     int
	TCPKeepalive   int // seconds
	Timeout        int // seconds, 0: never
	UnixSocket     string
	UnixSocketPerm uint32 // 0: as umask has it
	TLSPort        int
	TLSCertFile, TLSKeyFile, TLSKeyFilePass,
	TLSCACertFile, TLSCACertDir string
	TLSAuthClients string // yes, no, optional
	TLSProtocols   string
	ProtectedMode  bool
	MaxClients     int
	RequirePass    string
	Databases      int
	IOThreads      int // epoll loops; 0: chosen for the machine

	ProtoMaxBulkLen        int64
	ClientQueryBufferLimit int64
	OutputLimits           [3]OutputLimit

	MaxMemory          int64
	MaxMemoryPolicy    string
	MaxMemorySamples   int
	LFULogFactor       int
	LFUDecayTime       int
	Hz                 int
	ActiveExpireEffort int
	NotifyEvents       string

	SlowlogSlowerThan       int64 // microseconds, negative: off
	SlowlogMaxLen           int
	LatencyMonitorThreshold int64 // milliseconds, 0: off
	LatencyTracking         bool

	EnableDebugCommand     string // no, yes, local
	EnableProtectedConfigs string
	SessionPrefix          string

	LogLevel, LogFile, LogFormat string
	PidFile, Dir                 string
	Daemonize                    bool
	MetricsAddr                  string
	Pprof                        bool
	// More fields stand beside their parameter in the table (table.go).
}
