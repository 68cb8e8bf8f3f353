package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// Modules are shared objects for Redis' own process: none can be loaded here.

const moduleLoad = command.Admin | command.NoScript | command.NoAsyncLoading

var moduleCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "MODULE", Arity: -2,
		Group: command.GroupServer, Since: "4.0.0", Complexity: "That of its subcommands",
		Summary: "Lists the modules that are loaded: none.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale,
			Group: command.GroupServer, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Lists the subcommands.",
		}, Run: moduleHelp},
		{Spec: command.Spec{
			Name: "LIST", Arity: 2, Flags: command.Admin | command.NoScript,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Lists the modules that are loaded.",
			Tips:    []string{"nondeterministic_output_order"},
		}, Run: moduleList},
		{Spec: command.Spec{
			Name: "LOAD", Syntax: "path [arg...]", Arity: -3, Flags: moduleLoad,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Loads a module; refused.",
		}, Run: moduleRefused},
		{Spec: command.Spec{
			Name: "LOADEX", Syntax: "path configs:[CONFIG name value]... [ARGS args...]", Arity: -3, Flags: moduleLoad,
			Group: command.GroupServer, Since: "7.0.0", Complexity: "O(1)",
			Summary: "Loads a module with its configuration; refused.",
		}, Run: moduleRefused},
		{Spec: command.Spec{
			Name: "UNLOAD", Syntax: "name", Arity: 3, Flags: moduleLoad,
			Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
			Summary: "Unloads a module; refused.",
		}, Run: moduleRefused},
	}},
}

// MODULE HELP
func moduleHelp(c *Client, _ command.Args, out *resp.Reply) error {
	c.srv.table.Directory().Find("module").WriteHelp(out)
	return nil
}

// MODULE LIST
//
// Replies with no modules.
func moduleList(_ *Client, _ command.Args, out *resp.Reply) error {
	out.Array(0)
	return nil
}

// moduleRefused answers MODULE LOAD, LOADEX and UNLOAD as a server with
// enable-module-command no.
func moduleRefused(*Client, command.Args, *resp.Reply) error { return errs.ModuleRefused }
