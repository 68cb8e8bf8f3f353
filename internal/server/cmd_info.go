package server

import (
	"runtime"

	"coatcheck/internal/command"
	"coatcheck/metrics"
	"coatcheck/resp"
)

var infoCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "INFO", Syntax: "[section...]", Arity: -1, Flags: command.Loading | command.Stale,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary:    "Tells of the server and its figures, by section.",
		Categories: []string{"dangerous"},
		Tips:       []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
		History:    [][2]string{{"7.0.0", "Several sections may be named."}},
	}, Run: info},
	{Spec: command.Spec{
		Name: "TIME", Arity: 1, Flags: command.Loading | command.Stale | command.Fast,
		Group: command.GroupServer, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Tells the server's time.", Tips: []string{"nondeterministic_output"},
	}, Run: timeCommand},
	{Spec: command.Spec{
		Name: "ROLE", Arity: 1, Flags: connFlags | command.Fast,
		Group: command.GroupServer, Since: "2.8.12", Complexity: "O(1)",
		Summary: "Tells the server's part in replication.", Categories: []string{"admin", "dangerous"},
	}, Run: role},
}

// INFO [section [section ...]]
//
// Replies with lines "field:value" under headings, in INFO's order.
func info(c *Client, in command.Args, out *resp.Reply) error {
	var names []string
	for _, name := range in[1:] {
		names = append(names, string(name))
	}
	s := c.srv
	out.Verbatim("txt", metrics.Info(s.snapshot(metrics.SampleProcess(), metrics.NeedsCommands(names...)), names...))
	return nil
}

// TIME
//
// Replies with the seconds since the Unix epoch and the microseconds of the
// present one.
func timeCommand(c *Client, _ command.Args, out *resp.Reply) error {
	us := c.srv.now.UnixMicro()
	out.Array(2)
	out.BulkText(decimal(us / 1e6))
	out.BulkText(decimal(us % 1e6))
	return nil
}

// listenersInfo is where clients connect, for INFO.
func (s *Server) listenersInfo() []metrics.Listener {
	var out []metrics.Listener
	if s.cfg.Port != 0 {
		out = append(out, metrics.Listener{Name: "tcp", Bind: s.cfg.Bind, Port: s.cfg.Port})
	}
	if s.cfg.TLSPort != 0 {
		out = append(out, metrics.Listener{Name: "tls", Bind: s.cfg.Bind, Port: s.cfg.TLSPort})
	}
	if s.cfg.UnixSocket != "" {
		out = append(out, metrics.Listener{Name: "unix", Path: s.cfg.UnixSocket})
	}
	return out
}

// loopAPI is how sockets are waited for.
func (s *Server) loopAPI() string {
	if s.goroutines || runtime.GOOS != "linux" {
		return "goroutines"
	}
	return "epoll"
}
