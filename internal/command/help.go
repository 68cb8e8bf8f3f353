package command

import (
	"strings"

	"coatcheck/resp"
)

// WriteHelp appends what a container's HELP answers: a line of usage and a line
// of summary for each of its subcommands, HELP last.
func (i *Info) WriteHelp(out *resp.Reply) {
	lines := []string{i.Name + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	if !i.Container {
		lines = append(lines, "(no subcommand)", "    "+i.Summary)
	}
	for _, sub := range i.Subs {
		if sub.Name != "HELP" {
			lines = append(lines, sub.Usage(), "    "+sub.Summary)
		}
	}
	lines = append(lines, "HELP", "    Prints this help.")
	out.Array(len(lines))
	for _, line := range lines {
		out.Status(line)
	}
}

// Usage is the command's own word and its arguments, for people: "KILL ip:port".
func (s *Spec) Usage() string {
	args, err := s.Arguments()
	if err != nil { // a test finds these
		return s.Name
	}
	return strings.TrimSpace(s.Name + " " + Usage(args))
}
