package server

import (
	"fmt"
	"runtime/debug"
	"strings"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/metrics"
	"coatcheck/resp"
)

var memoryTips = []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}

var memoryCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "MEMORY", Arity: -2,
		Group: command.GroupServer, Since: "4.0.0", Complexity: "That of its subcommands",
		Summary: "Where memory is.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "DOCTOR", Arity: 2,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Reports on memory, for people.", Tips: memoryTips,
		}, Run: memoryDoctor},
		{Spec: command.Spec{
			Name: "MALLOC-STATS", Arity: 2,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Tells of the allocators, for people.", Tips: memoryTips,
		}, Run: memoryMallocStats},
		{Spec: command.Spec{
			Name: "PURGE", Arity: 2,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(N) in the memory that is free but held",
			Summary: "Gives memory that is not used back to the system.",
			Tips:    []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		}, Run: memoryPurge},
		{Spec: command.Spec{
			Name: "STATS", Arity: 2,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Tells the figures of memory.", Tips: memoryTips,
		}, Run: memoryStats},
		{Spec: command.Spec{
			Name: "USAGE", Syntax: "key [SAMPLES count:integer]", Arity: -3, Flags: command.ReadOnly,
			Keys:  []command.KeySpec{{First: 2, Last: 0, Step: 1, Flags: command.RO}},
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1) for a string; else O(N) in the samples",
			Summary: "Tells the bytes that a key and its value occupy.",
		}, Run: memoryUsage},
		helpEntry("memory", "4.0.0"),
	}},
}

// MEMORY USAGE key [SAMPLES count]
//
// Replies with bytes, null without a key. Values are accounted, not sampled.
func memoryUsage(c *Client, in command.Args, out *resp.Reply) error {
	for i := 3; i < len(in); i += 2 {
		if !equalFold(in[i], "SAMPLES") || i+1 == len(in) {
			return errs.Syntax
		}
		n, ok := resp.ParseInt(in[i+1])
		if !ok {
			return errs.NotInteger
		}
		if n < 0 {
			return errs.Syntax
		}
	}
	tx := c.begin()
	defer tx.End()
	n, ok := tx.MemoryOf(in[2])
	if !ok {
		out.Null()
		return nil
	}
	out.Int(n)
	return nil
}

// begin starts a unit on the client's db for a command about the server that
// has to look at the keyspace.
func (c *Client) begin() *engine.Tx {
	return c.srv.held.BeginAt(c.db, engine.UnixMilli(c.srv.now.UnixMilli()))
}

// MEMORY STATS
//
// Replies with a map of figures, with one more for each db that has keys.
func memoryStats(c *Client, _ command.Args, out *resp.Reply) error {
	snap := c.srv.snapshot(metrics.SampleProcess(), false)
	mem := snap.Memory
	keys := 0
	for _, d := range snap.DBs {
		keys += d.Keys
	}
	list, n := out.DeferArray(), 0
	integer := func(name string, v int64) { out.BulkText(name); out.Int(v); n++ }
	double := func(name string, v float64) { out.BulkText(name); out.Double(v); n++ }
	allocated := mem.Used + snap.Process.HeapLive
	active := mem.Mapped + snap.Process.HeapInUse
	net := mem.Used - snap.StartupMemory

	integer("peak.allocated", mem.Peak)
	integer("total.allocated", mem.Used)
	integer("startup.allocated", snap.StartupMemory)
	for _, none := range []string{"replication.backlog", "clients.slaves"} {
		integer(none, 0)
	}
	integer("clients.normal", snap.Clients.Buffers)
	for _, none := range []string{"cluster.links", "aof.buffer", "lua.caches", "functions.caches"} {
		integer(none, 0)
	}
	for _, d := range snap.DBs {
		out.BulkText("db." + decimal(int64(d.DB)))
		n++
		dict, expires := c.srv.held.Overhead(d.DB)
		out.Map(3)
		out.BulkText("overhead.hashtable.main")
		out.Int(dict)
		out.BulkText("overhead.hashtable.expires")
		out.Int(expires)
		out.BulkText("overhead.hashtable.slot-to-keys")
		out.Int(0)
	}
	integer("overhead.total", mem.Used-mem.Entries)
	integer("keys.count", int64(keys))
	integer("keys.bytes-per-key", share(net, int64(keys)))
	integer("dataset.bytes", mem.Entries)
	double("dataset.percentage", 100*quotient(mem.Entries, net))
	double("peak.percentage", 100*quotient(mem.Used, mem.Peak))
	integer("allocator.allocated", allocated)
	integer("allocator.active", active)
	integer("allocator.resident", snap.Process.RSS)
	double("allocator-fragmentation.ratio", quotient(active, allocated))
	integer("allocator-fragmentation.bytes", active-allocated)
	double("allocator-rss.ratio", quotient(snap.Process.RSS, active))
	integer("allocator-rss.bytes", snap.Process.RSS-active)
	double("rss-overhead.ratio", 1)
	integer("rss-overhead.bytes", 0)
	double("fragmentation", quotient(snap.Process.RSS, mem.Used))
	integer("fragmentation.bytes", snap.Process.RSS-mem.Used)
	out.EndMap(list, n)
	return nil
}

