// Package config holds every parameter of a server, with Redis' names, kinds
// and validation errors. It reads redis.conf files, flags and the environment,
// and answers CONFIG GET, SET and REWRITE. It knows nothing of clients.
package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"coatcheck/engine"
)

// OutputLimit bounds a class of clients' reply buffers.
type OutputLimit struct {
	Hard, Soft  int64 // bytes; 0 is no limit
	SoftSeconds int   // how long Soft may be exceeded
}

// Replication is what concerns replicas of this server. Times are in seconds.
type Replication struct {
	BacklogSize                        int64 // bytes
	BacklogTTL                         int64 // 0: for ever
	Timeout, PingPeriod                int
	Diskless                           bool
	DisklessDelay, DisklessMaxReplicas int
	MinReplicas, MinReplicasMaxLag     int // 0 for either: no demand
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
	TrackingTableMaxKeys   int64 // 0: no limit

	MaxMemory          int64
	MaxMemoryClients   string // bytes, or a part of MaxMemory: "10%"; see ClientMemory
	MaxMemoryPolicy    string
	MaxMemorySamples   int
	LFULogFactor       int
	LFUDecayTime       int
	Hz                 int
	ActiveExpireEffort int
	NotifyEvents       string
	// Save is save points, "3600 1 300 100": pairs of seconds and changes.
	Save, DBFilename            string
	RDBCompression, RDBChecksum bool
	StopWritesOnBgsaveError     bool
	AOF                         AOF
	Replication                 Replication
	Packing                     engine.Packing // up to which size collections are packed

	SlowlogSlowerThan       int64 // microseconds, negative: off
	SlowlogMaxLen           int
	BusyReplyThreshold      int64 // milliseconds, 0: never
	LatencyMonitorThreshold int64 // milliseconds, 0: off
	LatencyTracking         bool

	ACLFile string // of users; relative to Dir, "" for none
	// ACLLogMax is how many entries ACL LOG keeps, ACLPubSubDefault whether new
	// users have allchannels or resetchannels.
	ACLLogMax        int64
	ACLPubSubDefault string

	EnableDebugCommand     string // no, yes, local
	EnableProtectedConfigs string
	SessionPrefix          string
	Sessions               Sessions

	LogLevel, LogFile, LogFormat string
	PidFile, Dir                 string
	Daemonize                    bool
	MetricsAddr                  string
	Pprof                        bool
	// LatencyPercentiles are the percentiles that INFO latencystats shows.
	LatencyPercentiles []float64
	// ShutdownTimeout is how long a shutdown waits for clients to be served, in
	// seconds.
	ShutdownTimeout int

	// File is the absolute path of the configuration file that CONFIG REWRITE
	// writes; "" without one.
	File string
	// Renames are the rename-command lines, in order.
	Renames []Rename
	// Users are the user lines, in order.
	Users []UserLine
	// Warnings tell of directives that were read and have no effect here.
	Warnings []string

	// other holds, in canonical form, the parameters that no field above
	// stands for: they are kept and shown, and nothing depends on them yet.
	other map[string]string
	hooks []hook
}

// Rename gives a command another name; To is empty for a command that is taken
// away.
type Rename struct{ From, To string }

// UserLine is a line that defines a user: its words from the user's name on, and
// where it stands.
type UserLine struct {
	Words  []string
	Source string
	Line   int // 0 where there are no lines
}

// Error is what to tell of a line that is refused for a reason, without the line's
// secrets.
func (u *UserLine) Error(reason error) error {
	return &Error{u.Source, u.Line, withoutSecret("user"), reason}
}

// New returns a configuration with Redis' defaults.
func New() *Config {
	c := &Config{other: map[string]string{}}
	for _, p := range table {
		if err := p.load(c, []string{p.def}); err != nil {
			panic("config: default of " + p.name + ": " + err.Error())
		}
	}
	return c
}

// Path returns name as the server must open it: relative names are relative
// to the parameter dir.
func (c *Config) Path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// ClientMemory is how much all clients may hold together, in bytes; 0 is no limit.
func (c *Config) ClientMemory() int64 {
	if part, ok := strings.CutSuffix(c.MaxMemoryClients, "%"); ok {
		n, _ := strconv.ParseInt(part, 10, 64)
		return c.MaxMemory/100*n + c.MaxMemory%100*n/100
	}
	n, _ := strconv.ParseInt(c.MaxMemoryClients, 10, 64)
	return n
}

// Pair is a parameter and its value as CONFIG GET shows it.
type Pair struct{ Name, Value string }

// Get returns the parameters that any of the patterns names, each once and in
// order of their names. Hidden parameters need their exact name. A pattern
// without glob characters gives the name back as it was asked for, whatever
// its case (Redis config.c, configGetCommand).
func (c *Config) Get(match func(pattern, name string) bool, patterns ...string) []Pair {
	seen := map[string]bool{}
	var out []Pair
	for _, pat := range patterns {
		if !strings.ContainsAny(pat, "*?[") {
			name := strings.ToLower(pat)
			if p := byName[name]; p != nil && !seen[name] {
				seen[name] = true
				out = append(out, Pair{pat, p.text(c)})
			}
			continue
		}
		for _, name := range names {
			p := byName[name]
			if seen[name] || p.flags&hidden != 0 || !match(strings.ToLower(pat), name) {
				continue
			}
			seen[name] = true
			out = append(out, Pair{name, p.text(c)})
		}
	}
	return out
}

// Value returns the canonical text of one parameter, and whether there is one
// of this name or alias.
func (c *Config) Value(name string) (string, bool) {
	p := byName[strings.ToLower(name)]
	if p == nil {
		return "", false
	}
	return p.text(c), true
}
