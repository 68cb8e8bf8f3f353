package server

import (
	"strings"
	"time"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/metrics"
	"coatcheck/resp"
)

var latencyTips = []string{"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"}

var latencyCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "LATENCY", Arity: -2,
		Group: command.GroupServer, Since: "2.8.13", Complexity: "That of its subcommands",
		Summary: "What took long, and how long things take.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "DOCTOR", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.13", Complexity: "O(1)",
			Summary: "Reports on latency, for people.", Tips: latencyTips,
		}, Run: latencyDoctor},
		{Spec: command.Spec{
			Name: "GRAPH", Syntax: "event", Arity: 3, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.13", Complexity: "O(1)",
			Summary: "Draws the samples of an event.", Tips: latencyTips,
		}, Run: latencyGraph},
		{Spec: command.Spec{
			Name: "HISTOGRAM", Syntax: "[command...]", Arity: -2, Flags: adminFlags,
			Group: command.GroupServer, Since: "7.0.0", Complexity: "O(N) in the commands told of",
			Summary: "Tells how long calls of commands took.", Tips: latencyTips,
		}, Run: latencyHistogram},
		{Spec: command.Spec{
			Name: "HISTORY", Syntax: "event", Arity: 3, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.13", Complexity: "O(1)",
			Summary: "Returns the samples of an event.", Tips: latencyTips,
		}, Run: latencyHistory},
		{Spec: command.Spec{
			Name: "LATEST", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.13", Complexity: "O(1)",
			Summary: "Returns the latest sample of every event.", Tips: latencyTips,
		}, Run: latencyLatest},
		{Spec: command.Spec{
			Name: "RESET", Syntax: "[event...]", Arity: -2, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.13", Complexity: "O(1)",
			Summary: "Forgets the samples of events, of all without names.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: latencyReset},
		helpEntry("latency", "2.8.13"),
	}},
}

// LATENCY LATEST
//
// Replies with event, Unix time, milliseconds, and the most of all time.
func latencyLatest(c *Client, _ command.Args, out *resp.Reply) error {
	m := &c.srv.latency
	out.Array(len(m.events))
	for _, name := range m.names() {
		e := m.events[name]
		out.Array(4)
		out.BulkText(name)
		out.Int(e.last().at.Unix())
		out.Int(e.last().took.Milliseconds())
		out.Int(e.max.Milliseconds())
	}
	return nil
}

// LATENCY HISTORY event
//
// Replies with pairs of Unix time and milliseconds, the oldest first.
func latencyHistory(c *Client, in command.Args, out *resp.Reply) error {
	e := c.srv.latency.events[string(in[2])]
	if e == nil {
		out.Array(0)
		return nil
	}
	out.Array(len(e.samples))
	for _, s := range e.samples {
		out.Array(2)
		out.Int(s.at.Unix())
		out.Int(s.took.Milliseconds())
	}
	return nil
}

// LATENCY RESET [event ...]
func latencyReset(c *Client, in command.Args, out *resp.Reply) error {
	var names []string
	for _, name := range in[2:] {
		names = append(names, string(name))
	}
	out.Int(int64(c.srv.latency.reset(names...)))
	return nil
}

// LATENCY GRAPH event
func latencyGraph(c *Client, in command.Args, out *resp.Reply) error {
	e := c.srv.latency.events[string(in[2])]
	if e == nil {
		return &errs.Error{Code: "ERR", Text: "No samples available for event '" + string(in[2]) + "'"}
	}
	out.Verbatim("txt", drawLatency(string(in[2]), e, c.srv.now))
	return nil
}

// LATENCY DOCTOR
func latencyDoctor(c *Client, _ command.Args, out *resp.Reply) error {
	out.Verbatim("txt", c.srv.latencyReport())
	return nil
}

// LATENCY HISTOGRAM [command ...]
//
// Replies with a map from the full names of commands that were called to their
// calls and a map of buckets. A container's name stands for its subcommands.
func latencyHistogram(c *Client, in command.Args, out *resp.Reply) error {
	var cmds []*Cmd
	add := func(c *Cmd) {
		for _, each := range append([]*Cmd{c}, c.Subs...) {
			if each.Stats.hist != nil {
				cmds = append(cmds, each)
			}
		}
	}
	if len(in) == 2 {
		for _, cmd := range c.srv.table.All() {
			add(cmd)
		}
	}
	for _, name := range in[2:] {
		if cmd := c.srv.table.Lookup(strings.ToLower(string(name))); cmd != nil {
			add(cmd)
		}
	}
	out.Map(len(cmds))
	for _, cmd := range cmds {
		writeHistogram(out, cmd)
	}
	return nil
}

func writeHistogram(out *resp.Reply, cmd *Cmd) {
	out.BulkText(cmd.FullName)
	out.Map(2)
	out.BulkText("calls")
	out.Int(int64(cmd.Stats.hist.Total))
	out.BulkText("histogram_usec")
	buckets := metrics.PowerBuckets(cmd.Stats.hist)
	out.Map(len(buckets))
	for _, b := range buckets {
		out.Int(b.Micros)
		out.Int(int64(b.Count))
	}
}

// ago says in a letter's space how long ago t was.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return decimal(int64(d/time.Second)) + "s"
	case d < time.Hour:
		return decimal(int64(d/time.Minute)) + "m"
	case d < 24*time.Hour:
		return decimal(int64(d/time.Hour)) + "h"
	}
	return decimal(int64(d/(24*time.Hour))) + "d"
}
