package server

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var configCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "CONFIG", Arity: -2,
		Group: command.GroupServer, Since: "2.0.0", Complexity: "That of its subcommands",
		Summary: "Reads and changes the parameters of the server.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "GET", Syntax: "parameter:(parameter)...", Arity: -3, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.0.0", Complexity: "O(N) in the parameters and patterns",
			Summary: "Tells the values of parameters, found by name or pattern.",
			History: [][2]string{{"7.0.0", "Several patterns may be given."}},
		}, Run: configGet},
		{Spec: command.Spec{
			Name: "SET", Syntax: "(parameter value)...", Arity: -4, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.0.0", Complexity: "O(N) in the parameters set",
			Summary: "Changes parameters, all or none.",
			History: [][2]string{{"7.0.0", "Several parameters may be set at once."}},
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: configSet},
		{Spec: command.Spec{
			Name: "RESETSTAT", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.0.0", Complexity: "O(1)",
			Summary: "Starts the figures of INFO over.",
		}, Run: configResetStat},
		{Spec: command.Spec{
			Name: "REWRITE", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "2.8.0", Complexity: "O(1)",
			Summary: "Writes the values in force to the configuration file.",
		}, Run: configRewrite},
		helpEntry("config", "5.0.0"),
	}},
}

// CONFIG GET parameter [parameter ...]
//
// Replies with a map of the parameters that match any of the patterns.
func configGet(c *Client, in command.Args, out *resp.Reply) error {
	patterns := make([]string, 0, len(in)-2)
	for _, p := range in[2:] {
		patterns = append(patterns, string(p))
	}
	found := c.srv.cfg.Get(func(pattern, name string) bool { return engine.MatchFold([]byte(pattern), []byte(name)) }, patterns...)
	out.Map(len(found))
	for _, p := range found {
		out.BulkText(p.Name)
		out.BulkText(p.Value)
	}
	return nil
}

// CONFIG SET parameter value [parameter value ...]
func configSet(c *Client, in command.Args, out *resp.Reply) error {
	pairs := make([]string, 0, len(in)-2)
	for _, word := range in[2:] {
		pairs = append(pairs, string(word))
	}
	if err := c.srv.cfg.Set(pairs, c.isLocal()); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// CONFIG RESETSTAT
func configResetStat(c *Client, _ command.Args, out *resp.Reply) error {
	c.srv.resetStats()
	out.Status("OK")
	return nil
}

// CONFIG REWRITE
//
// The file is written aside, off the lock; others are served meanwhile.
func configRewrite(c *Client, _ command.Args, _ *resp.Reply) error {
	rewriting, err := c.srv.cfg.Rewrite(c.srv.configUsers())
	if err != nil {
		return err
	}
	log := c.srv.log
	return aside(func() (struct{}, error) { return struct{}{}, rewriting.Write() }, func(_ struct{}, err error) error {
		if err != nil {
			log.Warn("CONFIG REWRITE failed", "error", err)
			return errs.RewriteFailed(err)
		}
		log.Info("CONFIG REWRITE executed with success")
		return nil
	})
}

// configUsers are the lines about users for the configuration file: none while an
// aclfile has them.
func (s *Server) configUsers() []string {
	if s.cfg.ACLFile != "" {
		return nil
	}
	var lines []string
	for _, u := range s.users.All() {
		lines = append(lines, u.ConfigLine())
	}
	return lines
}