func share(total, among int64) int64 {
	if among == 0 {
		return 0
	}
	return total / among
}

func quotient(a, b int64) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// MEMORY PURGE
//
// Go's collector works aside; the reply does not wait for it.
func memoryPurge(c *Client, _ command.Args, out *resp.Reply) error {
	c.srv.held.Purge()
	go debug.FreeOSMemory()
	out.Status("OK")
	return nil
}

// MEMORY MALLOC-STATS
func memoryMallocStats(c *Client, _ command.Args, out *resp.Reply) error {
	snap := c.srv.snapshot(metrics.SampleProcess(), false)
	var b strings.Builder
	fmt.Fprintf(&b, "keyspace, in slabs outside Go's heap\n  entries: %d\n  dicts: %d\n  expire indexes: %d\n  mapped: %d\n",
		snap.Memory.Entries, snap.Memory.Dicts, snap.Memory.Expires, snap.Memory.Mapped)
	fmt.Fprintf(&b, "Go's heap (%s)\n  objects: %d\n  spans in use: %d\n  goroutines: %d\n",
		snap.Process.GoVersion, snap.Process.HeapLive, snap.Process.HeapInUse, snap.Process.Goroutines)
	fmt.Fprintf(&b, "process\n  resident: %d\n", snap.Process.RSS)
	out.Verbatim("txt", b.String())
	return nil
}

// MEMORY DOCTOR
func memoryDoctor(c *Client, _ command.Args, out *resp.Reply) error {
	out.Verbatim("txt", memoryReport(c.srv.snapshot(metrics.SampleProcess(), false)))
	return nil
}

// memoryReport says in words what is wrong with memory, if anything.
func memoryReport(s *metrics.Snapshot) string {
	const little = 5 << 20
	if s.Memory.Used < little {
		return "There is too little data to tell anything of its memory.\n"
	}
	var found []string
	if s.MaxMemory == 0 {
		found = append(found, "There is no memory limit. Set maxmemory, so that a flood of sessions does not end the process.")
	} else if s.Memory.Used > s.MaxMemory/10*9 {
		found = append(found, fmt.Sprintf("%d%% of maxmemory is in use; beyond it, maxmemory-policy %s applies.",
			100*s.Memory.Used/s.MaxMemory, s.MaxMemoryPolicy))
	}
	if s.Memory.Peak > s.Memory.Used/2*3 {
		found = append(found, "The peak was more than half as high again as the present use. MEMORY PURGE gives back what is left of it.")
	}
	if s.Process.RSS > s.Memory.Used/2*3+64<<20 {
		found = append(found, "The process occupies far more than the keyspace: clients' buffers, garbage of Go's heap, or what else runs in the process.")
	}
	if s.Clients.Buffers > s.Memory.Used/4 {
		found = append(found, "Clients' buffers are more than a quarter of the keyspace. CLIENT LIST shows whose (tot-mem).")
	}
	if len(found) == 0 {
		return "Memory looks fine.\n"
	}
	return "- " + strings.Join(found, "\n- ") + "\n"
}
