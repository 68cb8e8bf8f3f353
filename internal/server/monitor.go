package server

import (
	"slices"
	"strconv"
	"strings"

	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/resp"
)

var monitorCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "MONITOR", Arity: 1,
		Flags: command.Admin | connFlags,
		Group: command.GroupServer, Since: "1.0.0",
		Summary: "Shows every command that the server runs, as it runs.",
	}, Run: monitor},
}

// MONITOR
//
// From now on the client gets a line for each command that anybody runs. As in
// Redis, MONITOR again is not answered, and commands about keys are refused.
func monitor(c *Client, in command.Args, out *resp.Reply) error {
	if c.srv.within > 0 {
		return monitorNoBlocking
	}
	if c.monitor {
		return nil
	}
	c.monitor = true
	c.srv.monitors = append(c.srv.monitors, c)
	out.Status("OK")
	return nil
}

func (c *Client) stopMonitor() {
	if !c.monitor {
		return
	}
	c.monitor = false
	i := slices.Index(c.srv.monitors, c)
	c.srv.monitors = slices.Delete(c.srv.monitors, i, i+1)
}

// feedMonitors sends the line of a command that has just run.
func (s *Server) feedMonitors(c *Client, cmd *Cmd, argv [][]byte) {
	line := s.monitorLine(c, redact(cmd, argv))
	for _, m := range s.monitors {
		m.pushed.Append(line)
		s.told(m)
	}
}

// monitorLine is a MONITOR line in the words of Redis (replication.c,
// replicationFeedMonitors), with the time at which the command ended.
func (s *Server) monitorLine(c *Client, argv [][]byte) []byte {
	line := make([]byte, 0, 128)
	us := s.at.UnixMicro()
	line = append(line, '+')
	line = strconv.AppendInt(line, us/1e6, 10)
	line = append(line, '.')
	frac := strconv.AppendInt(nil, us%1e6+1e6, 10)
	line = append(line, frac[1:]...)
	line = append(line, " ["...)
	line = strconv.AppendInt(line, int64(c.db), 10)
	line = append(line, ' ')
	if c.kind == kindUnix {
		line = append(line, "unix:"...)
		line = append(line, strings.TrimSuffix(c.laddr, ":0")...)
	} else {
		line = append(line, c.addr...)
	}
	line = append(line, ']')
	for _, a := range argv {
		line = append(line, ' ')
		line = appendRepr(line, a)
	}
	return append(line, "\r\n"...)
}

// appendRepr appends b in quotes, other than printable bytes escaped, as
// Redis' sdscatrepr does.
func appendRepr(dst, b []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, ch := range b {
		switch ch {
		case '\\', '"':
			dst = append(dst, '\\', ch)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\a':
			dst = append(dst, `\a`...)
		case '\b':
			dst = append(dst, `\b`...)
		default:
			if ch >= ' ' && ch <= '~' {
				dst = append(dst, ch)
			} else {
				dst = append(dst, '\\', 'x', hex[ch>>4], hex[ch&15])
			}
		}
	}
	return append(dst, '"')
}

var redacted = []byte("(redacted)")

// redact returns argv, with secrets replaced in a copy.
func redact(cmd *Cmd, argv [][]byte) [][]byte {
	from, to := 0, 0 // argv[from:to] is secret
	switch cmd.FullName {
	case "auth":
		from, to = 1, len(argv)
	case "acl|setuser", "acl|deluser", "acl|getuser":
		from, to = 2, len(argv)
	case "hello":
		for i := 2; i+2 < len(argv); i++ {
			if equalFold(argv[i], "AUTH") {
				from, to = i+1, i+3
				break
			}
		}
	case "config|set":
		return redactParams(argv)
	}
	if from >= to {
		return argv
	}
	argv = slices.Clone(argv)
	for i := from; i < to; i++ {
		argv[i] = redacted
	}
	return argv
}

func redactParams(argv [][]byte) [][]byte {
	kept := argv
	for i := 2; i+1 < len(argv); i += 2 {
		if config.Sensitive(string(argv[i])) {
			if &kept[0] == &argv[0] {
				kept = slices.Clone(argv)
			}
			kept[i+1] = redacted
		}
	}
	return kept
}
