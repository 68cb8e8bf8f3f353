// Package metrics says what a server's figures are called and what they mean:
// one table whose rows INFO and Prometheus render alike. It knows a Snapshot of
// figures, not where they come from, and is called without any lock.
package metrics

import (
	"time"

	"coatcheck/engine"
)

// Snapshot is a server's figures at one moment, copied under its lock.
type Snapshot struct {
	Now, Started time.Time

	Version, RedisVersion, RunID string
	Commit                       string // "" when not built from a checkout
	TCPPort                      int
	Listeners                    []Listener
	ConfigFile, Executable       string
	Hz, Loops                    int
	LoopAPI                      string // epoll, or goroutines
	MaxMemoryPolicy              string
	MaxMemory                    int64
	Databases                    int
	Percentiles                  []float64 // of latencystats
	LatencyTracking              bool

	Clients       Clients
	PubSub        PubSub
	Tracking      Tracking
	Persistence   Persistence
	AOF           AOF
	Replication   Replication
	Net           Net
	Engine        engine.Stats
	Memory        engine.Memory
	StartupMemory int64 // Memory.Used of the empty store
	DBs           []engine.DBStats
	Commands      []Command        // those that were called or rejected
	Errors        map[string]int64 // error replies by code
	Slowlog       Slowlog
	Scripts       Scripts
	Spikes        []Spike // the latest of each event
	Sessions      []Sessions
	Process       Process

	Rates   Rates
	Denied  Denied
	Panics  int64
	Replied Replied
}

// Listener is an address that clients connect to, as INFO tells it.
type Listener struct {
	Name string // tcp, unix, tls
	Bind []string
	Port int
	Path string
}

// Clients are figures of connections.
type Clients struct {
	Connected, Max, Blocked, Monitors int
	// Timed clients wait with a deadline. WaitKeys are keys that somebody waits
	// for; GoneKeys of these, those whose end somebody waits for.
	Timed, WaitKeys, GoneKeys           int
	MaxInput, MaxOutput                 int64 // bytes, of the recent past
	Buffers                             int64 // bytes held for all clients
	Received, Rejected                  int64
	QueryLimitClosed, OutputLimitClosed int64
	Evicted                             int64 // by maxmemory-clients
}

// PubSub counts what is subscribed to, each channel and pattern once.
type PubSub struct{ Channels, Patterns, ShardChannels int }

// Tracking counts what client-side caching remembers: clients that track, keys,
// pairs of a key and a client, and prefixes.
type Tracking struct{ Clients, Keys, Items, Prefixes int }

// Net is traffic with clients.
type Net struct{ In, Out, Reads, Writes int64 }

// Replied are counts of what commands answered.
type Replied struct{ Commands, Errors int64 }

// Denied counts what users were denied, by what they lacked.
type Denied struct{ Auth, Commands, Keys, Channels int64 }

// Rates are of the last seconds.
type Rates struct {
	Commands float64 // a second
	In, Out  float64 // bytes a second
}

// Command is the statistics of one command or subcommand.
type Command struct {
	Name                    string // "get", "client|list"
	Group                   string
	Calls, Rejected, Failed int64
	Time                    time.Duration
	Durations               Distribution // nil before the first call
}

// Distribution counts durations.
type Distribution interface {
	Count() uint64
	// Below counts those of at most d.
	Below(d time.Duration) uint64
	// Quantile is the duration that the share q (0…1) did not exceed.
	Quantile(q float64) time.Duration
}

// Scripts is what the server keeps of EVAL and SCRIPT LOAD.
type Scripts struct {
	Count int64
	Bytes int64 // of their sources
}

// Slowlog is the state of the slow log.
type Slowlog struct {
	Len, LastID int64 // LastID is -1 before the first
	Last        time.Duration
}

// Spike is the latest sample of the latency monitor for an event.
type Spike struct {
	Event     string
	At        time.Time
	Last, Max time.Duration
}

// Sessions counts the sessions under a key prefix. Active is Created less
// Expired, Evicted and Deleted, and what was there before counting began.
type Sessions struct {
	Prefix                                              string
	Active, Created, Touched, Expired, Evicted, Deleted int64
	// Of those deleted: by SESSION.REVOKE, and because their user had too many.
	Revoked, OverLimit int64
	// Writes refused: to ids of sessions that have ended, and of one session more
	// than a user may have.
	LateRefused, OverRefused int64
	Users, Tombstones        int64 // at present
}

// AOF is the state of the append-only log.
type AOF struct {
	On, Rewriting, Scheduled bool
	Took, LastTook           time.Duration // of rewrites; -1: none
	LastFailed, WriteFailed  bool
	Rewrites, Failures       int64 // Failures since the last that went well
	Size, BaseSize           int64 // bytes: now, and after the last rewrite
	Pending                  int64 // bytes in memory, to be written or synced
	Syncing                  bool
	Slow                     int64 // syncs that took longer than two seconds
}

// Replication is the part of a server in replication.
type Replication struct {
	// ID names the history of changes, FormerID what was before SecondOffset; "" and -1
	// for none. Offset counts the history's bytes.
	ID, FormerID         string
	Offset, SecondOffset int64
	// The backlog: First is the number of its first byte.
	BacklogActive                          bool
	BacklogSize, BacklogFirst, BacklogHeld int64
	Replicas                               []Replica
	// Good of them were heard of lately; -1 where nobody asks (min-replicas-to-write).
	Good int
	// Kept is the memory of the backlog and of what replicas have not read, in bytes.
	Kept          int64
	FailoverState string
	// Synchronizations: of all data, from the backlog, and those that were to be such.
	Full, Partial, PartialRefused int64
}

// Replica is one that follows this server.
type Replica struct {
	IP     string
	Port   int64
	State  string
	Offset int64
	Lag    time.Duration // since it was heard of
}

// Persistence is the state of the snapshot file.
type Persistence struct {
	ChangesSince          int64 // since the last save that went well
	Saving                bool
	Took                  time.Duration // of the one that runs, so far
	KeysSaved, KeysTotal  int64         // by it
	Kept                  int64         // the most that it has kept in memory, in bytes
	LastSave              time.Time
	LastFailed            bool
	LastTook              time.Duration // -1 before the first
	Saves                 int64
	Loading               bool
	LoadStarted           time.Time
	LoadTotal, LoadRead   int64 // bytes
	Loaded, LoadedExpired int64 // keys, at the start
}
