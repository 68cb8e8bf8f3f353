package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var slowlogCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "SLOWLOG", Arity: -2,
		Group: command.GroupServer, Since: "2.2.12", Complexity: "That of its subcommands",
		Summary: "The log of commands that took long.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "GET", Syntax: "[count:integer]", Arity: -2, Flags: command.Admin | command.Loading | command.Stale,
			Group: command.GroupServer, Since: "2.2.12", Complexity: "O(N) in the entries told of",
			Summary: "Returns the newest entries: 10, or count of them, or all for -1.",
			History: [][2]string{{"4.0.0", "Entries tell the client's address and name."}},
			Tips:    []string{"request_policy:all_nodes", "nondeterministic_output"},
		}, Run: slowlogGet},
		{Spec: command.Spec{
			Name: "LEN", Arity: 2, Flags: command.Admin | command.Loading | command.Stale,
			Group: command.GroupServer, Since: "2.2.12", Complexity: "O(1)",
			Summary: "Counts the entries.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
		}, Run: slowlogLen},
		{Spec: command.Spec{
			Name: "RESET", Arity: 2, Flags: command.Admin | command.Loading | command.Stale,
			Group: command.GroupServer, Since: "2.2.12", Complexity: "O(N) in the log's entries",
			Summary: "Forgets the entries.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: slowlogReset},
		helpEntry("slowlog", "6.2.0"),
	}},
}

var errSlowlogCount = &errs.Error{Code: "ERR", Text: "count should be greater than or equal to -1"}

// SLOWLOG GET [count]
//
// Replies with entries of six: number, Unix time, microseconds, arguments,
// client's address, client's name.
func slowlogGet(c *Client, in command.Args, out *resp.Reply) error {
	n := int64(10)
	switch len(in) {
	case 2:
	case 3:
		var ok bool
		if n, ok = resp.ParseInt(in[2]); !ok || n < -1 {
			return errSlowlogCount
		}
	default:
		return errs.UnknownCall("SLOWLOG", in[1])
	}
	entries := c.srv.slowlog.newest(int(min(n, 1<<31)))
	out.Array(len(entries))
	for _, e := range entries {
		out.Array(6)
		out.Int(e.id)
		out.Int(e.at.Unix())
		out.Int(e.took.Microseconds())
		out.Array(len(e.argv))
		for _, a := range e.argv {
			out.BulkText(a)
		}
		out.BulkText(e.addr)
		out.BulkText(e.name)
	}
	return nil
}

// SLOWLOG LEN
func slowlogLen(c *Client, _ command.Args, out *resp.Reply) error {
	out.Int(int64(len(c.srv.slowlog.entries)))
	return nil
}

// SLOWLOG RESET
func slowlogReset(c *Client, _ command.Args, out *resp.Reply) error {
	c.srv.slowlog.reset()
	out.Status("OK")
	return nil
}
