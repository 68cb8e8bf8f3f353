package server

import (
	"maps"
	"os"
	"runtime/debug"
	"sync"

	"coatcheck/internal/acl"
	"coatcheck/internal/pubsub"
	"coatcheck/metrics"
)

// Version is Coatcheck's own.
const Version = "0.1.0"

// Snapshot copies the server's figures. It takes the engine's lock for the
// copying.
func (s *Server) Snapshot() *metrics.Snapshot {
	process := metrics.SampleProcess()
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	return s.snapshot(process, true)
}

// snapshot is Snapshot for who holds the lock. The commands' figures cost most
// and are left out when nobody asks for them.
func (s *Server) snapshot(process metrics.Process, withCommands bool) *metrics.Snapshot {
	cfg, h := s.cfg, s.held
	snap := &metrics.Snapshot{
		Now: s.now, Started: s.started,
		Version: Version, RedisVersion: RedisVersion, RunID: s.runID, Commit: commit(),
		TCPPort: cfg.Port, Listeners: s.listenersInfo(), ConfigFile: cfg.File, Executable: executable(),
		Hz: cfg.Hz, Loops: loopsFor(cfg.IOThreads), LoopAPI: s.loopAPI(),
		MaxMemoryPolicy: cfg.MaxMemoryPolicy, MaxMemory: cfg.MaxMemory, Databases: cfg.Databases,
		Percentiles: cfg.LatencyPercentiles, LatencyTracking: cfg.LatencyTracking,
		Replication: s.repl.figures(),
		Clients:     s.clientFigures(),
		Tracking: metrics.Tracking{
			Clients: s.tracking.clients, Keys: len(s.tracking.keys), Items: s.tracking.items, Prefixes: len(s.tracking.prefixes),
		},
		PubSub: metrics.PubSub{
			Channels: s.pubsub.Count(pubsub.Channel), Patterns: s.pubsub.Count(pubsub.Pattern), ShardChannels: s.pubsub.Count(pubsub.Shard),
		},
		Net:         metrics.Net{In: s.Stats.NetIn.Load(), Out: s.Stats.NetOut.Load(), Reads: s.Stats.Reads.Load(), Writes: s.Stats.Writes.Load()},
		Persistence: s.persistence(), AOF: s.aofFigures(),
		Engine: h.Stats(), Memory: h.Memory(), StartupMemory: s.startupMemory, DBs: h.DBs(),
		Errors:   maps.Clone(s.Stats.ErrorsByCode),
		Sessions: s.sessionFigures(), Process: process,
		Denied: metrics.Denied{
			Auth: s.users.denials.Denied(acl.DeniedAuth), Commands: s.users.denials.Denied(acl.DeniedCommand),
			Keys: s.users.denials.Denied(acl.DeniedKey), Channels: s.users.denials.Denied(acl.DeniedChannel),
		},
		Panics: s.Stats.Panics, Replied: metrics.Replied{Commands: s.Stats.Commands, Errors: s.Stats.Errors},
	}
	snap.Rates.Commands, snap.Rates.In, snap.Rates.Out = s.rates.perSecond()
	s.copySlowlog(snap)
	snap.Scripts = metrics.Scripts{Count: int64(len(s.scripts.byName)), Bytes: s.scripts.bytes}
	for _, name := range s.latency.names() {
		e := s.latency.events[name]
		snap.Spikes = append(snap.Spikes, metrics.Spike{Event: name, At: e.last().at, Last: e.last().took, Max: e.max})
	}
	if withCommands {
		snap.Commands = s.commandFigures()
	}
	return snap
}

func (s *Server) copySlowlog(snap *metrics.Snapshot) {
	snap.Slowlog = metrics.Slowlog{Len: int64(len(s.slowlog.entries)), LastID: -1}
	if newest := s.slowlog.newest(1); len(newest) == 1 {
		snap.Slowlog.LastID, snap.Slowlog.Last = newest[0].id, newest[0].took
	}
}

// clientFigures walks the clients for the sizes of their buffers.
func (s *Server) clientFigures() metrics.Clients {
	f := metrics.Clients{
		Connected: s.clients.len(), Max: s.cfg.MaxClients, Monitors: len(s.monitors),
		Received: s.Stats.Connections, Rejected: s.Stats.Rejected,
		Timed: len(s.blocked.timed), WaitKeys: len(s.blocked.all), GoneKeys: s.blocked.goneKeys,
		QueryLimitClosed: s.Stats.QueryBufferHits, OutputLimitClosed: s.Stats.OutputHits, Evicted: s.Stats.EvictedClients,
	}
	for c := range s.clients.all() {
		out := c.waitingOut()
		f.MaxInput = max(f.MaxInput, int64(c.qcap))
		f.MaxOutput = max(f.MaxOutput, out)
		f.Buffers += int64(c.qcap) + out
		if c.waits != nil && c.waits.more == nil {
			f.Blocked++
		}
	}
	return f
}

// commandFigures copies the figures of all commands that were called.
func (s *Server) commandFigures() []metrics.Command {
	var out []metrics.Command
	add := func(c *Cmd) {
		st := &c.Stats
		if st.Calls == 0 && st.Rejected == 0 && st.Failed == 0 {
			return
		}
		m := metrics.Command{Name: c.FullName, Group: string(c.Group), Calls: st.Calls, Rejected: st.Rejected, Failed: st.Failed, Time: st.Time}
		if st.hist != nil {
			h := *st.hist
			m.Durations = &h
		}
		out = append(out, m)
	}
	for _, c := range s.table.All() {
		add(c)
		for _, sub := range c.Subs {
			add(sub)
		}
	}
	return out
}

// Count is how many durations the histogram has.
func (h *Histogram) Count() uint64 { return h.Total }

var executable = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
})

// commit is the revision that the program was built from, "" when unknown.
var commit = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
})
