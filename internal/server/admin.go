package server

import (
	"fmt"
	"strconv"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/internal/policy"
	"coatcheck/resp"
)

// admin is what the server knows for those who look after it. The fields are
// guarded by the engine's lock.
type admin struct {
	slowlog  slowlog
	latency  latencyMonitor
	rates    rates
	sessions *sessions
	notifier notifier
	policies *policy.Keeper
	// userPaths are what userPath, as configured, means.
	userPaths *policy.Paths
	userPath  []string

	startupMemory int64 // of the empty store
	stopping      bool  // SHUTDOWN was asked for
}

// startAdmin begins to observe, and has changes of the configuration take
// effect. The caller holds the lock.
func (s *Server) startAdmin() {
	h := s.held
	s.startupMemory = h.Memory().Used
	s.sessions = newSessions(s.cfg.Databases)
	s.tracking.srv, s.notifier.srv = s, s
	s.watches = watches{srv: s, keys: map[keyOfDB]*watchedKey{}}
	h.AddSink(&s.watches)
	h.AddSink(&s.tracking)
	h.AddSink(s.blocked)
	h.AddSink(&s.notifier)
	s.notifier.set(h, s.cfg.NotifyEvents)
	h.AddSink(s.sessions)
	s.sessions.setPrefix(h, engine.UnixMilli(s.now.UnixMilli()), s.cfg.SessionPrefix)
	s.policies = policy.New(s.eng, s.cfg.Databases, s.servedClient)
	if err := s.policiesChanged(); err != nil { // the configuration has checked it
		s.log.Error("policies about sessions", "error", err)
	}
	h.OnCycle(s.observeEvent)
	s.watchConfig()
	if most, known := maxClientsOfSystem(s.cfg.MaxClients); known && most > 0 && s.cfg.MaxClients > most {
		s.log.Warn("fewer clients than maxclients: the limit on open files does not allow more", "maxclients", s.cfg.MaxClients, "now", most)
		s.cfg.MaxClients = most
	}
	if n := loopsFor(s.cfg.IOThreads); n > 0 {
		s.cfg.IOThreads = n // what CONFIG GET tells
	}
}

// watchConfig ties parameters to what they change.
func (s *Server) watchConfig() {
	s.cfg.OnSet(func() error { s.ConfigChanged(); return nil },
		"proto-max-bulk-len", "client-query-buffer-limit", "client-output-buffer-limit",
		"maxmemory", "maxmemory-clients", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time")
	s.cfg.OnSet(func() error { s.held.SetPacking(s.cfg.Packing); return nil },
		"hash-max-listpack-entries", "hash-max-listpack-value", "list-max-listpack-size",
		"set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value",
		"zset-max-listpack-entries", "zset-max-listpack-value",
		"hll-sparse-max-bytes", "stream-node-max-bytes", "stream-node-max-entries")
	s.cfg.OnSet(func() error { s.users.SetDefaultPassword(s.cfg.RequirePass); return nil }, "requirepass")
	s.cfg.OnSet(func() error { s.users.AllChannels(s.cfg.ACLPubSubDefault == "allchannels"); return nil }, "acl-pubsub-default")
	s.cfg.OnSet(s.checkMaxClients, "maxclients")
	s.cfg.OnSet(func() error { s.slowlog.trim(max(0, s.cfg.SlowlogMaxLen)); return nil }, "slowlog-max-len")
	s.cfg.OnSet(func() error {
		s.sessions.setPrefix(s.held, engine.UnixMilli(s.now.UnixMilli()), s.cfg.SessionPrefix)
		return nil
	}, "session-prefix")
	s.cfg.OnSet(s.policiesChanged, sessionPolicies...)
	s.cfg.OnSet(func() error { s.notifier.set(s.held, s.cfg.NotifyEvents); return nil }, "notify-keyspace-events")
	s.cfg.OnSet(s.logChanged, "appendfsync", "aof-timestamp-enabled", "no-appendfsync-on-rewrite")
	s.cfg.OnSet(s.logTurned, "appendonly")
	s.cfg.OnSet(func() error { s.repl.stream.Resize(s.cfg.Replication.BacklogSize); return nil }, "repl-backlog-size")
	s.cfg.OnSet(func() error { s.repl.countGood(); return nil }, "min-replicas-to-write", "min-replicas-max-lag")
	s.cfg.OnSet(s.tracking.limitChanged, "tracking-table-max-keys")
	s.cfg.OnSet(s.renewTLS, "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients", "tls-protocols", "tls-port")
	s.cfg.OnSet(func() error { return s.rebind(errRebindPort) }, "port", "tls-port")
	s.cfg.OnSet(func() error { return s.rebind(errRebindBind) }, "bind")
}

// checkMaxClients refuses more clients than the system lets us have.
func (s *Server) checkMaxClients() error {
	most, known := maxClientsOfSystem(s.cfg.MaxClients)
	if known && s.cfg.MaxClients > most {
		return config.Refusal(fmt.Sprintf("The operating system is not able to handle the specified number of clients, try with %d", most))
	}
	return nil
}

// reservedFiles is how many file descriptors are kept for other things than
// clients.
const reservedFiles = 32

// sampleRates is part of the housekeeping.
func (s *Server) sampleRates() {
	s.rates.sample(s.now, rateTotals{s.Stats.Commands, s.Stats.NetIn.Load(), s.Stats.NetOut.Load()})
}

// resetStats is CONFIG RESETSTAT.
func (s *Server) resetStats() {
	s.Stats.Reset()
	s.users.denials.ResetFigures()
	for _, c := range s.table.All() {
		c.Stats = CmdStats{}
		for _, sub := range c.Subs {
			sub.Stats = CmdStats{}
		}
	}
	s.held.ResetStats()
	s.held.ResetPeak()
	s.rates = rates{}
}

// helpOf is the handler of a container's HELP.
func helpOf(container string) func(c *Client, in command.Args, out *resp.Reply) error {
	return func(c *Client, _ command.Args, out *resp.Reply) error {
		c.srv.table.Directory().Find(container).WriteHelp(out)
		return nil
	}
}

// helpEntry is the HELP of a container of the server's own group in the table.
func helpEntry(container, since string) command.Entry[*Client] {
	return helpIn(container, command.GroupServer, since)
}

// helpIn is helpEntry for any group.
func helpIn(container string, group command.Group, since string) command.Entry[*Client] {
	return command.Entry[*Client]{Spec: command.Spec{
		Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale,
		Group: group, Since: since, Complexity: "O(1)",
		Summary: "Lists the subcommands.",
	}, Run: helpOf(container)}
}

// adminFlags are those of commands for administrators that run at any time.
const adminFlags = command.Admin | connFlags

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
