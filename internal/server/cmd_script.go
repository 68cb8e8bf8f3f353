package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/script"
	"coatcheck/resp"
)

const (
	evalFlags  = command.NoScript | command.Stale | command.SkipMonitor | command.NoMandatoryKeys | command.MovableKeys | command.RunsScript
	evalKeys   = command.RW | command.Access | command.Update
	evalROKeys = command.RO | command.Access
)

var scriptCommands = []command.Entry[*Client]{
	evalEntry("EVAL", "script", "2.6.0", evalFlags, evalKeys, "Runs a script.", false),
	evalEntry("EVALSHA", "sha1", "2.6.0", evalFlags, evalKeys, "Runs a script that the server has, by its digest.", true),
	evalEntry("EVALSHA_RO", "sha1", "7.0.0", evalFlags|command.ReadOnly, evalROKeys, "Runs a script that the server has, which may not write.", true),
	evalEntry("EVAL_RO", "script", "7.0.0", evalFlags|command.ReadOnly, evalROKeys, "Runs a script that may not write.", false),
	{Spec: command.Spec{
		Name: "SCRIPT", Arity: -2,
		Group: command.GroupScripting, Since: "2.6.0", Complexity: "That of its subcommands",
		Summary: "The scripts that the server has.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "DEBUG", Syntax: "mode:<YES | SYNC | NO>", Arity: 3, Flags: command.NoScript,
			Group: command.GroupScripting, Since: "3.2.0", Complexity: "O(1)",
			Summary: "Turns the debugger of scripts off; there is none to be turned on.",
		}, Run: scriptDebug},
		{Spec: command.Spec{
			Name: "EXISTS", Syntax: "sha1...", Arity: -3, Flags: command.NoScript,
			Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) in the digests",
			Summary: "Says which scripts the server has.",
			Tips:    []string{"request_policy:all_shards", "response_policy:agg_logical_and"},
		}, Run: scriptExists},
		{Spec: command.Spec{
			Name: "FLUSH", Syntax: "flush-type:[ASYNC | SYNC]", Arity: -2, Flags: command.NoScript,
			Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) in the scripts",
			Summary: "Forgets all scripts.",
			History: [][2]string{{"6.2.0", "ASYNC and SYNC."}},
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: scriptFlush},
		{Spec: command.Spec{
			Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale,
			Group: command.GroupScripting, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Tells of the subcommands.",
		}, Run: helpOf("SCRIPT")},
		{Spec: command.Spec{
			Name: "KILL", Arity: 2, Flags: command.NoScript | command.AllowBusy,
			Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(1)",
			Summary: "Ends the script that runs, if it has not written.",
			Tips:    []string{"request_policy:all_shards", "response_policy:one_succeeded"},
		}, Run: scriptKill},
		{Spec: command.Spec{
			Name: "LOAD", Syntax: "script", Arity: 3, Flags: command.NoScript | command.Stale,
			Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) in the bytes of the script",
			Summary: "Keeps a script to be run later.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: scriptLoad},
	}},
}

func evalEntry(name, first, since string, flags command.Flags, keys command.KeyFlags, summary string, bySHA bool) command.Entry[*Client] {
	return command.Entry[*Client]{Spec: command.Spec{
		Name: name, Syntax: first + " numkeys:integer [key...] [arg...]", Arity: -3, Flags: flags,
		Searches: []command.KeySearch{{Begin: 2, Counted: true, Flags: keys}},
		Group:    command.GroupScripting, Since: since, Complexity: "That of the script",
		Summary: summary,
	}, Run: func(c *Client, in command.Args, out *resp.Reply) error {
		return evalCommand(c, in, bySHA, flags&command.ReadOnly != 0, out)
	}}
}

// EVAL script numkeys [key ...] [arg ...]
// EVALSHA sha1 numkeys [key ...] [arg ...]
func evalCommand(c *Client, in command.Args, bySHA, readOnly bool, out *resp.Reply) error {
	n, ok := resp.ParseInt(in[2])
	switch {
	case bySHA && len(in[1]) != 40: // not a digest at all
		return errNoScript
	case !ok:
		return errs.NotInteger
	case n > int64(len(in)-3):
		return &errs.Error{Code: "ERR", Text: "Number of keys can't be greater than number of args"}
	case n < 0:
		return &errs.Error{Code: "ERR", Text: "Number of keys can't be negative"}
	}
	x := &c.srv.scripts
	var sc *script.Script
	if bySHA {
		if sc = x.script(in[1]); sc == nil {
			return errNoScript
		}
	}
	if s := c.srv; len(s.monitors) > 0 { // before the script's commands
		if cmd, ok := s.table.find(in); ok {
			s.feedMonitors(c, cmd, in)
		}
	}
	return c.srv.onScriptGoroutine(c, out, func(out *resp.Reply) (err error) {
		if !bySHA {
			if sc, err = x.load(in[1], false); err != nil {
				return err
			}
		}
		return x.eval(c, sc, in[3:3+n], in[3+n:], readOnly, out)
	})
}

// SCRIPT LOAD script
func scriptLoad(c *Client, in command.Args, out *resp.Reply) error {
	sc, err := c.srv.scripts.load(in[2], true)
	if err == nil {
		out.BulkText(sc.Name)
	}
	return err
}

// SCRIPT EXISTS sha1 [sha1 ...]
func scriptExists(c *Client, in command.Args, out *resp.Reply) error {
	out.Array(len(in) - 2)
	for _, name := range in[2:] {
		if c.srv.scripts.script(name) != nil {
			out.Int(1)
		} else {
			out.Int(0)
		}
	}
	return nil
}

// SCRIPT FLUSH [ASYNC | SYNC]
func scriptFlush(c *Client, in command.Args, out *resp.Reply) error {
	if len(in) > 3 || len(in) == 3 && !equalFold(in[2], "SYNC") && !equalFold(in[2], "ASYNC") {
		return &errs.Error{Code: "ERR", Text: "SCRIPT FLUSH only support SYNC|ASYNC option"}
	}
	c.srv.scripts.flush()
	out.Status("OK")
	return nil
}

// SCRIPT KILL
func scriptKill(c *Client, _ command.Args, out *resp.Reply) error {
	if err := c.srv.scripts.kill(); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// SCRIPT DEBUG YES | SYNC | NO
func scriptDebug(_ *Client, in command.Args, out *resp.Reply) error {
	switch {
	case equalFold(in[2], "NO"):
		out.Status("OK")
		return nil
	case equalFold(in[2], "YES"), equalFold(in[2], "SYNC"):
		return &errs.Error{Code: "ERR", Text: "There is no debugger of scripts"}
	}
	return &errs.Error{Code: "ERR", Text: "Use SCRIPT DEBUG YES/SYNC/NO"}
}
