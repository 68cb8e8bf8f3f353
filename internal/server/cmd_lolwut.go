package server

import (
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var lolwutCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "LOLWUT", Syntax: "[VERSION version:integer]", Arity: -1, Flags: command.ReadOnly | command.Fast,
		Group: command.GroupServer, Since: "5.0.0",
		Summary: "Shows the coat rack.",
	}, Run: lolwut},
}

// LOLWUT [VERSION version [hooks [rows]]]
//
// Replies with a rack of coats as they hang by chance, for each hook one that
// is taken or free, and with the version. Numbers behind the version say how
// large it is.
func lolwut(c *Client, in command.Args, out *resp.Reply) error {
	hooks, rows := int64(12), int64(2)
	if len(in) >= 3 && equalFold(in[1], "VERSION") {
		for i, word := range in[2:] {
			n, ok := resp.ParseInt(word)
			if !ok {
				return errs.NotInteger
			}
			switch i {
			case 1:
				hooks = min(max(n, 1), 40)
			case 2:
				rows = min(max(n, 1), 20)
			}
		}
	}
	tx := c.begin()
	defer tx.End()
	var b strings.Builder
	for range rows {
		taken := make([]bool, hooks)
		for i := range taken {
			taken[i] = tx.Rand().IntN(3) > 0
		}
		drawRack(&b, taken)
	}
	b.WriteString("\nEvery coat has a ticket. Redis ver. " + RedisVersion + "\n")
	out.Verbatim("txt", b.String())
	return nil
}

// drawRack draws one rail, its hooks and the coats on them.
func drawRack(b *strings.Builder, taken []bool) {
	b.WriteString("=" + strings.Repeat("==?==", len(taken)) + "=\n")
	for _, part := range []string{"  |  ", " /^\\ ", "/| |\\", " |_| "} {
		line := " "
		for _, t := range taken {
			switch {
			case t:
				line += part
			case part == "  |  ":
				line += "  '  "
			default:
				line += "     "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
