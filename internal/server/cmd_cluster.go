package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// A store here is never part of a cluster. Clients that look for one ask CLUSTER
// SLOTS or SHARDS when they connect, and learn it from the error's text.

var clusterCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "CLUSTER", Arity: -2,
		Group: command.GroupCluster, Since: "3.0.0", Complexity: "That of its subcommands",
		Summary: "Asks and steers a node of a cluster; refused, as this server is in none.",
	}, Subs: clusterSubs},
	{Spec: command.Spec{
		Name: "READONLY", Arity: 1, Flags: clusterMode,
		Group: command.GroupCluster, Since: "3.0.0", Complexity: "O(1)",
		Categories: []string{"connection"},
		Summary:    "Lets this connection read from a cluster's replica.",
	}, Run: noCluster},
	{Spec: command.Spec{
		Name: "READWRITE", Arity: 1, Flags: clusterMode,
		Group: command.GroupCluster, Since: "3.0.0", Complexity: "O(1)",
		Categories: []string{"connection"},
		Summary:    "Takes READONLY back.",
	}, Run: noCluster},
	{Spec: command.Spec{
		Name: "ASKING", Arity: 1, Flags: command.Fast,
		Group: command.GroupCluster, Since: "3.0.0", Complexity: "O(1)",
		Categories: []string{"connection"},
		Summary:    "Says that the next command follows an ASK redirection.",
	}, Run: noCluster},
}

const (
	clusterMode  = command.Loading | command.Stale | command.Fast
	clusterRead  = command.Stale
	clusterAdmin = command.Admin | command.Stale
	clusterWrite = clusterAdmin | command.NoAsyncLoading
)

var clusterSubs = []command.Entry[*Client]{
	clusterSub("ADDSLOTS", -3, "slot:integer...", "3.0.0", clusterWrite, "Gives hash slots to this node."),
	clusterSub("ADDSLOTSRANGE", -4, slotRanges, "7.0.0", clusterWrite, "Gives ranges of hash slots to this node."),
	clusterSub("BUMPEPOCH", 2, "", "3.0.0", clusterWrite, "Advances the configuration epoch.", unsteady),
	clusterSub("COUNT-FAILURE-REPORTS", 3, "node-id", "3.0.0", clusterAdmin, "Counts the reports that a node has failed.", unsteady),
	clusterSub("COUNTKEYSINSLOT", 3, "slot:integer", "3.0.0", clusterRead, "Counts the keys of a hash slot."),
	clusterSub("DELSLOTS", -3, "slot:integer...", "3.0.0", clusterWrite, "Takes hash slots from this node."),
	clusterSub("DELSLOTSRANGE", -4, slotRanges, "7.0.0", clusterWrite, "Takes ranges of hash slots from this node."),
	clusterSub("FAILOVER", -2, "options:[FORCE | TAKEOVER]", "3.0.0", clusterWrite, "Makes a replica the master of its slots."),
	clusterSub("FLUSHSLOTS", 2, "", "3.0.0", clusterWrite, "Takes all hash slots from this node."),
	clusterSub("FORGET", 3, "node-id", "3.0.0", clusterWrite, "Removes a node from the table of nodes."),
	clusterSub("GETKEYSINSLOT", 4, "slot:integer count:integer", "3.0.0", clusterRead, "Returns keys of a hash slot.", unsteady),
	clusterSub("HELP", 2, "", "5.0.0", command.Loading|command.Stale, "Lists the subcommands."),
	clusterSub("INFO", 2, "", "3.0.0", clusterRead, "Returns the state of this node.", unsteady),
	clusterSub("KEYSLOT", 3, "key:string", "3.0.0", clusterRead, "Returns the hash slot of a key."),
	clusterSub("LINKS", 2, "", "7.0.0", clusterRead, "Returns the links between nodes.", unsteady),
	clusterSub("MEET", -4, "ip port:integer [cluster-bus-port:integer]", "3.0.0", clusterWrite, "Makes two nodes know each other."),
	clusterSub("MYID", 2, "", "3.0.0", clusterRead, "Returns the id of this node."),
	clusterSub("MYSHARDID", 2, "", "7.2.0", clusterRead, "Returns the id of this node's shard.", unsteady),
	clusterSub("NODES", 2, "", "3.0.0", clusterRead, "Returns the nodes as this one sees them.", unsteady),
	clusterSub("REPLICAS", 3, "node-id", "5.0.0", clusterAdmin, "Lists the replicas of a master.", unsteady),
	clusterSub("REPLICATE", 3, "node-id", "3.0.0", clusterWrite, "Makes this node a replica of another."),
	clusterSub("RESET", -2, "reset-type:[HARD | SOFT]", "3.0.0", command.Admin|command.Stale|command.NoScript, "Makes this node forget the cluster."),
	clusterSub("SAVECONFIG", 2, "", "3.0.0", clusterWrite, "Writes the table of nodes to disk."),
	clusterSub("SET-CONFIG-EPOCH", 3, "config-epoch:integer", "3.0.0", clusterWrite, "Sets the configuration epoch of a new node."),
	clusterSub("SETSLOT", -4, "slot:integer subcommand:<IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>", "3.0.0", clusterWrite,
		"Moves a hash slot between nodes."),
	clusterSub("SHARDS", 2, "", "7.0.0", clusterRead, "Returns which nodes serve which slots.", unsteady),
	replacedBy("5.0.0", "`CLUSTER REPLICAS`",
		clusterSub("SLAVES", 3, "node-id", "3.0.0", clusterAdmin, "Lists the replicas of a master.", unsteady)),
	replacedBy("7.0.0", "`CLUSTER SHARDS`",
		clusterSub("SLOTS", 2, "", "3.0.0", clusterRead, "Returns which nodes serve which slots.", unsteady)),
}

const (
	slotRanges = "range:(start-slot:integer end-slot:integer)..."
	unsteady   = "nondeterministic_output"
)

func clusterSub(name string, arity int, syntax, since string, flags command.Flags, summary string, tips ...string) command.Entry[*Client] {
	return command.Entry[*Client]{Spec: command.Spec{
		Name: name, Syntax: syntax, Arity: arity, Flags: flags,
		Group: command.GroupCluster, Since: since, Complexity: "O(1), as it is refused",
		Summary: summary, Tips: tips,
	}, Run: noCluster}
}

// replacedBy marks an entry as deprecated in favour of another command.
func replacedBy(since, by string, e command.Entry[*Client]) command.Entry[*Client] {
	e.DocFlags, e.DeprecatedSince, e.ReplacedBy = []string{"deprecated"}, since, by
	return e
}

// noCluster answers everything about clusters, HELP too.
func noCluster(*Client, command.Args, *resp.Reply) error { return errs.ClusterDisabled }
